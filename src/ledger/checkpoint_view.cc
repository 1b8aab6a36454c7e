#include "ledger/checkpoint_view.h"

#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>

#include "ledger/witnessed.h"

namespace gatehouse::ledger {

namespace {

// An id is made when a call begins, its entry is written when its body has come: so much earlier in
// the log, and so much later, an entry may stand than its id says.
constexpr std::uint64_t bundles_before = 8;
constexpr std::uint64_t bundles_after = 256;
constexpr std::uint64_t latest_ms = 60'000;

// The milliseconds since 1970 in a UUIDv7; absent in anything else.
std::optional<std::uint64_t> time_of(std::string_view id) {
  if (id.size() != 36 || id[8] != '-') return std::nullopt;
  std::uint64_t time = 0;
  for (std::size_t at = 0; at < 13; ++at) {
    if (at == 8) continue;
    const char c = id[at];
    const bool is_digit = c >= '0' && c <= '9';
    if (!is_digit && (c < 'a' || c > 'f')) return std::nullopt;
    time = time * 16 + static_cast<std::uint64_t>(is_digit ? c - '0' : c - 'a' + 10);
  }
  return time;
}

}  // namespace

CheckpointView::CheckpointView(Disk& disk, LogPaths paths, std::string note, Checkpoint checkpoint)
    : disk_(&disk),
      paths_(std::move(paths)),
      note_(std::move(note)),
      checkpoint_(std::move(checkpoint)),
      subtrees_(stored_subtrees(disk, paths_, checkpoint_.size)) {}

Result<CheckpointView> CheckpointView::under(Disk& disk, LogPaths paths, const VerifierKey& key,
                                             std::string note) {
  auto opened = open_checkpoint(note, key);
  if (!opened) return fail(ErrorCode::data_loss, opened.error().message, paths.checkpoint);
  return CheckpointView(disk, std::move(paths), std::move(note), std::move(opened->checkpoint));
}

Result<CheckpointView> CheckpointView::open(Disk& disk, const std::string& directory) {
  LogPaths paths(directory);
  GH_ASSIGN(const VerifierKey key, read_verifier_key(disk, paths.verifier_key));
  GH_ASSIGN(std::string note, read_whole(disk, paths.checkpoint, max_checkpoint_bytes));
  return under(disk, std::move(paths), key, std::move(note));
}

Result<CheckpointView> CheckpointView::open_for(Disk& disk, const std::string& directory,
                                                std::uint64_t index) {
  LogPaths paths(directory);
  GH_ASSIGN(const VerifierKey key, read_verifier_key(disk, paths.verifier_key));
  GH_ASSIGN(std::string note, checkpoint_for(disk, paths, key, index));
  return under(disk, std::move(paths), key, std::move(note));
}

Error CheckpointView::not_covered(std::uint64_t index) const {
  return {ErrorCode::failed_precondition,
          fmt::format("no checkpoint covers entry {} yet; the last one covers {} entries", index,
                      checkpoint_.size),
          {}};
}

TileName CheckpointView::bundle_of(std::uint64_t index) const {
  const std::uint64_t bundle = index / tile_width;
  const std::uint64_t width = std::min(tile_width, checkpoint_.size - bundle * tile_width);
  return {.level = {}, .index = bundle, .width = static_cast<unsigned>(width)};
}

// Makes entries_ hold the bundle of that entry.
Result<void> CheckpointView::load(std::uint64_t index) {
  if (index >= checkpoint_.size) return std::unexpected(not_covered(index));
  const TileName name = bundle_of(index);
  if (loaded_ == name.index) return {};
  loaded_.reset();
  GH_ASSIGN(*bytes_, read_bundle(*disk_, paths_, name));
  auto entries = split_bundle(*bytes_, name.width);
  if (!entries) return fail(ErrorCode::data_loss, entries.error().message, paths_.tile(name));
  entries_ = std::move(*entries);
  loaded_ = name.index;
  return {};
}

Result<std::string> CheckpointView::entry(std::uint64_t index) {
  GH_TRY(load(index));
  return std::string(entries_[index % tile_width]);
}

Result<InclusionReceipt> CheckpointView::prove(std::uint64_t index) {
  if (index >= checkpoint_.size) return std::unexpected(not_covered(index));
  InclusionReceipt receipt;
  receipt.index = index;
  receipt.checkpoint = note_;
  GH_ASSIGN(receipt.hashes, inclusion_proof(index, checkpoint_.size, subtrees_));
  return receipt;
}

// Of the first entry of a full bundle, from its first bytes; empty for an entry of another shape.
Result<std::string> CheckpointView::first_id(std::uint64_t bundle) const {
  constexpr std::size_t enough = 2 + 64;
  GH_ASSIGN(const File file,
            File::open(*disk_, paths_.tile({.level = {}, .index = bundle}), O_RDONLY));
  GH_ASSIGN(const std::string bytes, file.read_at(enough, 0));
  return std::string(bytes.size() < 2 ? "" : id_of(std::string_view(bytes).substr(2)));
}

Result<std::optional<FoundEntry>> CheckpointView::find(std::string_view id) {
  const auto time = time_of(id);
  if (!time || checkpoint_.size == 0) return std::nullopt;
  // The last full bundle that begins at or before the id.
  std::uint64_t low = 0;
  std::uint64_t high = checkpoint_.size / tile_width;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    GH_ASSIGN(const std::string first, first_id(middle));
    if (first <= id) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const std::uint64_t home = low == 0 ? 0 : low - 1;
  const std::uint64_t begin = home - std::min(home, bundles_before);
  const std::uint64_t end = (checkpoint_.size + tile_width - 1) / tile_width;
  for (std::uint64_t bundle = begin; bundle < std::min(end, home + 1 + bundles_after); ++bundle) {
    const std::uint64_t from = bundle * tile_width;
    GH_TRY(load(from));
    for (std::size_t at = 0; at < entries_.size(); ++at) {
      if (id_of(entries_[at]) == id)
        return FoundEntry{.index = from + at, .entry = std::string(entries_[at])};
    }
    const auto first = time_of(id_of(entries_.front()));
    if (bundle > home && first && *first > *time + latest_ms) break;
  }
  return std::nullopt;
}

Result<std::optional<FoundEntry>> CheckpointView::find_from(std::uint64_t from, std::uint64_t most,
                                                            const Wanted& wanted) {
  const std::uint64_t end = std::min(checkpoint_.size, from + most);
  for (std::uint64_t index = from; index < end; ++index) {
    GH_TRY(load(index));
    const std::string_view entry = entries_[index % tile_width];
    if (wanted(entry)) return FoundEntry{.index = index, .entry = std::string(entry)};
  }
  return std::nullopt;
}

}  // namespace gatehouse::ledger

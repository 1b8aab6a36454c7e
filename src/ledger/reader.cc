// EntryReader: full bundles first, because they never change; then the write-ahead segments; where
// a copy of a log has no segments, the partial bundle of its checkpoint.
#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "ledger/disk.h"
#include "ledger/ledger.h"
#include "ledger/log_files.h"
#include "ledger/segment_reader.h"

namespace gatehouse::ledger {

struct EntryReader::Impl {
  explicit Impl(std::string directory) : paths(std::move(directory)) {}

  Result<bool> load();
  Result<bool> load_bundle(unsigned width);
  Result<bool> load_frame();
  Result<bool> open_segment();
  Result<bool> load_published_bundle();
  Result<bool> is_last(const SegmentReader& reader);

  RealDisk disk;
  LogPaths paths;
  VerifierKey key;
  std::uint64_t next = 0;                 // index of the entry to be given out
  std::string bundle;                     // what `entries` views into, unless it is a frame
  std::vector<std::string_view> entries;  // [loaded_from, loaded_from + size)
  std::uint64_t loaded_from = 0;
  std::optional<SegmentReader> segment;
};

// Makes `entries` hold the entry `next`; false when there is none yet.
Result<bool> EntryReader::Impl::load() {
  // A segment that is being read is gone on with: its entries come before their bundle is full.
  if (segment && segment->position() <= next) {
    GH_ASSIGN(const bool found, load_frame());
    if (found) return true;
  }
  GH_ASSIGN(const bool bundled, load_bundle(tile_width));
  if (bundled) return true;
  GH_ASSIGN(const bool opened, open_segment());
  if (opened) {
    GH_ASSIGN(const bool found, load_frame());
    if (found) return true;
  }
  // The writer may have moved on between these looks; and what the checkpoint covers must be there.
  return load_published_bundle();
}

Result<bool> EntryReader::Impl::load_bundle(unsigned width) {
  const TileName name{.level = {}, .index = next / tile_width, .width = width};
  auto bytes = read_bundle(disk, paths, name);
  if (!bytes && bytes.error().code == ErrorCode::not_found) return false;
  if (!bytes) return std::unexpected(std::move(bytes).error());
  bundle = std::move(*bytes);
  auto split = split_bundle(bundle, width);
  if (!split) return fail(ErrorCode::data_loss, split.error().message, paths.tile(name));
  entries = std::move(*split);
  loaded_from = name.index * tile_width;
  return true;
}

Result<bool> EntryReader::Impl::load_frame() {
  GH_TRY(segment->skip_to(next));
  GH_ASSIGN(bool found, segment->next());
  if (!found && !segment->broken().empty()) {
    GH_ASSIGN(const bool last, is_last(*segment));
    if (last) return false;  // the writer may be in the middle of it
    // There is a later segment, so this frame is finished now; perhaps only since it was read.
    GH_ASSIGN(found, segment->next());
    if (!found && !segment->broken().empty())
      return fail(ErrorCode::data_loss, segment->broken(), segment->path());
  }
  if (!found) return false;
  entries = segment->frame().entries;
  loaded_from = segment->frame().header.first;
  return next < segment->position();
}

// A broken frame is the end of the log only in the last segment.
Result<bool> EntryReader::Impl::is_last(const SegmentReader& reader) {
  const std::string name = reader.path().substr(reader.path().rfind('/') + 1);
  GH_ASSIGN(const auto items, list_directory(disk, paths.wal));
  return std::ranges::none_of(items, [&](const DirectoryItem& item) {
    return parse_segment_name(item.name) && item.name > name;
  });
}

// Opens the segment that holds, or will hold, the entry `next`.
Result<bool> EntryReader::Impl::open_segment() {
  GH_ASSIGN(const auto items, list_directory(disk, paths.wal));
  std::optional<std::uint64_t> best;
  for (const DirectoryItem& item : items) {
    const auto first = parse_segment_name(item.name);
    if (first && *first <= next) best = first;  // sorted: the last one wins
  }
  if (!best) return false;
  if (segment && segment->header().first == *best) return true;
  auto opened = SegmentReader::open(disk, paths.wal + '/' + segment_name(*best));
  if (!opened && opened.error().code == ErrorCode::not_found) return false;
  if (!opened) return std::unexpected(std::move(opened).error());
  segment = std::move(*opened);
  return true;
}

Result<bool> EntryReader::Impl::load_published_bundle() {
  GH_ASSIGN(const auto signed_checkpoint, read_checkpoint(disk, paths.checkpoint, key));
  const std::uint64_t size = signed_checkpoint.checkpoint.size;
  if (next >= size) return false;
  const std::uint64_t from = next / tile_width * tile_width;
  GH_ASSIGN(const bool found,
            load_bundle(static_cast<unsigned>(std::min(tile_width, size - from))));
  if (found) return true;
  return fail(ErrorCode::data_loss, "the entries are missing",
              paths.tile({.level = {}, .index = next / tile_width}));
}

EntryReader::EntryReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EntryReader::EntryReader(EntryReader&&) noexcept = default;
EntryReader& EntryReader::operator=(EntryReader&&) noexcept = default;
EntryReader::~EntryReader() = default;

Result<EntryReader> EntryReader::open(const std::filesystem::path& directory, std::uint64_t from) {
  auto impl = std::make_unique<Impl>(directory.string());
  impl->next = from;
  auto key = read_verifier_key(impl->disk, impl->paths.verifier_key);
  if (!key && key.error().code == ErrorCode::not_found) {
    return fail(ErrorCode::not_found, "there is no log here", directory.string());
  }
  if (!key) return std::unexpected(std::move(key).error());
  impl->key = std::move(*key);
  return EntryReader(std::move(impl));
}

Result<bool> EntryReader::next(std::uint64_t& index, std::string& entry) {
  Impl& impl = *impl_;
  if (impl.next < impl.loaded_from || impl.next >= impl.loaded_from + impl.entries.size()) {
    impl.entries.clear();
    GH_ASSIGN(const bool found, impl.load());
    if (!found) return false;
  }
  index = impl.next;
  entry = impl.entries[impl.next - impl.loaded_from];
  ++impl.next;
  return true;
}

}  // namespace gatehouse::ledger

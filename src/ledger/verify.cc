#include "ledger/verify.h"

#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <map>
#include <thread>

#include "base/text.h"
#include "ledger/log_files.h"
#include "ledger/tree_edge.h"
#include "ledger/verify_segments.h"
#include "ledger/wal.h"
#include "ledger/witnessed.h"

namespace gatehouse::ledger {

namespace {

// How often what looks wrong beside a running writer is looked at again.
constexpr int looks_beside_a_writer = 3;
constexpr std::chrono::milliseconds pause_between_looks(50);

Error wrong(std::string message, std::string path) {
  return {ErrorCode::data_loss, std::move(message), std::move(path)};
}

// A file that must be there and is not.
Error missing_is_wrong(Error error, const std::string& path) {
  if (error.code != ErrorCode::not_found) return error;
  return wrong("the file is missing", path);
}

// The steps in the order in which a reader would do them by hand.
class Verifier {
 public:
  Verifier(Disk& disk, const std::string& directory, const VerifyOptions& options, bool running)
      : disk_(disk), paths_(directory), options_(options), running_(running) {
    report_.writer_running = running;
  }

  Result<VerifyReport> run() {
    GH_TRY(check_key());
    // Before the checkpoint, which is never behind it.
    GH_TRY(check_witnessed());
    GH_TRY(check_checkpoint());
    GH_TRY(check_witnessed_size());
    GH_TRY(open_remembered());
    GH_TRY(check_entries());
    GH_TRY(check_root());
    GH_TRY(check_edge_tiles());
    GH_TRY(check_witnessed_tiles());
    GH_TRY(check_write_ahead());
    GH_TRY(check_root_directory());
    GH_TRY(check_tile_files("tile"));
    return std::move(report_);
  }

 private:
  Result<void> check_key();
  Result<bool> is_log_of_policy();
  Result<void> check_witnessed();
  Result<void> check_policy(const std::string& note, WitnessedReport& found);
  Result<void> check_witnessed_size();
  Result<void> check_witnessed_root();
  Result<void> check_witnessed_tiles();
  Result<void> check_checkpoint();
  Result<void> open_remembered();
  Result<void> remembered_key_is_ours();
  Result<void> check_entries();
  Result<void> check_bundle(const TileName& name);
  Error leaf_mismatch(const TileName& bundle, unsigned at, std::size_t offset, const Digest& leaf,
                      const std::vector<Digest>& stored);
  Result<void> add(const Digest& leaf);
  Result<void> check_full_tile(const TileName& name, std::span<const Digest> hashes);
  Result<void> check_root();
  Result<void> check_edge_tiles();
  Result<void> check_write_ahead();
  Result<void> check_segment_entry(std::uint64_t index, std::string_view entry, const Digest& leaf,
                                   const std::string& segment);
  Result<void> check_root_directory();
  Result<void> check_tile_files(const std::string& relative);
  Result<void> check_tile_file(const std::string& relative);
  Result<std::string> expected_bytes(const TileName& name);
  Result<void> compare(const TileName& name, std::string_view expected);
  std::uint64_t size() const { return report_.checkpoint.size; }

  Disk& disk_;
  LogPaths paths_;
  const VerifyOptions& options_;
  const bool running_;
  VerifyReport report_;
  VerifierKey key_;
  std::optional<Checkpoint> remembered_;
  TreeEdge edge_;  // grows to the checkpoint, then over the entries after it
  std::string edge_bundle_;
  bool after_checkpoint_ = false;
  // Tiles and bundles that became full after the checkpoint; on disk or not yet.
  std::map<std::string, std::string> full_after_checkpoint_;
  TileName cached_name_{.level = 0, .index = ~std::uint64_t{0}};
  std::vector<Digest> cached_tile_;
};

// ---- key, checkpoint, remembered checkpoint -------------------------------------------------

Result<void> Verifier::check_key() {
  auto stored = read_verifier_key(disk_, paths_.verifier_key);
  if (!stored && stored.error().code == ErrorCode::not_found && options_.key) {
    report_.notes.emplace_back("the directory holds no log.vkey; the given key was used");
    key_ = *options_.key;
  } else {
    if (!stored) {
      return std::unexpected(missing_is_wrong(std::move(stored).error(), paths_.verifier_key));
    }
    key_ = std::move(*stored);
    ++report_.files;
    if (options_.key && to_string(*options_.key) != to_string(key_)) {
      return std::unexpected(
          wrong(fmt::format("expected {}, found {}", to_string(*options_.key), to_string(key_)),
                paths_.verifier_key));
    }
  }
  report_.verifier_key = to_string(key_);
  GH_ASSIGN(const bool in_policy, is_log_of_policy());
  if (!options_.key && !in_policy) {
    report_.notes.emplace_back(
        "the key was taken from the directory itself; give --key to know whose log this is");
  }
  return {};
}

// False when there is no policy, or one that lists no logs.
Result<bool> Verifier::is_log_of_policy() {
  if (!options_.policy || options_.policy->logs.empty()) return false;
  const bool listed = std::ranges::any_of(options_.policy->logs, [this](const PolicyLog& log) {
    return log.vkey == report_.verifier_key;
  });
  if (listed) return true;
  return std::unexpected(wrong("this log, " + report_.verifier_key + ", is not one of the policy's",
                               paths_.verifier_key));
}

// Signatures, and the policy if there is one; root and tiles come later.
Result<void> Verifier::check_witnessed() {
  const std::string path = witnessed_path(paths_);
  GH_ASSIGN(const auto note, read_witnessed(disk_, paths_, key_));
  if (!note) {
    if (!options_.policy || !options_.policy->quorum) return {};
    return std::unexpected(wrong(
        "the policy asks for a quorum of witnesses, and there is no cosigned checkpoint", path));
  }
  auto opened = open_checkpoint(*note, key_);
  if (!opened) return std::unexpected(wrong(opened.error().message, path));
  report_.witnessed = WitnessedReport{.checkpoint = std::move(opened->checkpoint),
                                      .witnesses = {},
                                      .unverified = opened->unknown_signatures};
  ++report_.files;
  if (options_.policy) GH_TRY(check_policy(*note, *report_.witnessed));
  if (report_.witnessed->unverified > 0) {
    report_.notes.push_back(
        fmt::format("{} of the cosignatures in checkpoint.witnessed are by keys that are not known "
                    "here; they were not verified",
                    report_.witnessed->unverified));
  }
  return {};
}

Result<void> Verifier::check_policy(const std::string& note, WitnessedReport& found) {
  const std::string path = witnessed_path(paths_);
  GH_ASSIGN(const Note parsed, parse_note(note));
  auto witnesses = cosignatures_of(parsed, *options_.policy);
  if (!witnesses) return std::unexpected(wrong(witnesses.error().message, path));
  std::vector<std::size_t> positions;
  positions.reserve(witnesses->size());
  for (const WitnessedBy& by : *witnesses) positions.push_back(by.witness);
  if (!is_quorum(*options_.policy, positions)) {
    return std::unexpected(wrong("the witnesses are not a quorum of the policy: " +
                                     describe_quorum(*options_.policy, *witnesses),
                                 path));
  }
  found.unverified -= std::min(found.unverified, witnesses->size());
  found.witnesses = std::move(*witnesses);
  return {};
}

Result<void> Verifier::check_witnessed_size() {
  if (!report_.witnessed || report_.witnessed->checkpoint.size <= size()) return {};
  return std::unexpected(
      wrong(fmt::format("the log was rolled back: its checkpoint covers {} entries, the one that "
                        "witnesses cosigned covers {}",
                        size(), report_.witnessed->checkpoint.size),
            paths_.checkpoint));
}

// When the tree has grown to the size of the cosigned checkpoint.
Result<void> Verifier::check_witnessed_root() {
  if (!report_.witnessed || report_.witnessed->checkpoint.size != edge_.size()) return {};
  const Digest root = edge_.root();
  if (root == report_.witnessed->checkpoint.root) return {};
  return std::unexpected(
      wrong(fmt::format("the cosigned root for size {} is {}, the entries give {}", edge_.size(),
                        to_base64(report_.witnessed->checkpoint.root), to_base64(root)),
            witnessed_path(paths_)));
}

// The stored tiles give the cosigned root: a reader of it finds all that it needs.
Result<void> Verifier::check_witnessed_tiles() {
  if (!report_.witnessed) return {};
  const Checkpoint& checkpoint = report_.witnessed->checkpoint;
  const auto root = tree_root(checkpoint.size, stored_subtrees(disk_, paths_, checkpoint.size));
  if (!root) {
    return std::unexpected(missing_is_wrong(root.error(), root.error().context));
  }
  if (*root == checkpoint.root) return {};
  return std::unexpected(
      wrong("the stored tiles do not give the cosigned root", witnessed_path(paths_)));
}

Result<void> Verifier::check_checkpoint() {
  auto bytes = read_whole(disk_, paths_.checkpoint, max_checkpoint_bytes);
  if (!bytes) {
    return std::unexpected(missing_is_wrong(std::move(bytes).error(), paths_.checkpoint));
  }
  auto opened = open_checkpoint(*bytes, key_);
  if (!opened) return std::unexpected(wrong(opened.error().message, paths_.checkpoint));
  if (opened->unknown_signatures > 0) {
    return std::unexpected(
        wrong("there are signatures by keys that are not known here", paths_.checkpoint));
  }
  report_.checkpoint = std::move(opened->checkpoint);
  report_.checkpoint_note = std::move(*bytes);
  ++report_.files;
  return {};
}

// Whoever replaces a log by one under a key of his own must not pass for an unreadable file.
Result<void> Verifier::remembered_key_is_ours() {
  const auto note = parse_note(options_.remembered);
  if (!note || !parse_checkpoint(note->text)) return {};  // then it is no checkpoint at all
  const bool ours = std::ranges::any_of(note->signatures, [this](const NoteSignature& signature) {
    return signature.name == key_.name && signature.key_id == key_.id;
  });
  if (ours) return {};
  const NoteSignature& other = note->signatures.front();
  return std::unexpected(
      wrong(fmt::format("signed by another key than the remembered checkpoint: that one is signed "
                        "by {}+{:08x}, this log by {}+{:08x}",
                        other.name, other.key_id, key_.name, key_.id),
            paths_.checkpoint));
}

Result<void> Verifier::open_remembered() {
  if (options_.remembered.empty()) return {};
  GH_TRY(remembered_key_is_ours());
  auto opened = open_checkpoint(options_.remembered, key_);
  if (!opened) {
    return fail(ErrorCode::invalid_argument, opened.error().message, "the remembered checkpoint");
  }
  remembered_ = std::move(opened->checkpoint);
  report_.remembered_size = remembered_->size;
  if (remembered_->size > size()) {
    return std::unexpected(wrong(
        fmt::format("the log was rolled back: {} entries were signed before, now there are {}",
                    remembered_->size, size()),
        paths_.checkpoint));
  }
  return {};
}

// ---- entries, and the tiles up from them ----------------------------------------------------

Result<void> Verifier::check_entries() {
  for (std::uint64_t index = 0; index * tile_width < size(); ++index) {
    const std::uint64_t left = size() - index * tile_width;
    GH_TRY(check_bundle(
        {.level = {}, .index = index, .width = static_cast<unsigned>(std::min(left, tile_width))}));
  }
  return {};
}

Result<void> Verifier::check_bundle(const TileName& name) {
  auto bytes = read_bundle(disk_, paths_, name);
  if (!bytes) {
    return std::unexpected(missing_is_wrong(std::move(bytes).error(), paths_.tile(name)));
  }
  const auto entries = split_bundle(*bytes, name.width);
  if (!entries) return std::unexpected(wrong(entries.error().message, paths_.tile(name)));
  TileName tile = name;
  tile.level = 0;
  auto stored = read_tile(disk_, paths_, tile);
  if (!stored) {
    return std::unexpected(missing_is_wrong(std::move(stored).error(), paths_.tile(tile)));
  }
  for (unsigned i = 0; i < name.width; ++i) {
    const std::string_view entry = (*entries)[i];
    const Digest leaf = leaf_hash(entry);
    if (leaf != (*stored)[i]) {
      const auto offset = static_cast<std::size_t>(entry.data() - bytes->data());
      return std::unexpected(leaf_mismatch(name, i, offset, leaf, *stored));
    }
    GH_TRY(add(leaf));
  }
  report_.files += name.is_full() ? 2 : 0;  // partial ones are counted where they are listed
  if (!name.is_full()) edge_bundle_ = std::move(*bytes);
  return {};
}

// Either the entry or the stored hash was changed; what is stored or signed above tells which.
Error Verifier::leaf_mismatch(const TileName& bundle, unsigned at, std::size_t offset,
                              const Digest& leaf, const std::vector<Digest>& stored) {
  TileName tile = bundle;
  tile.level = 0;
  bool tile_is_right = false;
  if (bundle.is_full()) {
    TileName parent{.level = 1, .index = bundle.index / tile_width};
    parent.width = static_cast<unsigned>(
        std::min(hashes_at(1, size()) - parent.index * tile_width, tile_width));
    const auto above = read_tile(disk_, paths_, parent);
    tile_is_right = above && (*above)[bundle.index % tile_width] == root_of(stored);
  } else {
    TreeEdge as_stored = edge_;
    const auto ignore = [](const TileName&, std::span<const Digest>) { return Result<void>(); };
    for (unsigned i = at; i < bundle.width; ++i) (void)as_stored.add(stored[i], ignore);
    tile_is_right = as_stored.root() == report_.checkpoint.root;
  }
  const std::uint64_t index = bundle.index * tile_width + at;
  if (tile_is_right) {
    return wrong(fmt::format("entry {} at offset {}: expected hash {}, found {}", index, offset,
                             to_base64(stored[at]), to_base64(leaf)),
                 paths_.tile(bundle));
  }
  return wrong(
      fmt::format("hash {} at offset {}: expected {} (of entry {}), found {}", at,
                  std::size_t{at} * sizeof(Digest), to_base64(leaf), index, to_base64(stored[at])),
      paths_.tile(tile));
}

Result<void> Verifier::add(const Digest& leaf) {
  GH_TRY(edge_.add(leaf, [this](const TileName& name, std::span<const Digest> hashes) {
    return check_full_tile(name, hashes);
  }));
  GH_TRY(check_witnessed_root());
  if (!remembered_ || remembered_->size != edge_.size()) return {};
  const Digest root = edge_.root();
  if (root == remembered_->root) return {};
  return std::unexpected(wrong(
      fmt::format("the log was forked: for size {} the remembered checkpoint signs the root {}, "
                  "the entries give {}",
                  edge_.size(), to_base64(remembered_->root), to_base64(root)),
      paths_.checkpoint));
}

Result<void> Verifier::check_full_tile(const TileName& name, std::span<const Digest> hashes) {
  if (after_checkpoint_) {
    full_after_checkpoint_[to_path(name)] = encode_tile(hashes);
    return {};
  }
  // Level 0 was compared with the entries already.
  if (name.level == 0u) return {};
  ++report_.files;
  return compare(name, encode_tile(hashes));
}

// The stored tile must have exactly these bytes.
Result<void> Verifier::compare(const TileName& name, std::string_view expected) {
  auto bytes = read_whole(disk_, paths_.tile(name), max_bundle_bytes);
  if (!bytes) {
    return std::unexpected(missing_is_wrong(std::move(bytes).error(), paths_.tile(name)));
  }
  if (*bytes == expected) return {};
  const auto differ = std::mismatch(bytes->begin(), bytes->end(), expected.begin(), expected.end());
  const auto offset = static_cast<std::size_t>(differ.first - bytes->begin());
  if (!name.level || bytes->size() != expected.size()) {
    return std::unexpected(wrong(fmt::format("offset {}: expected {} bytes that follow from the "
                                             "entries, found {} that differ from here on",
                                             offset, expected.size(), bytes->size()),
                                 paths_.tile(name)));
  }
  const std::size_t at = offset / sizeof(Digest) * sizeof(Digest);
  return std::unexpected(
      wrong(fmt::format("hash {} at offset {}: expected {}, found {}", at / sizeof(Digest), at,
                        to_base64(bytes_of(expected.substr(at, sizeof(Digest)))),
                        to_base64(bytes_of(std::string_view(*bytes).substr(at, sizeof(Digest))))),
            paths_.tile(name)));
}

Result<void> Verifier::check_root() {
  if (remembered_ && remembered_->size == 0 && remembered_->root != empty_root()) {
    return fail(ErrorCode::invalid_argument, "not the root of an empty log",
                "the remembered checkpoint");
  }
  const Digest root = edge_.root();
  if (root == report_.checkpoint.root) return {};
  return std::unexpected(
      wrong(fmt::format("the signed root for size {} is {}, the entries give {}", size(),
                        to_base64(report_.checkpoint.root), to_base64(root)),
            paths_.checkpoint));
}

// The tiles at the right edge that the checkpoint needs are there and right.
Result<void> Verifier::check_edge_tiles() {
  for (unsigned level = 0; level < edge_.levels(); ++level) {
    const auto hashes = edge_.partial(level);
    if (hashes.empty()) continue;
    const TileName name{.level = level,
                        .index = hashes_at(level, size()) / tile_width,
                        .width = static_cast<unsigned>(hashes.size())};
    auto stored = read_tile(disk_, paths_, name);
    if (!stored) {
      return std::unexpected(missing_is_wrong(std::move(stored).error(), paths_.tile(name)));
    }
    if (!std::ranges::equal(*stored, hashes)) {
      const std::string expected = encode_tile(hashes);
      GH_TRY(compare(name, expected));
    }
  }
  return {};
}

// ---- write-ahead segments -------------------------------------------------------------------

Result<void> Verifier::check_write_ahead() {
  after_checkpoint_ = true;
  const SegmentsCheck check{.disk = disk_,
                            .paths = paths_,
                            .log_id = crypto::sha256(bytes_of(to_string(key_))),
                            .checkpoint_size = size(),
                            .writer_running = running_,
                            .on_entry = [this](std::uint64_t index, std::string_view entry,
                                               const Digest& leaf, const std::string& segment) {
                              return check_segment_entry(index, entry, leaf, segment);
                            }};
  GH_ASSIGN(const SegmentsSeen seen, check_segments(check));
  report_.files += seen.files;
  report_.entries_after_checkpoint = edge_.size() - size();
  if (seen.segments > 0) return {};
  std::vector<DirectoryItem> ignored;
  if (disk_.list(paths_.wal, ignored) == 0) {
    return std::unexpected(wrong("there is no write-ahead segment", paths_.wal));
  }
  report_.notes.emplace_back(
      "a copy without write-ahead segments: entries after the checkpoint, if any, are not here");
  return {};
}

Result<void> Verifier::check_segment_entry(std::uint64_t index, std::string_view entry,
                                           const Digest& leaf, const std::string& segment) {
  if (index >= size()) {
    if (index != edge_.size()) return {};  // beside a writer the first segments may be gone
    append_to_bundle(edge_bundle_, entry);
    if (index % tile_width == tile_width - 1) {
      full_after_checkpoint_[to_path({.level = {}, .index = index / tile_width})] =
          std::exchange(edge_bundle_, {});
    }
    return add(leaf);
  }
  TileName name{.level = 0, .index = index / tile_width};
  name.width = static_cast<unsigned>(std::min(tile_width, size() - name.index * tile_width));
  if (name != cached_name_) {
    GH_ASSIGN(cached_tile_, read_tile(disk_, paths_, name));
    cached_name_ = name;
  }
  if (cached_tile_[index % tile_width] == leaf) return {};
  return std::unexpected(
      wrong(fmt::format("entry {}: expected hash {}, found {}", index,
                        to_base64(cached_tile_[index % tile_width]), to_base64(leaf)),
            segment));
}

// ---- every file -----------------------------------------------------------------------------

Result<void> Verifier::check_root_directory() {
  GH_ASSIGN(const auto items, list_directory(disk_, paths_.root));
  for (const DirectoryItem& item : items) {
    const std::string path = paths_.root + '/' + item.name;
    if (item.kind == ItemKind::directory && (item.name == "tile" || item.name == "wal")) continue;
    if (item.kind == ItemKind::file && (item.name == "checkpoint" || item.name == "log.vkey" ||
                                        item.name == "checkpoint.witnessed")) {
      continue;
    }
    if (item.kind == ItemKind::directory && item.name == "tmp") {
      GH_ASSIGN(const auto leftovers, list_directory(disk_, path));
      if (!leftovers.empty() && !running_) {
        return std::unexpected(
            wrong("left behind by an interrupted write (opening the log for "
                  "writing removes it)",
                  path + '/' + leftovers.front().name));
      }
      continue;
    }
    if (item.kind == ItemKind::file && item.name == "lock") {
      GH_ASSIGN(const std::string bytes, read_whole(disk_, path, 4096));
      if (!bytes.empty()) return std::unexpected(wrong("expected an empty file", path));
      ++report_.files;
      continue;
    }
    return std::unexpected(wrong("this does not belong here", path));
  }
  return {};
}

Result<void> Verifier::check_tile_files(const std::string& relative) {
  GH_ASSIGN(const auto items, list_directory(disk_, paths_.root + '/' + relative));
  for (const DirectoryItem& item : items) {
    const std::string path = relative + '/' + item.name;
    if (item.kind == ItemKind::directory) {
      GH_TRY(check_tile_files(path));
    } else if (item.kind == ItemKind::file) {
      GH_TRY(check_tile_file(path));
    } else {
      return std::unexpected(wrong("this does not belong here", paths_.root + '/' + path));
    }
  }
  return {};
}

Result<void> Verifier::check_tile_file(const std::string& relative) {
  const std::string path = paths_.root + '/' + relative;
  const auto name = parse_tile_path(relative);
  if (!name) return std::unexpected(wrong("this does not belong here", path));
  // Beside a writer only what the checkpoint covers stands still.
  const std::uint64_t known = running_ ? size() : edge_.size();
  const std::uint64_t hashes =
      name->level.value_or(0) < max_tile_levels ? hashes_at(name->level.value_or(0), known) : 0;
  if (hashes < name->width || name->index > (hashes - name->width) / tile_width) {
    if (running_) return {};
    return std::unexpected(wrong("it covers entries that the log does not have", path));
  }
  const bool compared = name->is_full() && !full_after_checkpoint_.contains(relative);
  if (compared) return {};  // with the entries, on the way up
  auto expected = expected_bytes(*name);
  if (!expected) return std::unexpected(std::move(expected).error());
  auto same = compare(*name, *expected);
  // A running writer removes partial tiles when the tile is full.
  if (!same && running_ && !File::open(disk_, path, O_RDONLY)) return {};
  if (same) ++report_.files;
  return same;
}

// What a partial tile, or a full one after the checkpoint, has to hold.
Result<std::string> Verifier::expected_bytes(const TileName& name) {
  TileName full = name;
  full.width = tile_width;
  const std::uint64_t edge_index = hashes_at(name.level.value_or(0), edge_.size()) / tile_width;
  const auto after = full_after_checkpoint_.find(to_path(full));
  std::string bytes;
  if (after != full_after_checkpoint_.end()) {
    bytes = after->second;
  } else if (name.index == edge_index) {
    bytes = name.level ? encode_tile(edge_.partial(*name.level)) : edge_bundle_;
  } else {
    GH_ASSIGN(bytes, read_whole(disk_, paths_.tile(full), max_bundle_bytes));
  }
  if (name.level) return bytes.substr(0, name.width * sizeof(Digest));
  const auto end = bundle_prefix(bytes, name.width);
  if (!end) return std::unexpected(wrong("the bundle is cut short", paths_.tile(full)));
  return bytes.substr(0, *end);
}

// Whether a writer has the log open.
Result<bool> writer_runs(Disk& disk, const std::string& lock_path) {
  const auto lock = File::open(disk, lock_path, O_RDONLY);
  if (!lock && lock.error().code == ErrorCode::not_found) return false;
  if (!lock) return std::unexpected(lock.error());
  const int result = disk.probe_lock(lock->descriptor());
  if (result < 0 && result != -EWOULDBLOCK) {
    return std::unexpected(disk_error(result, "flock", lock_path));
  }
  return result == -EWOULDBLOCK;
}

}  // namespace

Result<VerifyReport> verify_log(Disk& disk, const std::string& directory,
                                const VerifyOptions& options) {
  std::vector<DirectoryItem> ignored;
  if (const int result = disk.list(directory, ignored); result < 0) {
    return std::unexpected(disk_error(result, "list", directory));
  }
  const std::string lock_path = LogPaths(directory).lock;
  GH_ASSIGN(bool running, writer_runs(disk, lock_path));
  auto report = Verifier(disk, directory, options, running).run();
  for (int again = 0; !report && again < looks_beside_a_writer; ++again) {
    // A writer changes files while they are compared. What is really wrong stays wrong.
    const bool was_running = running;
    GH_ASSIGN(running, writer_runs(disk, lock_path));
    if (!running && !was_running) break;
    std::this_thread::sleep_for(pause_between_looks);
    report = Verifier(disk, directory, options, running).run();
  }
  return report;
}

}  // namespace gatehouse::ledger

#include "ledger/recovery.h"

#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/log.h"
#include "base/text.h"

namespace gatehouse::ledger {

namespace {

Error lost(std::string message, std::string context) {
  return {ErrorCode::data_loss, std::move(message), std::move(context)};
}

// What a segment file was found to hold; `contents` views into `bytes`.
struct LoadedSegment {
  std::string path;
  std::unique_ptr<std::string> bytes;
  Segment contents;
};

class Recovery {
 public:
  Recovery(Disk& disk, const LogPaths& paths, const LastSigned& last_signed,
           const LogIdentity& identity, WalWriter& wal, Publisher& publisher)
      : disk_(disk),
        paths_(paths),
        last_signed_(last_signed),
        identity_(identity),
        wal_(wal),
        publisher_(publisher) {}

  Result<Recovered> run() {
    GH_TRY(make_directory(disk_, paths_.temporary));
    GH_TRY(last_signed_.prepare());
    GH_TRY(remove_leftovers());
    GH_TRY(settle_identity());
    GH_TRY(settle_checkpoint());
    GH_TRY(settle_segments());
    GH_TRY(load_segments());
    GH_TRY(load_edge());
    GH_TRY(check_covered_entries());
    GH_TRY(check_root());
    GH_TRY(check_last_signed());
    GH_TRY(repair_last_segment());
    GH_TRY(integrate_uncovered());
    return finish();
  }

 private:
  Result<void> remove_leftovers();
  Result<void> settle_identity();
  Result<void> make_own_name_durable();
  Result<void> settle_checkpoint();
  Result<void> settle_segments();
  Result<void> load_segments();
  Result<void> load_segment(std::uint64_t first);
  Result<void> load_edge();
  Result<void> check_covered_entries();
  Result<void> check_covered_frame(const LoadedSegment& segment, const Frame& frame);
  Result<void> check_root();
  Error name_wrong_tile();
  Result<void> check_nothing_was_signed();
  Error older_than_signed(const Checkpoint& remembered, std::uint64_t end) const;
  Result<void> check_last_signed();
  Result<Digest> root_at(std::uint64_t size);
  Result<void> repair_last_segment();
  Result<void> integrate_uncovered();
  Result<Recovered> finish();
  Result<bool> exists(std::string_view name);
  std::uint64_t covered() const { return checkpoint_.size; }

  Disk& disk_;
  const LogPaths& paths_;
  const LastSigned& last_signed_;
  const LogIdentity& identity_;
  WalWriter& wal_;
  Publisher& publisher_;

  Checkpoint checkpoint_;
  std::vector<LoadedSegment> segments_;
  std::vector<std::vector<Digest>> edge_levels_;
  std::string bundle_;  // entries that the checkpoint covers, since the last full bundle
  TileName cached_name_{.level = 0, .index = ~std::uint64_t{0}};
  std::vector<Digest> cached_tile_;
};

Result<bool> Recovery::exists(std::string_view name) {
  GH_ASSIGN(const auto items, list_directory(disk_, paths_.root));
  return std::ranges::any_of(items, [&](const DirectoryItem& item) { return item.name == name; });
}

Result<void> Recovery::remove_leftovers() {
  GH_ASSIGN(const auto items, list_directory(disk_, paths_.temporary));
  std::vector<std::string> leftovers{wal_.spare_path()};
  for (const DirectoryItem& item : items) leftovers.push_back(paths_.temporary + '/' + item.name);
  for (const std::string& path : leftovers) {
    const int result = disk_.unlink(path);
    if (result < 0 && result != -ENOENT) {
      return std::unexpected(disk_error(result, "unlink", path));
    }
  }
  return {};
}

Result<void> Recovery::settle_identity() {
  const std::string mine = to_string(identity_.verifier) + '\n';
  const auto stored = read_whole(disk_, paths_.verifier_key, 4096);
  if (stored && *stored == mine) return sync_directory(disk_, paths_.root);
  if (stored) {
    return fail(ErrorCode::failed_precondition,
                fmt::format("the log belongs to the key {}; configured are origin and key {}",
                            trim(*stored), trim(mine)),
                paths_.verifier_key);
  }
  if (stored.error().code != ErrorCode::not_found) return std::unexpected(stored.error());
  GH_ASSIGN(const auto items, list_directory(disk_, paths_.root));
  for (const DirectoryItem& item : items) {
    if (item.name == "lock" || item.name == "tmp") continue;
    const bool is_log = item.name == "checkpoint" || item.name == "wal" || item.name == "tile";
    if (is_log) return std::unexpected(lost("the log's key file is missing", paths_.verifier_key));
    return fail(ErrorCode::failed_precondition,
                fmt::format("neither a log nor empty: there is {}", item.name), paths_.root);
  }
  GH_TRY(make_own_name_durable());
  const std::string temporary = paths_.temporary + "/log.vkey";
  {
    GH_ASSIGN(const File file, File::open(disk_, temporary, O_WRONLY | O_CREAT | O_TRUNC));
    GH_TRY(file.write_at(bytes_of(mine), 0));
    GH_TRY(file.fsync());
  }
  if (const int result = disk_.rename(temporary, paths_.verifier_key); result < 0) {
    return std::unexpected(disk_error(result, "rename", paths_.verifier_key));
  }
  return sync_directory(disk_, paths_.root);
}

// The log's directory and those above it, which may have been made just now. The log's key file
// comes after this, so a log that has one has a durable name.
Result<void> Recovery::make_own_name_durable() {
  std::string directory = parent_directory(paths_.root);
  GH_TRY(sync_directory(disk_, directory));
  while (directory != parent_directory(directory)) {
    directory = parent_directory(directory);
    // Directories far above exist for long and may not be ours to open.
    if (!sync_directory(disk_, directory)) break;
  }
  return {};
}

// A new log begins only where none was before.
Result<void> Recovery::check_nothing_was_signed() {
  GH_ASSIGN(const auto remembered, last_signed_.read(identity_.verifier));
  if (!remembered || remembered->size == 0) return {};
  return std::unexpected(older_than_signed(*remembered, 0));
}

Error Recovery::older_than_signed(const Checkpoint& remembered, std::uint64_t end) const {
  return {ErrorCode::failed_precondition,
          fmt::format("this log is older than what was signed for it: {} entries were signed ({}), "
                      "{} are here. Going on would fork the log. Put the newer log back, or begin "
                      "a new one under another ledger.origin (docs/operating.md, \"An older log\")",
                      remembered.size, last_signed_.path(), end),
          paths_.root};
}

Result<void> Recovery::settle_checkpoint() {
  auto checkpoint = read_checkpoint(disk_, paths_.checkpoint, identity_.verifier);
  if (!checkpoint && checkpoint.error().code == ErrorCode::not_found) {
    // The checkpoint of the empty tree comes before the first segment.
    GH_ASSIGN(const bool has_wal, exists("wal"));
    GH_ASSIGN(const bool has_tiles, exists("tile"));
    if (has_wal || has_tiles) {
      return std::unexpected(
          lost("the checkpoint is missing, but entries are there", paths_.checkpoint));
    }
    GH_TRY(check_nothing_was_signed());
    GH_TRY(publisher_.publish());
    checkpoint = read_checkpoint(disk_, paths_.checkpoint, identity_.verifier);
  }
  if (!checkpoint) return std::unexpected(std::move(checkpoint).error());
  checkpoint_ = std::move(checkpoint->checkpoint);
  return {};
}

Result<void> Recovery::settle_segments() {
  GH_TRY(make_directory(disk_, paths_.wal));
  GH_ASSIGN(const auto items, list_directory(disk_, paths_.wal));
  const bool any = std::ranges::any_of(
      items, [](const DirectoryItem& item) { return parse_segment_name(item.name).has_value(); });
  if (!any) {
    GH_ASSIGN(const bool has_tiles, exists("tile"));
    if (covered() > 0 || has_tiles) {
      return std::unexpected(lost("the write-ahead segments are missing", paths_.wal));
    }
    GH_TRY(wal_.prepare_spare());
    GH_TRY(wal_.rotate(0));
  }
  GH_TRY(sync_directory(disk_, paths_.root));
  return sync_directory(disk_, paths_.wal);
}

Result<void> Recovery::load_segments() {
  GH_ASSIGN(const auto items, list_directory(disk_, paths_.wal));
  for (const DirectoryItem& item : items) {
    if (const auto first = parse_segment_name(item.name)) GH_TRY(load_segment(*first));
  }
  const LoadedSegment& oldest = segments_.front();
  const std::uint64_t needed = covered() / tile_width * tile_width;
  if (oldest.contents.header.first > needed) {
    return std::unexpected(lost(fmt::format("the oldest segment begins with entry {}; the entries "
                                            "from {} on are missing",
                                            oldest.contents.header.first, needed),
                                oldest.path));
  }
  const LoadedSegment& last = segments_.back();
  if (last.contents.end < covered()) {
    return std::unexpected(
        lost(fmt::format(
                 "{}entries end at {}, the checkpoint covers {}",
                 last.contents.problem.message.empty() ? "" : last.contents.problem.message + "; ",
                 last.contents.end, covered()),
             last.path));
  }
  return {};
}

Result<void> Recovery::load_segment(std::uint64_t first) {
  LoadedSegment segment;
  segment.path = wal_.path_of(first);
  GH_ASSIGN(std::string bytes, read_whole(disk_, segment.path, max_segment_bytes));
  segment.bytes = std::make_unique<std::string>(std::move(bytes));
  auto contents = parse_segment(*segment.bytes, identity_.wal.log_id);
  if (!contents) return std::unexpected(std::move(contents).error().within(segment.path));
  segment.contents = std::move(*contents);
  if (segment.contents.header.first != first) {
    return std::unexpected(lost("the name and the header disagree", segment.path));
  }
  if (segment.contents.state == SegmentEnd::damaged) {
    return std::unexpected(lost(segment.contents.problem.message, segment.path));
  }
  if (!segments_.empty()) {
    const LoadedSegment& before = segments_.back();
    if (before.contents.state != SegmentEnd::clean) {
      return std::unexpected(lost(before.contents.problem.message, before.path));
    }
    if (before.contents.end != first) {
      return std::unexpected(lost(
          fmt::format("the segment before ends with entry {}", before.contents.end), segment.path));
    }
  }
  segments_.push_back(std::move(segment));
  return {};
}

Result<void> Recovery::load_edge() {
  for (unsigned level = 0; level < levels_of(covered()); ++level) {
    const std::uint64_t hashes = hashes_at(level, covered());
    std::vector<Digest> tile;
    if (const auto width = static_cast<unsigned>(hashes % tile_width); width > 0) {
      const TileName name{.level = level, .index = hashes / tile_width, .width = width};
      auto stored = read_tile(disk_, paths_, name);
      if (!stored && stored.error().code == ErrorCode::not_found) {
        return std::unexpected(
            lost("a tile that the checkpoint needs is missing", paths_.tile(name)));
      }
      if (!stored) return std::unexpected(std::move(stored).error());
      tile = std::move(*stored);
    }
    edge_levels_.push_back(std::move(tile));
  }
  return {};
}

Result<void> Recovery::check_covered_entries() {
  for (const LoadedSegment& segment : segments_) {
    for (const Frame& frame : segment.contents.frames) {
      if (frame.header.first < covered()) GH_TRY(check_covered_frame(segment, frame));
    }
  }
  return {};
}

Result<void> Recovery::check_covered_frame(const LoadedSegment& segment, const Frame& frame) {
  const std::uint64_t end = std::min(frame.end(), covered());
  for (std::uint64_t index = frame.header.first; index < end; ++index) {
    TileName name{.level = 0, .index = index / tile_width};
    name.width = static_cast<unsigned>(std::min(tile_width, covered() - name.index * tile_width));
    if (name != cached_name_) {
      auto tile = read_tile(disk_, paths_, name);
      if (!tile && tile.error().code == ErrorCode::not_found) {
        return std::unexpected(
            lost("a tile that the checkpoint needs is missing", paths_.tile(name)));
      }
      if (!tile) return std::unexpected(std::move(tile).error());
      cached_tile_ = std::move(*tile);
      cached_name_ = name;
    }
    const std::size_t at = index - frame.header.first;
    if (cached_tile_[index % tile_width] != frame.leaves[at]) {
      return std::unexpected(lost(fmt::format("hash {} is not that of entry {} in {}",
                                              index % tile_width, index, segment.path),
                                  paths_.tile(name)));
    }
    if (index >= covered() / tile_width * tile_width) append_to_bundle(bundle_, frame.entries[at]);
  }
  return {};
}

Result<void> Recovery::check_root() {
  TreeEdge edge(covered(), edge_levels_);
  if (edge.root() != checkpoint_.root) return std::unexpected(name_wrong_tile());
  publisher_.resume(std::move(edge), std::move(bundle_));
  return {};
}

Error Recovery::name_wrong_tile() {
  for (unsigned level = 1; level < edge_levels_.size(); ++level) {
    const std::uint64_t first = hashes_at(level, covered()) / tile_width * tile_width;
    for (std::size_t i = 0; i < edge_levels_[level].size(); ++i) {
      const TileName child{.level = level - 1, .index = first + i};
      const auto tile = read_tile(disk_, paths_, child);
      if (tile && root_of(*tile) == edge_levels_[level][i]) continue;
      const TileName parent{.level = level,
                            .index = first / tile_width,
                            .width = static_cast<unsigned>(edge_levels_[level].size())};
      return lost(fmt::format("hash {} is not the root of {}", i, to_path(child)),
                  paths_.tile(parent));
    }
  }
  return lost(fmt::format("the tiles do not give the root that is signed for size {}", covered()),
              paths_.checkpoint);
}

// Before anything is changed: is this the newest state that was ever signed?
Result<void> Recovery::check_last_signed() {
  if (!last_signed_.enabled()) return {};
  GH_ASSIGN(const auto remembered, last_signed_.read(identity_.verifier));
  const std::uint64_t end = segments_.back().contents.end;
  if (!remembered && end == 0) return {};
  if (!remembered) {
    return fail(ErrorCode::failed_precondition,
                fmt::format("this file remembers what was signed last for the log in {}, and it is "
                            "gone: nobody can tell whether these {} entries are the newest. When "
                            "you know that they are, say so: gatehouse audit resume",
                            paths_.root, end),
                last_signed_.path());
  }
  if (remembered->size > end) return std::unexpected(older_than_signed(*remembered, end));
  GH_ASSIGN(const Digest root, root_at(remembered->size));
  if (root == remembered->root) return {};
  return std::unexpected(lost(fmt::format("the log was forked: for {} entries another root was "
                                          "signed ({}) than these entries have",
                                          remembered->size, last_signed_.path()),
                              paths_.root));
}

// From the tiles, or where the checkpoint does not reach so far, from the entries behind it.
Result<Digest> Recovery::root_at(std::uint64_t size) {
  if (size <= covered()) return tree_root(size, stored_subtrees(disk_, paths_, covered()));
  TreeEdge edge(covered(), edge_levels_);
  const auto ignore = [](const TileName&, std::span<const Digest>) { return Result<void>(); };
  for (const LoadedSegment& segment : segments_) {
    for (const Frame& frame : segment.contents.frames) {
      for (const Digest& leaf : frame.leaves) {
        const std::uint64_t index =
            frame.header.first + static_cast<std::uint64_t>(&leaf - frame.leaves.data());
        if (index >= covered() && index < size) GH_TRY(edge.add(leaf, ignore));
      }
    }
  }
  return edge.root();
}

Result<void> Recovery::repair_last_segment() {
  for (const LoadedSegment& segment : segments_) {
    const Segment& contents = segment.contents;
    if (contents.end <= covered() && contents.state == SegmentEnd::clean) continue;
    GH_ASSIGN(const File file, File::open(disk_, segment.path, O_RDWR));
    const auto uncovered = std::ranges::find_if(
        contents.frames, [&](const Frame& frame) { return frame.end() > covered(); });
    const std::size_t from =
        uncovered == contents.frames.end() ? contents.end_offset : uncovered->offset;
    const std::string_view again =
        std::string_view(*segment.bytes).substr(from, contents.end_offset - from);
    GH_TRY(file.write_at(bytes_of(again), from));
    if (contents.state == SegmentEnd::torn) {
      log_warning("ledger: wiping a group that was being written when the process stopped",
                  {{"segment", segment.path}, {"detail", contents.problem.message}});
      const std::string zeros(contents.header.segment_bytes - contents.end_offset, '\0');
      GH_TRY(file.write_at(bytes_of(zeros), contents.end_offset));
    }
    GH_TRY(file.fdatasync());
  }
  return {};
}

Result<void> Recovery::integrate_uncovered() {
  for (const LoadedSegment& segment : segments_) {
    for (const Frame& frame : segment.contents.frames) {
      if (frame.end() <= covered()) continue;
      const std::size_t skip = covered() > frame.header.first ? covered() - frame.header.first : 0;
      const auto offset =
          static_cast<std::size_t>(frame.entries[skip].data() - frame.payload.data()) - 2;
      GH_TRY(publisher_.integrate(frame.payload.substr(offset),
                                  std::span(frame.leaves).subspan(skip)));
    }
  }
  if (publisher_.integrated() > publisher_.published()) GH_TRY(publisher_.publish());
  return publisher_.tidy_after_crash();
}

Result<Recovered> Recovery::finish() {
  Recovered recovered;
  const LoadedSegment& last = segments_.back();
  for (const LoadedSegment& segment : segments_) {
    if (&segment != &last) {
      recovered.closed.push_back(
          {.first = segment.contents.header.first, .end = segment.contents.end});
    }
  }
  recovered.size = last.contents.end;
  recovered.active_first = last.contents.header.first;
  GH_TRY(wal_.resume(last.contents.header.first, last.contents.header.segment_bytes,
                     last.contents.header.salt, last.contents.end_offset));
  return recovered;
}

}  // namespace

LogIdentity identity_of(const std::string& origin, const crypto::SigningKey& key) {
  LogIdentity identity;
  identity.verifier = make_verifier_key(origin, key.public_key());
  identity.wal.log_id = crypto::sha256(bytes_of(to_string(identity.verifier)));
  identity.wal.salt_key = crypto::derive_key(key.seed(), "gatehouse ledger write-ahead segments");
  return identity;
}

Result<Recovered> recover(Disk& disk, const LogPaths& paths, const LastSigned& last_signed,
                          const LogIdentity& identity, WalWriter& wal, Publisher& publisher) {
  return Recovery(disk, paths, last_signed, identity, wal, publisher).run();
}

}  // namespace gatehouse::ledger

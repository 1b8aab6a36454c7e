#include "ledger/publisher.h"

#include <fcntl.h>

#include <cerrno>

#include "base/text.h"

namespace gatehouse::ledger {

namespace {

// So many files are written before the first of them is synced: the disk works on all of them at
// once, and one commit of the file system's journal serves them all.
constexpr std::size_t max_unsettled = 128;

TileName edge_tile(std::optional<unsigned> level, std::uint64_t size) {
  return {.level = level, .index = hashes_at(level.value_or(0), size) / tile_width};
}

// Levels of a tree of `size` leaves and, first, the entry bundles.
std::vector<std::optional<unsigned>> rows_of(std::uint64_t size) {
  std::vector<std::optional<unsigned>> rows{std::nullopt};
  for (unsigned level = 0; level < levels_of(size); ++level) rows.emplace_back(level);
  return rows;
}

}  // namespace

Publisher::Publisher(Disk& disk, LogPaths paths, LastSigned last_signed, VerifierKey identity,
                     const crypto::SigningKey& key)
    : disk_(disk),
      paths_(std::move(paths)),
      last_signed_(std::move(last_signed)),
      identity_(std::move(identity)),
      key_(key) {}

void Publisher::resume(TreeEdge edge, std::string bundle) {
  edge_ = std::move(edge);
  bundle_ = std::move(bundle);
  published_ = edge_.size();
}

Result<void> Publisher::integrate(std::string_view payload, std::span<const Digest> leaves) {
  const TreeEdge::FullTile full = [this](const TileName& name, std::span<const Digest> hashes) {
    return put(name, text_of(std::as_bytes(hashes)));
  };
  for (const Digest& leaf : leaves) {
    const std::size_t length = 2 + ((std::size_t{static_cast<unsigned char>(payload[0])} << 8) |
                                    static_cast<unsigned char>(payload[1]));
    bundle_ += payload.substr(0, length);
    payload.remove_prefix(length);
    if (edge_.size() % tile_width == tile_width - 1) {
      GH_TRY(put({.level = {}, .index = edge_.size() / tile_width}, bundle_));
      bundle_.clear();
    }
    GH_TRY(edge_.add(leaf, full));
  }
  return {};
}

Result<void> Publisher::publish() {
  GH_TRY(put_partials());
  GH_TRY(settle_files());
  GH_TRY(sync_names());
  GH_TRY(put_checkpoint());
  const std::uint64_t before = std::exchange(published_, edge_.size());
  return remove_superseded(before);
}

Result<void> Publisher::put_partials() {
  const std::uint64_t size = edge_.size();
  if (!bundle_.empty()) {
    TileName name = edge_tile(std::nullopt, size);
    name.width = size % tile_width;
    GH_TRY(put(name, bundle_));
  }
  for (unsigned level = 0; level < edge_.levels(); ++level) {
    const auto hashes = edge_.partial(level);
    if (hashes.empty() || hashes_at(level, size) == hashes_at(level, published_)) continue;
    TileName name = edge_tile(level, size);
    name.width = static_cast<unsigned>(hashes.size());
    GH_TRY(put(name, text_of(std::as_bytes(hashes))));
  }
  return {};
}

Result<void> Publisher::put_checkpoint() {
  const Checkpoint checkpoint{
      .origin = identity_.name, .size = edge_.size(), .root = edge_.root(), .extensions = {}};
  const std::string note = sign_checkpoint(checkpoint, identity_, key_);
  GH_TRY(last_signed_.write(note));
  const std::string temporary = paths_.temporary + "/checkpoint";
  GH_ASSIGN(const File file, File::open(disk_, temporary, O_WRONLY | O_CREAT | O_TRUNC));
  GH_TRY(file.write_at(bytes_of(note), 0));
  GH_TRY(file.fsync());
  if (const int result = disk_.rename(temporary, paths_.checkpoint); result < 0) {
    return std::unexpected(disk_error(result, "rename", paths_.checkpoint));
  }
  return sync_directory(disk_, paths_.root);
}

Result<void> Publisher::put(const TileName& name, std::string_view bytes) {
  const std::string temporary = paths_.temporary + '/' + std::to_string(unsettled_.size());
  GH_ASSIGN(File file, File::open(disk_, temporary, O_WRONLY | O_CREAT | O_TRUNC));
  GH_TRY(file.write_at(bytes_of(bytes), 0));
  file.start_writeback();
  unsettled_.push_back({.file = std::move(file), .path = paths_.tile(name)});
  return unsettled_.size() < max_unsettled ? Result<void>() : settle_files();
}

// Syncs what was written and gives it its names.
Result<void> Publisher::settle_files() {
  for (const Unsettled& unsettled : unsettled_) GH_TRY(unsettled.file.fsync());
  for (const Unsettled& unsettled : unsettled_) {
    GH_TRY(settle_name(unsettled.file.path(), unsettled.path));
  }
  unsettled_.clear();
  return {};
}

Result<void> Publisher::settle_name(const std::string& temporary, const std::string& path) {
  int result = disk_.rename(temporary, path);
  if (result == -ENOENT) {
    GH_TRY(make_parents(path));
    result = disk_.rename(temporary, path);
  }
  if (result < 0) return std::unexpected(disk_error(result, "rename", path));
  unsynced_directories_.insert(parent_directory(path));
  return {};
}

Result<void> Publisher::make_parents(const std::string& path) {
  for (std::size_t at = path.find('/', paths_.root.size() + 1); at != std::string::npos;
       at = path.find('/', at + 1)) {
    const std::string directory = path.substr(0, at);
    GH_TRY(make_directory(disk_, directory));
    unsynced_directories_.insert(parent_directory(directory));
  }
  return {};
}

Result<void> Publisher::sync_names() {
  for (const std::string& directory : unsynced_directories_) {
    GH_TRY(sync_directory(disk_, directory));
  }
  unsynced_directories_.clear();
  return {};
}

Result<void> Publisher::remove_superseded(std::uint64_t before) {
  // Only the tiles at the right edge of an earlier checkpoint have partial files.
  for (const auto& row : rows_of(before)) {
    const TileName old_edge = edge_tile(row, before);
    if (old_edge.index < edge_tile(row, published_).index) GH_TRY(remove_partials(old_edge));
  }
  return {};
}

Result<void> Publisher::remove_partials(const TileName& tile) {
  const std::string directory = paths_.tile(tile) + ".p";
  GH_ASSIGN(const auto items, list_directory(disk_, directory));
  for (const DirectoryItem& item : items) {
    const std::string path = directory + '/' + item.name;
    if (const int result = disk_.unlink(path); result < 0) {
      return std::unexpected(disk_error(result, "unlink", path));
    }
  }
  const int result = disk_.rmdir(directory);
  if (result < 0 && result != -ENOENT) {
    return std::unexpected(disk_error(result, "rmdir", directory));
  }
  return {};
}

Result<void> Publisher::tidy_after_crash() {
  for (const auto& row : rows_of(published_)) GH_TRY(tidy_edge(row));
  return sync_names();
}

Result<void> Publisher::tidy_edge(std::optional<unsigned> level) {
  const TileName edge = edge_tile(level, published_);
  for (const std::uint64_t index : {edge.index, edge.index - (edge.index > 0 ? 1 : 0)}) {
    const std::string parent = parent_directory(paths_.tile({.level = level, .index = index}));
    GH_ASSIGN(const auto items, list_directory(disk_, parent));
    for (const DirectoryItem& item : items) {
      if (item.kind != ItemKind::directory || !item.name.ends_with(".p")) continue;
      const std::string path = parent + '/' + item.name.substr(0, item.name.size() - 2);
      const auto tile = parse_tile_path(path.substr(paths_.root.size() + 1));
      if (tile && tile->index < edge.index) GH_TRY(remove_partials(*tile));
    }
    if (items.empty()) continue;
    std::string at = parent;
    for (; at != paths_.root; at = parent_directory(at)) unsynced_directories_.insert(at);
    unsynced_directories_.insert(at);
  }
  return {};
}

}  // namespace gatehouse::ledger

#include "ledger/published.h"

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "ledger/witnessed.h"

namespace gatehouse::ledger {

namespace {

std::size_t largest(const TileName& name) {
  return name.level ? tile_width * sizeof(Digest) : max_bundle_bytes;
}

// Where the first `width` hashes or entries end; absent when there are fewer.
std::optional<std::size_t> prefix_of(const TileName& name, std::string_view bytes) {
  if (!name.level) return bundle_prefix(bytes, name.width);
  const std::size_t end = name.width * sizeof(Digest);
  return bytes.size() < end ? std::nullopt : std::optional(end);
}

// Widths of the partial files that are there and hold more than `name`, narrow ones first.
Result<std::vector<unsigned>> wider_partials(Disk& disk, const LogPaths& paths,
                                             const TileName& name) {
  TileName full = name;
  full.width = tile_width;
  GH_ASSIGN(const auto items, list_directory(disk, paths.tile(full) + ".p"));
  std::vector<unsigned> widths;
  for (const DirectoryItem& item : items) {
    const auto width = parse_uint(item.name);
    if (width && *width > name.width && *width < tile_width)
      widths.push_back(static_cast<unsigned>(*width));
  }
  std::ranges::sort(widths);
  return widths;
}

Result<std::string> cut_from_wider(Disk& disk, const LogPaths& paths, const TileName& name) {
  GH_ASSIGN(auto widths, wider_partials(disk, paths, name));
  widths.push_back(tile_width);  // what was partial a moment ago may be full by now
  for (const unsigned width : widths) {
    TileName wider = name;
    wider.width = width;
    auto bytes = read_whole(disk, paths.tile(wider), largest(name));
    if (!bytes && bytes.error().code == ErrorCode::not_found) continue;
    if (!bytes) return bytes;
    const auto end = prefix_of(name, *bytes);
    if (!end) return fail(ErrorCode::data_loss, "it is cut short", paths.tile(wider));
    bytes->resize(*end);
    return bytes;
  }
  return fail(ErrorCode::not_found, "there is no such tile", paths.tile(name));
}

}  // namespace

std::optional<PublishedName> parse_published_name(std::string_view name) {
  if (name == "checkpoint") return PublishedName{};
  const auto tile = parse_tile_path(name);
  if (!tile) return std::nullopt;
  return PublishedName{.kind = tile->level ? PublishedKind::tile : PublishedKind::entries,
                       .tile = *tile};
}

Result<std::string> read_published(Disk& disk, const LogPaths& paths, const VerifierKey& log,
                                   const PublishedName& name) {
  if (name.kind == PublishedKind::checkpoint) return served_checkpoint(disk, paths, log);
  auto bytes = read_whole(disk, paths.tile(name.tile), largest(name.tile));
  if (bytes || bytes.error().code != ErrorCode::not_found || name.tile.is_full()) return bytes;
  return cut_from_wider(disk, paths, name.tile);
}

}  // namespace gatehouse::ledger

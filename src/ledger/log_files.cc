#include "ledger/log_files.h"

#include <fmt/core.h>

#include <map>
#include <memory>
#include <utility>

namespace gatehouse::ledger {

namespace {

Result<std::string> read_tile_bytes(Disk& disk, const LogPaths& paths, const TileName& name) {
  const std::size_t max_bytes = name.level ? tile_width * sizeof(Digest) : max_bundle_bytes;
  return read_whole(disk, paths.tile(name), max_bytes);
}

}  // namespace

std::optional<std::size_t> bundle_prefix(std::string_view bytes, unsigned count) {
  std::size_t at = 0;
  for (unsigned i = 0; i < count; ++i) {
    if (bytes.size() - at < 2) return std::nullopt;
    const std::size_t length = (std::size_t{static_cast<unsigned char>(bytes[at])} << 8) |
                               static_cast<unsigned char>(bytes[at + 1]);
    if (bytes.size() - at - 2 < length) return std::nullopt;
    at += 2 + length;
  }
  return at;
}

LogPaths::LogPaths(std::string root_directory)
    : root(std::move(root_directory)),
      checkpoint(root + "/checkpoint"),
      verifier_key(root + "/log.vkey"),
      lock(root + "/lock"),
      wal(root + "/wal"),
      temporary(root + "/tmp") {}

Result<VerifierKey> read_verifier_key(Disk& disk, const std::string& path) {
  GH_ASSIGN(const std::string text, read_whole(disk, path, 4096));
  if (!text.ends_with('\n')) {
    return fail(ErrorCode::data_loss, "expected one verifier key and a newline", path);
  }
  auto key = parse_verifier_key(std::string_view(text).substr(0, text.size() - 1));
  if (!key) return fail(ErrorCode::data_loss, key.error().message, path);
  return key;
}

Result<SignedCheckpoint> read_checkpoint(Disk& disk, const std::string& path,
                                         const VerifierKey& log) {
  GH_ASSIGN(const std::string text, read_whole(disk, path, max_checkpoint_bytes));
  auto checkpoint = open_checkpoint(text, log);
  if (!checkpoint) return fail(ErrorCode::data_loss, checkpoint.error().message, path);
  return checkpoint;
}

Result<std::vector<Digest>> read_tile(Disk& disk, const LogPaths& paths, TileName name) {
  const unsigned width = name.width;
  auto bytes = read_tile_bytes(disk, paths, name);
  if (!bytes && bytes.error().code == ErrorCode::not_found && !name.is_full()) {
    name.width = tile_width;
    auto full = read_tile_bytes(disk, paths, name);
    if (full && full->size() == tile_width * sizeof(Digest)) {
      full->resize(width * sizeof(Digest));
      bytes = std::move(full);
    }
  }
  if (!bytes) return std::unexpected(std::move(bytes).error());
  auto hashes = decode_tile(*bytes, width);
  if (!hashes) return fail(ErrorCode::data_loss, hashes.error().message, paths.tile(name));
  return hashes;
}

Result<std::string> read_bundle(Disk& disk, const LogPaths& paths, TileName name) {
  const unsigned width = name.width;
  auto bytes = read_tile_bytes(disk, paths, name);
  if (bytes || bytes.error().code != ErrorCode::not_found || name.is_full()) return bytes;
  name.width = tile_width;
  auto full = read_tile_bytes(disk, paths, name);
  if (!full) return bytes;
  const auto end = bundle_prefix(*full, width);
  if (!end) return fail(ErrorCode::data_loss, "the bundle is cut short", paths.tile(name));
  full->resize(*end);
  return full;
}

Subtrees stored_subtrees(Disk& disk, const LogPaths& paths, std::uint64_t size) {
  using Tiles = std::map<std::pair<unsigned, std::uint64_t>, std::vector<Digest>>;
  return [&disk, paths, size, tiles = std::make_shared<Tiles>()](
             unsigned height, std::uint64_t index) -> Result<Digest> {
    // The subtree is the root of 2^within hashes of one tile of this level.
    const unsigned level = height / 8;
    const unsigned within = height % 8;
    const std::uint64_t first = index << within;
    const std::uint64_t tile_index = first / tile_width;
    const auto key = std::pair(level, tile_index);
    auto tile = tiles->find(key);
    if (tile == tiles->end()) {
      const std::uint64_t available = hashes_at(level, size) - tile_index * tile_width;
      const auto width = static_cast<unsigned>(std::min(available, tile_width));
      GH_ASSIGN(auto hashes,
                read_tile(disk, paths, {.level = level, .index = tile_index, .width = width}));
      tile = tiles->emplace(key, std::move(hashes)).first;
    }
    const std::size_t at = first % tile_width;
    const std::size_t count = std::size_t{1} << within;
    GH_CHECK(at + count <= tile->second.size());
    return root_of(std::span(tile->second).subspan(at, count));
  };
}

}  // namespace gatehouse::ledger

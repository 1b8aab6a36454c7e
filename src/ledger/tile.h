// Tiles and entry bundles (C2SP tlog-tiles): their paths and their bytes. Pure functions.
//
//   tile/<level>/<N>[.p/<width>]      width × 32 bytes: the hashes N·256 … of level `level`
//   tile/entries/<N>[.p/<width>]      width × (length, 2 bytes big-endian ‖ entry)
//
// N is written in groups of three digits, all but the last behind an 'x': 1234067 = x001/x234/067.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ledger/merkle.h"

namespace gatehouse::ledger {

inline constexpr std::uint64_t tile_width = 256;
// 256^8 leaves are more than max_tree_size.
inline constexpr unsigned max_tile_levels = 8;
inline constexpr std::size_t max_bundle_bytes = tile_width * (2 + 65'535);

struct TileName {
  std::optional<unsigned> level;  // absent: an entry bundle
  std::uint64_t index = 0;
  unsigned width = tile_width;  // less: a partial one

  bool is_full() const { return width == tile_width; }
  friend bool operator==(const TileName&, const TileName&) = default;
};

std::string to_path(const TileName& name);                       // "tile/0/x001/234.p/5"
std::optional<TileName> parse_tile_path(std::string_view path);  // canonical paths only

// How many hashes of level `level` a tree of `size` leaves has.
inline std::uint64_t hashes_at(unsigned level, std::uint64_t size) {
  return size >> (8 * level);
}
// Levels that have at least one hash.
unsigned levels_of(std::uint64_t size);

// Digests as the bytes of a tile and back. `bytes` must be exactly width × 32.
std::string encode_tile(std::span<const Digest> hashes);
Result<std::vector<Digest>> decode_tile(std::string_view bytes, unsigned width);

void append_to_bundle(std::string& bundle, std::string_view entry);
// Exactly `width` entries and nothing after; views into `bytes`. The error names entry and offset.
Result<std::vector<std::string_view>> split_bundle(std::string_view bytes, unsigned width);

}  // namespace gatehouse::ledger

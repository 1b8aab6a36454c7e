#include "ledger/tile.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace gatehouse::ledger {

namespace {

std::string grouped(std::uint64_t index) {
  std::string out = fmt::format("{:03}", index % 1000);
  for (index /= 1000; index > 0; index /= 1000) out = fmt::format("x{:03}/", index % 1000) + out;
  return out;
}

// One to three decimal digits without leading zeros.
std::optional<unsigned> parse_small(std::string_view text, unsigned max) {
  const auto value = parse_uint(text);
  if (!value || *value > max || std::to_string(*value) != text) return std::nullopt;
  return static_cast<unsigned>(*value);
}

std::optional<std::uint64_t> parse_grouped(std::string_view text) {
  std::uint64_t value = 0;
  for (std::string_view group : split(text, '/')) {
    if (group.starts_with('x')) group.remove_prefix(1);
    const auto digits = group.size() == 3 ? parse_uint(group) : std::nullopt;
    if (!digits || value > max_tree_size / 1000) return std::nullopt;
    value = value * 1000 + *digits;
  }
  return value;
}

}  // namespace

std::string to_path(const TileName& name) {
  std::string out = "tile/";
  out += name.level ? std::to_string(*name.level) : "entries";
  out += '/' + grouped(name.index);
  if (!name.is_full()) out += fmt::format(".p/{}", name.width);
  return out;
}

std::optional<TileName> parse_tile_path(std::string_view path) {
  const std::string_view whole = path;
  if (!path.starts_with("tile/")) return std::nullopt;
  path.remove_prefix(5);
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  TileName name;
  if (path.substr(0, slash) != "entries") {
    name.level = parse_small(path.substr(0, slash), 63);
    if (!name.level) return std::nullopt;
  }
  path.remove_prefix(slash + 1);
  if (const std::size_t partial = path.find(".p/"); partial != std::string_view::npos) {
    const auto width = parse_small(path.substr(partial + 3), tile_width - 1);
    if (!width || *width == 0) return std::nullopt;
    name.width = *width;
    path = path.substr(0, partial);
  }
  const auto index = parse_grouped(path);
  if (!index) return std::nullopt;
  name.index = *index;
  // One spelling only: the one that to_path writes.
  if (to_path(name) != whole) return std::nullopt;
  return name;
}

unsigned levels_of(std::uint64_t size) {
  unsigned levels = 0;
  while (size > 0) {
    ++levels;
    size >>= 8;
  }
  return levels;
}

std::string encode_tile(std::span<const Digest> hashes) {
  return std::string(text_of(std::as_bytes(hashes)));
}

Result<std::vector<Digest>> decode_tile(std::string_view bytes, unsigned width) {
  if (bytes.size() != std::size_t{width} * sizeof(Digest)) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("expected {} bytes ({} hashes), found {}", width * sizeof(Digest),
                            width, bytes.size()));
  }
  std::vector<Digest> hashes(width);
  if (width > 0) std::memcpy(hashes.data(), bytes.data(), bytes.size());
  return hashes;
}

void append_to_bundle(std::string& bundle, std::string_view entry) {
  GH_CHECK(entry.size() <= 65'535);
  bundle += static_cast<char>(entry.size() >> 8);
  bundle += static_cast<char>(entry.size() & 0xff);
  bundle += entry;
}

Result<std::vector<std::string_view>> split_bundle(std::string_view bytes, unsigned width) {
  std::vector<std::string_view> entries;
  entries.reserve(width);
  std::size_t offset = 0;
  for (unsigned i = 0; i < width; ++i) {
    const std::size_t left = bytes.size() - offset;
    const std::size_t length = left < 2
                                   ? 0
                                   : (std::size_t{static_cast<unsigned char>(bytes[offset])} << 8) |
                                         static_cast<unsigned char>(bytes[offset + 1]);
    if (left < 2 || left - 2 < length || length == 0) {
      return fail(
          ErrorCode::invalid_argument,
          fmt::format("entry {} of {} at offset {} does not fit or is empty", i, width, offset));
    }
    entries.push_back(bytes.substr(offset + 2, length));
    offset += 2 + length;
  }
  if (offset != bytes.size()) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("{} bytes too many after offset {}", bytes.size() - offset, offset));
  }
  return entries;
}

}  // namespace gatehouse::ledger

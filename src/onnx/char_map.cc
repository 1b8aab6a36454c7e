// See char_map.h.
#include "onnx/char_map.h"

#include "base/text.h"
#include "onnx/unicode.h"

namespace gatehouse::onnx {
namespace {

std::uint32_t read_u32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (int at = 3; at >= 0; --at)
    value = (value << 8) | static_cast<unsigned char>(bytes[static_cast<std::size_t>(at)]);
  return value;
}

std::uint32_t offset_of(std::uint32_t unit) {
  return (unit >> 10) << ((unit & (1u << 9)) >> 6);
}
std::uint32_t label_of(std::uint32_t unit) {
  return unit & ((1u << 31) | 0xff);
}
bool has_leaf(std::uint32_t unit) {
  return ((unit >> 8) & 1) != 0;
}
std::uint32_t value_of(std::uint32_t unit) {
  return unit & 0x7fffffff;
}

}  // namespace

Result<CharMap> CharMap::parse(std::string_view bytes) {
  constexpr std::size_t unit_bytes = 4;
  const auto refused = [](const char* problem) {
    return fail(ErrorCode::invalid_argument, problem, "precompiled_charsmap");
  };
  if (bytes.size() < unit_bytes) return refused("too short");
  const std::size_t trie_bytes = read_u32(bytes);
  bytes.remove_prefix(unit_bytes);
  if (trie_bytes == 0 || trie_bytes % unit_bytes != 0 || trie_bytes > bytes.size())
    return refused("the trie does not fit");
  CharMap map;
  for (std::size_t at = 0; at < trie_bytes; at += unit_bytes)
    map.units_.push_back(read_u32(bytes.substr(at)));
  map.texts_ = bytes.substr(trie_bytes);
  // Any of its texts may be put into a text: each must be one.
  for (const auto text : split(map.texts_, '\0'))
    if (!is_utf8(text)) return refused("a replacement is not UTF-8");
  return map;
}

std::optional<std::string_view> CharMap::find(std::string_view text) const {
  std::size_t node = offset_of(units_[0]);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == 0) return std::nullopt;
    node ^= byte;
    if (node >= units_.size() || label_of(units_[node]) != byte) return std::nullopt;
    const std::uint32_t unit = units_[node];
    node ^= offset_of(unit);
    if (!has_leaf(unit)) continue;
    if (node >= units_.size()) return std::nullopt;
    const std::size_t value = value_of(units_[node]);
    if (value > texts_.size()) return std::nullopt;
    // A value may lead into the middle of a character of a hostile file.
    const auto found = std::string_view(texts_).substr(value);
    const auto replacement = found.substr(0, found.find('\0'));
    return is_utf8(replacement) ? std::optional(replacement) : std::nullopt;
  }
  return std::nullopt;
}

std::string CharMap::apply(std::string_view text) const {
  constexpr std::size_t short_grapheme = 6;
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto grapheme = text.substr(at, grapheme_bytes(text, at));
    at += grapheme.size();
    if (grapheme.size() < short_grapheme) {
      if (const auto replacement = find(grapheme)) {
        out += *replacement;
        continue;
      }
    }
    for (std::size_t part = 0; part < grapheme.size();) {
      const auto character = grapheme.substr(part, character_bytes(grapheme, part));
      part += character.size();
      out += find(character).value_or(character);
    }
  }
  return out;
}

}  // namespace gatehouse::onnx

// Bytes and text: encodings, UTF-8, small string work. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace gatehouse {

using Bytes = std::span<const std::byte>;

inline Bytes bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
inline std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string to_hex(Bytes bytes);  // lower case
Result<std::string> from_hex(std::string_view hex);
std::string to_base64(Bytes bytes);                         // RFC 4648 section 4, padded
Result<std::string> from_base64(std::string_view text);     // strict: padded, canonical
std::string to_base64url(Bytes bytes);                      // section 5, unpadded
Result<std::string> from_base64url(std::string_view text);  // strict: unpadded, canonical

bool is_utf8(std::string_view text);
// Replaces each ill-formed sequence by U+FFFD.
std::string to_utf8(std::string_view bytes);
// For a terminal: control characters and ill-formed bytes as \xNN, the rest as it is.
std::string printable(std::string_view bytes);
// The longest prefix of at most `limit` bytes that does not cut a UTF-8 sequence.
std::string_view utf8_prefix(std::string_view text, std::size_t limit);

std::string_view trim(std::string_view text);  // ASCII white space
std::vector<std::string_view> split(std::string_view text, char separator);
std::string to_lower(std::string_view text);                        // ASCII
bool equals_ignoring_case(std::string_view a, std::string_view b);  // ASCII
std::optional<std::uint64_t> parse_uint(std::string_view text);     // decimal digits only

}  // namespace gatehouse

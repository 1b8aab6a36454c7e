// What stands beside a match: escapes, whose last byte is no neighbour, and letters. On any thread.
#pragma once

#include <cstddef>
#include <string_view>

#include "inspect/pattern.h"

namespace gatehouse::inspect {

// Whether the text ends with an escape as JSON, URLs, source code and terminals write them: \n,
// %20, \u0027, \x1b, ESC[93m. Escapes are shorter than `longest_escape`.
bool ends_escape(std::string_view text);
inline constexpr std::size_t longest_escape = 12;
// Such an escape begins with it. (Others than those that are decoded: escape.h.)
inline bool is_escape_byte(char c) {
  return c == '\\' || c == '%' || c == '\x1b';
}
// The first such byte at or after `at`; text.size() if there is none.
std::size_t find_escape(std::string_view text, std::size_t at);
// Whether an escape may end before one of the bytes of text[begin, end), or before text[end].
bool is_near_escape(std::string_view text, std::size_t begin, std::size_t end);
// Such escapes as a regular expression.
inline constexpr std::string_view escape_regex =
    "\\\\[bfnrtv0]|%[0-9A-Fa-f]{2}|\\\\u[0-9A-Fa-f]{4}|\\\\x[0-9A-Fa-f]{2}|\\x1b\\[[0-9;]{1,8}m";

// Where a piece of a match may stand: so many bytes behind the beginning, which is one of `first`
// and not behind one of `not_before`, unless that is the last byte of an escape.
struct Anchor {
  std::size_t behind = 0;
  ByteSet first;
  ByteSet not_before;  // none: anywhere
};

// Whether no letter touches text[begin, end), which is not empty. A capital begins a new word
// (userSsn, ssnNumber); scripts without spaces have no letters in this sense.
bool stands_alone(std::string_view text, std::size_t begin, std::size_t end);

}  // namespace gatehouse::inspect

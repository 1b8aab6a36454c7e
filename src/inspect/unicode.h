// UTF-8 and the fold of single characters. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gatehouse::inspect {

// Any byte of a character but its first.
constexpr bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

struct Decoded {
  char32_t code = 0;
  std::size_t size = 0;  // bytes; 0: the text ends inside the character; 1 with code 0: not UTF-8
};
// The character at the beginning of a text that is not empty and not ASCII there.
Decoded decode_utf8(std::string_view text);
// The character that ends the text; 0 for none.
char32_t last_character(std::string_view text);
void append_utf8(std::string& out, char32_t code);

// What a character beyond ASCII folds to.
struct Folding {
  enum class Kind : std::uint8_t { itself, nothing, text };
  Kind kind = Kind::itself;
  std::string_view text;  // ASCII
};
Folding fold_of(char32_t code);

// The first byte at or after `from` that is not ASCII, or begins an escape, or may begin a joint
// (joints.h), or is a control character that folds away; text.size() if there is none.
std::size_t find_special(std::string_view text, std::size_t from);
// A control character that no reader sees: all but white space and ESC.
constexpr bool is_unseen_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == 0x7f || byte < 0x09 || (byte > 0x0d && byte < 0x20 && byte != 0x1b);
}

constexpr bool is_tag(char32_t code) {
  return code == 0xe0001 || (code >= 0xe0020 && code <= 0xe007f);
}
constexpr bool is_variation_selector(char32_t code) {
  return (code >= 0xfe00 && code <= 0xfe0f) || (code >= 0xe0100 && code <= 0xe01ef);
}
constexpr bool is_direction_override(char32_t code) {
  return code == 0x202d || code == 0x202e;
}
constexpr bool is_zero_width(char32_t code) {
  return (code >= 0x200b && code <= 0x200d) || (code >= 0x2060 && code <= 0x2064) ||
         code == 0xfeff || code == 0x034f || code == 0x180e;
}

}  // namespace gatehouse::inspect

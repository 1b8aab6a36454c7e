#include "inspect/neighbours.h"

#include <algorithm>
#include <bit>

#include "inspect/byte_class.h"
#include "inspect/unicode.h"
#include "inspect/wide_bytes.h"

namespace gatehouse::inspect {
namespace {

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_hex(char c) {
  return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

// Letters of alphabets: ASCII's, and in UTF-8 those of two bytes. A non-ASCII byte is judged by the
// first byte of its sequence.
bool is_letter_before(std::string_view text, std::size_t at) {
  std::size_t lead = at - 1;
  while (lead > 0 && at - lead < 4 && is_continuation(text[lead])) --lead;
  const auto byte = static_cast<unsigned char>(text[lead]);
  return byte >= 0x80 ? byte < 0xe0 : is_lower(text[at - 1]) || is_upper(text[at - 1]);
}
bool is_letter_at(std::string_view text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  return byte >= 0x80 ? byte < 0xe0 : is_lower(text[at]) || is_upper(text[at]);
}

const ByteClass& escape_bytes() {
  static const ByteClass bytes = [] {
    ByteSet all;
    for (unsigned byte = 0; byte < 256; ++byte)
      all.set(byte, is_escape_byte(static_cast<char>(byte)));
    return ByteClass(all);
  }();
  return bytes;
}

bool is_escape_letter(char c) {
  return std::string_view("bfnrtv0").find(c) != std::string_view::npos;
}

bool ends_colour(std::string_view text) {
  if (!text.ends_with('m')) return false;
  const std::string_view tail = text.substr(0, text.size() - 1);
  const std::size_t begin = tail.find_last_not_of("0123456789;");
  return begin != std::string_view::npos && begin > 0 && tail[begin] == '[' &&
         tail[begin - 1] == '\x1b' && tail.size() - begin - 1 >= 1 && tail.size() - begin - 1 <= 8;
}

}  // namespace

// Asked for every byte inside a word: what ordinary text has not is looked for first.
bool ends_escape(std::string_view text) {
  const std::size_t size = text.size();
  const auto back = [&](std::size_t n) { return n <= size ? text[size - n] : ' '; };
  if (back(2) == '\\') return is_escape_letter(back(1));
  if (back(3) == '%') return is_hex(back(2)) && is_hex(back(1));
  if (back(6) == '\\' && back(5) == 'u') return std::all_of(text.end() - 4, text.end(), is_hex);
  if (back(4) == '\\' && back(3) == 'x') return is_hex(back(2)) && is_hex(back(1));
  return back(1) == 'm' && ends_colour(text);
}

std::size_t find_escape(std::string_view text, std::size_t at) {
  const ByteClass& begins = escape_bytes();
  for (; at < text.size(); at += ByteClass::width) {
    const Padded<ByteClass::width> rest(text, at);
    if (const std::uint64_t found = begins.members(rest.data()); found != 0)
      return at + static_cast<std::size_t>(std::countr_zero(found));
  }
  return text.size();
}

bool is_near_escape(std::string_view text, std::size_t begin, std::size_t end) {
  return find_escape(text.substr(0, end), begin - std::min(begin, longest_escape)) < end;
}

bool stands_alone(std::string_view text, std::size_t begin, std::size_t end) {
  const bool open = begin == 0 || !is_letter_before(text, begin) || !is_letter_at(text, begin) ||
                    ends_escape(text.substr(0, begin)) ||
                    (begin > 1 && is_upper(text[begin]) && is_lower(text[begin - 1]) &&
                     is_letter_before(text, begin - 1));
  const bool shut = end == text.size() || !is_letter_at(text, end) ||
                    !is_letter_before(text, end) ||
                    (is_upper(text[end]) && is_lower(text[end - 1]));
  return open && shut;
}

}  // namespace gatehouse::inspect

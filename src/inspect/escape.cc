#include "inspect/escape.h"

#include <algorithm>
#include <array>
#include <span>

namespace gatehouse::inspect {
namespace {

using State = EscapeReading::State;

struct Name {
  std::string_view name;
  char32_t code;
};

// HTML's names for ASCII signs, spaces, quotes, dashes and characters that are not seen.
constexpr Name names[] = {
    {"amp", '&'},    {"AMP", '&'},    {"apos", '\''},  {"ast", '*'},     {"bsol", '\\'},
    {"colon", ':'},  {"comma", ','},  {"commat", '@'}, {"dash", '-'},    {"dollar", '$'},
    {"emsp", ' '},   {"ensp", ' '},   {"equals", '='}, {"excl", '!'},    {"grave", '`'},
    {"gt", '>'},     {"GT", '>'},     {"Hat", '^'},    {"hyphen", '-'},  {"lbrace", '{'},
    {"lbrack", '['}, {"lcub", '{'},   {"ldquo", '"'},  {"lowbar", '_'},  {"lpar", '('},
    {"lrm", 0x200e}, {"lsqb", '['},   {"lsquo", '\''}, {"lt", '<'},      {"LT", '<'},
    {"midast", '*'}, {"minus", '-'},  {"nbsp", ' '},   {"ndash", '-'},   {"NewLine", '\n'},
    {"num", '#'},    {"percnt", '%'}, {"period", '.'}, {"plus", '+'},    {"quest", '?'},
    {"quot", '"'},   {"QUOT", '"'},   {"rbrace", '}'}, {"rbrack", ']'},  {"rcub", '}'},
    {"rdquo", '"'},  {"rlm", 0x200f}, {"rpar", ')'},   {"rsqb", ']'},    {"rsquo", '\''},
    {"semi", ';'},   {"shy", 0xad},   {"sol", '/'},    {"Tab", '\t'},    {"thinsp", ' '},
    {"verbar", '|'}, {"vert", '|'},   {"zwj", 0x200d}, {"zwnj", 0x200c}, {"ZeroWidthSpace", 0x200b},
};

// The names by their first letter.
constexpr auto sorted_names = [] {
  auto sorted = std::to_array(names);
  std::ranges::sort(sorted, {}, &Name::name);
  return sorted;
}();
std::span<const Name> names_from(char first) {
  static constexpr auto begins = [] {
    std::array<std::uint8_t, 129> all{};
    for (std::size_t c = 0; c < all.size(); ++c)
      for (const Name& known : sorted_names)
        all[c] += static_cast<std::size_t>(known.name[0]) < c ? 1 : 0;
    return all;
  }();
  const auto c = static_cast<unsigned char>(first);
  if (c >= 0x80) return {};
  return std::span(sorted_names).subspan(begins[c], begins[c + 1] - begins[c]);
}

constexpr EscapeReading dead{State::dead, 0, false};
constexpr EscapeReading open{State::open, 0, false};

int digit_value(char c, unsigned radix) {
  const int value = c >= '0' && c <= '9'                     ? c - '0'
                    : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                             : 99;
  return value < static_cast<int>(radix) ? value : -1;
}

// The value of leading digits and how many there are.
struct Number {
  char32_t value = 0;
  std::size_t size = 0;
};
Number read_number(std::string_view text, unsigned radix, std::size_t most) {
  Number number;
  while (number.size < std::min(most, text.size())) {
    const int digit = digit_value(text[number.size], radix);
    if (digit < 0) break;
    number.value = number.value * radix + static_cast<char32_t>(digit);
    ++number.size;
  }
  return number;
}

EscapeReading done(char32_t code, bool is_byte = false) {
  return code <= 0x10ffff ? EscapeReading{State::done, code, is_byte} : dead;
}

// So many hexadecimal digits, and nothing else.
EscapeReading read_fixed(std::string_view digits, std::size_t count, bool is_byte) {
  const Number number = read_number(digits, 16, count);
  if (number.size < digits.size()) return dead;
  return number.size < count ? open : done(number.value, is_byte);
}

// 40} of \x{40}.
EscapeReading read_braced(std::string_view text) {
  const Number number = read_number(text, 16, 6);
  if (number.size == text.size()) return open;
  return number.size > 0 && text.size() == number.size + 1 && text.back() == '}'
             ? done(number.value)
             : dead;
}

bool is_high_surrogate(char32_t code) {
  return code >= 0xd800 && code < 0xdc00;
}

// \uXXXX, or two that form a surrogate pair.
EscapeReading read_unit(std::string_view text) {
  const EscapeReading first = read_fixed(text.substr(2, 4), 4, false);
  if (first.state != State::done || !is_high_surrogate(first.code))
    return text.size() <= 6 ? first : dead;
  if (text.size() <= 6) return open;
  if (text[6] != '\\' || (text.size() > 7 && text[7] != 'u')) return dead;
  if (text.size() <= 8) return open;
  const EscapeReading second = read_fixed(text.substr(8), 4, false);
  if (second.state != State::done) return second;
  if (second.code < 0xdc00 || second.code > 0xdfff) return dead;
  return done(0x10000 + ((first.code - 0xd800) << 10) + (second.code - 0xdc00));
}

// A backslash and the end of a line: the text goes on in the next one.
EscapeReading read_line_end(std::string_view text) {
  constexpr char32_t unseen = 0xad;
  if (text == "\\\n" || text == "\\\r\n") return done(unseen);
  return text == "\\\r" ? open : dead;
}

EscapeReading read_backslash(std::string_view text) {
  if (text.size() == 1) return open;
  const char kind = text[1];
  if (kind == '\n' || kind == '\r') return read_line_end(text);
  if (kind == '_' || kind == '-') return done(static_cast<char32_t>(kind));
  if (kind != 'x' && kind != 'u' && kind != 'U') return dead;
  if (text.size() > 2 && text[2] == '{' && kind != 'U') return read_braced(text.substr(3));
  if (kind == 'x') return read_fixed(text.substr(2), 2, true);
  if (kind == 'U') return read_fixed(text.substr(2), 8, false);
  return read_unit(text);
}

EscapeReading read_percent(std::string_view text) {
  if (text.size() > 1 && text[1] == 'u') return read_fixed(text.substr(2), 4, false);
  return read_fixed(text.substr(1), 2, true);
}

// &#64; or &#x40; without the ampersand and the sign.
EscapeReading read_numeric(std::string_view text) {
  const bool hex = !text.empty() && (text[0] | 0x20) == 'x';
  if (hex) text.remove_prefix(1);
  const Number number = read_number(text, hex ? 16 : 10, 9);
  if (number.size == text.size()) return number.size < 9 ? open : dead;
  if (number.size == 0 || number.size + 1 != text.size() || number.value > 0x10ffff) return dead;
  if (text.back() == ';') return done(number.value);
  return number.size >= 2 ? EscapeReading{State::done_before, number.value, false} : dead;
}

EscapeReading read_reference(std::string_view text) {
  if (text.size() == 1) return open;
  if (text[1] == '#') return read_numeric(text.substr(2));
  const bool ended = text.back() == ';';
  const std::string_view word = text.substr(1, text.size() - 1 - (ended ? 1 : 0));
  if (word.empty()) return dead;
  for (const Name& known : names_from(word[0])) {
    if (ended && known.name == word) return done(known.code);
    if (!ended && known.name.starts_with(word)) return open;
  }
  return dead;
}

}  // namespace

EscapeReading read_escape(std::string_view text) {
  if (text.size() > longest_folded_escape) return dead;
  if (text[0] == '%') return read_percent(text);
  if (text[0] == '&') return read_reference(text);
  return read_backslash(text);
}

EscapeReading read_escape_at_end(std::string_view text) {
  if (text.size() < 4 || text[0] != '&' || text[1] != '#') return dead;
  std::array<char, longest_folded_escape + 1> longer{};
  if (text.size() > longest_folded_escape) return dead;
  const auto end = std::copy(text.begin(), text.end(), longer.begin());
  *end = ' ';
  const EscapeReading reading = read_numeric({longer.data() + 2, text.size() - 1});
  return reading.state == State::done_before ? reading : dead;
}

}  // namespace gatehouse::inspect

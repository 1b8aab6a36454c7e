#include "inspect/gates.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

#include "inspect/byte_runs.h"
#include "inspect/wide_bytes.h"

namespace gatehouse::inspect {
namespace {

enum Class : unsigned char { other, separator, letter, digit };

constexpr auto classes = [] {
  std::array<unsigned char, 256> table{};
  for (const char c : digit_separators) table[static_cast<unsigned char>(c)] = separator;
  for (unsigned c = 'a'; c <= 'z'; ++c) table[c] = table[c - 'a' + 'A'] = letter;
  for (unsigned c = '0'; c <= '9'; ++c) table[c] = digit;
  return table;
}();

Class class_of(char c) {
  return static_cast<Class>(classes[static_cast<unsigned char>(c)]);
}

// The row that begins with the digit at `begin`.
DigitRow row_at(std::string_view text, std::size_t begin) {
  DigitRow row{{begin, begin},
               0,
               begin >= 2 && class_of(text[begin - 1]) == letter &&
                   class_of(text[begin - 2]) == letter && begin + 1 < text.size() &&
                   class_of(text[begin + 1]) == digit};
  for (std::size_t at = begin; at < text.size() && at <= row.span.end + most_between_digits; ++at) {
    const Class what = class_of(text[at]);
    if (what == digit) {
      row.span.end = at + 1;
      ++row.digits;
    } else if (what != separator) {
      break;
    }
  }
  return row;
}

[[gnu::always_inline]] inline std::size_t digit_in(std::string_view text, std::size_t at) {
  for (; at < text.size(); at += wide) {
    const Padded<wide> rest(text, at);
    if (const std::uint32_t found = bits(between(load(rest.data()), '0', '9')); found != 0)
      return at + static_cast<std::size_t>(std::countr_zero(found));
  }
  return text.size();
}
GH_TARGET_AVX2 std::size_t digit_in_avx2(std::string_view text, std::size_t at) {
  return digit_in(text, at);
}

}  // namespace

std::size_t next_digit(std::string_view text, std::size_t at) {
  return has_avx2() ? digit_in_avx2(text, at) : digit_in(text, at);
}

void find_digit_rows(std::string_view text, std::size_t from, std::vector<DigitRow>& rows) {
  for (std::size_t at = next_digit(text, from); at < text.size();) {
    const DigitRow row = row_at(text, at);
    if (row.digits >= fewest_in_row) rows.push_back(row);
    at = next_digit(text, row.span.end);
  }
}

void find_tokens(std::string_view text, std::size_t from, std::vector<Span>& tokens) {
  static_assert(shortest_token == 14);  // as in next_token_run
  while ((from = next_token_run(text, from)) < text.size()) {
    std::size_t end = from;
    std::size_t size = 0;
    for (; end < text.size() && is_token_byte(text[end]); ++end) size += text[end] != '-';
    if (size >= shortest_token) tokens.push_back({from, end});
    from = end;
  }
}

std::string digit_row_pattern(std::size_t digits) {
  return fmt::format("[0-9](?:[ ./()+-]{{0,{}}}[0-9]){{{}}}", most_between_digits, digits - 1);
}

std::string between_rows_pattern() {
  return fmt::format("[^0-9 ./()+_|*-]|[^0-9]{{{}}}", most_between_digits + 1);
}

std::string token_pattern() {
  return fmt::format("[0-9A-Za-z](?:-*[0-9A-Za-z]){{{}}}", shortest_token - 1);
}

}  // namespace gatehouse::inspect

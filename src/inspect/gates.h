// The places of a text where digits or long runs of letters and digits stand. Ordinary text has few
// of either, so rules whose matches always contain one are only looked for around them.
//
// Pure functions, linear time. What they find in text[from, …) is what stands there, whole or not:
// a row that begins before `from` counts from there on.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "inspect/inspect.h"

namespace gatehouse::inspect {

// Where the first digit stands at or after `at`; where the text ends if there is none.
std::size_t next_digit(std::string_view text, std::size_t at);

// Digits with at most three separators between any two of them, as many as follow one another.
inline constexpr std::string_view digit_separators = " ./()+-_|*";
inline constexpr std::size_t most_between_digits = 3;
struct DigitRow {
  Span span;
  std::size_t digits = 0;
  bool is_glued = false;  // begins with two digits right behind two letters
};
inline constexpr std::size_t fewest_in_row = 2;
void find_digit_rows(std::string_view text, std::size_t from, std::vector<DigitRow>& rows);

// Letters and digits (ASCII) with nothing but dashes between them.
inline constexpr std::size_t shortest_token = 14;  // without the dashes
inline constexpr std::size_t beside_token = 10;
void find_tokens(std::string_view text, std::size_t from, std::vector<Span>& tokens);

// The same as patterns: what contains one of these contains a row of so many digits, one that is
// glued, or a token.
std::string digit_row_pattern(std::size_t digits);
// What a row never has inside: what contains no such thing, and digits, lies in one row but for
// what of it stands before the first digit and behind the last.
std::string between_rows_pattern();
inline constexpr std::string_view glued_row_pattern = "[A-Za-z]{2}[0-9]{2}";
std::string token_pattern();

}  // namespace gatehouse::inspect

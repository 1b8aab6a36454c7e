#include "inspect/digit_groups.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace gatehouse::inspect {
namespace {

constexpr std::size_t most_between = most_between_digits;
constexpr std::size_t fewest_digits = 9;
constexpr std::size_t most_digits = 34;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_word(char c) {
  return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}
constexpr auto betweens = [] {
  std::array<bool, 256> all{};
  for (const char c : digit_separators) all[static_cast<unsigned char>(c)] = true;
  return all;
}();
bool is_between(char c) {
  return betweens[static_cast<unsigned char>(c)];
}

// The row that begins with the digit at `begin`: where its last digit ends.
std::size_t row_end(std::string_view text, std::size_t begin) {
  std::size_t end = begin;
  for (std::size_t at = begin; at < text.size() && at <= end + most_between; ++at) {
    if (is_digit(text[at])) {
      end = at + 1;
    } else if (!is_between(text[at])) {
      break;
    }
  }
  return end;
}

// Whether a row is under way before the digit at `at`.
bool goes_on_from_before(std::string_view text, std::size_t at) {
  for (std::size_t back = 1; back <= most_between + 1 && back <= at; ++back) {
    if (is_digit(text[at - back])) return true;
    if (!is_between(text[at - back])) return false;
  }
  return false;
}

// Two capitals, perhaps a separator, in front of the digits: the country of an IBAN.
std::size_t letters_before(std::string_view text, std::size_t at) {
  const std::size_t gap = at > 0 && is_between(text[at - 1]) ? 1 : 0;
  if (at < gap + 2 || !is_upper(text[at - gap - 1]) || !is_upper(text[at - gap - 2])) return 0;
  return at == gap + 2 || !is_word(text[at - gap - 3]) ? gap + 2 : 0;
}

// Equal separators, and groups of one size or several of it, the last of any: their common divisor
// is one of them. Two groups say that only where the last is no longer than the first.
bool is_regular(std::string_view row) {
  std::size_t least = SIZE_MAX;
  std::size_t divisor = 0;
  std::size_t groups = 0;  // that have ended
  std::size_t group = 0;   // the size of the one under way
  std::string_view separator;
  for (std::size_t at = 0; at < row.size();) {
    if (is_digit(row[at])) {
      ++group;
      ++at;
      continue;
    }
    std::size_t size = 1;
    while (!is_digit(row[at + size])) ++size;
    if (groups++ > 0 && row.substr(at, size) != separator) return false;
    separator = row.substr(at, size);
    at += size;
    least = std::min(least, group);
    divisor = std::gcd(divisor, group);
    group = 0;
  }
  const bool is_pair = groups == 1 && group > least;
  return groups > 0 && least >= 2 && divisor == least && !is_pair;
}

void add_row(std::string_view text, std::size_t base, std::size_t begin, std::size_t end,
             std::size_t from, std::size_t to, SegmentList& found) {
  if (end - begin > longest_digit_row || !is_regular(text.substr(begin, end - begin))) return;
  if (end < text.size() && is_word(text[end])) return;
  const std::size_t letters = letters_before(text, begin);
  if (letters == 0 && begin > 0 && is_word(text[begin - 1])) return;
  const std::size_t first = begin - letters;
  if (first < from || first >= to) return;
  const auto separators =
      std::count_if(text.begin() + static_cast<std::ptrdiff_t>(first),
                    text.begin() + static_cast<std::ptrdiff_t>(end), is_between);
  const std::size_t size = end - first - static_cast<std::size_t>(separators);
  if (size < fewest_digits || size > most_digits) return;
  found.begin(View::spaced, base + first, true);
  for (std::size_t at = first; at < end; ++at) {
    const auto place = static_cast<std::uint32_t>(at - first);
    if (!is_between(text[at])) found.add(text[at], {place, place + 1});
  }
}

}  // namespace

void find_digit_groups(std::string_view text, std::size_t base, std::size_t from, std::size_t to,
                       std::span<const DigitRow> rows, SegmentList& found) {
  for (const DigitRow& row : rows) {
    if (row.digits < fewest_digits) continue;
    const std::size_t begin = row.span.begin;
    if (begin >= to + most_between) return;
    if (!goes_on_from_before(text, begin))
      add_row(text, base, begin, row_end(text, begin), from, to, found);
  }
}

std::size_t digit_groups_open_from(std::string_view text, std::size_t from) {
  const std::size_t most = longest_digit_row + most_between + 4;
  const std::size_t floor = std::max(from, text.size() - std::min(text.size(), most));
  std::size_t begin = text.size();
  std::size_t between = 0;
  while (begin > floor && between <= most_between) {
    const char c = text[begin - 1];
    if (!is_digit(c) && !is_between(c)) break;
    between = is_digit(c) ? 0 : between + 1;
    --begin;
  }
  while (begin < text.size() && !is_digit(text[begin])) ++begin;
  const std::size_t letters = letters_before(text, begin);
  return std::max(from, begin - letters);
}

}  // namespace gatehouse::inspect

// See words.h.
#include "flow/words.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include "base/text.h"

namespace gatehouse::flow {
namespace {

constexpr std::string_view separators = " \t\r\n\f\v,;\"`()[]{}<>|=";
constexpr std::string_view edges = ".:!?'*_~-#";

bool is_separator(char c) {
  return separators.find(c) != std::string_view::npos;
}

std::string_view without_edges(std::string_view word) {
  const auto begin = word.find_first_not_of(edges);
  if (begin == std::string_view::npos) return {};
  const auto end = word.find_last_not_of(edges);
  // The sign of a number is no punctuation.
  const bool sign = begin > 0 && word[begin - 1] == '-' && begin < word.size() &&
                    std::isdigit(static_cast<unsigned char>(word[begin])) != 0;
  return word.substr(sign ? begin - 1 : begin, end + 1 - (sign ? begin - 1 : begin));
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

// What stands before or behind a number and says only what it counts.
std::string_view without_currency(std::string_view word, bool& percent) {
  constexpr std::array<std::string_view, 7> before{"$", "£", "€", "¥", "usd", "eur", "gbp"};
  constexpr std::array<std::string_view, 6> behind{"€", "£", "$", "usd", "eur", "gbp"};
  for (const auto mark : before)
    if (word.starts_with(mark)) word.remove_prefix(mark.size());
  for (const auto mark : behind)
    if (word.ends_with(mark)) word.remove_suffix(mark.size());
  if (word.ends_with('%')) {
    percent = true;
    word.remove_suffix(1);
  }
  return word;
}

// Digits with at most one point, and commas only where thousands are.
std::optional<std::string> plain_digits(std::string_view word) {
  std::string digits;
  std::size_t group = 0;  // digits since the last comma
  bool commas = false;
  bool point = false;
  for (std::size_t at = 0; at < word.size(); ++at) {
    const char c = word[at];
    if (c == ',' || c == '\'') {
      if (point || digits.empty() || (commas && group != 3)) return std::nullopt;
      commas = true;
      group = 0;
    } else if (c == '.') {
      if (point || (commas && group != 3)) return std::nullopt;
      point = true;
      digits += c;
    } else if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
      digits += c;
      ++group;
    } else if (c != '-' || at != 0) {
      return std::nullopt;
    } else {
      digits += c;
    }
  }
  if (commas && !point && group != 3) return std::nullopt;
  return digits;
}

}  // namespace

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::size_t begin = 0;
  const auto add = [&](std::size_t end) {
    if (const auto word = without_edges(text.substr(begin, end - begin)); !word.empty())
      words.push_back(lower(word));
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!is_separator(text[at])) continue;
    // A comma between digits is part of the number.
    const auto digit = [&](std::size_t i) {
      return i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])) != 0;
    };
    const bool in_number = text[at] == ',' && at > begin && digit(at - 1) && digit(at + 1) &&
                           digit(at + 2) && digit(at + 3) && !digit(at + 4);
    if (in_number) continue;
    add(at);
    begin = at + 1;
  }
  add(text.size());
  return words;
}

std::string compact(std::string_view word) {
  std::string result;
  for (const char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || byte >= 0x80) result += static_cast<char>(std::tolower(byte));
  }
  return result;
}

std::optional<Number> number_of(std::string_view word) {
  constexpr std::size_t longest = 32;
  Number number;
  word = without_currency(word, number.percent);
  if (word.empty() || word.size() > longest) return std::nullopt;
  const auto digits = plain_digits(word);
  if (!digits || digits->empty()) return std::nullopt;
  const auto* end = digits->data() + digits->size();
  const auto read = std::from_chars(digits->data(), end, number.value);
  if (read.ec != std::errc() || read.ptr != end || !std::isfinite(number.value))
    return std::nullopt;
  return number;
}

std::optional<double> number_word(std::string_view word) {
  struct Named {
    std::string_view name;
    double value;
  };
  constexpr std::array<Named, 24> names{
      {{"one", 1},     {"two", 2},       {"three", 3},      {"four", 4},     {"five", 5},
       {"six", 6},     {"seven", 7},     {"eight", 8},      {"nine", 9},     {"ten", 10},
       {"eleven", 11}, {"twelve", 12},   {"fifteen", 15},   {"twenty", 20},  {"thirty", 30},
       {"forty", 40},  {"fifty", 50},    {"sixty", 60},     {"seventy", 70}, {"eighty", 80},
       {"ninety", 90}, {"hundred", 100}, {"thousand", 1e3}, {"million", 1e6}}};
  const auto* found = std::ranges::find(names, word, &Named::name);
  if (found == names.end()) return std::nullopt;
  return found->value;
}

bool same_number(double a, double b) {
  const double difference = std::abs(a - b);
  return difference < 0.005 || difference <= 1e-9 * std::max(std::abs(a), std::abs(b));
}

}  // namespace gatehouse::flow

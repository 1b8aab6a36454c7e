// Words as dictionaries see them, and the normal form of a row of them. Pure, on the stack.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace gatehouse::inspect {

inline constexpr std::size_t most_words_of_value = 6;
inline constexpr std::size_t most_bytes_of_value = 128;  // in normal form
inline constexpr std::size_t most_bytes_of_word = 64;
inline constexpr std::size_t most_bytes_between = 3;

// What follows "dictionary-" in a rule's id, and a rule's kind.
bool is_rule_name(std::string_view text);
bool is_rule_kind(std::string_view text);

inline bool is_digit_byte(char c) {
  return c >= '0' && c <= '9';
}
inline bool is_word_byte(char c) {
  return is_digit_byte(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
         static_cast<unsigned char>(c) >= 0x80;
}

struct Word {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool digits = true;
};

// The word that begins at `at`, where a word byte stands. One that is too long is cut, one byte
// behind what a word may have.
inline Word word_at(std::string_view text, std::size_t at) {
  Word word{at, at, true};
  const std::size_t most = std::min(text.size(), at + most_bytes_of_word + 1);
  for (; word.end < most && is_word_byte(text[word.end]); ++word.end)
    word.digits = word.digits && is_digit_byte(text[word.end]);
  return word;
}

// Where the next word of a row begins, at most three bytes and no line break behind `end`; `end`
// where there is none. Whether that lies beyond the text is told by reaches_end.
struct Gap {
  std::size_t next = 0;
  bool open = false;  // the text ends before it is known
};
inline Gap gap_at(std::string_view text, std::size_t end) {
  for (std::size_t at = end; at <= end + most_bytes_between; ++at) {
    if (at == text.size()) return {end, true};
    if (is_word_byte(text[at])) return {at, false};
    if (text[at] == '\n' || text[at] == '\r') break;
  }
  return {end, false};
}

// The normal form of a row of words as it grows.
class NormalRow {
 public:
  // False when a word or the row is too long.
  bool append(std::string_view text, const Word& word) {
    const std::size_t size = word.end - word.begin;
    const bool joined = words_ > 0 && word.digits && last_was_digits_;
    if (size > most_bytes_of_word || size_ + size + 1 > text_.size()) return false;
    if (words_ > 0 && !joined) text_[size_++] = ' ';
    for (std::size_t i = word.begin; i < word.end; ++i)
      text_[size_++] =
          text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] | 0x20) : text[i];
    last_was_digits_ = word.digits;
    ++words_;
    return true;
  }
  std::string_view text() const { return {text_.data(), size_}; }
  std::size_t words() const { return words_; }

 private:
  std::array<char, most_bytes_of_value> text_{};
  std::size_t size_ = 0;
  std::size_t words_ = 0;
  bool last_was_digits_ = false;
};

inline bool begins_with_digit(std::string_view normal) {
  return normal.substr(0, normal.find(' ')).find_first_not_of("0123456789") ==
         std::string_view::npos;
}

// By what the filter knows a value: its first word, or of a number, which may be written in other
// groups, the first digit.
inline std::string_view prefix_of(std::string_view normal) {
  return begins_with_digit(normal) ? normal.substr(0, 1) : normal.substr(0, normal.find(' '));
}

}  // namespace gatehouse::inspect

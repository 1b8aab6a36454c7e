// Text as the name detector reads it: words and numbers, and what stands between them. Everything
// here is decided by a few bytes around each place.
//
// Invariants
//   1. A token is a maximal run of ASCII letters and digits and of bytes of other scripts' letters.
//   2. A token longer than `longest_token`, and a gap longer than `longest_gap`, is a wall: what
//      stands before it is never looked at. So a number of tokens is a bounded number of bytes.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gatehouse::inspect {

inline constexpr std::size_t longest_token = 32;
inline constexpr std::size_t longest_gap = 24;

// A letter without its case and accents, in the scripts that have case: the hash of a word is over
// these, so Čáslav, CASLAV and caslav are one.
struct FoldedLetter {
  char32_t letter = 0;  // 0: a combining mark
  bool upper = false;
};
FoldedLetter fold_letter(char32_t code_point);

// What stands between two tokens, in 16 bits: its first and its last character that is not blank
// (0: none; other scripts' punctuation as its nearest ASCII; an empty line is one; control
// characters are blanks), whether there is a blank, a new line.
struct Gap {
  static constexpr std::uint16_t blank_flag = 0x4000;
  static constexpr std::uint16_t line_flag = 0x8000;
  static constexpr std::uint16_t blank_only = blank_flag;

  std::uint16_t code = 0;

  char first() const { return static_cast<char>(code & 0x7F); }
  char last() const { return static_cast<char>((code >> 7) & 0x7F); }
  bool blank() const { return (code & blank_flag) != 0; }
  bool new_line() const { return (code & line_flag) != 0; }
  bool single() const { return first() == last(); }

  static Gap read(std::string_view text);  // of all that stands there
};

enum class Shape : std::uint8_t {
  lower,     // house
  title,     // House
  upper,     // HOUSE
  initial,   // H
  letter,    // h
  mixed,     // McDonald, iPhone
  no_case,   // of a script without capitals
  digits_1,  // by the number of digits; digits_6 also for more
  digits_2,
  digits_3,
  digits_4,
  digits_5,
  digits_6,
  ordinal,   // 42nd, 12a: digits, then letters
  postcode,  // SW1A, 1AB, K1A: short, capitals and digits
  other,     // also what programs name things: WindowManagerService
};
constexpr bool is_number(Shape shape) {
  return (shape >= Shape::digits_1 && shape <= Shape::ordinal) || shape == Shape::postcode;
}

// Where a token stands.
struct NameToken {
  std::size_t begin = 0;
  std::size_t end = 0;
  Gap gap;            // before it
  bool wall = false;  // before it

  std::size_t size() const { return end - begin; }
  bool is_long() const { return size() > longest_token; }
};

// What a token is, wherever it stands. Of a long one nothing is known.
struct NameShape {
  std::uint64_t hash = 0;  // of the folded word
  std::uint64_t tail = 0;  // its last eight folded letters, the last one in the low byte
  Shape shape = Shape::other;
  bool tall = false;  // begins with a capital
};
NameShape read_shape(std::string_view token);

bool in_token(std::string_view text, std::size_t at);

// Reads the tokens of a text one after the other. Looks at 64 bytes at a time, each time from the
// end of a token on: a gap and a token that are no walls lie within.
class TokenReader {
 public:
  // From `at` on, which is no middle of a token.
  TokenReader(std::string_view text, std::size_t at) : text_(text), at_(at) {}

  // False: there is none left.
  [[gnu::always_inline]] bool next(NameToken& token) {
    if (ends_ == 0) [[unlikely]] {
      look();
      if (ends_ == 0) return find_wall(token);
    }
    token.begin = block_ + static_cast<std::size_t>(std::countr_zero(begins_));
    token.end = block_ + static_cast<std::size_t>(std::countr_zero(ends_));
    begins_ &= begins_ - 1;
    ends_ &= ends_ - 1;
    token.wall = token.begin - at_ > longest_gap || token.is_long();
    token.gap = token.wall ? Gap() : gap(token.begin);
    at_ = token.end;
    return true;
  }

 private:
  static constexpr std::size_t block = 64;
  static_assert(longest_gap + longest_token < block);

  // What stands before a token that begins at `to`, within the bytes looked at. As Gap::read(),
  // without a branch where it is ASCII, since nobody can tell what comes next.
  [[gnu::always_inline]] Gap gap(std::size_t to) const {
    const std::size_t past = at_ - block_;
    const std::uint64_t within = ~(~std::uint64_t{0} << (to - at_));
    if ((high_ >> past & within) != 0) [[unlikely]]
      return Gap::read(text_.substr(at_, to - at_));
    const std::uint64_t lines = lines_ >> past & within;
    const std::uint64_t blanks = blanks_ >> past & within;
    // All new lines but the first are marks: an empty line is one.
    const std::uint64_t marks = (within & ~lines & ~blanks) | (lines & (lines - 1));
    const auto first = marks != 0 ? static_cast<unsigned>(std::countr_zero(marks)) : 0;
    const auto last = marks != 0 ? static_cast<unsigned>(std::bit_width(marks)) - 1 : 0;
    const auto mark = [&](unsigned at) { return static_cast<unsigned>(text_[at_ + at]); };
    const unsigned ends = mark(first) | mark(last) << 7;
    return {static_cast<std::uint16_t>((marks != 0 ? ends : 0) |
                                       (blanks != 0 ? Gap::blank_flag : 0) |
                                       (lines != 0 ? Gap::line_flag : 0))};
  }
  void look();
  bool find_wall(NameToken& token);

  std::string_view text_;
  std::size_t at_;            // the end of the token before
  std::size_t block_ = 0;     // where the bytes looked at begin; a bit for each of them:
  std::uint64_t begins_ = 0;  // a token begins there, and was not told yet
  std::uint64_t ends_ = 0;    // it ends before
  std::uint64_t blanks_ = 0;
  std::uint64_t lines_ = 0;  // a new line
  std::uint64_t high_ = 0;   // beyond ASCII
};

std::uint64_t hash_word(std::string_view word);  // as in NameShape::hash

}  // namespace gatehouse::inspect

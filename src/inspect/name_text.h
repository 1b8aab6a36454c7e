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
// (0: none; other scripts' punctuation as its nearest ASCII; an empty line is one), whether there
// is a blank, a new line.
struct Gap {
  static constexpr std::uint16_t blank_only = 0x4000;

  std::uint16_t code = 0;

  char first() const { return static_cast<char>(code & 0x7F); }
  char last() const { return static_cast<char>((code >> 7) & 0x7F); }
  bool blank() const { return (code & 0x4000) != 0; }
  bool new_line() const { return (code & 0x8000) != 0; }
  bool single() const { return first() == last(); }
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

  bool is_number() const {
    return (shape >= Shape::digits_1 && shape <= Shape::ordinal) || shape == Shape::postcode;
  }
};
NameShape read_shape(std::string_view token);

bool in_token(std::string_view text, std::size_t at);

// Reads the tokens of a text one after the other. Looks at 64 bytes at a time.
class TokenReader {
 public:
  // From `at` on, which is no middle of a token.
  TokenReader(std::string_view text, std::size_t at) : text_(text), at_(at) { look(at); }

  // False: there is none left.
  bool next(NameToken& token) {
    Run run = rest_of_block();
    if (run.end >= block_ + block) run = find_further();
    if (run.begin == run.end) return false;
    token.begin = run.begin;
    token.end = run.end;
    token.wall = run.begin - at_ > longest_gap || token.is_long();
    token.gap = token.wall ? Gap() : gap(run.begin);
    at_ = run.end;
    return true;
  }

 private:
  static constexpr std::size_t block = 64;

  struct Run {
    std::size_t begin = 0;
    std::size_t end = 0;
  };

  // The next token; it ends in this block, or more has to be looked at.
  Run rest_of_block() const {
    const std::size_t past = at_ - block_;
    const std::uint64_t rest = past < block ? inside_ >> past : 0;
    if (rest == 0) return {0, block_ + block};
    const auto blanks = static_cast<std::size_t>(std::countr_zero(rest));
    const auto size = static_cast<std::size_t>(std::countr_one(rest >> blanks));
    return {at_ + blanks, at_ + blanks + size};
  }
  Gap gap(std::size_t to) const;
  static Gap read_gap(std::string_view text, std::size_t from, std::size_t to);
  void look(std::size_t from);
  Run find_further();

  std::string_view text_;
  std::size_t at_;
  std::size_t block_ = 0;     // where the bytes looked at begin
  std::uint64_t inside_ = 0;  // a bit for each of them that is part of a token
};

std::uint64_t hash_word(std::string_view word);  // as in NameShape::hash

}  // namespace gatehouse::inspect

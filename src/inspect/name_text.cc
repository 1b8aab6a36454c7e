#include "inspect/name_text.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "inspect/wide_bytes.h"

namespace gatehouse::inspect {
namespace {

enum Byte : std::uint8_t { gap_byte, lower_byte, upper_byte, digit_byte, high_byte };

constexpr std::array<std::uint8_t, 256> make_byte_kinds() {
  std::array<std::uint8_t, 256> kinds{};
  for (int c = 'a'; c <= 'z'; ++c) kinds[static_cast<std::size_t>(c)] = lower_byte;
  for (int c = 'A'; c <= 'Z'; ++c) kinds[static_cast<std::size_t>(c)] = upper_byte;
  for (int c = '0'; c <= '9'; ++c) kinds[static_cast<std::size_t>(c)] = digit_byte;
  for (std::size_t c = 0x80; c < 0x100; ++c) kinds[c] = high_byte;
  return kinds;
}
constexpr std::array<std::uint8_t, 256> byte_kinds = make_byte_kinds();

std::uint8_t byte_at(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<std::uint8_t>(text[at]) : 0;
}

// U+0080–U+00BF, U+2000–U+2FFF, U+3000–U+303F and U+10000–U+3FFFF (pictures) are no letters. By the
// bytes around `at` alone.
bool is_high_gap(std::string_view text, std::size_t at) {
  const auto leads = [&](std::size_t back, std::uint8_t lead) {
    return at >= back && byte_at(text, at - back) == lead;
  };
  const std::uint8_t here = byte_at(text, at);
  if (here >= 0xC0)
    return here == 0xC2 || here == 0xE2 || here == 0xF0 ||
           (here == 0xE3 && byte_at(text, at + 1) == 0x80);
  if (leads(1, 0xC2) || leads(1, 0xE2) || leads(1, 0xF0)) return true;
  if (leads(2, 0xE2) || leads(2, 0xF0) || leads(3, 0xF0)) return true;
  return (leads(1, 0xE3) && here == 0x80) || (leads(2, 0xE3) && byte_at(text, at - 1) == 0x80);
}

// 0xC0–0xFF by their last five bits, then U+0100–U+017F.
constexpr std::string_view latin_1 = "aaaaaaaceeeeiiiidnooooo*ouuuuyts";
constexpr std::string_view latin_a =
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkkllllllllllnnnnnnnnnoooooooorrrrrrssss"
    "ss"
    "ssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
static_assert(latin_1.size() == 32 && latin_a.size() == 128);

bool is_upper_latin_a(char32_t c) {
  const bool odd_is_upper = (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E);
  if (c == 0x138 || c == 0x149 || c == 0x17F) return false;
  return c == 0x178 || (c % 2 != 0) == odd_is_upper;
}

FoldedLetter fold_greek(char32_t c) {
  constexpr std::pair<char32_t, char32_t> accented[] = {
      {0x386, 0x3B1}, {0x388, 0x3B5}, {0x389, 0x3B7}, {0x38A, 0x3B9}, {0x38C, 0x3BF},
      {0x38E, 0x3C5}, {0x38F, 0x3C9}, {0x3AA, 0x3B9}, {0x3AB, 0x3C5}, {0x3AC, 0x3B1},
      {0x3AD, 0x3B5}, {0x3AE, 0x3B7}, {0x3AF, 0x3B9}, {0x3C2, 0x3C3}, {0x3CA, 0x3B9},
      {0x3CB, 0x3C5}, {0x3CC, 0x3BF}, {0x3CD, 0x3C5}, {0x3CE, 0x3C9}};
  for (const auto& [from, to] : accented)
    if (c == from) return {to, c < 0x3AC};
  if (c >= 0x391 && c <= 0x3A9) return {c + 0x20, true};
  return {c, false};
}

FoldedLetter fold_cyrillic(char32_t c) {
  if (c < 0x410) return {c == 0x401 ? 0x435 : c + 0x50, true};
  if (c < 0x430) return {c + 0x20, true};
  if (c == 0x451) return {0x435, false};
  if (c >= 0x460) return {c | 1, c % 2 == 0};
  return {c, false};
}

// The code point that begins at `at`, and its size; of what is no UTF-8, the byte.
char32_t decode(std::string_view text, std::size_t at, std::size_t& size) {
  const std::uint8_t lead = byte_at(text, at);
  size = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
  if (size == 1) return lead;
  char32_t code = lead & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    const std::uint8_t next = byte_at(text, at + i);
    if ((next & 0xC0) != 0x80) {
      size = 1;
      return lead;
    }
    code = code << 6 | (next & 0x3FU);
  }
  return code;
}

// A blank or punctuation character, as ASCII.
char plain_mark(char32_t c) {
  if (c < 0x80) return static_cast<char>(c);
  if (c == 0xA0 || (c >= 0x2000 && c <= 0x200B) || c == 0x202F || c == 0x3000) return ' ';
  if (c >= 0x2010 && c <= 0x2015) return '-';
  if (c == 0xB4 || (c >= 0x2018 && c <= 0x201B)) return '\'';
  if (c == 0xAB || c == 0xBB || (c >= 0x201C && c <= 0x201F)) return '"';
  if (c == 0x3001) return ',';
  if (c == 0x3002) return '.';
  return '*';
}

// The code of a gap, of its characters one after the other.
struct GapReader {
  unsigned first = 0;
  unsigned last = 0;
  unsigned flags = 0;

  void add(char c) {
    const bool is_empty_line = c == '\n' && (flags & Gap::line_flag) != 0;
    if (c > ' ' || is_empty_line) {
      last = static_cast<unsigned char>(c);
      if (first == 0) first = last;
    } else {
      flags |= c == '\n' ? Gap::line_flag : Gap::blank_flag;
    }
  }
  Gap gap() const { return {static_cast<std::uint16_t>(first | last << 7 | flags)}; }
};

// How many letters and digits a word has, and of which case.
struct Census {
  unsigned letters = 0;
  unsigned uppers = 0;
  unsigned lowers = 0;
  unsigned digits = 0;
  unsigned humps = 0;  // capitals right behind small letters
  bool first_upper = false;
  bool first_digit = false;

  Shape number_shape() const {
    if (letters == 0)
      return static_cast<Shape>(static_cast<unsigned>(Shape::digits_1) + std::min(digits, 6U) - 1);
    if (letters + digits <= 5 && lowers == 0 && !first_digit) return Shape::postcode;
    if (first_digit && letters <= 3 && digits <= 5)
      return lowers == 0 && letters >= 2 ? Shape::postcode : Shape::ordinal;
    return Shape::other;
  }
  Shape shape() const {
    if (digits != 0) return number_shape();
    if (uppers + lowers == 0) return Shape::no_case;
    if (letters == 1) return uppers != 0 ? Shape::initial : Shape::letter;
    if (uppers == 0) return Shape::lower;
    if (uppers == letters) return Shape::upper;
    if (humps > 1) return Shape::other;
    return uppers == 1 && first_upper ? Shape::title : Shape::mixed;
  }
};

constexpr std::uint64_t hash_seed = 0xCBF29CE484222325U;
std::uint64_t mix(std::uint64_t hash, std::uint64_t chunk) {
  hash = (hash ^ chunk) * 0x9FB21C651E98DF25U;
  return hash ^ hash >> 32;
}

// The folded letters of a word, one byte for ASCII and two or three for others.
struct FoldedWord {
  std::array<std::uint8_t, 2 * longest_token> letters;
  std::size_t size = 0;

  std::uint64_t hash() const {
    std::uint64_t hash = hash_seed;
    for (std::size_t at = 0; at < size; at += 8) {
      std::uint64_t chunk = 0;
      std::memcpy(&chunk, letters.data() + at, 8);
      if (size - at < 8) chunk &= ~std::uint64_t{0} >> 8 * (8 - (size - at));
      hash = mix(hash, chunk);
    }
    return hash;
  }
  // The last eight, the last one in the low byte.
  std::uint64_t tail() const {
    std::uint64_t tail = 0;
    for (std::size_t at = size - std::min<std::size_t>(size, 8); at < size; ++at)
      tail = tail << 8 | letters[at];
    return tail;
  }
};

// Reads a word letter by letter, of any script.
class WordReader {
 public:
  void read(std::string_view word) {
    for (std::size_t at = 0; at < word.size();) {
      const auto c = static_cast<unsigned char>(word[at]);
      std::size_t size = 1;
      if (c < 0x80) {
        add_ascii(c);
      } else {
        const char32_t code = decode(word, at, size);
        add_letter(fold_letter(code), code < 0x530 || (code >= 0x1E00 && code < 0x2000));
      }
      at += size;
    }
  }
  const Census& census() const { return census_; }
  std::uint64_t hash() const { return folded_.hash(); }
  std::uint64_t tail() const { return folded_.tail(); }

 private:
  void add_ascii(unsigned char c) {
    const bool digit = byte_kinds[c] == digit_byte;
    const bool upper = byte_kinds[c] == upper_byte;
    if (folded_.size == 0) {
      census_.first_upper = upper;
      census_.first_digit = digit;
    }
    census_.digits += digit;
    census_.letters += !digit;
    census_.uppers += upper;
    census_.lowers += !digit && !upper;
    census_.humps += upper && behind_small_;
    behind_small_ = !digit && !upper;
    put(c | 0x20U);
  }
  void add_letter(const FoldedLetter& folded, bool has_case) {
    if (folded.letter == 0) return;
    if (folded_.size == 0) census_.first_upper = folded.upper;
    ++census_.letters;
    census_.uppers += folded.upper;
    census_.lowers += has_case && !folded.upper;
    census_.humps += folded.upper && behind_small_;
    behind_small_ = has_case && !folded.upper;
    if (folded.letter >= 0x10000) put(folded.letter >> 16);
    if (folded.letter >= 0x80) put(folded.letter >> 8);
    put(folded.letter);
  }
  void put(std::uint32_t byte) {
    if (folded_.size < folded_.letters.size())
      folded_.letters[folded_.size++] = static_cast<std::uint8_t>(byte);
  }

  FoldedWord folded_;
  Census census_;
  bool behind_small_ = false;  // a small letter was read last
};

}  // namespace

FoldedLetter fold_letter(char32_t c) {
  if (c < 0xC0) return {c, false};
  if (c < 0x100) return {static_cast<char32_t>(latin_1[c & 0x1F]), c < 0xDF};
  if (c < 0x180) return {static_cast<char32_t>(latin_a[c - 0x100]), is_upper_latin_a(c)};
  if (c >= 0x218 && c <= 0x21B) return {c < 0x21A ? U's' : U't', c % 2 == 0};
  if (c >= 0x300 && c < 0x370) return {0, false};
  if (c >= 0x370 && c < 0x400) return fold_greek(c);
  if (c >= 0x400 && c < 0x482) return fold_cyrillic(c);
  if (c == 0x18F) return {0x259, true};
  if ((c >= 0x48A && c < 0x530) || (c >= 0x1E00 && c < 0x1F00)) return {c | 1, c % 2 == 0};
  return {c, false};
}

Gap Gap::read(std::string_view text) {
  GapReader reader;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t size = 1;
    reader.add(plain_mark(decode(text, at, size)));
    at += size;  // a mark's later bytes are no marks of their own
  }
  return reader.gap();
}

bool in_token(std::string_view text, std::size_t at) {
  const std::uint8_t kind = byte_kinds[static_cast<unsigned char>(text[at])];
  return kind != gap_byte && (kind != high_byte || !is_high_gap(text, at));
}

void TokenReader::look() {
  static_assert(block == 2 * wide);
  block_ = at_;
  const Padded<block> padded(text_, block_);
  std::uint64_t inside = 0;
  std::uint64_t small = 0;  // blanks and what is beyond ASCII: negative bytes
  high_ = lines_ = 0;
  for (std::size_t half = 0; half < block; half += wide) {
    const Bytes bytes = load(padded.data() + half);
    const Bytes high = below(bytes, 0);
    const Bytes word = any(between(folded(bytes), 'a', 'z'), between(bytes, '0', '9'), high);
    inside |= std::uint64_t{bits(word)} << half;
    high_ |= std::uint64_t{bits(high)} << half;
    small |= std::uint64_t{bits(below(bytes, ' ' + 1))} << half;
    lines_ |= std::uint64_t{bits(equal(bytes, '\n'))} << half;
  }
  blanks_ = small & ~high_ & ~lines_;
  for (std::uint64_t asked = high_; asked != 0; asked &= asked - 1)
    if (is_high_gap(text_, block_ + static_cast<std::size_t>(std::countr_zero(asked))))
      inside &= ~(asked & -asked);
  begins_ = inside & ~(inside << 1);
  ends_ = ~inside & inside << 1;
}

// The next token, if it is so long or so far that it does not end within the bytes looked at.
bool TokenReader::find_wall(NameToken& token) {
  std::size_t begin = at_;
  while (begin < text_.size() && !in_token(text_, begin)) ++begin;
  std::size_t end = begin;
  while (end < text_.size() && in_token(text_, end)) ++end;
  if (begin == end) return false;
  begins_ = 0;
  token = {begin, end, {}, true};
  at_ = end;
  return true;
}

NameShape read_shape(std::string_view token) {
  static_assert(longest_token == wide);
  if (token.size() > longest_token) return {hash_seed};
  const Padded<wide> padded(token, 0);
  const Bytes raw = load(padded.data());
  if (bits(below(raw, 0)) != 0) {
    WordReader word;
    word.read(token);
    return {word.hash(), word.tail(), word.census().shape(), word.census().first_upper};
  }
  // What WordReader does, of ASCII.
  const std::uint32_t uppers = bits(between(raw, 'A', 'Z'));
  const std::uint32_t digits = bits(between(raw, '0', '9'));
  const std::uint32_t lowers = bits(between(raw, 'a', 'z'));
  Census census;
  census.digits = static_cast<unsigned>(std::popcount(digits));
  census.letters = static_cast<unsigned>(token.size()) - census.digits;
  census.uppers = static_cast<unsigned>(std::popcount(uppers));
  census.lowers = static_cast<unsigned>(std::popcount(lowers));
  census.humps = static_cast<unsigned>(std::popcount(uppers & lowers << 1));
  census.first_upper = (uppers & 1U) != 0;
  census.first_digit = (digits & 1U) != 0;
  FoldedWord folded;
  const Bytes small = inspect::folded(raw);
  std::memcpy(folded.letters.data(), &small, sizeof small);
  folded.size = token.size();
  return {folded.hash(), folded.tail(), census.shape(), census.first_upper};
}

std::uint64_t hash_word(std::string_view word) {
  WordReader reader;
  reader.read(word);
  return reader.hash();
}

}  // namespace gatehouse::inspect

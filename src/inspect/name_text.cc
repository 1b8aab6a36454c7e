#include "inspect/name_text.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace gatehouse::inspect {
namespace {

enum Byte : std::uint8_t { gap_byte, lower_byte, upper_byte, digit_byte, high_byte };

constexpr std::array<std::uint8_t, 256> make_bytes() {
  std::array<std::uint8_t, 256> bytes{};
  for (int c = 'a'; c <= 'z'; ++c) bytes[static_cast<std::size_t>(c)] = lower_byte;
  for (int c = 'A'; c <= 'Z'; ++c) bytes[static_cast<std::size_t>(c)] = upper_byte;
  for (int c = '0'; c <= '9'; ++c) bytes[static_cast<std::size_t>(c)] = digit_byte;
  for (std::size_t c = 0x80; c < 0x100; ++c) bytes[c] = high_byte;
  return bytes;
}
constexpr std::array<std::uint8_t, 256> bytes = make_bytes();

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

struct GapReader {
  unsigned first = 0;
  unsigned last = 0;
  unsigned flags = 0;

  void add(char mark) {
    if (mark == '\n') {
      if ((flags & 0x8000) != 0) put('\n');
      flags |= 0x8000;
    } else if (mark == ' ' || mark == '\t' || mark == '\r') {
      flags |= 0x4000;
    } else {
      put(mark);
    }
  }
  void put(char mark) {
    last = static_cast<unsigned>(mark) & 0x7F;
    if (first == 0) first = last;
  }
  Gap gap() const { return {static_cast<std::uint16_t>(first | last << 7 | flags)}; }
};

// How many letters and digits a word has, and of which case.
struct Census {
  unsigned letters = 0;
  unsigned uppers = 0;
  unsigned lowers = 0;
  unsigned digits = 0;
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
    return uppers == 1 && first_upper ? Shape::title : Shape::mixed;
  }
};

constexpr std::uint64_t hash_seed = 0xCBF29CE484222325U;
std::uint64_t mix(std::uint64_t hash, std::uint64_t chunk) {
  hash = (hash ^ chunk) * 0x9FB21C651E98DF25U;
  return hash ^ hash >> 32;
}

// The folded letters of a word, one byte for ASCII and two or three for others.
class WordReader {
 public:
  void read(std::string_view text, std::size_t begin, std::size_t end) {
    for (std::size_t at = begin; at < end;) {
      const auto c = static_cast<unsigned char>(text[at]);
      std::size_t size = 1;
      if (c < 0x80) {
        add_ascii(c);
      } else {
        const char32_t code = decode(text.substr(0, end), at, size);
        add_letter(fold_letter(code), code < 0x530 || (code >= 0x1E00 && code < 0x2000));
      }
      at += size;
    }
  }
  const Census& census() const { return census_; }
  std::uint64_t hash() const {
    std::uint64_t hash = hash_seed;
    for (std::size_t at = 0; at < size_; at += 8) {
      std::uint64_t chunk = 0;
      std::memcpy(&chunk, folded_.data() + at, std::min<std::size_t>(8, size_ - at));
      hash = mix(hash, chunk);
    }
    return hash;
  }
  std::uint64_t tail() const {
    std::uint64_t tail = 0;
    for (std::size_t at = size_ - std::min<std::size_t>(size_, 8); at < size_; ++at)
      tail = tail << 8 | folded_[at];
    return tail;
  }

 private:
  void add_ascii(unsigned char c) {
    const bool digit = bytes[c] == digit_byte;
    const bool upper = bytes[c] == upper_byte;
    if (size_ == 0) {
      census_.first_upper = upper;
      census_.first_digit = digit;
    }
    census_.digits += digit;
    census_.letters += !digit;
    census_.uppers += upper;
    census_.lowers += !digit && !upper;
    put(c | 0x20U);
  }
  void add_letter(const FoldedLetter& folded, bool has_case) {
    if (folded.letter == 0) return;
    if (size_ == 0) census_.first_upper = folded.upper;
    ++census_.letters;
    census_.uppers += folded.upper;
    census_.lowers += has_case && !folded.upper;
    if (folded.letter >= 0x10000) put(folded.letter >> 16);
    if (folded.letter >= 0x80) put(folded.letter >> 8);
    put(folded.letter);
  }
  void put(std::uint32_t byte) {
    if (size_ < folded_.size()) folded_[size_++] = static_cast<std::uint8_t>(byte);
  }

  std::array<std::uint8_t, 2 * longest_token> folded_{};
  std::size_t size_ = 0;
  Census census_;
};

std::size_t end_of_token(std::string_view text, std::size_t begin) {
  std::size_t end = begin + 1;
  while (end < text.size() && in_token(text, end)) ++end;
  return end;
}

void read_slowly(std::string_view text, NameToken& token) {
  token.end = end_of_token(text, token.begin);
  WordReader word;
  if (token.size() <= longest_token) word.read(text, token.begin, token.end);
  token.hash = word.hash();
  token.shape = token.size() <= longest_token ? word.census().shape() : Shape::other;
  token.tall = word.census().first_upper;
}

#ifdef __SSE2__
// Which bytes of a word are letters, capitals, digits.
struct Masks {
  unsigned letters;
  unsigned uppers;
  unsigned digits;
  unsigned size;
};

// As Census::shape(), the frequent shapes first.
Shape quick_shape(const Masks& masks) {
  if (masks.digits == 0 && masks.size > 1) {
    if (masks.uppers == 0) return Shape::lower;
    if (masks.uppers == 1) return Shape::title;
  }
  Census census;
  census.letters = static_cast<unsigned>(std::popcount(masks.letters));
  census.uppers = static_cast<unsigned>(std::popcount(masks.uppers));
  census.lowers = census.letters - census.uppers;
  census.digits = masks.size - census.letters;
  census.first_upper = (masks.uppers & 1U) != 0;
  census.first_digit = (masks.digits & 1U) != 0;
  return census.shape();
}

// The same for a word of ASCII shorter than sixteen bytes; false: it is none.
bool read_quickly(std::string_view text, NameToken& token) {
  constexpr std::size_t width = 16;
  if (text.size() - token.begin < width) return false;
  const __m128i raw = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + token.begin));
  const auto within = [](__m128i value, char low, char high) {
    const __m128i shifted = _mm_sub_epi8(value, _mm_set1_epi8(low));
    const __m128i limit = _mm_set1_epi8(static_cast<char>(high - low));
    const __m128i inside = _mm_cmpeq_epi8(_mm_min_epu8(shifted, limit), shifted);
    return static_cast<unsigned>(_mm_movemask_epi8(inside));
  };
  const __m128i folded = _mm_or_si128(raw, _mm_set1_epi8(0x20));
  const unsigned letters = within(folded, 'a', 'z');
  const unsigned digits = within(raw, '0', '9');
  const unsigned high = static_cast<unsigned>(_mm_movemask_epi8(raw));
  const unsigned outside = ~(letters | digits | high);
  const auto size = static_cast<unsigned>(std::countr_zero(outside));
  const unsigned mask = (1U << size) - 1;
  if (size >= width || (high & (mask | 1U << size)) != 0) return false;
  const unsigned uppers = within(raw, 'A', 'Z') & mask;
  std::array<std::uint64_t, 2> chunks{};
  _mm_storeu_si128(reinterpret_cast<__m128i*>(chunks.data()), folded);
  const auto kept = [](std::uint64_t chunk, unsigned count) {
    return count >= 8 ? chunk : chunk & ((std::uint64_t{1} << count * 8) - 1);
  };
  token.end = token.begin + size;
  token.hash = mix(hash_seed, kept(chunks[0], size));
  if (size > 8) token.hash = mix(token.hash, kept(chunks[1], size - 8));
  token.tall = (uppers & 1U) != 0;
  token.shape = quick_shape({letters & mask, uppers, digits & mask, size});
  return true;
}
#else
bool read_quickly(std::string_view /*text*/, NameToken& /*token*/) {
  return false;
}
#endif

// Reads what stands before the next token; where that begins, or the text's end.
std::size_t read_gap(std::string_view text, std::size_t at, Gap& gap) {
  if (at + 1 < text.size() && text[at] == ' ' &&
      bytes[static_cast<unsigned char>(text[at + 1])] != 0 &&
      static_cast<unsigned char>(text[at + 1]) < 0x80) {
    gap = {Gap::blank_only};
    return at + 1;
  }
  GapReader reader;
  std::size_t begin = at;
  while (begin < text.size() && !in_token(text, begin)) {
    if (static_cast<unsigned char>(text[begin]) < 0x80) {
      if (begin - at <= longest_gap) reader.add(text[begin]);
      ++begin;
      continue;
    }
    std::size_t size = 1;
    if (begin - at <= longest_gap) reader.add(plain_mark(decode(text, begin, size)));
    // A mark's later bytes are no marks of their own.
    for (++begin; size > 1 && begin < text.size() && !in_token(text, begin); --size) ++begin;
  }
  gap = reader.gap();
  return begin;
}

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

bool in_token(std::string_view text, std::size_t at) {
  const std::uint8_t kind = bytes[static_cast<unsigned char>(text[at])];
  return kind != gap_byte && (kind != high_byte || !is_high_gap(text, at));
}

bool next_token(std::string_view text, std::size_t at, NameToken& token) {
  const std::size_t begin = read_gap(text, at, token.gap);
  if (begin == text.size()) return false;
  token.begin = begin;
  if (!read_quickly(text, token)) read_slowly(text, token);
  token.wall = begin - at > longest_gap || token.size() > longest_token;
  if (token.wall) token.gap = {};
  return true;
}

std::uint64_t tail_of(std::string_view text, const NameToken& token) {
  constexpr std::uint64_t beyond_ascii = 0x8080808080808080;
  std::uint64_t last = 0;  // as they stand, the last one highest
  const std::size_t size = std::min(token.size(), sizeof last);
  text.copy(reinterpret_cast<char*>(&last) + sizeof last - size, size, token.end - size);
  if ((last & beyond_ascii) == 0 && token.size() <= longest_token) {
    const std::uint64_t letters = ~std::uint64_t{0} << 8 * (sizeof last - size);
    return std::byteswap(last | (0x2020202020202020 & letters));
  }
  WordReader word;
  if (token.size() <= longest_token) word.read(text, token.begin, token.end);
  return word.tail();
}

std::size_t back_up(std::string_view text, std::size_t from, std::size_t tokens) {
  std::size_t at = from;
  while (at > 0 && from - at <= longest_token && in_token(text, at - 1)) --at;
  if (from - at > longest_token) return at;
  for (; tokens > 0 && at > 0; --tokens) {
    std::size_t end = at;
    while (end > 0 && !in_token(text, end - 1) && at - end <= longest_gap) --end;
    if (end == 0 || at - end > longest_gap) return end;
    at = end;
    while (at > 0 && in_token(text, at - 1) && end - at <= longest_token) --at;
    if (end - at > longest_token) return at;  // still too long when read from here
  }
  return at;
}

std::uint64_t hash_word(std::string_view word) {
  WordReader reader;
  reader.read(word, 0, word.size());
  return reader.hash();
}

}  // namespace gatehouse::inspect

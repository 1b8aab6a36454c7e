#include "inspect/byte_runs.h"

#include <array>
#include <bit>
#include <cstdint>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace gatehouse::inspect {
namespace {

bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

#if defined(__SSE2__)
using Bytes = __m128i;  // sixteen of them

Bytes equal(Bytes a, char b) {
  return _mm_cmpeq_epi8(a, _mm_set1_epi8(b));
}
Bytes any(Bytes a, Bytes b) {
  return _mm_or_si128(a, b);
}
Bytes between(Bytes a, char low, char high) {
  return _mm_and_si128(_mm_cmpgt_epi8(a, _mm_set1_epi8(static_cast<char>(low - 1))),
                       _mm_cmplt_epi8(a, _mm_set1_epi8(static_cast<char>(high + 1))));
}
Bytes alnum(Bytes a) {
  return any(between(a, '0', '9'), between(any(a, _mm_set1_epi8(0x20)), 'a', 'z'));
}
#endif

struct Token {
  static constexpr std::size_t length = 14;
  static bool has(char c) { return is_token_byte(c); }
#if defined(__SSE2__)
  static Bytes has(Bytes a) { return any(alnum(a), equal(a, '-')); }
#endif
};

struct Base64 {
  static constexpr std::size_t length = 16;
  static bool has(char c) { return is_base64_byte(c); }
#if defined(__SSE2__)
  static Bytes has(Bytes a) {
    return any(any(alnum(a), any(equal(a, '+'), equal(a, '/'))), any(equal(a, '-'), equal(a, '_')));
  }
#endif
};

// A bit for each of 64 bytes.
#if defined(__SSE2__)
template <class Alphabet>
std::uint64_t members(const char* bytes) {
  std::uint64_t all = 0;
  for (unsigned i = 0; i < 4; ++i) {
    const Bytes part = _mm_loadu_si128(reinterpret_cast<const Bytes*>(bytes + std::size_t{16} * i));
    all |= static_cast<std::uint64_t>(_mm_movemask_epi8(Alphabet::has(part))) << 16 * i;
  }
  return all;
}
#else
template <class Alphabet>
std::uint64_t members(const char* bytes) {
  std::uint64_t all = 0;
  for (unsigned i = 0; i < 64; ++i) all |= std::uint64_t{Alphabet::has(bytes[i])} << i;
  return all;
}
#endif

template <class Alphabet>
std::size_t next_run(std::string_view text, std::size_t from) {
  constexpr std::size_t length = Alphabet::length;
  static_assert(length > 8 && length <= 16);
  while (from + 64 <= text.size()) {
    std::uint64_t begins = members<Alphabet>(text.data() + from);
    begins &= begins >> 1;  // two in a row
    begins &= begins >> 2;
    begins &= begins >> 4;
    begins &= begins >> (length - 8);
    if (begins != 0) return from + static_cast<std::size_t>(std::countr_zero(begins));
    from += 64 - (length - 1);
  }
  std::size_t begin = from;
  for (std::size_t at = from; at < text.size(); ++at) {
    if (!Alphabet::has(text[at])) begin = at + 1;
    if (at + 1 - begin == length) return begin;
  }
  return text.size();
}

}  // namespace

bool is_token_byte(char c) {
  return is_alnum(c) || c == '-';
}
bool is_base64_byte(char c) {
  return is_alnum(c) || c == '+' || c == '/' || c == '-' || c == '_';
}

std::size_t next_token_run(std::string_view text, std::size_t from) {
  return next_run<Token>(text, from);
}
std::size_t next_base64_run(std::string_view text, std::size_t from) {
  return next_run<Base64>(text, from);
}

}  // namespace gatehouse::inspect

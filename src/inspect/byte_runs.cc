#include "inspect/byte_runs.h"

#include <array>
#include <bit>
#include <cstdint>

#include "inspect/sixteen_bytes.h"

namespace gatehouse::inspect {
namespace {

bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

#if defined(__SSE2__)
Bytes alnum(Bytes a) {
  return any(between(a, '0', '9'), between(folded(a), 'a', 'z'));
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
    return any(alnum(a), equal(a, '+'), equal(a, '/'), equal(a, '-'), equal(a, '_'));
  }
#endif
};

// A bit for each of 64 bytes.
#if defined(__SSE2__)
template <class Alphabet>
std::uint64_t members(const char* bytes) {
  std::uint64_t all = 0;
  for (unsigned i = 0; i < 4; ++i)
    all |= std::uint64_t{bits(Alphabet::has(load(bytes + std::size_t{16} * i)))} << 16 * i;
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

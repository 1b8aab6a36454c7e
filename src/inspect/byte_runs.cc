#include "inspect/byte_runs.h"

#include <array>
#include <bit>
#include <cstdint>

#include "inspect/wide_bytes.h"

namespace gatehouse::inspect {
namespace {

bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

[[gnu::always_inline]] inline Bytes alnum(Bytes a) {
  return any(between(a, '0', '9'), between(folded(a), 'a', 'z'));
}

struct Token {
  static constexpr std::size_t length = 14;
  [[gnu::always_inline]] static Bytes has(Bytes a) { return any(alnum(a), equal(a, '-')); }
};

struct Base64 {
  static constexpr std::size_t length = 16;
  [[gnu::always_inline]] static Bytes has(Bytes a) {
    return any(alnum(a), equal(a, '+'), equal(a, '/'), equal(a, '-'), equal(a, '_'));
  }
};

template <class Alphabet>
[[gnu::always_inline]] inline std::size_t run_in(std::string_view text, std::size_t from) {
  constexpr std::size_t length = Alphabet::length;
  static_assert(length > 8 && length <= 16);
  for (; from + length <= text.size(); from += 64 - (length - 1)) {
    const Padded<64> rest(text, from);  // no byte of an alphabet behind the end
    std::uint64_t begins = bits(Alphabet::has(load(rest.data()))) |
                           std::uint64_t{bits(Alphabet::has(load(rest.data() + wide)))} << wide;
    begins &= begins >> 1;  // two in a row
    begins &= begins >> 2;
    begins &= begins >> 4;
    begins &= begins >> (length - 8);
    if (begins != 0) return from + static_cast<std::size_t>(std::countr_zero(begins));
  }
  return text.size();
}

template <class Alphabet>
GH_TARGET_AVX2 std::size_t run_in_avx2(std::string_view text, std::size_t from) {
  return run_in<Alphabet>(text, from);
}
template <class Alphabet>
std::size_t next_run(std::string_view text, std::size_t from) {
  return has_avx2() ? run_in_avx2<Alphabet>(text, from) : run_in<Alphabet>(text, from);
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

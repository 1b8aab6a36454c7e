// Thirty-two bytes at a time: comparisons that give -1 or 0 for each, on any processor.
//
// How many instructions that takes depends on the function it is in, since all of this is inlined:
// one where AVX2 may be used, two with SSE2 or NEON. So what uses it is written once, as a function
// that is always inlined, and called from two:
//
//   [[gnu::always_inline]] inline int count(const char* at) { … }
//   GH_TARGET_AVX2 int count_avx2(const char* at) { return count(at); }
//   int count_anywhere(const char* at) { return has_avx2() ? count_avx2(at) : count(at); }
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__x86_64__)
#define GH_TARGET_AVX2 [[gnu::target("avx2")]]
#else
#define GH_TARGET_AVX2
#endif

namespace gatehouse::inspect {

inline bool has_avx2() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2");
#else
  return false;
#endif
}

// Which instructions are used: the portable ones are for a test, which compares the two.
enum class Instructions : std::uint8_t { best, portable };
inline bool may_use_avx2(Instructions use) {
  return use == Instructions::best && has_avx2();
}

using Bytes = signed char __attribute__((ext_vector_type(32)));
inline constexpr std::size_t wide = sizeof(Bytes);

[[gnu::always_inline]] inline Bytes load(const char* at) {
  Bytes bytes;
  std::memcpy(&bytes, at, sizeof bytes);
  return bytes;
}
[[gnu::always_inline]] inline Bytes equal(Bytes a, Bytes b) {
  return __builtin_bit_cast(Bytes, a == b);
}
[[gnu::always_inline]] inline Bytes equal(Bytes a, char b) {
  return __builtin_bit_cast(Bytes, a == static_cast<signed char>(b));
}
// As signed numbers: bytes beyond ASCII are below all others.
[[gnu::always_inline]] inline Bytes below(Bytes a, char b) {
  return __builtin_bit_cast(Bytes, a < static_cast<signed char>(b));
}
[[gnu::always_inline]] inline Bytes above(Bytes a, char b) {
  return __builtin_bit_cast(Bytes, a > static_cast<signed char>(b));
}
[[gnu::always_inline]] inline Bytes all(Bytes a, Bytes b) {
  return a & b;
}
// Those that have all bits of a number.
[[gnu::always_inline]] inline Bytes includes(Bytes a, char flags) {
  const Bytes those = Bytes{} | static_cast<signed char>(flags);
  return equal(a & those, those);
}
template <class... More>
[[gnu::always_inline]] inline Bytes any(Bytes a, More... more) {
  return (a | ... | more);
}
[[gnu::always_inline]] inline Bytes between(Bytes a, char low, char high) {
  return above(a, static_cast<char>(low - 1)) & below(a, static_cast<char>(high + 1));
}
// Letters become small ones; what else changes is no letter before or behind.
[[gnu::always_inline]] inline Bytes folded(Bytes a) {
  return a | static_cast<signed char>(0x20);
}
// A bit for each byte.
[[gnu::always_inline]] inline std::uint32_t bits(Bytes a) {
  using Flags = bool __attribute__((ext_vector_type(32)));
  return __builtin_bit_cast(std::uint32_t, __builtin_convertvector(a, Flags));
}

// The bytes of a text from a place on, as many as are to be read: zeros behind its end.
template <std::size_t size>
class Padded {
 public:
  Padded(std::string_view text, std::size_t from) : data_(text.data() + from) {
    if (text.size() - from >= size) return;
    copy_.fill(0);
    text.copy(copy_.data(), size, from);
    data_ = copy_.data();
  }
  Padded(const Padded&) = delete;
  Padded& operator=(const Padded&) = delete;
  const char* data() const { return data_; }

 private:
  const char* data_;
  std::array<char, size> copy_;
};

}  // namespace gatehouse::inspect

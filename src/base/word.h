// Eight bytes at a time: finding bytes in text without a loop over each. Pure functions.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace gatehouse {

inline constexpr std::uint64_t each_byte = 0x0101010101010101;
inline constexpr std::uint64_t high_bits = each_byte * 0x80;

// High bit of each byte that is zero. Bytes above the first flagged one may be flagged wrongly (the
// borrow of the subtraction), so only the lowest flag means something; that one is exact.
constexpr std::uint64_t zero_bytes(std::uint64_t word) {
  return (word - each_byte) & ~word & high_bits;
}
constexpr std::uint64_t bytes_equal(std::uint64_t word, char c) {
  return zero_bytes(word ^ each_byte * static_cast<unsigned char>(c));
}

// Position of the first byte at or after `at` that `is_hit` flags; `hits` says the same of eight
// bytes at once, by high bits. text.size() when none.
template <class Hits, class IsHit>
std::size_t find_byte(std::string_view text, std::size_t at, Hits hits, IsHit is_hit) {
  if constexpr (std::endian::native == std::endian::little) {
    for (; at + 8 <= text.size(); at += 8) {
      std::uint64_t word;
      std::memcpy(&word, text.data() + at, sizeof word);
      if (const std::uint64_t found = hits(word); found != 0)
        return at + static_cast<std::size_t>(std::countr_zero(found)) / 8;
    }
  }
  while (at < text.size() && !is_hit(text[at])) ++at;
  return at;
}

}  // namespace gatehouse

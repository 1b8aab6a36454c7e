// Where in a text one of many rows of four bytes may stand, in about half a nanosecond a byte.
//
// Three bytes choose a word of bits and one bit of its lower half, the fourth one of its upper
// half; both are set where a row is known (a blocked Bloom filter: Putze, Sanders and Singler
// 2007). Three bytes with anything behind them so take one bit more than others, not a word for
// each byte. Letters of either case are alike. Behind the end of a text zeros stand. What it says
// may be wrong; what it does not say is certain.
//
// Eight places at a time where the processor has AVX2. Immutable once built; on any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "inspect/wide_bytes.h"

namespace gatehouse::inspect {

class GramFilter {
 public:
  static constexpr std::size_t gram_bytes = 4;
  static constexpr std::size_t block = 512;  // the most places of a call
  using Places = std::array<std::uint16_t, block>;

  // The rows, folded.
  void build(std::span<const std::uint32_t> grams, Instructions use = Instructions::best);
  bool empty() const { return words_.empty(); }

  // The places in [at, at + size) of the text where a row may stand: how far behind `at`, in order.
  // `size` is at most `block`.
  std::span<const std::uint16_t> find(std::string_view text, std::size_t at, std::size_t size,
                                      Places& places) const;

  static constexpr std::uint32_t folded(std::uint32_t gram) { return gram | 0x20202020; }
  // Of the first three bytes. Fibonacci hashing: 2^32 over the golden ratio. The upper bits are the
  // best.
  static constexpr std::uint32_t hash(std::uint32_t folded_gram) {
    return (folded_gram << 8) * factor;
  }

 private:
  static constexpr std::uint32_t factor = 0x9e3779b1;
  static constexpr unsigned half = 16;  // bits

  unsigned lower_bit(std::uint32_t hashed) const { return hashed >> (shift_ - 4) & (half - 1); }
  static unsigned upper_bit(std::uint32_t folded_gram) {
    return half | (folded_gram >> 24 & (half - 1));
  }
  std::uint64_t find_64(const char* bytes) const;
  std::uint64_t find_64_portable(const char* bytes) const;
  std::uint64_t find_64_avx2(const char* bytes) const;

  bool has_avx2_ = false;
  unsigned shift_ = 0;
  std::vector<std::uint32_t> words_;  // by the upper bits of a hash
};

}  // namespace gatehouse::inspect

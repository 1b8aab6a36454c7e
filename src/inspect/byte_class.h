// Which of many bytes are in a set, sixty-four at a time.
//
// Half of a byte chooses, of sixteen, the bits of those other halves that belong to it; one
// instruction does so for thirty-two bytes where the processor has AVX2 (after Mula and Langdale's
// classification by two table look-ups). Immutable; on any thread.
#pragma once

#include <array>
#include <cstdint>

#include "inspect/pattern.h"
#include "inspect/wide_bytes.h"

namespace gatehouse::inspect {

class ByteClass {
 public:
  static constexpr std::size_t width = 64;

  explicit ByteClass(const ByteSet& bytes = {}, Instructions use = Instructions::best);

  const ByteSet& bytes() const { return bytes_; }
  bool has(char byte) const { return bytes_[static_cast<unsigned char>(byte)]; }
  // A bit for each of `width` bytes.
  std::uint64_t members(const char* bytes) const;

 private:
  std::uint64_t members_avx2(const char* bytes) const;

  ByteSet bytes_;
  bool has_avx2_ = false;
  // By the lower half: a bit for each upper half, below 8 and from there on.
  std::array<std::array<std::uint8_t, 16>, 2> upper_halves_{};
};

}  // namespace gatehouse::inspect

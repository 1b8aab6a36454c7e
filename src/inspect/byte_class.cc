#include "inspect/byte_class.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace gatehouse::inspect {

ByteClass::ByteClass(const ByteSet& bytes, Instructions use) : bytes_(bytes) {
  has_avx2_ = may_use_avx2(use);
  for (unsigned byte = 0; byte < 256; ++byte)
    if (bytes.test(byte))
      upper_halves_[byte >> 7][byte & 15] |= static_cast<std::uint8_t>(1U << (byte >> 4 & 7));
}

std::uint64_t ByteClass::members(const char* bytes) const {
  if (has_avx2_) return members_avx2(bytes);
  std::uint64_t found = 0;
  for (unsigned i = 0; i < width; ++i) found |= std::uint64_t{has(bytes[i])} << i;
  return found;
}

#if defined(__x86_64__)
GH_TARGET_AVX2 std::uint64_t ByteClass::members_avx2(const char* bytes) const {
  // A look-up gives 0 where the highest bit of the index is set.
  const __m256i index_bits = _mm256_set1_epi8(static_cast<char>(0x8f));
  const __m256i high = _mm256_set1_epi8(static_cast<char>(0x80));
  const __m256i seven = _mm256_set1_epi8(7);
  const __m256i bit_of_upper =
      _mm256_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128,  //
                       1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128);
  const __m256i low_table = _mm256_broadcastsi128_si256(
      _mm_loadu_si128(reinterpret_cast<const __m128i*>(upper_halves_[0].data())));
  const __m256i high_table = _mm256_broadcastsi128_si256(
      _mm_loadu_si128(reinterpret_cast<const __m128i*>(upper_halves_[1].data())));
  std::uint64_t found = 0;
  for (unsigned i = 0; i < width; i += 32) {
    const __m256i all = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes + i));
    const __m256i index = _mm256_and_si256(all, index_bits);
    const __m256i halves =
        _mm256_or_si256(_mm256_shuffle_epi8(low_table, index),
                        _mm256_shuffle_epi8(high_table, _mm256_xor_si256(index, high)));
    const __m256i bit =
        _mm256_shuffle_epi8(bit_of_upper, _mm256_and_si256(_mm256_srli_epi16(all, 4), seven));
    const __m256i is_in = _mm256_cmpeq_epi8(_mm256_and_si256(halves, bit), bit);
    found |= std::uint64_t{static_cast<std::uint32_t>(_mm256_movemask_epi8(is_in))} << i;
  }
  return found;
}
#else
std::uint64_t ByteClass::members_avx2(const char* /*bytes*/) const {
  return 0;  // never asked
}
#endif

}  // namespace gatehouse::inspect

#include "inspect/gram_filter.h"

#include <algorithm>
#include <bit>
#include <cstring>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace gatehouse::inspect {
namespace {

constexpr std::size_t step = 64;
// What is read at a step: eight places need eleven bytes, which are read as sixteen.
constexpr std::size_t read_at_a_step = step + 8;

}  // namespace

// Words enough to leave most of them empty, few enough to stay in the nearest cache.
void GramFilter::build(std::span<const std::uint32_t> grams, Instructions use) {
  words_.clear();
  if (grams.empty()) return;
  constexpr std::size_t fewest_words = 64;
  constexpr std::size_t most_words = 4096;
  const std::size_t words = std::clamp(std::bit_ceil(grams.size() * 2), fewest_words, most_words);
  shift_ = 32 - static_cast<unsigned>(std::countr_zero(words));
  words_.assign(words, 0);
  for (const std::uint32_t gram : grams) {
    const std::uint32_t hashed = hash(gram);
    words_[hashed >> shift_] |= std::uint32_t{1} << lower_bit(hashed) | std::uint32_t{1}
                                                                            << upper_bit(gram);
  }
  has_avx2_ = may_use_avx2(use);
}

std::span<const std::uint16_t> GramFilter::find(std::string_view text, std::size_t at,
                                                std::size_t size, Places& places) const {
  std::uint16_t* next = places.data();
  for (std::size_t done = 0; done < size; done += step) {
    const Padded<read_at_a_step> rest(text, at + done);
    std::uint64_t found = find_64(rest.data());
    if (size - done < step) found &= (std::uint64_t{1} << (size - done)) - 1;
    for (; found != 0; found &= found - 1)
      *next++ = static_cast<std::uint16_t>(done + static_cast<unsigned>(std::countr_zero(found)));
  }
  return {places.data(), next};
}

std::uint64_t GramFilter::find_64(const char* bytes) const {
  return has_avx2_ ? find_64_avx2(bytes) : find_64_portable(bytes);
}

std::uint64_t GramFilter::find_64_portable(const char* bytes) const {
  std::uint64_t found = 0;
  for (std::size_t i = 0; i < step; i += 4) {
    std::uint64_t eight;
    std::memcpy(&eight, bytes + i, sizeof eight);
    for (unsigned j = 0; j < 4; ++j) {
      const std::uint32_t gram = folded(static_cast<std::uint32_t>(eight >> 8 * j));
      const std::uint32_t hashed = hash(gram);
      const std::uint32_t word = words_[hashed >> shift_];
      const std::uint64_t both = word >> lower_bit(hashed) & word >> upper_bit(gram) & 1;
      found |= both << (i + j);
    }
  }
  return found;
}

#if defined(__x86_64__)
namespace {

// One by one: quicker than to gather, which many processors do slowly (AMD's by design, Intel's
// since it leaked: CVE-2022-40982).
GH_TARGET_AVX2 [[gnu::always_inline]] inline __m256i words_at(const std::uint32_t* words,
                                                              __m256i places) {
  const auto word = [words](std::uint64_t place) { return static_cast<int>(words[place]); };
  const auto low = [](std::uint64_t two) { return two & 0xffffffff; };
  const auto a = static_cast<std::uint64_t>(_mm256_extract_epi64(places, 0));
  const auto b = static_cast<std::uint64_t>(_mm256_extract_epi64(places, 1));
  const auto c = static_cast<std::uint64_t>(_mm256_extract_epi64(places, 2));
  const auto d = static_cast<std::uint64_t>(_mm256_extract_epi64(places, 3));
  return _mm256_setr_epi32(word(low(a)), word(a >> 32), word(low(b)), word(b >> 32), word(low(c)),
                           word(c >> 32), word(low(d)), word(d >> 32));
}

}  // namespace

GH_TARGET_AVX2 std::uint64_t GramFilter::find_64_avx2(const char* bytes) const {
  const __m256i rows_of_sixteen =
      _mm256_setr_epi8(0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6,  //
                       4, 5, 6, 7, 5, 6, 7, 8, 6, 7, 8, 9, 7, 8, 9, 10);
  const __m256i fold = _mm256_set1_epi8(0x20);
  const __m256i factors = _mm256_set1_epi32(static_cast<int>(factor));
  const __m256i low_bits = _mm256_set1_epi32(half - 1);
  const __m256i upper_half = _mm256_set1_epi32(half);
  const __m128i word_shift = _mm_cvtsi32_si128(static_cast<int>(shift_));
  const __m128i bit_shift = _mm_cvtsi32_si128(static_cast<int>(shift_ - 4));
  const std::uint32_t* const words = words_.data();
  std::uint64_t found = 0;
  for (unsigned i = 0; i < step; i += 8) {
    const __m128i sixteen = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + i));
    const __m256i grams = _mm256_or_si256(
        _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(sixteen), rows_of_sixteen), fold);
    const __m256i hashed = _mm256_mullo_epi32(_mm256_slli_epi32(grams, 8), factors);
    const __m256i word = words_at(words, _mm256_srl_epi32(hashed, word_shift));
    const __m256i lower = _mm256_and_si256(_mm256_srl_epi32(hashed, bit_shift), low_bits);
    const __m256i upper =
        _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi32(grams, 24), low_bits), upper_half);
    const __m256i both =
        _mm256_and_si256(_mm256_srlv_epi32(word, lower), _mm256_srlv_epi32(word, upper));
    const int eight = _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_slli_epi32(both, 31)));
    found |= static_cast<std::uint64_t>(eight) << i;
  }
  return found;
}
#else
std::uint64_t GramFilter::find_64_avx2(const char* bytes) const {
  return find_64_portable(bytes);
}
#endif

}  // namespace gatehouse::inspect

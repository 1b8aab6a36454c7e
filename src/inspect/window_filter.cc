#include "inspect/window_filter.h"

#include <algorithm>
#include <bit>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "inspect/byte_shares.h"

namespace gatehouse::inspect {
namespace {

constexpr std::size_t step = 32;

double share(const WindowFilter::Window& window) {
  double product = 1;
  for (const ByteSet& bytes : window) product *= share_of(bytes);
  return product;
}

// What is told apart by the halves of bytes alone.
ByteSet by_halves(const ByteSet& bytes) {
  std::array<bool, 16> lower{};
  std::array<bool, 16> upper{};
  for (unsigned byte = 0; byte < 256; ++byte)
    if (bytes.test(byte)) lower[byte & 15] = upper[byte >> 4] = true;
  ByteSet all;
  for (unsigned byte = 0; byte < 256; ++byte) all.set(byte, lower[byte & 15] && upper[byte >> 4]);
  return all;
}

}  // namespace

void WindowFilter::build(std::span<const Window> windows, Instructions use) {
  has_avx2_ = may_use_avx2(use);
  // The common ones first: others join those that are like them.
  std::vector<std::pair<double, std::uint32_t>> order;
  for (std::uint32_t number = 0; number < windows.size(); ++number)
    order.emplace_back(-share(windows[number]), number);
  std::ranges::sort(order);
  for (const auto& [rarity, number] : order) add(windows[number]);
  for (std::size_t place = 0; place < window_bytes; ++place)
    for (unsigned byte = 0; byte < 256; ++byte) {
      for (std::size_t i = 0; i < windows.size(); ++i)
        by_byte_[place][byte] |= std::uint64_t{windows[i][place].test(byte)} << i;
      for (std::size_t i = 0; i < used_; ++i) {
        if (!buckets_[i].window[place].test(byte)) continue;
        lower_[place][byte & 15] |= static_cast<std::uint8_t>(1U << i);
        upper_[place][byte >> 4] |= static_cast<std::uint8_t>(1U << i);
      }
    }
}

// To the bucket that it makes least larger.
void WindowFilter::add(const Window& window) {
  std::size_t best = 0;
  double least = 2;
  Bucket best_after;
  for (std::size_t i = 0; i < std::min(used_ + 1, bucket_count); ++i) {
    Bucket after = buckets_[i];
    for (std::size_t place = 0; place < window_bytes; ++place)
      after.window[place] = by_halves(after.window[place] | window[place]);
    after.share = share(after.window);
    const double more = after.share - buckets_[i].share;
    if (more >= least) continue;
    best = i;
    least = more;
    best_after = after;
  }
  used_ = std::max(used_, best + 1);
  buckets_[best] = best_after;
}

std::span<const WindowFilter::Hit> WindowFilter::find(std::string_view text, std::size_t at,
                                                      std::size_t size, Hits& hits) const {
  constexpr std::size_t read_at_a_step = step + window_bytes;
  Hit* next = hits.data();
  for (std::size_t done = 0; done < size; done += step) {
    const Padded<read_at_a_step> rest(text, at + done);
    std::uint32_t found = find_32(rest.data());
    if (size - done < step) found &= (std::uint32_t{1} << (size - done)) - 1;
    for (; found != 0; found &= found - 1) {
      const auto i = static_cast<unsigned>(std::countr_zero(found));
      next->at = done + i;
      next->windows = windows_at(rest.data() + i);
      next += next->windows != 0;
    }
  }
  return {hits.data(), next};
}

std::uint64_t WindowFilter::windows_at(const char* bytes) const {
  std::uint64_t windows = by_byte_[0][static_cast<unsigned char>(bytes[0])];
  for (std::size_t i = 1; i < window_bytes; ++i)
    windows &= by_byte_[i][static_cast<unsigned char>(bytes[i])];
  return windows;
}

std::uint32_t WindowFilter::find_32(const char* bytes) const {
  return has_avx2_ ? find_32_avx2(bytes) : find_32_portable(bytes);
}

std::uint32_t WindowFilter::find_32_portable(const char* bytes) const {
  std::uint32_t found = 0;
  for (std::size_t i = 0; i < step; ++i) found |= std::uint32_t{windows_at(bytes + i) != 0} << i;
  return found;
}

#if defined(__x86_64__)
GH_TARGET_AVX2 std::uint32_t WindowFilter::find_32_avx2(const char* bytes) const {
  const __m256i half = _mm256_set1_epi8(0x0f);
  __m256i buckets = _mm256_set1_epi8(-1);
  for (std::size_t i = 0; i < window_bytes; ++i) {
    const __m256i lower = _mm256_broadcastsi128_si256(
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(lower_[i].data())));
    const __m256i upper = _mm256_broadcastsi128_si256(
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(upper_[i].data())));
    const __m256i all = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes + i));
    const __m256i by_lower = _mm256_shuffle_epi8(lower, _mm256_and_si256(all, half));
    const __m256i by_upper =
        _mm256_shuffle_epi8(upper, _mm256_and_si256(_mm256_srli_epi16(all, 4), half));
    buckets = _mm256_and_si256(buckets, _mm256_and_si256(by_lower, by_upper));
  }
  const __m256i none = _mm256_cmpeq_epi8(buckets, _mm256_setzero_si256());
  return ~static_cast<std::uint32_t>(_mm256_movemask_epi8(none));
}
#else
std::uint32_t WindowFilter::find_32_avx2(const char* bytes) const {
  return find_32_portable(bytes);
}
#endif

}  // namespace gatehouse::inspect

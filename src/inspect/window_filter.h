// Where in a text one of some windows stands, rows of four sets of bytes, in a third of a
// nanosecond a byte.
//
// They are in eight buckets. For each half of a byte and each of the four places a table says
// which buckets may have it there, sixteen entries, so that one instruction looks up many bytes
// (the idea of Teddy: Wang and others, "Hyperscan", NSDI 2019, and SIMD matchers before it). Where
// all eight tables agree, tables by whole bytes are asked. Behind the end of a text zeros stand.
//
// Thirty-two places at a time where the processor has AVX2. Immutable once built; on any thread.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "inspect/pattern.h"
#include "inspect/wide_bytes.h"

namespace gatehouse::inspect {

class WindowFilter {
 public:
  static constexpr std::size_t window_bytes = 4;
  static constexpr std::size_t most_windows = 64;
  static constexpr std::size_t block = 512;  // the most places of a call
  using Window = std::array<ByteSet, window_bytes>;

  struct Hit {
    std::uint64_t windows;  // a bit each
    std::size_t at;         // how far behind where the search begins
  };
  using Hits = std::array<Hit, block>;

  // At most most_windows of them.
  void build(std::span<const Window> windows, Instructions use = Instructions::best);
  bool empty() const { return used_ == 0; }

  // The places in [at, at + size) of the text where windows stand, in order. `size` is at most
  // `block`.
  std::span<const Hit> find(std::string_view text, std::size_t at, std::size_t size,
                            Hits& hits) const;

 private:
  using Halves = std::array<std::uint8_t, 16>;  // buckets, by the half of a byte

  static constexpr std::size_t bucket_count = 8;
  struct Bucket {
    Window window;     // what any of its windows has, as halves tell it apart
    double share = 0;  // of the places of ordinary text that have it
  };

  void add(const Window& window);
  std::uint32_t find_32(const char* bytes) const;
  std::uint32_t find_32_portable(const char* bytes) const;
  std::uint32_t find_32_avx2(const char* bytes) const;
  std::uint64_t windows_at(const char* bytes) const;

  bool has_avx2_ = false;
  std::size_t used_ = 0;  // buckets
  std::array<Bucket, bucket_count> buckets_;
  std::array<Halves, window_bytes> lower_{};
  std::array<Halves, window_bytes> upper_{};
  // Windows, by place and byte.
  std::array<std::array<std::uint64_t, 256>, window_bytes> by_byte_{};
};

}  // namespace gatehouse::inspect

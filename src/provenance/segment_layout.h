// Where everything is in a segment file. Internal to provenance/. Little-endian, as it lies in
// memory; each part begins at a multiple of 8.
//
//   header (160) ‖ models ‖ rows ‖ terms ‖ entries ‖ buckets ‖ postings ‖ dictionary
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "crypto/crypto.h"
#include "provenance/segment.h"

namespace gatehouse::provenance {

static_assert(std::endian::native == std::endian::little);

struct SegmentFileLayout {
  struct Header {
    std::array<char, 8> magic{'G', 'H', 'P', 'R', 'V', 'S', '0', '1'};
    std::uint64_t keys = 0;
    std::uint64_t first = 0;
    std::uint32_t outputs = 0;
    std::uint32_t bucket_bits = 0;
    std::int64_t latest = 0;  // microseconds since the epoch
    std::uint64_t models_bytes = 0;
    std::uint64_t terms = 0;
    std::uint64_t shingles = 0;
    std::uint64_t postings_bytes = 0;
    std::uint64_t dictionary = 0;
    crypto::Digest body{};
    std::array<std::byte, 40> reserved{};
    std::uint64_t check = 0;  // of all before

    std::uint64_t checked() const {
      const auto digest =
          crypto::sha256(std::as_bytes(std::span(this, 1)).first(sizeof(Header) - sizeof(check)));
      std::uint64_t value = 0;
      std::memcpy(&value, digest.data(), sizeof(value));
      return value;
    }
  };
  static_assert(sizeof(Header) == 160);

  // Whether the layout of such a header can be computed at all: it says nothing that a file of this
  // size could not have. Its check keeps accidents out, not somebody who writes files.
  static bool is_possible(const Header& header, std::uint64_t file_bytes) {
    const bool counted = header.outputs > 0 && header.outputs <= most_segment_outputs &&
                         header.bucket_bits == bucket_bits_for(header.outputs);
    return counted && header.first <= ~0ull - header.outputs && header.models_bytes <= file_bytes &&
           header.terms <= file_bytes && header.shingles <= file_bytes &&
           header.postings_bytes <= file_bytes && header.dictionary <= file_bytes;
  }

  static constexpr std::uint64_t aligned(std::uint64_t bytes) { return (bytes + 7) & ~7ull; }

  explicit SegmentFileLayout(const Header& header) {
    models = sizeof(Header);
    rows = models + aligned(header.models_bytes);
    terms = rows + header.outputs * sizeof(Segment::OutputRow);
    entries = terms + aligned(header.terms * sizeof(Term));
    // Entries are read eight bytes at a time.
    buckets = entries + aligned(header.shingles * entry_bytes(header.bucket_bits) + 8);
    postings = buckets + aligned(((1ull << header.bucket_bits) + 1) * sizeof(std::uint32_t));
    dictionary = postings + aligned(header.postings_bytes);
    end = dictionary + header.dictionary * sizeof(Segment::DictionaryEntry);
  }

  // A shingle and the output that has it are 64 bits; the upper ones are the number of the bucket.
  static constexpr unsigned bucket_bits_for(std::uint32_t outputs) {
    return outputs < 16'384 ? 8 : 16;
  }
  static constexpr unsigned entry_bytes(unsigned bucket_bits) { return (64 - bucket_bits) / 8; }

  std::uint64_t models = 0;
  std::uint64_t rows = 0;
  std::uint64_t terms = 0;
  std::uint64_t entries = 0;
  std::uint64_t buckets = 0;
  std::uint64_t postings = 0;
  std::uint64_t dictionary = 0;
  std::uint64_t end = 0;
};

inline constexpr unsigned output_bits = 24;
static_assert(shingle_bits + output_bits == 64);

}  // namespace gatehouse::provenance

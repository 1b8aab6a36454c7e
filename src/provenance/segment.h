// Immutable index files, memory-mapped: which outputs have a shingle, which have a term, and what
// each output is. Made from outputs in memory or from other segments; the outputs of a segment have
// consecutive numbers in the journal. docs/provenance.md gives every byte.
//
// A Segment may be used by any number of threads. What it reads is not trusted: a damaged or forged
// file gives wrong answers at worst (segment_fuzz.cc); verify() finds the damage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "ledger/disk.h"
#include "provenance/record.h"

namespace gatehouse::provenance {

inline constexpr std::uint32_t most_segment_outputs = 1u << 24;
// From this size on, a term that more than one in `common_share` outputs have is counted but not
// listed: it tells nothing apart, and how often it stands somewhere would tell what word it is.
inline constexpr std::uint32_t common_terms_from = 8'192;
inline constexpr std::uint32_t common_share = 8;

struct OutputInfo {
  EntryId entry{};
  std::uint16_t choice = 0;
  std::string_view model;  // as long as the segment
  std::uint32_t words = 0;
  std::uint32_t shingles = 0;
};

class Segment {
 public:
  static Result<std::shared_ptr<const Segment>> open(const std::string& path, const Keys& keys);
  ~Segment();
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  const std::string& path() const { return path_; }
  std::uint64_t first() const { return first_; }  // numbers in the journal
  std::uint64_t end() const { return first_ + outputs_; }
  std::uint32_t outputs() const { return outputs_; }
  WallTime latest() const { return latest_; }
  std::uint64_t bytes() const { return size_; }

  OutputInfo info(std::uint32_t output) const;
  // Terms of one output, sorted, with repetitions, common ones left out.
  std::span<const Term> terms(std::uint32_t output) const;

  // Outputs that have a shingle: positions [begin, end) in the list of all.
  struct Range {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint64_t size() const { return end - begin; }
  };
  Range find_shingle(Shingle shingle) const;
  std::uint32_t output_at(std::uint64_t position) const;

  struct Listed {
    std::uint32_t outputs = 0;  // that have the term
    std::uint64_t begin = 0;    // of its list, in bytes
    bool listed = false;        // false: common, or there is none
  };
  Listed find_term(Term term) const;
  // How a dictionary and the list of outputs lie in the file.
  struct DictionaryEntry {
    Term term;
    std::uint32_t outputs;
    std::uint64_t begin;
  };
  static constexpr std::uint64_t not_listed = ~0ull;
  struct OutputRow {
    EntryId entry;
    std::uint64_t first_term;
    std::uint32_t term_count;
    std::uint32_t words;
    std::uint32_t shingles;
    std::uint16_t model;
    std::uint16_t choice;
  };
  static_assert(sizeof(DictionaryEntry) == 16 && sizeof(OutputRow) == 40);

  struct Posting {
    std::uint32_t output = 0;
    std::uint32_t times = 0;
  };
  // In order. Inline: the inner loop of every search.
  template <class Take>
  void for_each_posting(const Listed& list, Take&& take) const;

  // The whole file against its digest.
  Result<void> verify() const;

 private:
  friend class SegmentMerger;

  Segment() = default;
  Result<void> map(const std::string& path, const Keys& keys);
  std::uint64_t shingle_entry(std::uint64_t position) const;
  std::uint64_t shingle_count() const { return shingle_count_; }
  std::span<const DictionaryEntry> dictionary() const { return dictionary_; }

  std::string path_;
  const unsigned char* data_ = nullptr;
  std::uint64_t size_ = 0;
  std::uint64_t first_ = 0;
  std::uint32_t outputs_ = 0;
  WallTime latest_;
  std::vector<std::string> models_;
  std::span<const OutputRow> rows_;
  std::span<const Term> terms_;
  unsigned bucket_bits_ = 0;
  unsigned entry_bytes_ = 0;
  std::span<const std::uint32_t> buckets_;
  const unsigned char* entries_ = nullptr;
  std::uint64_t shingle_count_ = 0;
  std::span<const DictionaryEntry> dictionary_;
  std::span<const unsigned char> postings_;
};

// Writes <directory>/<FIRST>-<LAST>.seg, whole or not at all; returns its path.
Result<std::string> write_segment(ledger::Disk& disk, const std::string& directory,
                                  const Keys& keys, std::uint64_t first,
                                  std::span<const std::shared_ptr<const Output>> outputs);
// The same from segments that follow each other.
Result<std::string> merge_segments(ledger::Disk& disk, const std::string& directory,
                                   const Keys& keys,
                                   std::span<const std::shared_ptr<const Segment>> parts);

struct SegmentFile {
  std::string path;
  std::uint64_t first = 0;
  std::uint64_t last = 0;  // of its outputs
};
// By first, the largest of those with the same first.
Result<std::vector<SegmentFile>> list_segments(ledger::Disk& disk, const std::string& directory);

template <class Take>
void Segment::for_each_posting(const Listed& list, Take&& take) const {
  if (!list.listed || list.begin > postings_.size()) return;
  const unsigned char* at = postings_.data() + list.begin;
  const unsigned char* const stop = postings_.data() + postings_.size();
  const auto number = [&at, stop] {
    std::uint32_t value = 0;
    for (unsigned shift = 0; at != stop && shift < 32; shift += 7) {
      const unsigned char byte = *at++;
      value |= static_cast<std::uint32_t>(byte & 0x7Fu) << shift;
      if (byte < 0x80) break;
    }
    return value;
  };
  std::uint32_t output = 0;
  for (std::uint32_t count = 0; count < list.outputs; ++count) {
    const auto step = number();
    output += step >> 1u;
    const std::uint32_t times = (step & 1u) != 0 ? number() : 1;
    if (output >= outputs_) return;
    take(Posting{output, times});
    if (at == stop) return;
  }
}

}  // namespace gatehouse::provenance

// Segments and recent outputs as one whole: how many outputs have something, which, and how much
// two bags of words have in common. Internal to provenance/; as long as what is searched.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "provenance/score.h"
#include "provenance/search.h"

namespace gatehouse::provenance {

// Part and number in it; later outputs have greater ones.
using OutputKey = std::uint64_t;

// Where some shingles stand.
struct ShinglePlaces {
  std::size_t segments = 0;
  std::vector<Segment::Range> ranges;              // of each shingle one a segment
  std::vector<std::vector<std::uint32_t>> recent;  // of each the numbers of recent outputs
  std::vector<std::uint64_t> totals;               // of each

  const Segment::Range* ranges_of(std::size_t shingle) const {
    return ranges.data() + shingle * segments;
  }
};

// A text's words: each term once, how often it counts and how much it weighs.
struct WeighedTerm {
  Term term = 0;
  std::uint32_t times = 0;
  std::uint64_t outputs = 0;  // that have it
  double weight = 0;
};
struct Bag {
  std::vector<WeighedTerm> terms;  // sorted by term
  double weight = 0;               // of all
};

class SearchParts {
 public:
  explicit SearchParts(const Searched& in);

  std::uint64_t outputs() const { return outputs_; }
  // How much it tells that an output has something that so many outputs have: greatest_weight for
  // one, in proportion to the logarithm less for more.
  double weight(std::uint64_t having) const;

  // They are sorted, each once.
  ShinglePlaces find(std::span<const Shingle> shingles) const;
  // Whether an output is among the places of a shingle; `number`: which of those that were found.
  bool has(OutputKey key, const ShinglePlaces& places, std::size_t number, Shingle shingle) const;
  // Adds the last `most` outputs of those places.
  void newest(const ShinglePlaces& places, std::size_t number, std::size_t most,
              std::vector<std::pair<OutputKey, float>>& to, float weight) const;
  OutputInfo info(OutputKey key) const;

  Bag bag_of(std::span<const Term> terms, std::uint32_t most_times) const;
  // The outputs with the greatest sums of weights, added up from the rarest term on until
  // `most_postings` are read.
  std::vector<OutputKey> most_shared(const Bag& bag, std::size_t most_postings,
                                     std::size_t most) const;
  // Weight of the words that both have, each as often as both have it.
  double shared_weight(const Bag& bag, OutputKey key, std::uint32_t most_times) const;
  // Weight of an output's words.
  double own_weight(OutputKey key, std::uint32_t most_times) const;
  // How many words it has that are listed.
  std::size_t listed_words(OutputKey key) const { return terms_of(key).size(); }

 private:
  void count_recent(Bag& bag) const;
  double weight_of_term(Term term) const;
  std::span<const Term> terms_of(OutputKey key) const;
  void add_up(const Segment& segment, const std::vector<const WeighedTerm*>& rarest, double scale,
              std::vector<std::int16_t>& sums) const;

  const Searched& in_;
  std::uint64_t outputs_ = 0;
  const Segment* largest_ = nullptr;
};

}  // namespace gatehouse::provenance

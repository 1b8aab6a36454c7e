// The calibration of one detector: for each of its heads, and within a head for each band of text
// lengths, the scores of benign texts as much as p-values need (ScoreTail).
//
// Long texts score higher than short ones, whatever they say, and a p-value over all lengths
// together would cry wolf over long ones only. Bands make the promise hold for each length by
// itself (Mondrian conformal prediction: Vovk, Lindsay, Nouretdinov, Gammerman 2003;
// class-conditional validity: Vovk 2012; Lei 2014). Where the bands lie is decided by the data: as
// many as have `band_scores` scores each, bounded by powers of two; what has fewer is joined to its
// neighbour.
//
// A band of n scores cannot say less than 1/(n + 1). Let r be that of the smallest band. Where a
// band says r or less, the scores of all lengths together say how much less, and p is theirs, at
// most r. So for a benign text, exchangeable with those of the calibration,
//   1. P(p <= a | band) <= a  for every a >= r, in each band by itself;
//   2. P(p <= a) <= a         for every a < r, over all lengths together.
// (1: there p <= a says no more than that the band's p is. 2: there it says that of all scores is.)
//
// A calibration is bound to the model whose scores it holds. Its file is text, and may come from
// anywhere: docs/inspection.md has the format. Immutable; shared by all threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "classify/conformal.h"
#include "crypto/crypto.h"

namespace gatehouse::classify {

// One benign text: what the detector said of it, and how long it is.
struct BenignScore {
  double score = 0;
  std::uint64_t bytes = 0;
};

struct LengthBand {
  std::uint64_t from_bytes = 0;  // up to where the next band begins
  ScoreTail tail;
  friend bool operator==(const LengthBand&, const LengthBand&) = default;
};

class HeadCalibration {
 public:
  static constexpr std::size_t most_bands = 8;
  // Four of them decide 1 in 1,000.
  static constexpr std::size_t default_band_scores = 4'000;

  static HeadCalibration of(std::span<const BenignScore> scores,
                            std::size_t band_scores = default_band_scores);
  // The first band begins at 0, each later one behind the one before it; `all` has as many scores
  // as all bands together.
  static Result<HeadCalibration> from_bands(ScoreTail all, std::vector<LengthBand> bands);

  double p_value(double score, std::uint64_t bytes) const;
  const ScoreTail& all() const { return all_; }
  const LengthBand& band_of(std::uint64_t bytes) const;
  const std::vector<LengthBand>& bands() const { return bands_; }
  std::uint64_t size() const { return all_.size(); }
  double smallest_p() const { return all_.smallest_p(); }
  // The smallest p that holds in each band by itself: r above.
  double smallest_band_p() const { return smallest_band_p_; }
  friend bool operator==(const HeadCalibration&, const HeadCalibration&) = default;

 private:
  void measure_bands();

  ScoreTail all_;
  std::vector<LengthBand> bands_;  // at least one
  double smallest_band_p_ = 1;
};

class Calibration {
 public:
  static constexpr std::size_t most_bytes = 1u << 20;
  static constexpr std::size_t most_heads = 16;
  static constexpr std::size_t most_name_bytes = 64;
  static constexpr std::size_t most_source_bytes = 400;

  struct Head {
    std::string name;  // "jailbreak", "injection"; small letters, digits, dashes
    HeadCalibration calibration;
    friend bool operator==(const Head&, const Head&) = default;
  };

  // `source` says on which texts, in one line. Heads keep their order.
  static Result<Calibration> make(std::string detector, const crypto::Digest& model,
                                  std::string source, std::vector<Head> heads);
  static Result<Calibration> parse(std::string_view file);
  // parse(serialize()) gives the same again, and serialize(parse(file)) the same file.
  std::string serialize() const;

  // failed_precondition when it was made with another detector or model.
  Result<void> check_made_for(std::string_view detector, const crypto::Digest& model) const;
  const HeadCalibration* head(std::string_view name) const;  // nullptr: there is none

  const std::string& detector() const { return detector_; }
  const crypto::Digest& model() const { return model_; }
  const std::string& source() const { return source_; }
  const std::vector<Head>& heads() const { return heads_; }
  friend bool operator==(const Calibration&, const Calibration&) = default;

 private:
  std::string detector_;
  crypto::Digest model_{};
  std::string source_;
  std::vector<Head> heads_;
};

}  // namespace gatehouse::classify

// See score.h.
#include "provenance/score.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

namespace gatehouse::provenance {
namespace {

// From a text of so many words on (between two points: in proportion to the logarithm).
struct Enough {
  double words;
  double evidence;  // for an excerpt
  double rewrite;   // for a rewrite, in log odds
};

constexpr std::size_t features = 13;
// Of a million outputs at least so much of a text is known. A small index knows less, and what
// little it knows may all be one output's by chance.
constexpr double known_runs_a_word = 1.5;

#include "provenance/score_table.inc"

Enough enough_for(double words) {
  const auto after = std::ranges::upper_bound(enough, words, {}, &Enough::words);
  if (after == std::begin(enough)) return enough[0];
  if (after == std::end(enough)) return *std::prev(after);
  const auto& low = *std::prev(after);
  const double share = std::log(words / low.words) / std::log(after->words / low.words);
  return {.words = words,
          .evidence = std::lerp(low.evidence, after->evidence, share),
          .rewrite = std::lerp(low.rewrite, after->rewrite, share)};
}

}  // namespace

double similarity_of(const RewriteSigns& signs) {
  const double all = signs.text_words + signs.output_words;
  return all > 0 ? 2 * signs.shared_words / all : 0;
}

// A logistic regression. Other answers to the same question share words and phrases too, but
// phrases that many answers have: what tells a rewrite is that of all its runs that are known at
// all most are this output's, and that they are rare.
double rewrite_score(const RewriteSigns& signs) {
  if (signs.words < 1 || signs.text_words <= 0) return 0;
  const double length = std::log(std::max(signs.words, 3.0) / 100);
  const double runs = std::log1p(10 * signs.runs / std::max(signs.words, 30.0));
  const double kept = signs.shared_words / signs.text_words;
  const double similarity = similarity_of(signs);
  const std::array<double, features> values{
      1,
      runs,
      kept,
      similarity,
      length,
      runs * length,
      kept * length,
      similarity * length,
      length * length,
      signs.runs / std::max(signs.known_runs, known_runs_a_word * signs.words),
      std::log1p(signs.shared_runs),
      std::log1p(signs.runs / std::max(signs.shared_runs, 1.0)),
      std::log1p(signs.shared_runs) * length,
  };
  double odds = 0;
  for (std::size_t at = 0; at < features; ++at) odds += rewrite_weights[at] * values[at];
  return std::exp(std::min(odds - enough_for(signs.words).rewrite, 20.0) / 4);
}

double excerpt_score(double evidence, double words) {
  return evidence / enough_for(words).evidence;
}

}  // namespace gatehouse::provenance

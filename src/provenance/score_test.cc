#include "provenance/score.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace gatehouse::provenance {
namespace {

// What about so many words look like, of which this share comes from an output as long.
RewriteSigns signs_of(double words, double kept) {
  const double runs = words * 0.4 * kept * kept * kept;  // three in a row, two of five are kept
  return {.words = words,
          .shared_runs = runs,
          .runs = runs * 12,
          .known_runs = runs * 12 + words,
          .shared_words = kept * words * 3,
          .text_words = words * 3,
          .output_words = words * 3};
}

TEST(Score, OfNothingIsNothing) {
  EXPECT_EQ(rewrite_score({}), 0);
  EXPECT_EQ(similarity_of({}), 0);
  EXPECT_EQ(excerpt_score(0, 100), 0);
}

TEST(Score, TellsARewriteFromATextOnTheSameSubject) {
  for (const double words : {100.0, 200.0, 500.0}) {
    EXPECT_GT(rewrite_score(signs_of(words, 0.7)), 1) << words;
    EXPECT_LT(rewrite_score(signs_of(words, 0.2)), 1) << words;
  }
}

// Many outputs have what this one has: another answer to the same question.
TEST(Score, OfWhatIsKnownMostMustBeThisOutputs) {
  auto signs = signs_of(200, 0.6);
  const double own = rewrite_score(signs);
  signs.known_runs *= 8;
  EXPECT_LT(rewrite_score(signs), own);
}

TEST(Score, ALongTextNeedsMoreEvidence) {
  EXPECT_GT(excerpt_score(100, 50), excerpt_score(100, 5'000));
  EXPECT_EQ(excerpt_score(100, 1e6), excerpt_score(100, 1e7));
  EXPECT_EQ(excerpt_score(100, 3), excerpt_score(100, 10));
}

RC_GTEST_PROP(ScoreProperty, IsANumberWhateverTheSigns, ()) {
  const auto any = [] {
    return static_cast<double>(*rc::gen::inRange<std::uint32_t>(0, 1u << 24));
  };
  const RewriteSigns signs{.words = any(),
                           .shared_runs = any(),
                           .runs = any(),
                           .known_runs = any(),
                           .shared_words = any(),
                           .text_words = any(),
                           .output_words = any()};
  const double score = rewrite_score(signs);
  RC_ASSERT(score >= 0 && score < 1e9);
  RC_ASSERT(excerpt_score(any(), any()) >= 0);
}

}  // namespace
}  // namespace gatehouse::provenance

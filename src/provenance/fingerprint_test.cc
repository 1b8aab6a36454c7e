#include "provenance/fingerprint.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

#include "provenance/test_outputs.h"

namespace gatehouse::provenance {
namespace {

using testing::joined;
using testing::keys_of;
using testing::Prose;

TEST(Fingerprint, IsTheSameForTheSameWords) {
  const auto keys = keys_of();
  EXPECT_EQ(fingerprint_of(keys, "To be, or not to be: that is the question.", 100),
            fingerprint_of(keys, "to BE or not\tto be “that” is THE question", 100));
}

TEST(Fingerprint, OfAnotherSecretSharesNothing) {
  Prose prose(1);
  const auto text = joined(prose.words(500));
  const auto one = fingerprint_of(keys_of("one secret"), text, 1'000);
  const auto other = fingerprint_of(keys_of("another secret"), text, 1'000);
  EXPECT_NE(keys_of("one secret").name(), keys_of("another secret").name());
  std::vector<Shingle> shared;
  std::ranges::set_intersection(one.shingles, other.shingles, std::back_inserter(shared));
  EXPECT_TRUE(shared.empty());
}

TEST(Fingerprint, CountsEveryWordAndKeepsFewShingles) {
  Prose prose(2);
  const auto fingerprint = fingerprint_of(keys_of(), joined(prose.words(10'000)), 20'000);
  EXPECT_EQ(fingerprint.words, 10'000U);
  EXPECT_EQ(fingerprint.terms.size(), 10'000U);
  // Two of five: 2 / (window + 1), Schleimer, Wilkerson and Aiken 2003.
  EXPECT_NEAR(static_cast<double>(fingerprint.shingles.size()), 4'000, 250);
}

TEST(Fingerprint, StopsAtTheMostWords) {
  Prose prose(3);
  const auto words = prose.words(300);
  EXPECT_EQ(fingerprint_of(keys_of(), joined(words), 200),
            fingerprint_of(keys_of(), joined(words, 0, 200), 1'000));
}

TEST(Fingerprint, OfNothingAndOfLittle) {
  EXPECT_EQ(fingerprint_of(keys_of(), "", 10), Fingerprint{});
  EXPECT_EQ(fingerprint_of(keys_of(), "!?", 10), Fingerprint{});
  EXPECT_TRUE(fingerprint_of(keys_of(), "two words", 10).shingles.empty());
  EXPECT_EQ(fingerprint_of(keys_of(), "now three words", 10).shingles.size(), 1U);
}

// What the room promises: six words in a row that two texts share are enough.
RC_GTEST_PROP(FingerprintProperty, ASharedRunOfSixWordsSharesAShingle, (std::uint16_t seed)) {
  Prose prose(seed);
  const auto keys = keys_of();
  const auto run = joined(prose.words(6));
  const auto around = [&](std::size_t before, std::size_t after) {
    return fingerprint_of(keys, joined(prose.words(before)) + run + joined(prose.words(after)),
                          1'000);
  };
  const auto one =
      around(*rc::gen::inRange<std::size_t>(0, 40), *rc::gen::inRange<std::size_t>(0, 40));
  const auto other =
      around(*rc::gen::inRange<std::size_t>(0, 40), *rc::gen::inRange<std::size_t>(0, 40));
  std::vector<Shingle> shared;
  std::ranges::set_intersection(one.shingles, other.shingles, std::back_inserter(shared));
  RC_ASSERT(!shared.empty());
}

RC_GTEST_PROP(FingerprintProperty, AQuestionHasTheShinglesOfTheFingerprint, ()) {
  const auto keys = keys_of();
  const auto text = *rc::gen::arbitrary<std::string>();
  const auto fingerprint = fingerprint_of(keys, text, 1'000);
  const auto question = question_of(keys, text, 1'000);
  std::set<Shingle> asked;
  for (const auto& placed : question.shingles) asked.insert(placed.shingle);
  RC_ASSERT(std::ranges::includes(asked, fingerprint.shingles));
  RC_ASSERT(question.terms.size() == fingerprint.words);
}

TEST(Fingerprint, ALongQuestionIsWinnowed) {
  Prose prose(4);
  const auto keys = keys_of();
  const auto words = prose.words(most_unwinnowed + 1);
  EXPECT_EQ(question_of(keys, joined(words, 0, most_unwinnowed), 10'000).shingles.size(),
            most_unwinnowed - shingle_words + 1);
  std::set<Shingle> asked;
  for (const auto& placed : question_of(keys, joined(words), 10'000).shingles)
    asked.insert(placed.shingle);
  EXPECT_TRUE(std::ranges::equal(asked, fingerprint_of(keys, joined(words), 10'000).shingles));
}

}  // namespace
}  // namespace gatehouse::provenance

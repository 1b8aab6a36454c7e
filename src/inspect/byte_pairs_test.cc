#include "inspect/byte_pairs.h"

#include <gtest/gtest.h>

#include "inspect/pattern_test_support.h"
#include "inspect/property_test_support.h"
#include "inspect/rule_set.h"

namespace gatehouse::inspect {
namespace {

BytePairs pairs_of(std::string_view pattern) {
  BytePairs pairs;
  pairs.add(parse_pattern(pattern).value());
  return pairs;
}

TEST(BytePairs, StandSideBySideInSomeText) {
  const BytePairs pairs = pairs_of("a(?:b?c){1,2}(?:de|f)*");
  std::string found;
  for (const char first : std::string_view("abcdef"))
    for (const char second : std::string_view("abcdef"))
      if (pairs.has(first, second)) found += {first, second, ' '};
  EXPECT_EQ(found, "ab ac bc cb cc cd cf de ed ef fd ff ");
  EXPECT_TRUE(pairs.has_any('f'));
  EXPECT_FALSE(pairs.has_any('g'));
}

TEST(BytePairs, OneByteHasNoneAndARepeatOfItHas) {
  EXPECT_FALSE(pairs_of("x").has('x', 'x'));
  EXPECT_FALSE(pairs_of("x?").has('x', 'x'));
  EXPECT_TRUE(pairs_of("x{2}").has('x', 'x'));
}

TEST(BytePairs, TheTailEndsWhereAPairIsNone) {
  const BytePairs pairs = pairs_of("[a-z]{2,}@[a-z]{2,}");
  EXPECT_EQ(pairs.tail("write to ada@corp", 17), 8U);
  EXPECT_EQ(pairs.tail("write to ada@corp", 5), 5U);
  EXPECT_EQ(pairs.tail("write to ", 9), 1U);
  EXPECT_EQ(pairs.tail("ada", 3), 3U);
}

TEST(BytePairs, SharesOfOrdinaryText) {
  EXPECT_EQ(pairs_of("x").share(), 0);
  EXPECT_NEAR(pairs_of("(?:.|\\n)*").share(), 1, 1e-9);
  EXPECT_LT(pairs_of("[0-9]*").share(), pairs_of("[a-z]*").share());
}

TEST(BytePairs, TextsOfEveryRuleHaveNoOthers) {
  std::mt19937 dice(21);
  for (const auto& rule : testing::builtin_rules()->impl().compiled) {
    BytePairs pairs;
    pairs.add(rule->source().pattern);
    for (int n = 0; n < 5; ++n) {
      std::string text;
      testing::sample(rule->source().pattern, dice, text);
      if (text.empty()) continue;
      EXPECT_EQ(pairs.tail(text, text.size()), text.size())
          << rule->source().rule.id << " " << text;
    }
  }
}

}  // namespace
}  // namespace gatehouse::inspect

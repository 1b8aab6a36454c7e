// Where texts of patterns end, judged by RE2 alone.
#include "inspect/recognizer.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "inspect/pattern_test_support.h"
#include "inspect/property_test_support.h"

namespace gatehouse::inspect {
namespace {

using testing::builtin_rules;
using testing::sample;
using testing::tries;

Pattern parsed(std::string_view text) {
  return parse_pattern(text).value();
}

// A text of the pattern, or one a little different, with others around it.
std::string text_near(const Pattern& pattern, std::mt19937& dice) {
  std::string text;
  for (unsigned left = 1 + dice() % 2; left > 0; --left) sample(pattern, dice, text);
  for (unsigned left = dice() % 3; left > 0 && !text.empty(); --left)
    text[dice() % text.size()] = text[dice() % text.size()];
  if (dice() % 4 == 0) text.resize(text.size() - dice() % (text.size() + 1));
  return text + std::string(dice() % 3, ' ');
}

void compare(const Recognizer& recognizer, const re2::RE2& regex, std::string_view text,
             std::size_t begin, std::size_t limit) {
  re2::StringPiece found;
  const bool stands =
      regex.Match(regex_piece(text), begin, limit, re2::RE2::ANCHOR_START, &found, 1);
  const auto end = recognizer.longest(text, begin, limit);
  ASSERT_EQ(end.has_value(), stands) << regex.pattern() << "\n" << text;
  if (end) ASSERT_EQ(*end, begin + found.size()) << regex.pattern() << "\n" << text;
  ASSERT_EQ(recognizer.is_one(text, begin, limit),
            regex.Match(regex_piece(text), begin, limit, re2::RE2::ANCHOR_BOTH, nullptr, 0))
      << regex.pattern() << "\n"
      << text;
}

void compare(const Pattern& pattern, std::mt19937& dice, int times) {
  const Recognizer recognizer(pattern);
  const re2::RE2 regex(to_regex(pattern, false), regex_options());
  for (int n = 0; n < times; ++n) {
    const std::string text = text_near(pattern, dice);
    const std::size_t begin = dice() % 3 == 0 ? dice() % (text.size() + 1) : 0;
    compare(recognizer, regex, text, begin, text.size());
    compare(recognizer, regex, text, begin, begin + dice() % (text.size() - begin + 1));
    if (::testing::Test::HasFatalFailure()) return;
  }
}

TEST(Recognizer, SaysWhatRe2SaysOfAllRules) {
  std::mt19937 dice(std::mt19937::default_seed);
  for (const auto& rule : builtin_rules()->impl().compiled) {
    compare(rule->source().pattern, dice, tries(20));
    if (HasFatalFailure()) return;
  }
}

TEST(Recognizer, SaysWhatRe2SaysOfSmallAndLargePatterns) {
  std::mt19937 dice(std::mt19937::default_seed);
  for (const char* pattern :
       {"a", "a?", "(?:ab|abcd|abc)", "[a-c]*b", "(?:a{0,3}b){2,5}", "a{200,300}", "a{300}b?",
        "x[ab]{0,40}a[ab]{9}", "(?:[ab]{1,20}c){1,12}", "k[^k]{0,900}(?:ka)?",
        "\\xff[\\x80-\\xff]+"}) {
    compare(parsed(pattern), dice, tries(300));
    if (HasFatalFailure()) return;
  }
}

TEST(Recognizer, SmallOnesNeverAskRe2) {
  EXPECT_TRUE(Recognizer(parsed("(?i:passw(?:or)?d)\\s?[:=]{1,2}")).is_complete());
  EXPECT_TRUE(Recognizer(parsed("[a-z]{20}[0-9]*")).is_complete());
  EXPECT_FALSE(Recognizer(parsed("[a-z]{300}")).is_complete());
  EXPECT_FALSE(Recognizer(parsed("[ab]{0,40}a[ab]{12}")).is_complete());
}

}  // namespace
}  // namespace gatehouse::inspect

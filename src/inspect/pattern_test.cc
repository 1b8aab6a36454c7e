// The pattern language and what is derived from it, judged by RE2.
#include "inspect/pattern.h"

#include <gtest/gtest.h>
#include <re2/re2.h>

#include <random>

#include "inspect/pattern_test_support.h"
#include "inspect/property_test_support.h"
#include "inspect/rule_set.h"

namespace gatehouse::inspect {
namespace {

Pattern parsed(std::string_view text) {
  auto pattern = parse_pattern(text);
  EXPECT_TRUE(pattern) << text << ": " << pattern.error().describe();
  return pattern ? *pattern : std::make_shared<const PatternNode>();
}

std::string why_not(std::string_view text) {
  const auto pattern = parse_pattern(text);
  return pattern ? "parsed" : pattern.error().message;
}

bool matches(const Pattern& pattern, std::string_view text) {
  re2::RE2::Options options;
  options.set_encoding(re2::RE2::Options::EncodingLatin1);
  return re2::RE2::FullMatch({text.data(), text.size()},
                             re2::RE2(to_regex(pattern, false), options));
}

TEST(PatternParse, SaysWhatItDoesNotKnow) {
  EXPECT_NE(why_not("a\\b").find("before:"), std::string::npos);
  EXPECT_NE(why_not("^a").find("before:"), std::string::npos);
  EXPECT_NE(why_not("a+?").find("lazy"), std::string::npos);
  EXPECT_NE(why_not("(a)(b)").find("only one"), std::string::npos);
  EXPECT_NE(why_not("(?:(a)b)").find("inside another group"), std::string::npos);
  EXPECT_NE(why_not("(a)+").find("repeated"), std::string::npos);
  EXPECT_NE(why_not("(?=a)").find("only (?:"), std::string::npos);
  EXPECT_NE(why_not("[a").find("missing ']'"), std::string::npos);
  EXPECT_NE(why_not("[]"), "parsed");
  EXPECT_NE(why_not("(a").find("missing ')'"), std::string::npos);
  EXPECT_NE(why_not("a)").find("unexpected ')'"), std::string::npos);
  EXPECT_NE(why_not("a{3,2}").find("backwards"), std::string::npos);
  EXPECT_NE(why_not("a{1001}").find("up to 1000"), std::string::npos);
  EXPECT_NE(why_not("(?:a{1000}){1000}").find("too much"), std::string::npos);
  EXPECT_NE(why_not("*a").find("nothing to repeat"), std::string::npos);
  EXPECT_NE(why_not("\\q").find("unknown escape"), std::string::npos);
  EXPECT_NE(why_not("\\x4").find("hexadecimal"), std::string::npos);
  EXPECT_NE(why_not("[\xc3\xa9]").find("\\xHH"), std::string::npos);
  EXPECT_NE(why_not("\xc3\xa9+").find("group it"), std::string::npos);
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "(?:";
  EXPECT_NE(why_not(deep).find("nested"), std::string::npos);
  EXPECT_NE(why_not(std::string(9000, 'a')).find("too long"), std::string::npos);
  EXPECT_NE(why_not("a\\").find("backslash"), std::string::npos);
  EXPECT_NE(why_not("[z-a]").find("backwards"), std::string::npos);
}

TEST(PatternParse, MeansWhatRe2Means) {
  const Pattern mixed = parsed("(?i)ab(?-i:c)[^\\d\\s]{2}\\.(?:x|yz)?\\x41");
  EXPECT_TRUE(matches(mixed, "ABc__.yzA"));
  EXPECT_TRUE(matches(mixed, "aBc!?.a"));
  EXPECT_FALSE(matches(mixed, "abC__.xA"));
  EXPECT_FALSE(matches(mixed, "abc1_.xA"));
  EXPECT_TRUE(matches(parsed("[]a-]+"), "]-a"));
  EXPECT_FALSE(matches(parsed("a.c"), "a\nc"));
  EXPECT_TRUE(matches(parsed("[^a]"), "\n"));
  EXPECT_TRUE(matches(parsed("a{0,2}b{2,}"), "abbb"));
  EXPECT_TRUE(matches(parsed("caf\xc3\xa9"), "caf\xc3\xa9"));
  EXPECT_TRUE(matches(literal("a.B", true), "A.b"));
  EXPECT_FALSE(matches(literal("a.B", false), "A.b"));
}

TEST(Pattern, Widths) {
  EXPECT_EQ(min_width(parsed("a{2,5}(?:bc|d)?")), 2u);
  EXPECT_EQ(max_width(parsed("a{2,5}(?:bc|d)?")), 7u);
  EXPECT_EQ(max_width(parsed("a+")), std::numeric_limits<std::size_t>::max());
  EXPECT_EQ(min_width(parsed("(?:ab|c){3}")), 3u);
}

// For every rule: its samples are texts of it, the factor is in
// them where the factor says, and the first byte is a first byte.
TEST(Pattern, DerivedFormsOfEveryRuleHold) {
  std::mt19937 dice(7);
  for (const auto& rule : testing::builtin_rules()->impl().compiled) {
    const Pattern& pattern = rule->source().pattern;
    re2::RE2::Options options;
    options.set_encoding(re2::RE2::Options::EncodingLatin1);
    const re2::RE2 whole(to_regex(pattern, false), options);
    const Factor& factor = rule->factor();
    const re2::RE2 piece(to_regex(factor.pattern, false), options);
    const re2::RE2 up_to_piece(to_regex(factor.up_to_end, false), options);
    ASSERT_TRUE(piece.ok() && up_to_piece.ok()) << rule->source().rule.id;
    for (int n = 0; n < 20; ++n) {
      std::string text;
      testing::sample(pattern, dice, text);
      ASSERT_TRUE(re2::RE2::FullMatch(text, whole)) << rule->source().rule.id;
      ASSERT_TRUE(first_bytes(pattern).test(static_cast<unsigned char>(text[0])));
      const auto places = opening(pattern, 8);
      ASSERT_LE(places.size(), text.size());
      for (std::size_t i = 0; i < places.size(); ++i)
        ASSERT_TRUE(places[i].test(static_cast<unsigned char>(text[i]))) << text << " at " << i;
      ASSERT_TRUE(re2::RE2::PartialMatch(text, piece)) << rule->source().rule.id << " " << text;
      bool found = false;
      for (std::size_t end = 0; end <= text.size(); ++end) {
        found = found || (end >= factor.end_min && end <= factor.end_max &&
                          re2::RE2::FullMatch(re2::StringPiece(text.data(), end), up_to_piece));
      }
      ASSERT_TRUE(found) << rule->source().rule.id;
    }
  }
}

TEST(Pattern, AlwaysContains) {
  const auto holds = [](std::string_view pattern, std::string_view factor) {
    return always_contains(parsed(pattern), parsed(factor));
  };
  EXPECT_TRUE(holds("a[0-9]{3}b", "[0-9]{2}"));
  EXPECT_TRUE(holds("(?:x1y2|z)[0-9]+", "[0-9]"));
  EXPECT_TRUE(holds("[0-9]{3}-[0-9]{2}-[0-9]{4}", "[0-9](?:-?[0-9]){6}"));
  EXPECT_TRUE(holds("a*bb*", "b"));
  EXPECT_FALSE(holds("a[0-9]{1,3}b", "[0-9]{2}"));
  EXPECT_FALSE(holds("a|b", "a"));
  EXPECT_FALSE(holds("[0-9]{3}_[0-9]{4}", "[0-9](?:-?[0-9]){6}"));
  EXPECT_FALSE(holds("b*", "b"));
}

}  // namespace
}  // namespace gatehouse::inspect

#include "simulate/tokens.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "base/text.h"

namespace gatehouse::simulate {
namespace {

TEST(Tokens, PiecesJoinedAreTheText) {
  EXPECT_TRUE(rc::check([](const std::string& text) {
    RC_ASSERT(join(split_tokens(text)) == text);
    RC_ASSERT(count_tokens(text) == split_tokens(text).size());
  }));
}

TEST(Tokens, NoPieceCutsAUtf8Sequence) {
  for (const std::string text : {"Zürich grüßt 東京 und 🙂🙂🙂🙂", "ééééééééééé", "\\é\\🙂"})
    for (const std::string& piece : split_tokens(text)) EXPECT_TRUE(is_utf8(piece)) << piece;
}

TEST(Tokens, WordsKeepTheirLeadingSpaceAndLongOnesAreCut) {
  EXPECT_EQ(split_tokens("Hello placeholder [EMAIL_1]"),
            (std::vector<std::string>{"Hello", " placeh", "older", " [", "EMAIL", "_", "1", "]"}));
  EXPECT_EQ(split_tokens("12345"), (std::vector<std::string>{"123", "45"}));
}

TEST(Tokens, AnEscapeStaysWhole) {
  EXPECT_EQ(split_tokens(R"(a\"b\u00e9c)"),
            (std::vector<std::string>{"a", R"(\")", "b", R"(\u00e9)", "c"}));
}

TEST(Tokens, LongTextHasTheNumberAskedFor) {
  EXPECT_EQ(long_tokens(200).size(), 200U);
  EXPECT_TRUE(long_tokens(0).empty());
  EXPECT_EQ(long_tokens(3), (std::vector<std::string>{"the", " gate", " stands"}));
}

TEST(Tokens, DeepNestingIsSeenOutsideStringsOnly) {
  EXPECT_TRUE(nested_too_deeply(std::string(1'000, '[')));
  EXPECT_FALSE(nested_too_deeply(std::string(128, '[') + std::string(128, ']')));
  EXPECT_FALSE(nested_too_deeply('"' + std::string(1'000, '[') + "\\\"[[" + '"'));
}

}  // namespace
}  // namespace gatehouse::simulate

#include "inspect/name_text.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "inspect/name_lexicon.h"

namespace gatehouse::inspect {
namespace {

std::vector<NameToken> tokens(std::string_view text, std::size_t at = 0) {
  std::vector<NameToken> found;
  TokenReader reader(text, at);
  for (NameToken token; reader.next(token);) found.push_back(token);
  return found;
}

Shape shape_of(std::string_view word) {
  return tokens(word).size() == 1 ? read_shape(word).shape : Shape::other;
}

TEST(NameText, CaseAndAccentsDoNotMatterToAWord) {
  EXPECT_EQ(hash_word("Čáslav"), hash_word("caslav"));
  EXPECT_EQ(hash_word("MÜLLER"), hash_word("muller"));
  EXPECT_EQ(hash_word("Ñoño"), hash_word("nono"));
  EXPECT_EQ(hash_word("ΛΆΡΝΑΚΑ"), hash_word("λαρνακα"));
  EXPECT_EQ(hash_word("ИВАНОВ"), hash_word("иванов"));
  EXPECT_EQ(hash_word("Jose\u0301"), hash_word("jose"));
  EXPECT_NE(hash_word("anna"), hash_word("hanna"));
}

TEST(NameText, ShapesTellWordsFromNumbers) {
  EXPECT_EQ(shape_of("house"), Shape::lower);
  EXPECT_EQ(shape_of("House"), Shape::title);
  EXPECT_EQ(shape_of("Élodie"), Shape::title);
  EXPECT_EQ(shape_of("HOUSE"), Shape::upper);
  EXPECT_EQ(shape_of("H"), Shape::initial);
  EXPECT_EQ(shape_of("McDonald"), Shape::mixed);
  EXPECT_EQ(shape_of("90210"), Shape::digits_5);
  EXPECT_EQ(shape_of("123456789"), Shape::digits_6);
  EXPECT_EQ(shape_of("42nd"), Shape::ordinal);
  EXPECT_EQ(shape_of("SW1A"), Shape::postcode);
  EXPECT_EQ(shape_of("1AB"), Shape::postcode);
  EXPECT_EQ(shape_of("名前"), Shape::no_case);
}

TEST(NameText, GapsKeepTheirEndsBlanksAndNewLines) {
  const auto found = tokens("a, b - c\n d\n\ne\u2019f\u00a0g");
  ASSERT_EQ(found.size(), 7U);
  EXPECT_EQ(found[1].gap.first(), ',');
  EXPECT_TRUE(found[1].gap.blank());
  EXPECT_EQ(found[2].gap.last(), '-');
  EXPECT_TRUE(found[3].gap.new_line());
  EXPECT_EQ(found[3].gap.first(), 0);
  EXPECT_EQ(found[4].gap.first(), '\n');
  EXPECT_EQ(found[5].gap.first(), '\'');
  EXPECT_TRUE(found[6].gap.blank());
}

TEST(NameText, ControlCharactersAreBlanks) {
  const auto found = tokens(std::string_view("a\0b\x1B, c", 8));
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[1].gap.code, Gap::blank_only);
  EXPECT_EQ(found[2].gap.first(), ',');
  EXPECT_TRUE(found[2].gap.blank());
}

TEST(NameText, LongTokensAndGapsAreWalls) {
  const auto found = tokens("a " + std::string(longest_token + 1, 'x') + " b" +
                            std::string(longest_gap + 1, ' ') + "c d");
  ASSERT_EQ(found.size(), 5U);
  EXPECT_TRUE(found[1].wall);
  EXPECT_FALSE(found[2].wall);
  EXPECT_TRUE(found[3].wall);
  EXPECT_FALSE(found[4].wall);
}

TEST(NameText, StreetsInOneWord) {
  const auto street = [](std::string_view word) {
    return ends_as_street(read_shape(word).tail, word.size());
  };
  EXPECT_TRUE(street("Hauptstraße"));
  EXPECT_TRUE(street("Kerkstraat"));
  EXPECT_TRUE(street("drottninggatan"));
  EXPECT_FALSE(street("street"));
  EXPECT_FALSE(street("away"));
}

rc::Gen<std::string> any_text() {
  static const std::vector<std::string> pieces = {"a",
                                                  "Bob",
                                                  " ",
                                                  "  ",
                                                  "\n",
                                                  "\xE2\x80\x99",
                                                  "\xC3\xA9",
                                                  "\xC2",
                                                  "\xE2",
                                                  "\x80",
                                                  "\xF0\x9F\x98\x80",
                                                  "12",
                                                  ",",
                                                  "\xE3\x80\x82",
                                                  "\xE3",
                                                  "xxxxxxxxxxxxxxxxxxxx",
                                                  "                ",
                                                  "\xC3",
                                                  "Ж"};
  return rc::gen::map(
      rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, pieces.size())),
      [](const std::vector<std::size_t>& which) {
        std::string text;
        for (const std::size_t i : which) text += pieces[i];
        return text;
      });
}

RC_GTEST_PROP(NameText, TokensAreTheRunsOfWhatMayBeInOne, ()) {
  const std::string text = *any_text();
  const auto found = tokens(text);
  std::size_t next = 0;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && in_token(text, end)) ++end;
    if (end > at) {
      RC_ASSERT(next < found.size());
      RC_ASSERT(found[next].begin == at);
      RC_ASSERT(found[next].end == end);
      const std::size_t from = next == 0 ? 0 : found[next - 1].end;
      if (!found[next].wall)
        RC_ASSERT(found[next].gap.code == Gap::read(text.substr(from, at - from)).code);
      RC_ASSERT(found[next].wall == (at - from > longest_gap || end - at > longest_token));
      ++next;
    }
    at = end + 1;
  }
  RC_ASSERT(next == found.size());
}

RC_GTEST_PROP(NameText, ReadingMayBeginBehindAnyToken, ()) {
  const std::string text = *any_text();
  const auto whole = tokens(text);
  for (std::size_t first = 1; first < whole.size(); ++first) {
    const auto rest = tokens(text, whole[first - 1].end);
    RC_ASSERT(rest.size() == whole.size() - first);
    for (std::size_t i = 0; i < rest.size(); ++i) {
      RC_ASSERT(rest[i].begin == whole[first + i].begin);
      RC_ASSERT(rest[i].gap.code == whole[first + i].gap.code);
      RC_ASSERT(rest[i].wall == whole[first + i].wall);
    }
  }
}

// An accent that stands alone is passed over; a word with one is read letter by letter.
RC_GTEST_PROP(NameText, WordsOfAsciiReadTheSameQuicklyAndSlowly, ()) {
  static constexpr std::string_view letters = "abyzABYZ0189";
  const auto size = *rc::gen::inRange<std::size_t>(1, longest_token - 1);
  std::string word;
  for (std::size_t i = 0; i < size; ++i) word += *rc::gen::elementOf(std::string(letters));
  const NameShape quick = read_shape(word);
  const NameShape slow = read_shape(word + "\u0301");
  RC_ASSERT(quick.hash == slow.hash);
  RC_ASSERT(quick.tail == slow.tail);
  RC_ASSERT(quick.shape == slow.shape);
  RC_ASSERT(quick.tall == slow.tall);
}

}  // namespace
}  // namespace gatehouse::inspect

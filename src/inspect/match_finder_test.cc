// Where matches end and where their groups lie, judged by RE2 alone.
#include "inspect/match_finder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <span>
#include <string>

#include "inspect/pattern_test_support.h"
#include "inspect/property_test_support.h"

namespace gatehouse::inspect {
namespace {

using testing::builtin_rules;
using testing::sample;
using testing::tries;

using Kind = PatternNode::Kind;

Pattern parsed(std::string_view text) {
  return parse_pattern(text).value();
}

struct Answer {
  std::optional<std::size_t> end;
  bool group_was_known = false;
  std::optional<Span> group;
};

// What is found at `start` by one that has seen nothing of the text.
Answer find(std::string_view pattern, std::string_view text, std::size_t start = 0,
            std::size_t limit = SIZE_MAX) {
  const MatchFinder finder(parsed(pattern));
  FinderMemo memo;
  const auto found = finder.longest(text, start, std::min(limit, text.size()), 0, memo);
  if (!found) return {};
  return {found->end, found->group.has_value(), finder.group(text, start, *found)};
}

TEST(MatchFinder, TakesTheLongestThatBeginsAtTheStart) {
  EXPECT_EQ(find("ab|abcd|abc", "abcde").end, 4u);
  EXPECT_EQ(find("[a-z]+", "ab cde", 3).end, 6u);
  EXPECT_EQ(find("b", "ab").end, std::nullopt);
  EXPECT_EQ(find("\\xff+", "\xff\xff\xfe").end, 2u);  // bytes, not characters
}

TEST(MatchFinder, FindsNothingWhereTheTextEnds) {
  for (const char* pattern : {"[a-z]+", "a:b", "([a-z]+)", "k=([a-z]{3,})", "(a)b"}) {
    EXPECT_EQ(find(pattern, "abc", 3).end, std::nullopt) << pattern;
    EXPECT_EQ(find(pattern, "").end, std::nullopt) << pattern;
  }
}

TEST(MatchFinder, SeesNothingBehindTheLimit) {
  EXPECT_EQ(find("a+", "aaaa", 1, 3).end, 3u);
  EXPECT_EQ(find("a+:", "aaaa:", 0, 4).end, std::nullopt);
  EXPECT_EQ(find("k=([a-z]{3,})", "k=abcdef", 0, 6).group, (Span{2, 6}));
  EXPECT_EQ(find("k=([a-z]{3,})", "k=abcdef", 0, 5).group, (Span{2, 5}));
  EXPECT_EQ(find("k=([a-z]{3,})", "k=abcdef", 0, 4).end, std::nullopt);
  EXPECT_EQ(find("k=([a-z]{3,})", "k=abcdef", 0, 2).end, std::nullopt);
}

TEST(MatchFinder, WithoutAGroupTheMatchIsIt) {
  EXPECT_EQ(find("a[bc]+", "xabcb.", 1).group, (Span{1, 5}));
}

TEST(MatchFinder, AnEmptyGroupAndOneThatTookNoPartAreNone) {
  EXPECT_EQ(find("a(b*)c", "abbc").group, (Span{1, 3}));
  const Answer empty = find("a(b*)c", "ac");
  EXPECT_EQ(empty.end, 2u);
  EXPECT_EQ(empty.group, std::nullopt);
  EXPECT_EQ(find("k=([a-z]+)|none", "k=abc").group, (Span{2, 5}));
  const Answer no_part = find("k=([a-z]+)|none", "none");
  EXPECT_EQ(no_part.end, 4u);
  EXPECT_EQ(no_part.group, std::nullopt);
}

TEST(MatchFinder, TheGroupBeginsLastThenEndsLast) {
  EXPECT_EQ(find("[ab]*([bc]+)c*", "abbcc").group, (Span{3, 5}));
  EXPECT_EQ(find("a+([b-d]+)[c-e]*", "aabcde").group, (Span{2, 5}));
  EXPECT_EQ(find("[a-z]{1,3}([a-z0-9]+)[0-9]{2}", "abcde123").group, (Span{3, 6}));
}

TEST(MatchFinder, AGroupThatIsTheOnlyOneOfManyPlacesIsFound) {
  const std::string text = "xb" + std::string(40, 'a');
  EXPECT_EQ(find("[a-z]+(b[a-z]*)", text).group, (Span{1, text.size()}));
  EXPECT_EQ(find("y?([a-z]+b)[a-z]+", text).group, (Span{0, 2}));
}

TEST(MatchFinder, ARunAtTheEndIsKnownWithoutAskingForTheGroup) {
  for (const char* text : {"k=abcd", "k=abcd;", "k=abcdefg"}) {
    const Answer found = find("k=([a-z]{2,4})", text);
    EXPECT_TRUE(found.group_was_known) << text;
    EXPECT_EQ(found.end, 6u) << text;
    EXPECT_EQ(found.group, (Span{2, 6})) << text;
  }
  EXPECT_EQ(find("k=([a-z]{2,4})", "k=a1").end, std::nullopt);
  EXPECT_EQ(find("([a-z]{2,})", "abc1").group, (Span{0, 3}));  // nothing in front of it
}

TEST(MatchFinder, WhatIsInFrontOfARunLeavesItItsLeast) {
  const Answer found = find("[a-z]+([a-z]{3,})", "abcdefg");
  EXPECT_TRUE(found.group_was_known);
  EXPECT_EQ(found.end, 7u);
  EXPECT_EQ(found.group, (Span{4, 7}));
  EXPECT_EQ(find("[a-z]+([a-z]{3,})", "abcdefg.").group, (Span{4, 7}));
}

// The longest head is "xab!", behind which one letter is too little; "xab" is the match.
TEST(MatchFinder, AShorterHeadMayHaveARunWhereTheLongestHasNone) {
  const Answer found = find("x(?:ab!)?([a-z]{2,})", "xab!c.");
  EXPECT_FALSE(found.group_was_known);
  EXPECT_EQ(found.end, 3u);
  EXPECT_EQ(found.group, (Span{1, 3}));
}

TEST(MatchFinder, RunsAreReadOnceForAllPlaces) {
  const MatchFinder finder(parsed("[a-z]{1,3}=?([a-z]{2,})"));
  const std::string text = "abc=defghi.";
  FinderMemo memo;
  for (std::size_t start = 0; start < 3; ++start) {
    const auto found = finder.longest(text, start, text.size(), 100, memo);
    ASSERT_TRUE(found.has_value()) << start;
    EXPECT_EQ(found->end, 10u) << start;
    EXPECT_EQ(found->group, 4u) << start;
    EXPECT_EQ(memo.run, (Span{104, 110})) << start;
  }
  // Believed, not read again.
  const std::string other = "abc=de.ghi.";
  EXPECT_EQ(finder.longest(other, 2, other.size(), 100, memo)->end, 10u);
  // A place outside what was read.
  EXPECT_EQ(finder.longest("ab.cd", 0, 2, 200, memo), std::nullopt);
  EXPECT_EQ(finder.longest("abcde.", 0, 6, 300, memo)->end, 5u);
}

TEST(MatchFinder, WhereAByteOfEveryMatchIsMissingIsReadOnceForAllPlaces) {
  const MatchFinder finder(parsed("[a-z]+:[a-z]+"));
  const std::string text = std::string(50, 'a') + ":b";
  FinderMemo memo;
  EXPECT_EQ(finder.longest(text, 0, 30, 100, memo), std::nullopt);  // far from all that was tried
  EXPECT_EQ(memo.without, Span());
  EXPECT_EQ(finder.longest(text, 1, 31, 100, memo), std::nullopt);
  EXPECT_EQ(memo.without, (Span{101, 131}));
  EXPECT_EQ(finder.longest(text, 2, 49, 100, memo), std::nullopt);
  EXPECT_EQ(memo.without, (Span{101, 149}));
  EXPECT_EQ(finder.longest(text, 3, text.size(), 100, memo)->end, 52u);
  EXPECT_EQ(finder.longest(text, 4, 40, 100, memo), std::nullopt);  // and less than was seen
  EXPECT_EQ(memo.without, (Span{101, 150}));
  EXPECT_EQ(finder.longest(text, 5, text.size(), 100, memo)->end, 52u);
  EXPECT_EQ(finder.longest(text, 51, text.size(), 100, memo), std::nullopt);  // behind the colon
  EXPECT_EQ(memo.without, (Span{151, 152}));
}

// RE2 on a copy of the bytes in question, which remembers nothing.
class Judge {
 public:
  explicit Judge(const Pattern& pattern) : whole_(to_regex(pattern, true), options()) {
    if (pattern->kind != Kind::concat) return;
    const std::span<const Pattern> parts = pattern->children;
    const auto group =
        std::ranges::find(parts, Kind::capture, [](const Pattern& part) { return part->kind; });
    if (group == parts.end()) return;
    const auto at = static_cast<std::size_t>(group - parts.begin());
    before_ = regex(parts.first(at));
    group_and_behind_ = regex(parts.subspan(at));
    group_ = regex(parts.subspan(at, 1));
    behind_ = regex(parts.subspan(at + 1));
  }

  std::optional<std::size_t> longest(std::string_view text) const {
    const std::string copy(text);
    re2::StringPiece found;
    if (!whole_.Match(copy, 0, copy.size(), re2::RE2::ANCHOR_START, &found, 1)) return {};
    return found.size();
  }

  bool says_groups() const { return before_ != nullptr; }
  // Of the match that is all of `text`: every place is tried, from behind.
  std::optional<Span> group(std::string_view text) const {
    const std::size_t size = text.size();
    for (std::size_t begin = size + 1; begin-- > 0;) {
      if (!is(*before_, text.substr(0, begin)) || !is(*group_and_behind_, text.substr(begin)))
        continue;
      std::size_t end = size;
      while (!is(*group_, text.substr(begin, end - begin)) || !is(*behind_, text.substr(end)))
        --end;
      return begin < end ? std::optional(Span{begin, end}) : std::nullopt;
    }
    ADD_FAILURE() << "no match";
    return {};
  }

 private:
  static re2::RE2::Options options() {
    re2::RE2::Options options;
    options.set_encoding(re2::RE2::Options::EncodingLatin1);
    options.set_longest_match(true);
    return options;
  }
  static std::unique_ptr<re2::RE2> regex(std::span<const Pattern> parts) {
    std::string text;
    for (const Pattern& part : parts) text += "(?:" + to_regex(part, false) + ")";
    return std::make_unique<re2::RE2>(text, options());
  }
  static bool is(const re2::RE2& regex, std::string_view text) {
    return re2::RE2::FullMatch({text.data(), text.size()}, regex);
  }

  re2::RE2 whole_;
  std::unique_ptr<re2::RE2> before_;
  std::unique_ptr<re2::RE2> group_and_behind_;
  std::unique_ptr<re2::RE2> group_;
  std::unique_ptr<re2::RE2> behind_;
};

// Texts of the pattern, whole, cut, spoilt and one behind the other, between bytes that they have.
std::string random_text(const Pattern& pattern, std::mt19937& dice) {
  std::string text;
  for (std::size_t pieces = 1 + dice() % 3; pieces > 0; --pieces) {
    std::string piece;
    sample(pattern, dice, piece);
    if (dice() % 3 == 0) piece.resize(dice() % (piece.size() + 1));
    if (dice() % 3 == 0 && !piece.empty())
      piece[dice() % piece.size()] = static_cast<char>(dice() % 256);
    text += piece;
    if (!piece.empty()) text.append(dice() % 12, piece[dice() % piece.size()]);
    if (dice() % 2 == 0) text += " ;\n"[dice() % 3];
  }
  return text;
}

struct Seen {
  std::size_t matches = 0;
  std::size_t groups = 0;
  std::size_t known_groups = 0;
};

void check_group(const MatchFinder& finder, const Judge& judge, std::string_view text,
                 std::size_t start, const MatchFinder::Found& found, Seen& seen) {
  auto group = finder.group(text, start, found);
  if (group) group = Span{group->begin - start, group->end - start};
  const std::string_view match = text.substr(start, found.end - start);
  ASSERT_EQ(group, judge.group(match)) << match;
  ++seen.groups;
  seen.known_groups += found.group ? 1 : 0;
}

// Each place of one text in order, as seen from a piece of it that begins anywhere before.
void check_text(const Pattern& pattern, const MatchFinder& finder, const Judge& judge,
                const std::string& whole, std::mt19937& dice, Seen& seen) {
  FinderMemo memo;
  for (std::size_t place = 0; place <= whole.size(); place += 1 + dice() % 40 / 39 * 70) {
    const std::size_t base = dice() % (place + 1);
    const std::string_view text = std::string_view(whole).substr(base);
    const std::size_t start = place - base;
    const std::size_t width = dice() % 3 == 0 ? dice() % 40 : 1024;
    const std::size_t limit = std::min(text.size(), start + width);
    const auto expected = judge.longest(text.substr(start, limit - start));
    const auto found = finder.longest(text, start, limit, base, memo);
    ASSERT_EQ(found.has_value(), expected.has_value()) << place << "\n" << whole;
    if (!found) continue;
    ASSERT_EQ(found->end - start, *expected) << place << "\n" << whole;
    ++seen.matches;
    if (!has_capture(pattern)) {
      ASSERT_EQ(finder.group(text, start, *found), (Span{start, found->end}));
    } else if (judge.says_groups() && *expected < 200) {
      ASSERT_NO_FATAL_FAILURE(check_group(finder, judge, text, start, *found, seen)) << whole;
    }
  }
}

TEST(MatchFinder, FindsWhatRe2AloneFindsInTextsOfEveryBuiltInRule) {
  const auto rules = builtin_rules();
  std::mt19937 dice(7);
  Seen seen;
  for (const auto& rule : rules->impl().compiled) {
    const Pattern& pattern = rule->source().pattern;
    const MatchFinder finder(pattern);
    const Judge judge(pattern);
    for (std::uint64_t i = 0; i < tries(16); ++i) {
      const std::string text = random_text(pattern, dice);
      ASSERT_NO_FATAL_FAILURE(check_text(pattern, finder, judge, text, dice, seen))
          << rule->source().rule.id << "\n"
          << to_regex(pattern, true);
    }
  }
  // The texts do have matches, with groups that were known and that were not.
  EXPECT_GT(seen.matches, tries(12'000));
  EXPECT_GT(seen.known_groups, tries(400));
  EXPECT_GT(seen.groups, seen.known_groups + tries(400));
}

}  // namespace
}  // namespace gatehouse::inspect

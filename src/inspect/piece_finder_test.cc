#include "inspect/piece_finder.h"

#include <gtest/gtest.h>
#include <re2/re2.h>

#include <algorithm>
#include <random>
#include <set>
#include <tuple>

#include "inspect/pattern_test_support.h"
#include "inspect/property_test_support.h"

namespace gatehouse::inspect {
namespace {

constexpr std::string_view patterns[] = {
    "AKIA[A-Z0-9]{4}",
    "(?i:password|passwd|pwd)[ ]*[:=]",
    "(?i:zip)",
    "tok_(?:live|test)_[0-9a-f]{2,6}",
    "@(?:[a-z]+\\.)+[a-z]{2}",
    "[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]",
    "[0-9]{1,2}:[0-9]{3}x?",
    "(?:x|yy)?key=[^ ]{3}",
    "\\.[A-Za-z0-9_-]{6}\\.[0-9a-z]{3}",
    "se[cC]ret.{0,30}(?:value|thing)",
    "K\xc3\xb6rkort",
};

using Place = std::tuple<std::uint32_t, std::size_t, std::size_t>;  // number, begin, end

class Finder {
 public:
  Finder() {
    re2::RE2::Options options;
    options.set_encoding(re2::RE2::Options::EncodingLatin1);
    options.set_dot_nl(true);
    for (const std::string_view text : patterns) {
      pieces.push_back(*parse_pattern(text));
      regexes.push_back(std::make_unique<re2::RE2>(to_regex(pieces.back(), false), options));
      EXPECT_TRUE(finder.add(pieces.back(), nullptr, static_cast<std::uint32_t>(pieces.size() - 1)))
          << text;
    }
    finder.build();
  }

  std::set<Place> find(std::string_view text, std::size_t from, std::size_t to,
                       std::size_t most = PieceStates::most_states) const {
    PieceStates states(finder.automaton(), most);
    std::set<Place> found;
    finder.find(states, text, from, to,
                [&](std::uint32_t number, std::size_t begin, std::size_t end) {
                  found.emplace(number, begin, end);
                });
    return found;
  }
  // Each pattern at each place, each length.
  std::set<Place> find_the_slow_way(std::string_view text, std::size_t from, std::size_t to) const {
    std::set<Place> found;
    for (std::uint32_t number = 0; number < regexes.size(); ++number)
      for (std::size_t begin = from; begin < std::min(to, text.size()); ++begin)
        for (std::size_t end = begin + 1; end <= std::min(text.size(), begin + 64); ++end)
          if (re2::RE2::FullMatch(re2::StringPiece(text.data() + begin, end - begin),
                                  *regexes[number]))
            found.emplace(number, begin, end);
    return found;
  }

  PieceFinder finder;
  std::vector<Pattern> pieces;
  std::vector<std::unique_ptr<re2::RE2>> regexes;
};

// Texts of the patterns, parts of them and other bytes.
std::string random_text(const Finder& finder, std::mt19937& dice) {
  static constexpr std::string_view other = " .:=@_0123abzZpPkK\n\x80\xc3";
  std::string text;
  for (unsigned pieces = dice() % 6; pieces > 0; --pieces) {
    std::string piece;
    testing::sample(finder.pieces[dice() % finder.pieces.size()], dice, piece);
    if (dice() % 3 == 0) piece.resize(dice() % (piece.size() + 1));
    text += piece;
    for (unsigned bytes = dice() % 4; bytes > 0; --bytes) text += other[dice() % other.size()];
  }
  return text;
}

TEST(PieceFinder, FindsWhatEachPatternAloneFinds) {
  const Finder finder;
  std::mt19937 dice(7);
  std::size_t found = 0;
  for (std::uint64_t n = 0; n < testing::tries(1600); ++n) {
    const std::string text = random_text(finder, dice);
    const std::size_t from = dice() % (text.size() + 1);
    const std::size_t to = from + dice() % (text.size() - from + 2);
    const auto slow = finder.find_the_slow_way(text, from, to);
    ASSERT_EQ(finder.find(text, from, to), slow) << text;
    found += slow.size();
  }
  EXPECT_GT(found, testing::tries(1600) / 2);
}

TEST(PieceFinder, ForgettingStatesMakesNoDifference) {
  const Finder finder;
  std::mt19937 dice(8);
  for (std::uint64_t n = 0; n < testing::tries(200); ++n) {
    const std::string text = random_text(finder, dice);
    ASSERT_EQ(finder.find(text, 0, text.size(), 3), finder.find(text, 0, text.size())) << text;
  }
}

TEST(PieceFinder, WhatBeginsLikeOrdinaryTextIsRefused) {
  for (const std::string_view text : {"[a-z]+", "[A-Za-z]{20}", ".{4}e", "(?:AKIA|[a-z]{9})"}) {
    PieceFinder finder;
    EXPECT_FALSE(finder.add(*parse_pattern(text), nullptr, 0)) << text;
    EXPECT_TRUE(finder.empty()) << text;
  }
}

// Each rule's piece is found wherever a text of it stands, or is refused.
TEST(PieceFinder, FindsThePiecesOfTheRules) {
  std::mt19937 dice(9);
  std::size_t refused = 0;
  const auto& rules = testing::builtin_rules()->impl().compiled;
  for (const auto& rule : rules) {
    const Pattern piece = up_to_stretch(rule->factor().pattern, PieceAutomaton::longest_counted);
    PieceFinder finder;
    if (min_width(piece) == 0 || !finder.add(piece, nullptr, 5)) {
      ++refused;
      continue;
    }
    finder.build();
    PieceStates states(finder.automaton());
    for (int n = 0; n < 5; ++n) {
      std::string text = n % 2 == 0 ? "- " : "";
      const std::size_t begin = text.size();
      testing::sample(piece, dice, text);
      if (n > 2) text += " and more text";
      bool found = false;
      finder.find(states, text, 0, text.size(),
                  [&](std::uint32_t number, std::size_t at, std::size_t) {
                    found = found || (number == 5 && at == begin);
                  });
      EXPECT_TRUE(found) << rule->source().rule.id << " " << text;
    }
  }
  EXPECT_LT(refused, rules.size() / 8);
}

// A piece counts where the rest may stand behind it: words of any length may, other words may not.
TEST(PieceFinder, MoreOfAPatternIsAsked) {
  PieceFinder finder;
  const Pattern piece = *parse_pattern("(?i:const|export) ");
  const Pattern more = *parse_pattern(R"((?i:const|export) \w{0,24}(?:token|secret)[ ]?=)");
  ASSERT_TRUE(finder.add(piece, more, 3));
  ASSERT_TRUE(finder.add(*parse_pattern("const char"), nullptr, 4));
  finder.build();
  PieceStates states(finder.automaton());
  const auto found = [&](std::string_view text) {
    std::set<std::uint32_t> numbers;
    finder.find(states, text, 0, text.size(),
                [&](std::uint32_t number, std::size_t, std::size_t) { numbers.insert(number); });
    return numbers;
  };
  using Numbers = std::set<std::uint32_t>;
  EXPECT_EQ(found("a const my_token = x"), Numbers{3});
  EXPECT_EQ(found("a const secret=x"), Numbers{3});
  EXPECT_EQ(found("a const char* secret=x"), Numbers{4});
  EXPECT_EQ(found("a const auto secret=x"), Numbers{});
  EXPECT_EQ(found("a const my_token"), Numbers{});
}

// What is under way where no more is read counts: how long it goes on is not known.
TEST(PieceFinder, WhatGoesOnTooLongCountsAsFound) {
  PieceFinder finder;
  ASSERT_TRUE(finder.add(*parse_pattern("key_"), *parse_pattern(R"(key_\w{0,900}=)"), 3));
  finder.build();
  PieceStates states(finder.automaton());
  for (const std::size_t size : {PieceStates::longest_run - 5, PieceStates::longest_run + 5}) {
    bool found = false;
    const std::string text = "key_" + std::string(size, 'a') + " ";
    finder.find(states, text, 0, text.size(),
                [&](std::uint32_t number, std::size_t, std::size_t) { found = number == 3; });
    EXPECT_EQ(found, size > PieceStates::longest_run);
  }
}

TEST(PieceFinder, BuiltInRulesNeedNoOtherSearch) {
  for (const Search* search : testing::builtin_rules()->impl().searches.all())
    EXPECT_EQ(search->database, nullptr) << search->number;
}

// Where `ab` is found that is so far behind what must not stand behind a small letter.
std::vector<std::size_t> anchored_places(std::string_view text, std::size_t behind) {
  Anchor anchor{behind, {}, {}};
  for (unsigned byte = 'a'; byte <= 'z'; ++byte) anchor.not_before.set(byte);
  PieceFinder finder;
  EXPECT_TRUE(finder.add(*parse_pattern("ab"), nullptr, 0, anchor));
  finder.build();
  PieceStates states(finder.automaton());
  std::vector<std::size_t> places;
  finder.find(states, text, 0, text.size(),
              [&](std::uint32_t, std::size_t begin, std::size_t) { places.push_back(begin); });
  return places;
}

TEST(PieceFinder, WhatMayNotStandInsideOfWordsIsNotFoundThere) {
  EXPECT_EQ(anchored_places("ab xab 1ab", 0), (std::vector<std::size_t>{0, 8}));
  EXPECT_EQ(anchored_places("ab xab -xab yxab", 1), (std::vector<std::size_t>{0, 4, 9}));
}

TEST(PieceFinder, TheLastByteOfAnEscapeIsNoWord) {
  EXPECT_EQ(anchored_places("\\nab xnab %0aab", 0), (std::vector<std::size_t>{2, 13}));
}

}  // namespace
}  // namespace gatehouse::inspect

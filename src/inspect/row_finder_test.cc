#include "inspect/row_finder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>

#include "inspect/pattern_test_support.h"
#include "inspect/property_test_support.h"
#include "inspect/rule_set.h"

namespace gatehouse::inspect {
namespace {

using Ends = std::set<std::pair<std::uint32_t, std::size_t>>;  // number, where a row ends

constexpr std::string_view alphabet = "abc";

ByteRow random_row(std::mt19937& dice) {
  ByteRow row(1 + dice() % 9);
  for (ByteSet& bytes : row)
    while (bytes.none())
      for (const char c : alphabet)
        if (dice() % 2 == 0) bytes.set(static_cast<unsigned char>(c));
  return row;
}

Ends ends_the_slow_way(const std::vector<ByteRow>& rows, std::string_view text) {
  Ends ends;
  for (std::uint32_t number = 0; number < rows.size(); ++number) {
    const ByteRow& row = rows[number];
    for (std::size_t begin = 0; begin + row.size() <= text.size(); ++begin) {
      bool stands = true;
      for (std::size_t i = 0; i < row.size(); ++i)
        stands = stands && row[i].test(static_cast<unsigned char>(text[begin + i]));
      if (stands) ends.emplace(number, begin + row.size());
    }
  }
  return ends;
}

TEST(RowFinder, FindsEveryRowWhereItEnds) {
  std::mt19937 dice(5);
  for (int n = 0; n < 300; ++n) {
    std::vector<ByteRow> rows;
    RowFinder finder;
    for (unsigned left = 1 + dice() % 60; left > 0; --left) {
      rows.push_back(random_row(dice));
      finder.add(rows.back(), static_cast<std::uint32_t>(rows.size() - 1));
    }
    std::string text;
    for (unsigned left = dice() % 80; left > 0; --left) text += alphabet[dice() % alphabet.size()];
    Ends found;
    finder.find(text, 0, text.size(),
                [&](std::uint32_t number, std::size_t first, std::size_t last) {
                  for (std::size_t end = first; end <= last; ++end) found.emplace(number, end);
                });
    ASSERT_EQ(found, ends_the_slow_way(rows, text)) << text;
  }
}

struct AnchoredRow {
  ByteRow row;
  Anchor anchor;
};

AnchoredRow random_anchored_row(std::mt19937& dice) {
  const auto some = [&dice] { return random_row(dice).front(); };
  return {random_row(dice), {dice() % 4, some(), some()}};
}

// Where they end in text[from, …). Nothing is known of what stands before; `escapes`: nor of what
// an escape may end before.
Ends anchored_ends(const std::vector<AnchoredRow>& rows, std::string_view text, std::size_t from,
                   bool escapes) {
  Ends ends;
  for (std::uint32_t number = 0; number < rows.size(); ++number) {
    const auto& [row, anchor] = rows[number];
    for (const auto& [_, end] : ends_the_slow_way({row}, text)) {
      const std::size_t begin = end - row.size();
      if (begin < from) continue;
      const std::string_view before = text.substr(0, begin - std::min(begin, anchor.behind));
      const auto first = static_cast<unsigned char>(text[before.size()]);
      if (anchor.behind > 0 && begin - from >= anchor.behind && !anchor.first.test(first)) continue;
      const bool free = before.size() <= from ||
                        !anchor.not_before.test(static_cast<unsigned char>(before.back()));
      if (free || (escapes && ends_escape(before))) ends.emplace(number, end);
    }
  }
  return ends;
}

TEST(RowFinder, InLongTextsRowsInsideOfWordsAreLeftOut) {
  std::mt19937 dice(6);
  for (int n = 0; n < 200; ++n) {
    std::vector<AnchoredRow> rows;
    std::vector<ByteRow> plain_rows;
    RowFinder finder;
    for (unsigned left = 1 + dice() % 40; left > 0; --left) {
      const AnchoredRow& one = rows.emplace_back(random_anchored_row(dice));
      plain_rows.push_back(one.row);
      finder.add(one.row, static_cast<std::uint32_t>(rows.size() - 1), one.anchor);
    }
    const bool escapes = n % 2 == 0;
    std::string text;
    for (unsigned left = 1 + dice() % 600; left > 0; --left)
      text += escapes && dice() % 9 == 0 ? '%' : alphabet[dice() % alphabet.size()];
    const std::size_t from = dice() % text.size() / 2;
    Ends found;
    finder.find(text, from, text.size(),
                [&](std::uint32_t number, std::size_t first, std::size_t last) {
                  for (std::size_t end = first; end <= last; ++end) found.emplace(number, end);
                });
    const Ends wanted = anchored_ends(rows, text, from, escapes);
    ASSERT_TRUE(std::ranges::includes(found, wanted)) << text;
    ASSERT_TRUE(std::ranges::includes(ends_the_slow_way(plain_rows, text), found)) << text;
    if (!escapes && text.size() - from >= 256) ASSERT_EQ(found, wanted) << text;
  }
}

TEST(RowFinder, PatternsAreRowsWhereTheyAreFew) {
  EXPECT_EQ(rows_of(*parse_pattern("(?:ab|c[de])[0-9]{2}"))->size(), 2U);
  EXPECT_EQ(rows_of(*parse_pattern("a{1,3}"))->size(), 3U);
  EXPECT_FALSE(rows_of(*parse_pattern("a+")));
  EXPECT_FALSE(rows_of(*parse_pattern("a{1,30}")));
}

std::vector<std::size_t> head_sizes(std::string_view pattern) {
  std::vector<std::size_t> sizes;
  for (const ByteRow& row : row_heads(parts_of(*parse_pattern(pattern))))
    sizes.push_back(row.size());
  std::ranges::sort(sizes);
  return sizes;
}

TEST(RowFinder, HeadsGoAsFarAsFewRowsCan) {
  using Sizes = std::vector<std::size_t>;
  EXPECT_EQ(head_sizes("[0-9]{3}-[0-9]{4}"), Sizes{8});
  EXPECT_EQ(head_sizes("[0-9]{3}x+[0-9]{4}"), Sizes{3});
  EXPECT_EQ(head_sizes("(?:a[ ]?){9}"), Sizes());
  EXPECT_EQ(head_sizes("a b?c b?d b?e b?f"), (Sizes{8, 9, 9, 9, 10, 10, 10, 11}));
  EXPECT_EQ(head_sizes("a?b?"), Sizes());
  EXPECT_EQ(head_sizes("[a-z]{30}[0-9]"), Sizes{30});
  EXPECT_EQ(head_sizes("[a-z]{16}[0-9]"), Sizes{16});
  // As one row where they are as long.
  EXPECT_EQ(head_sizes("(?:a|b)(?:cd|ef|gh|ij|kl)(?:m|nn)"), (Sizes{4, 4, 5, 5}));
}

bool begins_with(std::string_view text, const ByteRow& row) {
  if (row.size() > text.size()) return false;
  for (std::size_t i = 0; i < row.size(); ++i)
    if (!row[i].test(static_cast<unsigned char>(text[i]))) return false;
  return true;
}

TEST(RowFinder, EveryTextOfARuleBeginsWithAHead) {
  std::mt19937 dice(11);
  std::size_t tried = 0;
  for (const auto& rule : testing::builtin_rules()->impl().compiled) {
    const Pattern& pattern = rule->source().pattern;
    const auto heads = row_heads(parts_of(pattern));
    if (heads.empty()) continue;
    for (int n = 0; n < 20; ++n, ++tried) {
      std::string text;
      testing::sample(pattern, dice, text);
      ASSERT_TRUE(
          std::ranges::any_of(heads, [&](const ByteRow& row) { return begins_with(text, row); }))
          << rule->source().where << ": " << text;
    }
  }
  EXPECT_GT(tried, 2000U);
}

TEST(RowFinder, OnlyWhatOneByteFillsMayCrowd) {
  EXPECT_TRUE(may_crowd(rows_of(*parse_pattern("[0-9a-f]{24}"))->front()));
  EXPECT_FALSE(may_crowd(rows_of(*parse_pattern("k[0-9]{4}"))->front()));
}

}  // namespace
}  // namespace gatehouse::inspect

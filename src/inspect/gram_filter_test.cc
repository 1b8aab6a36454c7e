#include "inspect/gram_filter.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <set>
#include <string>

#include "inspect/property_test_support.h"

namespace gatehouse::inspect {
namespace {

std::uint32_t gram_at(std::string_view text, std::size_t at) {
  std::uint32_t gram = 0;
  std::memcpy(&gram, text.data() + at, std::min(sizeof gram, text.size() - at));
  return GramFilter::folded(gram);
}

// Of few letters, so that grams are found often.
std::string random_text(std::mt19937& dice, std::size_t size) {
  static constexpr std::string_view letters = "aBc ";
  std::string text;
  while (text.size() < size) text += letters[dice() % letters.size()];
  return text;
}

std::set<std::size_t> places(const GramFilter& filter, std::string_view text, std::size_t at,
                             std::size_t size) {
  GramFilter::Places found;
  std::set<std::size_t> all;
  for (const std::uint16_t place : filter.find(text, at, size, found)) all.insert(at + place);
  return all;
}

TEST(GramFilter, SeesEveryGramAndTheSameWithAllInstructions) {
  std::mt19937 dice(3);
  std::size_t seen = 0;
  std::size_t wrong = 0;
  std::size_t looked = 0;
  for (std::uint64_t n = 0; n < testing::tries(300); ++n) {
    const std::string source = random_text(dice, 40);
    std::set<std::uint32_t> grams;
    for (std::size_t left = 1 + dice() % 30; left > 0; --left)
      grams.insert(gram_at(source, dice() % 36));
    const std::vector<std::uint32_t> list(grams.begin(), grams.end());
    GramFilter best;
    GramFilter portable;
    best.build(list);
    portable.build(list, Instructions::portable);
    const std::string text = random_text(dice, 1 + dice() % 400);
    const std::size_t at = dice() % text.size();
    const std::size_t size = 1 + dice() % std::min(text.size() - at, GramFilter::block);
    const auto found = places(best, text, at, size);
    ASSERT_EQ(found, places(portable, text, at, size));
    for (std::size_t place = at; place < at + size; ++place) {
      const bool known = grams.contains(gram_at(text, place));
      ASSERT_TRUE(!known || found.contains(place)) << text << " at " << place;
      seen += known;
      wrong += !known && found.contains(place);
      ++looked;
    }
    if (!found.empty()) ASSERT_LT(*found.rbegin(), at + size);
  }
  EXPECT_GT(seen, looked / 200);
  EXPECT_LT(wrong, looked / 20);
}

// Three bytes with anything behind them leave the places of other three bytes alone.
TEST(GramFilter, ThreeBytesWithAnythingBehindThemFillNoWord) {
  std::vector<std::uint32_t> grams;
  for (unsigned first = 'a'; first <= 'j'; ++first)
    for (unsigned byte = 0; byte < 256; ++byte)
      grams.push_back(GramFilter::folded(first | 'q' << 8 | 'z' << 16 | byte << 24));
  GramFilter filter;
  filter.build(grams);
  std::mt19937 dice(4);
  std::string text;
  while (text.size() < 100'000) text += static_cast<char>('a' + dice() % 16);
  std::size_t found = 0;
  for (std::size_t at = 0; at < text.size(); at += GramFilter::block)
    found += places(filter, text, at, std::min(GramFilter::block, text.size() - at)).size();
  EXPECT_LT(found, text.size() / 200);
}

}  // namespace
}  // namespace gatehouse::inspect

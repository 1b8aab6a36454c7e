#include "inspect/begin_filter.h"

#include <gtest/gtest.h>

#include <random>

namespace gatehouse::inspect {
namespace {

using Beginning = BeginFilter::Beginning;

ByteSet set_of(std::string_view bytes) {
  ByteSet set;
  for (const unsigned char c : bytes) set.set(c);
  return set;
}

// As a text that begins with these bytes, each one of a set, anything behind.
Beginning beginning(std::size_t group, std::string_view not_before,
                    std::initializer_list<std::string_view> bytes) {
  Beginning one{group, ~set_of(not_before), {}};
  for (ByteSet& set : one.bytes) set.set();
  std::size_t at = 0;
  for (const std::string_view set : bytes) one.bytes[at++] = set_of(set);
  return one;
}

std::vector<std::size_t> places(const BeginFilter& filter, std::string_view text, std::size_t from,
                                bool guarded, unsigned group) {
  const auto wanted = static_cast<BeginFilter::Groups>(1U << group);
  std::vector<BeginFilter::Place> found;
  filter.find(text, from, text.size(), wanted, guarded, found);
  std::vector<std::size_t> at;
  for (const auto& place : found) {
    EXPECT_EQ(place.groups, wanted);
    at.push_back(place.at);
  }
  return at;
}

TEST(BeginFilter, FindsByEightBytesAndTheOneBefore) {
  BeginFilter filter;
  const std::vector all = {beginning(0, "a", {"g", "h", "p", "_"}), beginning(1, "", {"xy", "12"})};
  filter.build(all);
  using Places = std::vector<std::size_t>;
  EXPECT_EQ(places(filter, " ghp_abcdefgh ghp.abcdefg aghp_", 1, true, 0), Places({1}));
  EXPECT_EQ(places(filter, " ghp_abcdefgh aghp_abcdefgh", 1, false, 0), Places({1, 15, 25}));
  EXPECT_EQ(places(filter, " y2 x3 x1........", 1, true, 1), Places({1, 7}));
  // What is not there yet may follow.
  EXPECT_EQ(places(filter, " .. gh", 1, true, 0), Places({4}));
  EXPECT_EQ(places(filter, "", 0, false, 0), Places());
}

// More beginnings than buckets, and texts made of their bytes: none is missed.
TEST(BeginFilter, MissesNothing) {
  std::mt19937 dice(21);
  static constexpr std::string_view letters = "abcdefgh";
  std::vector<Beginning> all;
  for (int n = 0; n < 300; ++n) {
    Beginning one{dice() % BeginFilter::most_groups, {}, {}};
    one.before.set();
    if (dice() % 2 == 0) one.before.reset('a');
    for (std::size_t i = 0; i < BeginFilter::depth; ++i) {
      if (i > 5) {
        one.bytes[i].set();
      } else {
        for (std::size_t k = 0; k < 1 + dice() % 3; ++k)
          one.bytes[i].set(static_cast<unsigned char>(letters[dice() % letters.size()]));
      }
    }
    all.push_back(one);
  }
  BeginFilter filter;
  filter.build(all);
  std::string text;
  for (int i = 0; i < 4000; ++i) text += letters[dice() % letters.size()];
  std::vector<BeginFilter::Place> found;
  filter.find(text, 1, text.size(), 0xff, true, found);
  std::vector<unsigned> groups(text.size());
  for (const auto& place : found) groups[place.at] = place.groups;
  std::size_t hits = 0;
  for (std::size_t at = 1; at < text.size(); ++at) {
    for (const Beginning& one : all) {
      bool begins = one.before.test(static_cast<unsigned char>(text[at - 1]));
      for (std::size_t i = 0; i < BeginFilter::depth && at + i < text.size() && begins; ++i)
        begins = one.bytes[i].test(static_cast<unsigned char>(text[at + i]));
      if (!begins) continue;
      ++hits;
      ASSERT_NE(groups[at] >> one.group & 1U, 0U) << text.substr(at, BeginFilter::depth);
    }
  }
  // A group alone is looked for another way.
  for (unsigned group = 0; group < BeginFilter::most_groups; ++group) {
    std::vector<std::size_t> expected;
    for (const auto& place : found)
      if ((place.groups >> group & 1U) != 0) expected.push_back(place.at);
    EXPECT_EQ(places(filter, text, 1, true, group), expected);
  }
  EXPECT_GT(hits, 100U);
  EXPECT_LT(found.size(), text.size());
}

}  // namespace
}  // namespace gatehouse::inspect

#include "inspect/prefix_automaton.h"

#include <gtest/gtest.h>

#include "inspect/pattern_test_support.h"
#include "inspect/property_test_support.h"
#include "inspect/rule_set.h"

namespace gatehouse::inspect {
namespace {

constexpr std::size_t page = 200;

std::string random_text(std::mt19937& dice, std::size_t size) {
  static constexpr std::string_view bytes = "aeAE09 -_.:=@/+\"\\%\n";
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text += bytes[dice() % bytes.size()];
  return text;
}

// Where the frontier is after each byte.
std::vector<std::size_t> frontiers(PrefixStates& states, std::string_view text, std::size_t step) {
  LivePrefixes live;
  live.restart();
  std::vector<std::size_t> all;
  for (std::size_t end = step; end <= text.size(); end += step) {
    live.feed(states, Categories().set(), text.substr(0, end), 0);
    all.push_back(live.frontier());
  }
  return all;
}

TEST(PrefixAutomaton, EveryPrefixOfASampleIsAlive) {
  std::mt19937 dice(11);
  const auto& impl = testing::builtin_rules()->impl();
  std::size_t above = 0;
  for (const PrefixAutomaton& automaton : impl.prefixes()) {
    PrefixStates states(automaton);
    for (const auto& rule : impl.compiled) {
      const std::size_t widest =
          std::min(max_width(rule->source().pattern), rule->source().width_limit);
      if (widest > automaton.width() || widest <= above) continue;
      for (int n = 0; n < 5; ++n) {
        std::string text = "\n";
        testing::sample(rule->source().pattern, dice, text);
        if (text.size() < 2 || text.size() > automaton.width() || rule->next_begin(text, 1, 2) != 1)
          continue;
        for (const std::size_t frontier : frontiers(states, text, 1))
          ASSERT_LE(frontier, 1U) << rule->source().rule.id << " " << text;
      }
    }
    above = automaton.width();
  }
}

TEST(PrefixAutomaton, ProseIsNotHeld) {
  for (const PrefixAutomaton& automaton : testing::builtin_rules()->impl().prefixes()) {
    PrefixStates states(automaton);
    const std::string prose =
        "The team moved its reports to a new region last week, and it went well. ";
    EXPECT_LE(prose.size() - frontiers(states, prose, prose.size()).back(), 8U);
  }
}

TEST(PrefixAutomaton, CutsMakeNoDifference) {
  std::mt19937 dice(12);
  for (const PrefixAutomaton& automaton : testing::builtin_rules()->impl().prefixes()) {
    PrefixStates states(automaton);
    for (int n = 0; n < 50; ++n) {
      const std::string text = random_text(dice, page);
      EXPECT_EQ(frontiers(states, text, 1).back(), frontiers(states, text, page).back());
    }
  }
}

TEST(PrefixAutomaton, ForgetsStatesButNotWhatIsAlive) {
  std::mt19937 dice(13);
  const PrefixAutomaton& automaton = testing::builtin_rules()->impl().prefixes().front();
  PrefixStates used(automaton, 200);
  PrefixStates ample(automaton);
  for (int n = 0; n < 50; ++n) {
    const std::string text = random_text(dice, page);
    ASSERT_EQ(frontiers(used, text, 1), frontiers(ample, text, 1));
  }
  EXPECT_GT(ample.size(), 500U);
  EXPECT_LT(used.size(), 300U);
}

// Two texts at once, whose states are renewed now by the one and now by the other.
TEST(PrefixAutomaton, TextsShareTheStates) {
  std::mt19937 dice(14);
  const PrefixAutomaton& automaton = testing::builtin_rules()->impl().prefixes().front();
  PrefixStates shared(automaton, 100);
  PrefixStates ample(automaton);
  for (int n = 0; n < 20; ++n) {
    const std::array texts = {random_text(dice, page), random_text(dice, page)};
    std::array<LivePrefixes, 2> live;
    std::array<LivePrefixes, 2> expected;
    for (std::size_t end = 1; end <= page; ++end) {
      for (std::size_t i = 0; i < 2; ++i) {
        live[i].feed(shared, Categories().set(), std::string_view(texts[i]).substr(0, end), 0);
        expected[i].feed(ample, Categories().set(), std::string_view(texts[i]).substr(0, end), 0);
        ASSERT_EQ(live[i].frontier(), expected[i].frontier()) << texts[i].substr(0, end);
      }
    }
  }
  EXPECT_GT(shared.generation(), 2U);
}

}  // namespace
}  // namespace gatehouse::inspect

#include "inspect/prefix_automaton.h"

#include <gtest/gtest.h>

#include "inspect/live_prefixes.h"
#include "inspect/pattern_test_support.h"
#include "inspect/property_test_support.h"
#include "inspect/rule_set.h"
#include "inspect/scanner.h"

namespace gatehouse::inspect {
namespace {

// Bytes: more than what is read whole.
constexpr std::size_t page = 600;

const PrefixAutomata& automata() {
  return testing::builtin_rules()->impl().prefixes();
}

std::string random_text(std::mt19937& dice, std::size_t size) {
  static constexpr std::string_view bytes = "aeAE09 -_.:=@/+\"\\%\n";
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text += bytes[dice() % bytes.size()];
  return text;
}

std::vector<PrefixStates> new_states(std::size_t most = PrefixStates::most_states) {
  std::vector<PrefixStates> states;
  for (const PrefixAutomaton& automaton : automata().all()) states.emplace_back(automaton, most);
  return states;
}

// Rules that are told are told wherever their first bytes stand.
void feed(LivePrefixes& live, std::vector<PrefixStates>& states, std::string_view text) {
  if (live.wants_told_from(states, text.size()) < text.size()) {
    const auto& rules = testing::builtin_rules()->impl().compiled;
    for (std::uint32_t i = 0; i < rules.size(); ++i) {
      const BeginFilter::Groups groups = automata().told_groups(i);
      for (std::size_t at = 0; groups != 0 && at < text.size(); ++at) {
        at = rules[i]->next_begin(text, at, text.size());
        if (at < text.size()) live.tell(groups, text, at);
      }
    }
  }
  live.feed(states, automata().begins(), Categories().set(), text, 0);
}

// Where the frontier is after each byte.
std::vector<std::size_t> frontiers(std::vector<PrefixStates>& states, std::string_view text,
                                   std::size_t step) {
  LivePrefixes live;
  live.restart();
  std::vector<std::size_t> all;
  for (std::size_t end = step; end <= text.size(); end += step) {
    feed(live, states, text.substr(0, end));
    all.push_back(live.frontier());
  }
  return all;
}

TEST(PrefixAutomaton, EveryPrefixOfASampleIsAlive) {
  std::mt19937 dice(11);
  auto states = new_states();
  for (const auto& rule : testing::builtin_rules()->impl().compiled) {
    const std::size_t widest =
        std::min(max_width(rule->source().pattern), rule->source().width_limit);
    for (int n = 0; n < 5; ++n) {
      std::string text = "\n";
      testing::sample(rule->source().pattern, dice, text);
      if (text.size() < 2 || text.size() > widest || rule->next_begin(text, 1, 2) != 1) continue;
      for (const std::size_t frontier : frontiers(states, text, 1))
        ASSERT_LE(frontier, 1U) << rule->source().rule.id << " " << text;
    }
  }
}

// What is asked of a long piece relies on it.
TEST(PrefixAutomaton, TheSearchesTellOfAMatchInTime) {
  std::mt19937 dice(16);
  Scanner scanner(testing::builtin_rules());
  const RuleSet::Impl& rules = testing::builtin_rules()->impl();
  std::size_t tried = 0;
  for (std::uint32_t i = 0; i < rules.compiled.size(); ++i) {
    const std::size_t told_within = rules.searches.told_within[i];
    for (int n = 0; n < 20 && told_within != never_told; ++n) {
      std::string text = "\n";
      testing::sample(rules.compiled[i]->source().pattern, dice, text);
      if (rules.compiled[i]->next_begin(text, 1, 2) != 1) continue;
      if (text.size() < 1 + told_within) continue;
      text.resize(1 + told_within);
      scanner.impl().find_starts(text, 0, Categories().set());
      const auto& starts = scanner.impl().starts[i];
      EXPECT_TRUE(std::ranges::any_of(
          starts, [](const auto& place) { return place.first <= 1 && place.last >= 1; }))
          << rules.compiled[i]->source().rule.id << " " << text;
      ++tried;
    }
  }
  EXPECT_GT(tried, 1000U);
}

// Whole or in pieces: a match of the pattern is noted when its last byte has come.
TEST(PrefixAutomaton, EveryMatchIsNoted) {
  std::mt19937 dice(15);
  auto states = new_states();
  for (const auto& rule : testing::builtin_rules()->impl().compiled) {
    std::string text = "\n";
    testing::sample(rule->source().pattern, dice, text);
    const std::size_t widest =
        std::min(max_width(rule->source().pattern), rule->source().width_limit);
    if (text.size() < 2 || text.size() > widest || rule->next_begin(text, 1, 2) != 1) continue;
    for (const std::size_t step : {std::size_t{1}, text.size()}) {
      LivePrefixes live;
      live.restart();
      for (std::size_t end = step; end <= text.size(); end += step)
        feed(live, states, std::string_view(text).substr(0, end));
      EXPECT_TRUE(live.may_match_before(2)) << rule->source().rule.id << " " << text;
      live.examined(2);
      EXPECT_FALSE(live.may_match_before(2));
    }
  }
}

TEST(PrefixAutomaton, ProseIsNotHeldAndNotSearched) {
  auto states = new_states();
  const std::string prose =
      "The team moved its reports to a new region last week, and it went well. ";
  for (const std::size_t step : {std::size_t{1}, prose.size()}) {
    LivePrefixes live;
    live.restart();
    for (std::size_t end = step; end <= prose.size(); end += step)
      feed(live, states, std::string_view(prose).substr(0, end));
    EXPECT_LE(prose.size() - live.frontier(), 8U);
    EXPECT_FALSE(live.may_match_before(live.frontier()));
  }
}

TEST(PrefixAutomaton, CutsMakeNoDifference) {
  std::mt19937 dice(12);
  auto states = new_states();
  for (int n = 0; n < 50; ++n) {
    const std::string text = random_text(dice, page);
    EXPECT_EQ(frontiers(states, text, 1).back(), frontiers(states, text, page).back());
  }
}

TEST(PrefixAutomaton, ForgetsStatesButNotWhatIsAlive) {
  std::mt19937 dice(13);
  auto used = new_states(200);
  auto ample = new_states();
  for (int n = 0; n < 50; ++n) {
    const std::string text = random_text(dice, page);
    ASSERT_EQ(frontiers(used, text, 1), frontiers(ample, text, 1));
  }
  EXPECT_GT(ample.front().size(), 400U);
  EXPECT_LT(used.front().size(), 300U);
}

// Two texts at once, whose states are renewed now by the one and now by the other.
TEST(PrefixAutomaton, TextsShareTheStates) {
  std::mt19937 dice(14);
  auto shared = new_states(100);
  auto ample = new_states();
  for (int n = 0; n < 20; ++n) {
    const std::array texts = {random_text(dice, page), random_text(dice, page)};
    std::array<LivePrefixes, 2> live;
    std::array<LivePrefixes, 2> expected;
    for (std::size_t end = 1; end <= page; ++end) {
      for (std::size_t i = 0; i < 2; ++i) {
        feed(live[i], shared, std::string_view(texts[i]).substr(0, end));
        feed(expected[i], ample, std::string_view(texts[i]).substr(0, end));
        ASSERT_EQ(live[i].frontier(), expected[i].frontier()) << texts[i].substr(0, end);
      }
    }
  }
  EXPECT_GT(shared.front().generation(), 2U);
}

}  // namespace
}  // namespace gatehouse::inspect

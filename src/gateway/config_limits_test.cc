#include "gateway/config_limits.h"

#include <gtest/gtest.h>

namespace gatehouse::gateway {
namespace {

using limits::Per;
using limits::Unit;
using limits::Window;

Result<BudgetsConfig> read(std::string_view yaml) {
  GH_ASSIGN(const auto node, ConfigNode::parse(yaml, "test.yaml"));
  ConfigReader reader(node);
  auto budgets = read_budgets(reader);
  GH_TRY(reader.finish());
  return budgets;
}

TEST(ConfigLimits, AreReadAsTheyAreWritten) {
  const auto config = read(R"(
prices:
  - {model: gpt-4o, input: "2.50", output: "10", cache_read: "1.25", most_output_tokens: 16384}
  - {model: "*", input: "15", output: "75"}
budgets:
  - {name: each-minute, amount: 60, window: 1m, per: [principal]}
  - name: team-month
    unit: money
    amount: 500.25
    window: month
    per: [team, principal, team]
    match: {principals: ["agent:*"], groups: [g], teams: [red], models: ["gpt-4*"], routes: [embeddings]}
    applies: by_policy
  - {name: tools, unit: tool_calls, amount: 5, window: forever, match: {tools: ["mail/*"]}, per: tool}
)");
  ASSERT_TRUE(config) << config.error().describe();
  ASSERT_EQ(config->limits.size(), 3u);
  EXPECT_EQ(config->limits[0].unit, Unit::requests);
  EXPECT_EQ(config->limits[0].window.length, std::chrono::seconds(60));
  const auto* month = config->find("team-month");
  ASSERT_NE(month, nullptr);
  EXPECT_EQ(month->amount, 500'250'000);
  EXPECT_EQ(month->window.kind, Window::Kind::month);
  EXPECT_EQ(month->per, (std::vector{Per::principal, Per::team}));
  EXPECT_TRUE(month->by_policy);
  EXPECT_EQ(config->find("none"), nullptr);
  EXPECT_EQ(config->price_of("gpt-4o")->price.cache_write, 5'000'000);
  EXPECT_EQ(config->price_of("gpt-4o")->output_tokens, 16'384);
  EXPECT_EQ(config->price_of("other")->price.output, 75'000'000);
  EXPECT_FALSE(config->price_of("other")->output_tokens);
}

TEST(ConfigLimits, WhatIsWrongIsSaid) {
  const auto problem = [](std::string_view yaml) {
    const auto config = read(yaml);
    return config ? std::string() : config.error().message + config.error().context;
  };
  const std::pair<std::string, std::string> cases[] = {
      {"{name: a, amount: 1}", "window"},
      {"{name: a, window: 1m}", "amount"},
      {"{amount: 1, window: 1m}", "name"},
      {"{name: a, amount: -1, window: 1m}", "amount"},
      {"{name: a, amount: 1.5, window: 1m}", "amount"},
      {"{name: a, amount: 1, window: 1y}", "window"},
      {"{name: 'a b', amount: 1, window: 1m}", "name"},
      {"{name: a, unit: gold, amount: 1, window: 1m}", "unit"},
      {"{name: a, amount: 1, window: 1m, per: [colour]}", "per"},
      {"{name: a, amount: 1, window: 1m, per: [tool]}", "tool_calls"},
      {"{name: a, amount: 1, window: 1m, match: {principals: [ada]}}", "principals"},
      {"{name: a, amount: 1, window: 1m, macth: {}}", "macth"},
      {"{name: a, amount: 1, window: 1m}, {name: a, amount: 1, window: 1m}", "twice"},
  };
  for (const auto& [budget, names] : cases) {
    const auto said = problem("budgets: [" + budget + "]");
    EXPECT_NE(said.find(names), std::string::npos) << budget << ": " << said;
  }
  EXPECT_FALSE(problem("prices: [{model: a, input: 1}]").empty());
  EXPECT_FALSE(problem("prices: [{model: a, input: x, output: 1}]").empty());
  EXPECT_FALSE(problem("prices: [{model: a, input: 1, output: 1}, {model: a, input: 1, output: 1}]")
                   .empty());
}

TEST(ConfigLimits, EveryChangeChangesTheDigest) {
  const std::string before = R"(budgets: [{name: a, amount: 1, window: 1m}])";
  const auto digest = [](const std::string& yaml) { return settings_digest(read(yaml).value()); };
  EXPECT_EQ(digest(before), digest(before));
  for (const auto* other : {"budgets: [{name: a, amount: 2, window: 1m}]",
                            "budgets: [{name: a, amount: 1, window: day}]",
                            "budgets: [{name: a, amount: 1, window: 1m, per: [team]}]",
                            "budgets: [{name: a, amount: 1, window: 1m, applies: by_policy}]",
                            "budgets: [{name: a, amount: 1, window: 1m, match: {models: [m]}}]"})
    EXPECT_NE(digest(before), digest(other)) << other;
  EXPECT_NE(digest(before), digest(before + "\nprices: [{model: m, input: 1, output: 1}]"));
}

}  // namespace
}  // namespace gatehouse::gateway

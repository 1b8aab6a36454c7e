// What policies in shadow would have changed, by policy, and not endlessly many of them.
#include "gateway/metrics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "gateway/principal_facts.h"

namespace gatehouse::gateway {
namespace {

using Shadow = policy::Decision::Shadow;

class ShadowMetrics : public ::testing::Test {
 protected:
  void count(bool permit, std::vector<Shadow> shadow, std::optional<Problem> problem = {},
             std::vector<std::string> determining = {}) {
    Exchange exchange;
    exchange.route = Route::chat_completions;
    exchange.decision.permit = permit;
    exchange.decision.determining = std::move(determining);
    exchange.decision.shadow = std::move(shadow);
    exchange.problem = problem;
    metrics_.count_request(exchange);
  }
  // Of all time series of the counter.
  std::vector<std::string> lines() {
    std::vector<std::string> lines;
    std::istringstream text(metrics_.text());
    for (std::string line; std::getline(text, line);)
      if (line.starts_with("gatehouse_policy_shadow_total{")) lines.push_back(line);
    return lines;
  }
  bool shows(const std::string& policy, const std::string& effect, int number) {
    const auto found = lines();
    return std::ranges::any_of(found, [&](const std::string& line) {
      return line.find("policy=\"" + policy + "\"") != std::string::npos &&
             line.find("effect=\"" + effect + "\"") != std::string::npos &&
             line.ends_with("} " + std::to_string(number));
    });
  }

  Metrics metrics_;
};

TEST_F(ShadowMetrics, are_by_policy_and_by_what_it_would_have_done) {
  const Shadow stops{.policy = "stops", .permit = false, .obligations = {}};
  const Shadow opens{.policy = "opens", .permit = true, .obligations = {}};
  const Shadow masks{.policy = "masks", .permit = true, .obligations = {{"redact", "personal"}}};
  count(true, {});
  EXPECT_TRUE(lines().empty());
  count(true, {stops, masks});
  count(true, {stops});
  count(false, {opens}, Problem::blocked);
  EXPECT_TRUE(shows("stops", "forbid", 2));
  EXPECT_TRUE(shows("masks", "obligation", 1));
  EXPECT_TRUE(shows("opens", "permit", 1));
  EXPECT_EQ(lines().size(), 3u);
}

TEST_F(ShadowMetrics, what_was_not_for_policies_to_permit_is_not_counted) {
  const Shadow opens{.policy = "opens", .permit = true, .obligations = {}};
  count(false, {opens}, Problem::unknown_model);
  count(false, {opens}, Problem::blocked, {std::string(scope_policy)});
  EXPECT_TRUE(lines().empty());
}

TEST_F(ShadowMetrics, are_bounded) {
  for (int at = 0; at < 300; ++at)
    count(true, {{.policy = "p" + std::to_string(at), .permit = false, .obligations = {}}});
  EXPECT_EQ(lines().size(), 257u);
  EXPECT_TRUE(shows("(others)", "forbid", 300 - 256));
  count(true, {{.policy = "p7", .permit = false, .obligations = {}}});
  EXPECT_TRUE(shows("p7", "forbid", 2));
}

}  // namespace
}  // namespace gatehouse::gateway

// See exchange.h.
#include "gateway/exchange.h"

#include <algorithm>

namespace gatehouse::gateway {

std::string_view to_string(Route route) {
  switch (route) {
    case Route::chat_completions:
      return "chat.completions";
    case Route::embeddings:
      return "embeddings";
    case Route::list_models:
      return "models";
    case Route::messages:
      return "messages";
    case Route::count_tokens:
      return "count_tokens";
    case Route::responses:
      return "responses";
    case Route::receipts:
      return "receipts";
    case Route::provenance:
      return "provenance";
    case Route::mcp:
      return "mcp";
    case Route::administration:
      return "administration";
    case Route::approvals:
      return "approvals";
    case Route::directory:
      return "directory";
  }
  return "unknown";
}

std::string_view to_string(Stage stage) {
  constexpr std::array<std::string_view, stage_count> names{
      "identify", "decode",    "inspect", "decide", "consult",
      "record",   "transform", "forward", "screen", "outcome"};
  return names[static_cast<std::size_t>(stage)];
}

void FindingTotals::add(const std::vector<inspect::Finding>& findings) {
  for (const auto& finding : findings) {
    ++by_category[static_cast<std::size_t>(finding.category)];
    add(finding.rule, 1);
  }
}

void FindingTotals::add(const FindingTotals& more) {
  for (std::size_t at = 0; at < by_category.size(); ++at) by_category[at] += more.by_category[at];
  for (const auto& [rule, count] : more.by_rule) add(rule, count);
}

void FindingTotals::add(std::uint32_t rule, std::uint32_t count) {
  const auto known = std::ranges::find(by_rule, rule, &FindingCount::rule);
  if (known == by_rule.end()) {
    by_rule.push_back({rule, count});
  } else {
    known->count += count;
  }
}

}  // namespace gatehouse::gateway

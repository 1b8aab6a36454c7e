// The parts of gatehouse.yaml under `budgets:` and `prices:`. docs/limits.md. (`limits:` are the
// sizes of messages, see config.h.)
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "limits/limits.h"

namespace gatehouse::gateway {

struct ModelPrice {
  limits::Price price;
  // At most, of one call; none: nobody said.
  std::optional<std::int64_t> input_tokens;
  std::optional<std::int64_t> output_tokens;
};

struct BudgetsConfig {
  std::vector<limits::Limit> limits;                      // each with a name of its own
  std::map<std::string, ModelPrice, std::less<>> prices;  // by model; "*": of all others

  const limits::Limit* find(std::string_view name) const;
  const ModelPrice* price_of(std::string_view model) const;  // null: none is known
};

BudgetsConfig read_budgets(ConfigReader& root);

// A digest of all of it, for the snapshot.
std::string settings_digest(const BudgetsConfig& budgets);

}  // namespace gatehouse::gateway

// Everything a decision depends on, compiled, immutable, shared: configuration, keys, models,
// policies, rules. A request sees exactly one from its first byte to its last; the digest is in
// every event.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/config.h"
#include "gateway/risk.h"
#include "identity/identity.h"
#include "identity/standing.h"
#include "inspect/inspect.h"
#include "limits/book.h"
#include "policy/policy.h"
#include "store/store.h"

namespace gatehouse::identity {
class Directory;
}

namespace gatehouse::gateway {

struct Snapshot {
  std::shared_ptr<const Config> config;
  identity::KeyIndex keys;
  identity::Standing standing;
  std::shared_ptr<const identity::Directory> directory;  // null: nobody provisions accounts here
  std::map<std::string, store::ModelRecord, std::less<>> models;
  std::shared_ptr<const policy::PolicySet> policies;
  std::shared_ptr<const inspect::RuleSet> rules;
  RiskModel risk;
  guard::LocalModels guard_models;              // of guards of type onnx, by name
  std::shared_ptr<const limits::Rules> limits;  // null: none (a snapshot that only decides)
  inspect::Categories watched;                  // what policies make worth looking for
  bool governs_tools = false;                   // policies speak of calls of tools
  std::uint64_t state_index = 0;  // keys and models are the fold of the ledger's entries below it
  std::string description;        // canonical JSON of all of the above, without secrets
  std::string digest;             // "sha256:…" of the description

  // nullptr when there is no such model, or its provider is not configured.
  const store::ModelRecord* find_model(std::string_view name) const;
  std::shared_ptr<guard::LocalModel> guard_model(std::string_view name) const;  // or null
  const ProviderConfig* provider_of(const store::ModelRecord& model) const;
};

Result<std::shared_ptr<const policy::PolicySet>> load_policies(const Config& config);
Result<std::shared_ptr<const inspect::RuleSet>> load_rules(const Config& config);

// Every guard that policies want asked is configured.
Result<void> check_guards(const Snapshot& snapshot);
// Every check that policies want made is configured.
Result<void> check_checks(const Snapshot& snapshot);

// Computes description and digest; the other members must be set.
void seal_snapshot(Snapshot& snapshot, const std::vector<store::KeyRecord>& keys);

}  // namespace gatehouse::gateway

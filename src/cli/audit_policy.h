// --policy of `gatehouse audit verify` and `audit check`: a trust policy (C2SP tlog-policy) whose
// quorum of witnesses has to have cosigned, and who has, for people and as JSON.
#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "ledger/proof.h"
#include "ledger/trust_policy.h"

namespace gatehouse::cli {

void add_policy_option(CLI::App& verb, std::string& policy_file);
// Absent when none is given.
Result<std::optional<ledger::TrustPolicy>> policy_from(const std::string& policy_file);

void print_witnesses(const ledger::TrustPolicy& policy,
                     const std::vector<ledger::WitnessedBy>& witnesses);
nlohmann::ordered_json witnesses_json(const ledger::TrustPolicy& policy,
                                      const std::vector<ledger::WitnessedBy>& witnesses);

// Under the key, or the policy, or both: then the key is the only log that counts.
Result<ledger::WitnessedCheckpoint> check_receipt(const ledger::InclusionReceipt& receipt,
                                                  const std::optional<ledger::VerifierKey>& key,
                                                  const std::optional<ledger::TrustPolicy>& policy,
                                                  const std::string& entry);

}  // namespace gatehouse::cli

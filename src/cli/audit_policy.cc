// See audit_policy.h.
#include "cli/audit_policy.h"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

namespace gatehouse::cli {
namespace {

using nlohmann::ordered_json;

std::string time_of(const ledger::WitnessedBy& by) {
  constexpr std::uint64_t far_future = 253'402'300'799;  // the year 9999
  return format_time(WallTime(std::chrono::seconds(std::min(by.time, far_future))));
}

}  // namespace

void add_policy_option(CLI::App& verb, std::string& policy_file) {
  verb.add_option("--policy", policy_file,
                  "Trust policy (C2SP tlog-policy) whose quorum must have cosigned");
}

Result<std::optional<ledger::TrustPolicy>> policy_from(const std::string& policy_file) {
  if (policy_file.empty()) return std::nullopt;
  GH_ASSIGN(const std::string bytes, read_file(policy_file, ledger::max_policy_bytes));
  GH_ASSIGN(auto policy, ledger::parse_trust_policy(bytes, policy_file));
  return policy;
}

void print_witnesses(const ledger::TrustPolicy& policy,
                     const std::vector<ledger::WitnessedBy>& witnesses) {
  for (const ledger::WitnessedBy& by : witnesses) {
    std::cout << "  witness     " << printable(policy.witnesses[by.witness].name) << " cosigned at "
              << time_of(by) << '\n';
  }
}

ordered_json witnesses_json(const ledger::TrustPolicy& policy,
                            const std::vector<ledger::WitnessedBy>& witnesses) {
  ordered_json out = ordered_json::array();
  for (const ledger::WitnessedBy& by : witnesses) {
    const ledger::PolicyWitness& witness = policy.witnesses[by.witness];
    out.push_back({{"name", to_utf8(witness.name)}, {"key", witness.vkey}, {"time", time_of(by)}});
  }
  return out;
}

Result<ledger::WitnessedCheckpoint> check_receipt(const ledger::InclusionReceipt& receipt,
                                                  const std::optional<ledger::VerifierKey>& key,
                                                  const std::optional<ledger::TrustPolicy>& policy,
                                                  const std::string& entry) {
  if (!policy) {
    GH_CHECK(key.has_value());
    ledger::WitnessedCheckpoint out;
    out.log = to_string(*key);
    GH_ASSIGN(out.checkpoint, ledger::check_receipt(receipt, *key, entry));
    return out;
  }
  ledger::TrustPolicy trusted = *policy;
  if (key) {
    const std::string vkey = to_string(*key);
    const bool listed = std::ranges::any_of(
        policy->logs, [&](const ledger::PolicyLog& log) { return log.vkey == vkey; });
    if (!policy->logs.empty() && !listed)
      return fail(ErrorCode::permission_denied, "the key is not one of the policy's logs");
    trusted.logs = {{.vkey = vkey, .key = key, .url = {}}};
  }
  return ledger::check_witnessed_receipt(receipt, trusted, entry);
}

}  // namespace gatehouse::cli

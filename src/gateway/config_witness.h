// The settings `ledger.witness_*`: who has to cosign this gateway's ledger. docs/witness.md.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/config.h"
#include "ledger/trust_policy.h"

namespace gatehouse::gateway {

struct WitnessSettings {
  std::optional<std::filesystem::path> file;          // ledger.witness_policy; absent: no witnesses
  std::shared_ptr<const ledger::TrustPolicy> policy;  // what it says
  std::string policy_text;                            // its bytes, to see a change at a reload
  std::chrono::milliseconds interval{1'000};
  std::chrono::milliseconds timeout{5'000};
  std::chrono::milliseconds refresh{600'000};
  bool required = false;
};

// Reads the members of `ledger:` that begin with "witness_", and the policy file.
WitnessSettings read_witness_settings(ConfigReader& ledger, const std::filesystem::path& config);

// Which of these settings differs and cannot change without a restart; empty: none.
std::string frozen_difference(const WitnessSettings& now, const WitnessSettings& next);

}  // namespace gatehouse::gateway

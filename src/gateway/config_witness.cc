#include "gateway/config_witness.h"

#include "base/file.h"
#include "witness/round.h"

namespace gatehouse::gateway {

namespace {

using std::chrono::milliseconds;

void read_policy(ConfigReader& ledger, const std::filesystem::path& file,
                 WitnessSettings& settings) {
  auto bytes = read_file(file, ledger::max_policy_bytes);
  if (!bytes) return ledger.note(std::move(bytes).error());
  auto policy = ledger::parse_trust_policy(*bytes, file.string());
  if (!policy) return ledger.note(std::move(policy).error());
  if (const auto peers = witness::peers_of(*policy); !peers) {
    return ledger.note(Error(peers.error()).within(file.string()));
  }
  settings.policy_text = std::move(*bytes);
  settings.policy = std::make_shared<const ledger::TrustPolicy>(std::move(*policy));
}

}  // namespace

WitnessSettings read_witness_settings(ConfigReader& ledger, const std::filesystem::path& config) {
  WitnessSettings settings;
  constexpr milliseconds one_day{24 * 3'600'000};
  settings.interval = ledger.duration("witness_interval", settings.interval, milliseconds(100),
                                      milliseconds(3'600'000));
  settings.timeout =
      ledger.duration("witness_timeout", settings.timeout, milliseconds(100), milliseconds(60'000));
  settings.refresh =
      ledger.duration("witness_refresh", settings.refresh, milliseconds(1'000), one_day);
  settings.required = ledger.boolean("witness_required", settings.required);
  const std::string file = ledger.string("witness_policy", "");
  if (file.empty()) return settings;
  const std::filesystem::path given(file);
  const auto path = given.is_absolute() ? given : config.parent_path() / given;
  settings.file = path;
  read_policy(ledger, path, settings);
  return settings;
}

std::string frozen_difference(const WitnessSettings& now, const WitnessSettings& next) {
  if (now.file != next.file || now.policy_text != next.policy_text) return "ledger.witness_policy";
  if (now.interval != next.interval) return "ledger.witness_interval";
  if (now.timeout != next.timeout) return "ledger.witness_timeout";
  if (now.refresh != next.refresh) return "ledger.witness_refresh";
  return {};
}

}  // namespace gatehouse::gateway

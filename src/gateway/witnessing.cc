// See witnessing.h.
#include "gateway/witnessing.h"

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "gateway/incident.h"
#include "ledger/event.h"
#include "ledger/witnessed.h"
#include "net/tls.h"
#include "witness/guard.h"

namespace gatehouse::gateway {
namespace {

// A policy that names logs and not this one would be refused by everybody who uses it.
Result<void> check_own_log(const Config& config, const std::string& own) {
  const auto& logs = config.witnesses.policy->logs;
  if (logs.empty()) return {};
  for (const ledger::PolicyLog& log : logs)
    if (log.vkey == own) return {};
  return fail(ErrorCode::failed_precondition,
              "the policy names logs, and not the one of this gateway: add \"log " + own + "\"",
              config.witnesses.file.value_or("").string());
}

Result<witness::Witnesses> witnesses_of(const Config& config, const ledger::Ledger& ledger) {
  GH_TRY(check_own_log(config, ledger.verifier_key()));
  witness::Witnesses out;
  out.ledger_directory = config.ledger_directory().lexically_normal().string();
  GH_ASSIGN(out.log, ledger::parse_verifier_key(ledger.verifier_key()));
  out.policy = config.witnesses.policy;
  out.timeout = config.witnesses.timeout;
  GH_ASSIGN(out.tls, net::TlsContext::client(config.upstream_ca));
  return out;
}

std::string details_of(const witness::Incident& incident) {
  const witness::Submission& seen = incident.submission;
  std::string details;
  JsonWriter writer(details);
  writer.begin_object().key("witness").string(incident.witness);
  writer.key("url").string(incident.url);
  writer.key("size").number(incident.our_size).key("root").string(to_base64(incident.our_root));
  if (seen.their_size) writer.key("witness_size").number(*seen.their_size);
  if (seen.their_root) writer.key("witness_root").string(to_base64(*seen.their_root));
  if (seen.our_root_there) writer.key("root_there").string(to_base64(*seen.our_root_there));
  if (seen.status != 0) writer.key("status").number(std::int64_t{seen.status});
  writer.key("detail").string(to_utf8(seen.detail)).key("action").string(incident.action);
  if (!seen.evidence.empty() && seen.evidence.size() < ledger::max_entry_bytes / 4)
    writer.key("evidence").string(seen.evidence);
  writer.end_object();
  return details;
}

}  // namespace

Result<void> ask_witnesses_before_start(const Config& config, ledger::Ledger& ledger) {
  ledger::RealDisk disk;
  if (!config.witnesses.policy)
    return ledger::remove_witnessed(disk, ledger::LogPaths(config.ledger_directory().string()));
  // The witnesses are shown all that is durable here; nothing of it can be missing in what they
  // know, because they were only ever shown what was durable.
  GH_TRY(ledger.checkpoint_now());
  GH_ASSIGN(const auto witnesses, witnesses_of(config, ledger));
  GH_ASSIGN(const auto report,
            witness::check_before_start(disk, witnesses, config.witnesses.required));
  for (const std::string& problem : report.problems)
    log_warning("witnesses: one could not be asked before the start", {{"detail", problem}});
  if (!report.quorum)
    log_warning(
        "witnesses: started without a quorum, so nobody says whether the ledger is the newest",
        {{"asked", report.asked}, {"answered", report.answered}});
  return {};
}

Result<std::unique_ptr<Witnessing>> Witnessing::start(const Config& config, ControlPlane& control,
                                                      Metrics& metrics) {
  if (!config.witnesses.policy) return nullptr;
  std::unique_ptr<Witnessing> out(new Witnessing(config, control));
  ledger::Ledger& ledger = control.ledger();
  witness::CosignerSettings settings;
  GH_ASSIGN(settings.witnesses, witnesses_of(config, ledger));
  settings.interval = config.witnesses.interval;
  settings.refresh = config.witnesses.refresh;
  const witness::CosignerHooks hooks{
      .published = [&ledger] { return ledger.stats().checkpoint_size; },
      .incident = [self = out.get()](const witness::Incident& one) { self->record(one); }};
  GH_ASSIGN(out->cosigner_, witness::Cosigner::start(std::move(settings), hooks, control.clock()));
  out->add_gauges(metrics);
  return out;
}

void Witnessing::record(const witness::Incident& incident) {
  log_error("incident: a witness contradicts the ledger or refuses it",
            {{"kind", incident.kind},
             {"witness", incident.witness},
             {"detail", incident.submission.detail},
             {"action", incident.action}});
  const auto recorded = raise_incident(control_, node_, incident.kind, details_of(incident));
  if (!recorded)
    log_error("an incident could not be recorded", {{"error", recorded.error().describe()}});
}

void Witnessing::add_gauges(Metrics& metrics) {
  const auto gauge = [&](const char* name, const char* help, auto read) {
    // The metrics may be read for an instant longer than the cosigner is wanted.
    metrics.add_gauge(name, help, [cosigner = std::weak_ptr(cosigner_), read] {
      const auto alive = cosigner.lock();
      return alive ? static_cast<double>(read(alive->stats())) : 0.0;
    });
  };
  using Stats = const witness::CosignerStats&;
  gauge("gatehouse_witnessed_entries", "Entries under the last checkpoint a quorum cosigned",
        [](Stats stats) { return stats.witnessed; });
  gauge("gatehouse_witness_quorum", "1 when the last round of witnesses had a quorum",
        [](Stats stats) { return stats.quorum ? 1 : 0; });
  gauge("gatehouse_witness_failing", "Witnesses that did not cosign when last asked",
        [](Stats stats) { return stats.failing; });
  gauge("gatehouse_witness_cosignatures", "Cosignatures received since the start",
        [](Stats stats) { return stats.cosignatures; });
  gauge("gatehouse_witness_failures", "Conversations with witnesses that brought no cosignature",
        [](Stats stats) { return stats.failures; });
  gauge("gatehouse_witness_incidents", "Incidents that witnesses gave rise to since the start",
        [](Stats stats) { return stats.incidents; });
}

}  // namespace gatehouse::gateway

// See control.h.
#include "gateway/control.h"

#include "approval/approval.h"
#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "gateway/mcp_desk.h"
#include "gateway/question.h"
#include "gateway/tool_calls.h"
#include "gateway/witnessing.h"
#include "guard/local_model.h"
#include "identity/directory.h"
#include "net/loop.h"

namespace gatehouse::gateway {

DeploymentKeys DeploymentKeys::derive(const Secret& deployment_secret) {
  const auto secret = bytes_of(deployment_secret.reveal());
  return {
      .key_hash = crypto::derive_key(secret, "gatehouse/api-key-hash/v1"),
      .session_id = crypto::derive_key(secret, "gatehouse/session-id/v1"),
      .session_seal = crypto::derive_key(secret, "gatehouse/session-seal/v1"),
      .content_salt = crypto::derive_key(secret, "gatehouse/content-salt/v1"),
      .vault = crypto::derive_key(secret, "gatehouse/vault/v1"),
      .provenance = crypto::derive_key(secret, "gatehouse/provenance/v1"),
      .limits = crypto::derive_key(secret, "gatehouse/limits/v1"),
      .approvals = crypto::derive_key(secret, "gatehouse/approvals/v1"),
      .log_key =
          crypto::SigningKey::from_seed(crypto::derive_key(secret, "gatehouse/ledger-signing/v1")),
      .delegation =
          crypto::SigningKey::from_seed(crypto::derive_key(secret, "gatehouse/delegation/v1")),
  };
}

ledger::Options ledger_options(const Config& config) {
  ledger::Options options;
  options.directory = config.ledger_directory();
  options.last_signed = config.last_signed_directory();
  options.origin = config.ledger_origin;
  options.checkpoint_interval = config.checkpoint_interval;
  return options;
}

crypto::Digest content_salt(const DeploymentKeys& keys, std::string_view id,
                            std::string_view which) {
  return crypto::hmac_sha256(keys.content_salt,
                             bytes_of(std::string(id) + '/' + std::string(which)));
}

Result<std::unique_ptr<ControlPlane>> ControlPlane::open(const Config& config, const Clock& clock,
                                                         Random& random) {
  std::error_code error;
  std::filesystem::create_directories(config.data, error);
  if (error) {
    return fail(ErrorCode::unavailable, "cannot make the data folder: " + error.message(),
                config.data.string());
  }
  auto keys = DeploymentKeys::derive(config.secret);
  std::unique_ptr<ControlPlane> control(new ControlPlane(config, clock, random, std::move(keys)));
  ledger::Options options = ledger_options(config);
  options.group_settled = net::Loop::wake_all;  // the walks that wait for this group, all at once
  GH_ASSIGN(control->ledger_,
            ledger::Ledger::open(std::move(options), control->keys_.log_key, clock));
  GH_TRY(ask_witnesses_before_start(config, *control->ledger_));
  GH_ASSIGN(control->store_, store::Store::open(config.database()));
  control->registry_ = std::make_unique<identity::Registry>(
      *control->ledger_, *control->store_, control->keys_.key_hash, config.node, clock, random);
  GH_ASSIGN(const auto applied, control->registry_->catch_up(config.ledger_directory()));
  control->mcp_ = std::make_shared<McpDesk>();
  control->mcp_->take_pins(control->registry_->list_tools());
  if (auto opened = control->mcp_->sessions().open(config.mcp_sessions_file(),
                                                   config.ledger_directory(), clock.wall());
      !opened)
    return std::unexpected(std::move(opened).error().within("sessions of MCP"));
  if (applied > 0) log_info("state caught up with the ledger", {{"events", applied}});
  GH_ASSIGN(control->vault_,
            VaultKeeper::open(config, control->keys_.vault, *control->ledger_, clock, random));
  GH_TRY(control->open_outputs(config));
  GH_TRY(control->open_budgets(config));
  control->approvals_ = std::make_shared<approval::Desk>(
      *control->registry_, config.approvals_directory(), control->keys_.approvals, clock, random);
  if (auto loaded = control->approvals_->load(); !loaded)
    return std::unexpected(std::move(loaded).error().within("approvals"));
  return control;
}

Result<void> ControlPlane::open_budgets(const Config& config) {
  BudgetKeeper::Options options{.file = config.tally_file(),
                                .ledger_directory = config.ledger_directory(),
                                .node = config.node,
                                .key = keys_.limits};
  auto opened = BudgetKeeper::open(std::move(options), *ledger_, clock_, random_);
  if (!opened) return std::unexpected(std::move(opened).error().within("budgets"));
  budgets_ = std::move(*opened);
  return {};
}

Result<void> ControlPlane::open_outputs(const Config& config) {
  if (!config.provenance.enabled) return {};
  provenance::IndexOptions options;
  options.directory = config.provenance_directory();
  options.retention = config.provenance.retention;
  auto opened = provenance::Index::open(std::move(options), provenance::Keys(keys_.provenance),
                                        clock_, random_);
  if (!opened) return std::unexpected(std::move(opened).error().within("provenance"));
  outputs_ = std::move(*opened);
  return {};
}

Result<std::shared_ptr<const Snapshot>> ControlPlane::build_snapshot(
    std::shared_ptr<const Config> config, const Snapshot* before) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->config = std::move(config);
  const bool same_config = before && before->config == snapshot->config;
  const bool same_rules =
      same_config || (before && !before->config->rules && !snapshot->config->rules);
  if (same_config) {
    snapshot->policies = before->policies;
    snapshot->risk = before->risk;
    snapshot->guard_models = before->guard_models;
  } else {
    GH_ASSIGN(snapshot->policies, load_policies(*snapshot->config));
    GH_ASSIGN(snapshot->risk, load_risk_model(snapshot->config->inspection));
    GH_ASSIGN(snapshot->guard_models,
              guard::load_local_models(snapshot->config->guards,
                                       before ? before->guard_models : guard::LocalModels()));
  }
  if (same_rules) {
    snapshot->rules = before->rules;
  } else {
    GH_ASSIGN(snapshot->rules, load_rules(*snapshot->config));
  }
  snapshot->watched = watched_categories(*snapshot->policies);
  snapshot->governs_tools = speaks_of_tools(*snapshot->policies);
  GH_TRY(check_guards(*snapshot));
  GH_TRY(check_checks(*snapshot));
  GH_ASSIGN(snapshot->limits, budgets_->compile(snapshot->config->budgets, *snapshot->policies));
  const store::State state = registry_->state();
  const auto keys = state.keys();
  GH_ASSIGN(snapshot->keys, identity::KeyIndex::build(keys, keys_.key_hash));
  for (auto& model : state.models()) snapshot->models.emplace(model.name, model);
  GH_ASSIGN(auto directory, identity::Directory::build(state));
  GH_ASSIGN(snapshot->standing, identity::Standing::build(state, directory));
  snapshot->directory = std::make_shared<const identity::Directory>(std::move(directory));
  snapshot->state_index = state.next_index();
  seal_snapshot(*snapshot, keys);
  return snapshot;
}

namespace {

// The description of a deployment with very many providers may not fit into an entry.
bool fits_into_event(const Snapshot& snapshot) {
  return snapshot.description.size() < ledger::max_entry_bytes / 2;
}

}  // namespace

Result<void> ControlPlane::keep_sources(const Snapshot& snapshot) {
  GH_TRY(sources_.keep(snapshot.policies->source()));
  GH_TRY(sources_.keep(snapshot.rules->source()));
  if (!fits_into_event(snapshot)) GH_TRY(sources_.keep(snapshot.description));
  return {};
}

Result<void> ControlPlane::record_snapshot(const Snapshot& snapshot, std::string_view reason) {
  GH_TRY(keep_sources(snapshot));
  ledger::Event event;
  event.id = make_uuid7(clock_, random_);
  event.time = clock_.wall();
  event.type = "snapshot.activated";
  event.node = snapshot.config->node;
  event.snapshot = snapshot.digest;
  JsonWriter writer(event.data);
  writer.begin_object().key("reason").string(reason);
  writer.key("state_index").number(snapshot.state_index);
  if (fits_into_event(snapshot)) writer.key("contents").raw(snapshot.description);
  writer.end_object();
  GH_ASSIGN(auto entry, ledger::serialize(event));
  GH_TRY(ledger_->append_and_wait(std::move(entry)));
  return {};
}

}  // namespace gatehouse::gateway

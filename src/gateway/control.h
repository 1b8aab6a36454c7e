// The control plane of one node: the ledger, the database, the registry over both, and the keys
// derived from the deployment secret. Whoever opens it owns the ledger's lock: the running gateway,
// or a command-line verb while no gateway runs. Members are used from any thread as their own
// headers say.
#pragma once

#include <memory>
#include <mutex>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "crypto/crypto.h"
#include "gateway/budget_keeper.h"
#include "gateway/config.h"
#include "gateway/snapshot.h"
#include "gateway/snapshot_sources.h"
#include "gateway/vault_keeper.h"
#include "identity/identity.h"
#include "ledger/ledger.h"
#include "provenance/index.h"
#include "store/store.h"

namespace gatehouse::approval {
class Desk;
}

namespace gatehouse::gateway {

class McpDesk;

struct DeploymentKeys {
  crypto::Digest key_hash;        // API keys at rest
  crypto::Digest session_id;      // names of conversations
  crypto::Digest session_seal;    // their placeholders
  crypto::Digest content_salt;    // salts of content digests in events
  crypto::Digest vault;           // the vault key, where the configuration names none
  crypto::Digest provenance;      // fingerprints of outputs
  crypto::Digest limits;          // the digest of what was used
  crypto::Digest approvals;       // what approvers are shown
  crypto::SigningKey log_key;     // checkpoints
  crypto::SigningKey delegation;  // roots of delegation tokens

  static DeploymentKeys derive(const Secret& deployment_secret);
};

// The configured log.
ledger::Options ledger_options(const Config& config);

// The salt of the content of one call: which is "request" or "answer", `id` that of the decision.
crypto::Digest content_salt(const DeploymentKeys& keys, std::string_view id,
                            std::string_view which);

class ControlPlane {
 public:
  // Opens ledger and database, applies state events the database has not seen. Error
  // failed_precondition: another process has the ledger.
  static Result<std::unique_ptr<ControlPlane>> open(const Config& config, const Clock& clock,
                                                    Random& random);

  ledger::Ledger& ledger() { return *ledger_; }
  store::Store& store() { return *store_; }
  identity::Registry& registry() { return *registry_; }
  VaultKeeper& vault() { return *vault_; }
  // The index of outputs; null where it is switched off.
  provenance::Index* outputs() { return outputs_.get(); }
  BudgetKeeper& budgets() { return *budgets_; }
  McpDesk& mcp() { return *mcp_; }
  // Calls of tools that wait for people. Never by a loop thread.
  approval::Desk& approvals() { return *approvals_; }
  const DeploymentKeys& keys() const { return keys_; }
  const Clock& clock() const { return clock_; }
  Random& random() { return random_; }
  // Held while the placeholders of a conversation are compared and replaced. Never by a loop
  // thread.
  std::mutex& sessions_mutex() { return sessions_mutex_; }

  // A new snapshot of configuration and state, not yet in force. Takes from `before` what cannot
  // have changed: all compiled policies and rules when the configuration is the same object, the
  // built-in rules always.
  Result<std::shared_ptr<const Snapshot>> build_snapshot(std::shared_ptr<const Config> config,
                                                         const Snapshot* before);
  // Keeps what the snapshot was made of, then records that it comes into force; both durable.
  Result<void> record_snapshot(const Snapshot& snapshot, std::string_view reason);

 private:
  ControlPlane(const Config& config, const Clock& clock, Random& random, DeploymentKeys keys)
      : clock_(clock),
        random_(random),
        keys_(std::move(keys)),
        sources_(config.snapshots_directory()) {}
  Result<void> open_outputs(const Config& config);
  Result<void> open_budgets(const Config& config);
  Result<void> keep_sources(const Snapshot& snapshot);
  const Clock& clock_;
  Random& random_;
  DeploymentKeys keys_;
  SnapshotSources sources_;
  std::mutex sessions_mutex_;
  std::shared_ptr<McpDesk> mcp_;  // shared only so that its type may stay unknown here
  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<identity::Registry> registry_;
  std::unique_ptr<VaultKeeper> vault_;
  std::unique_ptr<provenance::Index> outputs_;
  std::unique_ptr<BudgetKeeper> budgets_;
  std::shared_ptr<approval::Desk> approvals_;  // the same
};

}  // namespace gatehouse::gateway

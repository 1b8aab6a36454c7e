// The running gateway: a control plane, one worker thread a core, and what happens at start,
// reload and stop. The public functions may be called from one thread at a time each.
//
// Promises
//   1. A reload that fails changes nothing: the old snapshot stays in force.
//   2. A snapshot is in the ledger before any request is decided by it.
//   3. stop() returns when every request has its outcome in the ledger or the drain limit is over.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "export/exporters.h"
#include "gateway/administration_desk.h"
#include "gateway/config.h"
#include "gateway/control.h"
#include "gateway/identity_desk.h"
#include "gateway/metrics.h"
#include "gateway/state_guard.h"
#include "gateway/witnessing.h"
#include "gateway/worker.h"
#include "net/server.h"
#include "net/tls.h"

namespace gatehouse::gateway {

class Gateway {
 public:
  // Opens the control plane, listens and serves.
  static Result<std::unique_ptr<Gateway>> start(Config config, const Clock& clock, Random& random);
  ~Gateway();

  std::uint16_t port() const;
  ControlPlane& control() { return *control_; }
  std::shared_ptr<const Config> config() const;

  // Reads the configuration file again and puts it in force. Listener, data folder, origin and
  // secret keep their values until a restart; the error or the log says so.
  Result<void> reload();
  // Puts the state of the database in force, after keys or models changed.
  Result<void> refresh(std::string_view reason);

  // Compares the database with the ledger; a difference raises an incident. For one thread.
  Result<void> check_state() { return guard_->check(); }

  // Holds the classifier to its rates of false positives; what breaks one raises an incident. For
  // one thread, every few seconds.
  void watch_risk();

  // Who carries out administrative calls that came over HTTP and that policy permitted.
  AdministrationDesk& administration() { return administration_; }

  // What `gatehouse export status` shows: {"exporters":[…]}.
  std::string export_status() const;

  // Drains and stops: no new connections, running requests end, then the ledger closes.
  void stop();

 private:
  struct Node;

  Gateway() = default;
  Result<void> open_workers();
  Result<void> put_in_force(std::shared_ptr<const Config> config, std::string_view reason);
  void add_gauges();
  void start_exporters(const Clock& clock, Random& random);
  void add_export_metrics(std::size_t which);

  std::unique_ptr<ControlPlane> control_;
  std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<StateGuard> guard_;
  std::unique_ptr<RiskWatch> risk_watch_;
  std::unique_ptr<exporter::Exporters> exporters_;
  std::unique_ptr<Witnessing> witnessing_;  // null: nobody witnesses this ledger
  std::atomic<bool> ready_ = false;
  mutable std::mutex mutex_;  // guards config_, snapshot_ and the order of snapshots
  std::shared_ptr<const Config> config_;
  std::shared_ptr<const Snapshot> snapshot_;  // the one in force
  std::unique_ptr<ReceiptDesk> receipts_;
  std::unique_ptr<IdentityDesk> identities_;
  AdministrationDesk administration_;
  std::vector<std::unique_ptr<Node>> nodes_;
  bool stopped_ = false;
};

// The same from the files of exporters that do not run.
std::string remembered_export_status(const Config& config, ledger::Ledger& ledger);

}  // namespace gatehouse::gateway

// What one loop thread needs to walk requests. Everything in here is used on that thread only,
// except what says otherwise.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "gateway/administration_desk.h"
#include "gateway/control.h"
#include "gateway/coverage.h"
#include "gateway/decision_cache.h"
#include "gateway/identity_desk.h"
#include "gateway/json_walk.h"
#include "gateway/metrics.h"
#include "gateway/receipt_desk.h"
#include "gateway/risk_watch.h"
#include "gateway/snapshot.h"
#include "guard/guard.h"
#include "inspect/inspect.h"
#include "net/client.h"
#include "net/loop.h"

namespace gatehouse::gateway {

struct Worker {
  Worker(ControlPlane& control_plane, Metrics& shared_metrics, const std::atomic<bool>& ready_flag,
         std::shared_ptr<const Snapshot> first, std::shared_ptr<net::TlsContext> upstream_tls,
         ReceiptDesk& receipt_desk, RiskWatch& watch_of_risk, IdentityDesk& identity_desk,
         AdministrationDesk& administration_desk)
      : control(control_plane),
        metrics(shared_metrics),
        ready(ready_flag),
        receipts(receipt_desk),
        risk_watch(watch_of_risk),
        identities(identity_desk),
        administration(administration_desk),
        coverage(loop, control.ledger(), control.clock(),
                 [this] { return ready.load(std::memory_order_relaxed); }),
        snapshot(std::move(first)),
        scanner(std::make_shared<inspect::Scanner>(snapshot->rules, snapshot->watched)),
        decisions(std::make_shared<DecisionCache>(snapshot->policies)),
        upstreams(loop, snapshot->config->client, upstream_tls),
        tool_servers(loop, tool_server_limits(*snapshot->config), upstream_tls),
        guards(loop, control.clock(), std::move(upstream_tls)) {}

  // Requests that began before keep the snapshot they hold; their scanner holds its own rules.
  void activate(std::shared_ptr<const Snapshot> next) {
    if (next->rules != snapshot->rules || next->watched != snapshot->watched)
      scanner = std::make_shared<inspect::Scanner>(next->rules, next->watched);
    if (next->policies != snapshot->policies)
      decisions = std::make_shared<DecisionCache>(next->policies);
    tokens.clear();  // who they spoke for was judged under the snapshot before
    snapshot = std::move(next);
  }

  static net::ClientLimits tool_server_limits(const Config& config) {
    auto limits = config.client;
    limits.read_timeout = config.mcp.stream_idle;
    return limits;
  }

  ControlPlane& control;               // thread-safe
  Metrics& metrics;                    // thread-safe
  const std::atomic<bool>& ready;      // false while draining
  ReceiptDesk& receipts;               // thread-safe
  RiskWatch& risk_watch;               // thread-safe as used here
  IdentityDesk& identities;            // thread-safe
  AdministrationDesk& administration;  // thread-safe
  net::Loop loop;
  Coverage coverage;
  std::shared_ptr<const Snapshot> snapshot;
  std::shared_ptr<inspect::Scanner> scanner;
  std::shared_ptr<DecisionCache> decisions;
  TokenCache tokens;
  JsonWalker walker;
  SteadyTime ledger_error_logged;  // when that was said last
  net::ClientPool upstreams;
  net::ClientPool tool_servers;  // of MCP: their streams may be silent for long
  guard::Desk guards;
};

}  // namespace gatehouse::gateway

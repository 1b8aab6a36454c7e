// See gateway.h.
#include "gateway/gateway.h"

#include <sys/resource.h>

#include <algorithm>
#include <latch>

#include "base/log.h"
#include "gateway/incident.h"
#include "gateway/walk.h"

namespace gatehouse::gateway {

// One worker, its listener and its thread.
struct Gateway::Node {
  std::unique_ptr<Worker> worker;
  std::unique_ptr<net::Server> server;
  std::thread thread;
};

namespace {

// For the records of calls that the drain did not wait for.
constexpr std::chrono::seconds cut_off_time{2};
// For receivers to take what is there; the rest is sent after the next start.
constexpr std::chrono::seconds export_time{3};

std::size_t thread_count(const Config& config) {
  return config.threads > 0 ? config.threads : std::max(1u, std::thread::hardware_concurrency());
}

// Takes all the descriptors the system allows this process, and says how many.
std::size_t take_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1'024;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
  (void)::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

// Client connections a thread may have: each may need another one upstream, and the ledger must be
// able to open its files whoever connects.
std::size_t connections_that_fit(const Config& config, std::size_t threads) {
  constexpr std::size_t reserve = 128;
  const std::size_t descriptors = std::max(take_descriptors(), 2 * reserve);
  const std::size_t fitting = std::max<std::size_t>((descriptors - reserve) / (2 * threads), 1);
  if (fitting < config.server.connections) {
    log_warning("fewer connections than limits.connections: raise the limit of open files",
                {{"connections", fitting * threads}, {"open files", descriptors}});
  }
  return std::min(fitting, config.server.connections);
}

// Runs `work` on the worker's loop and waits for it.
template <class Work>
void run_on(net::Loop& loop, Work work) {
  std::latch done(1);
  loop.post([&] {
    work();
    done.count_down();
  });
  done.wait();
}

// What cannot change without a restart.
std::string frozen_difference(const Config& now, const Config& next) {
  if (now.listen.host != next.listen.host) return "listen";
  if (now.listen.port != next.listen.port) return "listen";
  if (now.data != next.data) return "data";
  if (now.node != next.node) return "node";
  if (now.ledger_origin != next.ledger_origin) return "ledger.origin";
  if (now.last_signed != next.last_signed) return "ledger.last_signed";
  if (now.secret.reveal() != next.secret.reveal()) return "secret";
  if (now.threads != next.threads) return "threads";
  return frozen_difference(now.witnesses, next.witnesses);
}

}  // namespace

Result<std::unique_ptr<Gateway>> Gateway::start(Config config, const Clock& clock, Random& random) {
  std::unique_ptr<Gateway> gateway(new Gateway());
  gateway->config_ = std::make_shared<const Config>(std::move(config));
  GH_ASSIGN(gateway->control_, ControlPlane::open(*gateway->config_, clock, random));
  gateway->metrics_ = std::make_unique<Metrics>();
  GH_ASSIGN(gateway->snapshot_, gateway->control_->build_snapshot(gateway->config_, nullptr));
  GH_TRY(gateway->control_->record_snapshot(*gateway->snapshot_, "start"));
  gateway->guard_ = std::make_unique<StateGuard>(*gateway->control_, gateway->config_->node);
  GH_TRY(gateway->check_state());
  gateway->risk_watch_ =
      std::make_unique<RiskWatch>([self = gateway.get()](const std::string& details) {
        const auto raised =
            raise_incident(*self->control_, self->config_->node, "detector.rate", details);
        if (!raised)
          log_error("an incident could not be recorded", {{"error", raised.error().describe()}});
      });
  GH_TRY(gateway->open_workers());
  gateway->add_gauges();
  gateway->start_exporters(clock, random);
  GH_ASSIGN(gateway->witnessing_,
            Witnessing::start(*gateway->config_, *gateway->control_, *gateway->metrics_));
  gateway->ready_ = true;
  return gateway;
}

Result<void> Gateway::open_workers() {
  std::shared_ptr<net::TlsContext> server_tls;
  if (!config_->tls_certificate.empty()) {
    GH_ASSIGN(server_tls, net::TlsContext::server(config_->tls_certificate, config_->tls_key,
                                                  config_->tls_clients));
  }
  GH_ASSIGN(const auto upstream_tls, net::TlsContext::client(config_->upstream_ca));
  receipts_ = std::make_unique<ReceiptDesk>(config_->ledger_directory());
  identities_ =
      std::make_unique<IdentityDesk>(*config_, upstream_tls, control_->clock(), control_->random());
  const auto count = thread_count(*config_);
  auto limits = config_->server;
  limits.connections = connections_that_fit(*config_, count);
  auto address = config_->listen;
  if (count > 1 && address.port != 0) {
    // Sharing the port is for the workers of one gateway; a second gateway must not slip in.
    net::Loop loop;
    GH_TRY(net::Server(loop, address, {}, {}).listen());
  }
  address.reuse_port = count > 1;
  for (std::size_t at = 0; at < count; ++at) {
    auto node = std::make_unique<Node>();
    node->worker =
        std::make_unique<Worker>(*control_, *metrics_, ready_, snapshot_, upstream_tls, *receipts_,
                                 *risk_watch_, *identities_, administration_);
    Worker& worker = *node->worker;
    node->server = std::make_unique<net::Server>(
        worker.loop, address, limits,
        [&worker](net::ServerStream& client) { return walk(worker, client); }, server_tls);
    node->server->on_refused(
        [&worker](const net::Refusal& refusal) { note_refused_message(worker, refusal); });
    GH_TRY(node->server->listen());
    address.port = node->server->port();  // the first picks when any port will do
    nodes_.push_back(std::move(node));
  }
  for (auto& node : nodes_)
    node->thread = std::thread([&worker = *node->worker] { worker.loop.run(); });
  return {};
}

void Gateway::add_gauges() {
  auto& ledger = control_->ledger();
  metrics_->add_gauge("gatehouse_ledger_entries", "Durable entries of the ledger",
                      [&ledger] { return static_cast<double>(ledger.stats().size); });
  metrics_->add_gauge("gatehouse_ledger_queue", "Entries waiting for the ledger's writer",
                      [&ledger] { return static_cast<double>(ledger.stats().queued); });
  metrics_->add_gauge("gatehouse_ledger_lag_entries",
                      "Durable entries that no signed checkpoint covers yet", [&ledger] {
                        const auto stats = ledger.stats();
                        return static_cast<double>(stats.size - stats.checkpoint_size);
                      });
  metrics_->add_gauge("gatehouse_ledger_failed", "1 when the ledger cannot be written",
                      [&ledger] { return ledger.stats().failed ? 1.0 : 0.0; });
  metrics_->add_gauge("gatehouse_state_differences",
                      "Differences between the database and the ledger at the last comparison",
                      [this] { return static_cast<double>(guard_->differences()); });
  risk_watch_->add_gauges(*metrics_);
  auto& vault = control_->vault().vault();
  metrics_->add_gauge("gatehouse_vault_records", "Records in the vault, erased ones too",
                      [&vault] { return static_cast<double>(vault.stats().records); });
  metrics_->add_gauge("gatehouse_vault_bytes", "Bytes of the vault's files",
                      [&vault] { return static_cast<double>(vault.stats().bytes); });
  metrics_->add_gauge("gatehouse_vault_queue", "Records waiting for the vault's writer",
                      [&vault] { return static_cast<double>(vault.stats().queued); });
  metrics_->add_gauge("gatehouse_vault_failed", "1 when the vault cannot be written",
                      [&vault] { return vault.stats().failed ? 1.0 : 0.0; });
  if (auto* outputs = control_->outputs()) {
    metrics_->add_gauge("gatehouse_provenance_outputs", "Answers that can be found again",
                        [outputs] { return static_cast<double>(outputs->stats().outputs); });
    metrics_->add_gauge("gatehouse_provenance_failed", "1 when answers can no longer be noted",
                        [outputs] { return outputs->stats().failed ? 1.0 : 0.0; });
  }
  auto& book = control_->budgets().book();
  metrics_->add_gauge("gatehouse_limit_counters", "Counters of limits in memory",
                      [&book] { return static_cast<double>(book.counters()); });
  metrics_->add_reading(Metrics::Kind::counter, "gatehouse_limit_overruns_total",
                        "Calls that used more than their worst case", {},
                        [&book] { return static_cast<double>(book.overruns()); });
  metrics_->add_gauge("gatehouse_connections", "Open client connections", [this] {
    std::size_t open = 0;
    for (const auto& node : nodes_) open += node->server->connections();
    return static_cast<double>(open);
  });
  metrics_->add_gauge("gatehouse_active_requests", "Requests being handled", [this] {
    std::size_t active = 0;
    for (const auto& node : nodes_) active += node->server->active_requests();
    return static_cast<double>(active);
  });
}

Gateway::~Gateway() {
  stop();
}

std::uint16_t Gateway::port() const {
  return nodes_.front()->server->port();
}

std::shared_ptr<const Config> Gateway::config() const {
  const std::lock_guard lock(mutex_);
  return config_;
}

Result<void> Gateway::reload() {
  const std::lock_guard lock(mutex_);
  auto next = load_config(config_->file);
  Result<void> result;
  if (!next) {
    result = std::unexpected(next.error());
  } else if (const auto frozen = frozen_difference(*config_, *next); !frozen.empty()) {
    result = fail(ErrorCode::failed_precondition,
                  "\"" + frozen + "\" cannot change while the gateway runs; restart it for that",
                  config_->file.string());
  } else {
    result = put_in_force(std::make_shared<const Config>(std::move(*next)), "reload");
  }
  metrics_->count_reload(result.has_value());
  return result;
}

void Gateway::watch_risk() {
  RiskModel model;
  {
    const std::lock_guard lock(mutex_);
    model = snapshot_->risk;
  }
  risk_watch_->look(model);
}

Result<void> Gateway::refresh(std::string_view reason) {
  const std::lock_guard lock(mutex_);
  return put_in_force(config_, reason);
}

Result<void> Gateway::put_in_force(std::shared_ptr<const Config> config, std::string_view reason) {
  GH_ASSIGN(const auto snapshot, control_->build_snapshot(config, snapshot_.get()));
  GH_TRY(control_->record_snapshot(*snapshot, reason));
  if (config != config_) identities_->configure(*config);
  config_ = std::move(config);
  snapshot_ = snapshot;
  for (auto& node : nodes_) run_on(node->worker->loop, [&] { node->worker->activate(snapshot); });
  log_info("snapshot in force", {{"reason", reason}, {"digest", snapshot->digest}});
  return {};
}

void Gateway::stop() {
  if (std::exchange(stopped_, true)) return;
  ready_ = false;
  const auto deadline = std::chrono::steady_clock::now() +
                        (config_ ? config_->drain_timeout : std::chrono::milliseconds(0));
  const auto running = [](const auto& node) { return node->thread.joinable(); };
  for (auto& node : nodes_)
    if (running(node)) run_on(node->worker->loop, [&] { node->server->drain(); });
  const auto busy = [&] {
    return std::ranges::any_of(nodes_, [](const auto& node) {
      return node->server->active_requests() > 0 || node->server->connections() > 0;
    });
  };
  const auto wait_until = [&](auto until) {
    while (busy() && std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
  };
  wait_until(deadline);
  for (auto& node : nodes_) {
    if (!running(node)) continue;
    run_on(node->worker->loop, [&] { node->server->close_all(); });
  }
  // Walks that were cut off still write what came of them.
  wait_until(std::chrono::steady_clock::now() + cut_off_time);
  for (auto& node : nodes_) {
    if (!running(node)) continue;
    node->worker->loop.stop();
    node->thread.join();
  }
  identities_.reset();  // its threads post to the loops
  administration_.stop();
  witnessing_.reset();
  // The ledger is drained while the workers' completions still have a loop to be posted to.
  if (control_) {
    if (auto seen = control_->registry().mark_seen(); !seen)
      log_warning("the next start reads more of the ledger", {{"error", seen.error().describe()}});
    if (auto* outputs = control_->outputs()) outputs->close();
    if (auto kept = control_->budgets().keep_up(); !kept)
      log_warning("the next start counts more of the ledger", {{"error", kept.error().describe()}});
    if (auto closed = control_->ledger().close(); !closed)
      log_error("the ledger did not close cleanly", {{"error", closed.error().describe()}});
  }
  if (receipts_) receipts_->stop();
  if (exporters_) exporters_->stop(export_time);
  nodes_.clear();
}

}  // namespace gatehouse::gateway

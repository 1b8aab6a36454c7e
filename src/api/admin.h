// Administration of one node: keys, models, reload. The same calls serve three ways: the command
// line with a gateway running (HTTP over a unix socket that only its owner can open), the command
// line without one (in its own process, which then holds the ledger's lock), and callers over the
// gateway's own listener, whom policies decide about (gateway/administer.h). Whoever owns the node
// is asked nothing, and recorded as "cli:NAME"; callers are "user:NAME", so that no entry of the
// one can be taken for the other. JSON in, JSON out:
//
//   POST /admin/keys           {principal, attributes, lifetime_seconds}  -> {key, record}
//   GET  /admin/keys                                                      -> {keys: […]}
//   POST /admin/keys/revoke    {key: prefix or id}                        -> {record}
//   POST /admin/models         {name, provider, upstream_name, trust}     -> {model}
//   GET  /admin/models                                                    -> {models: […]}
//   POST /admin/models/remove  {name}                                     -> {model}
//   GET  /admin/export                                                    -> {exporters: […]}
//   GET  /admin/limits         -> {limits: [{name, unit, amount, window, counters: […]}]}
//   POST /admin/limits/reset   {limit, key: of one counter, else all}     -> {reset: how many}
//   POST /admin/reload                                                    -> {}
//   POST /admin/tokens …       tokens and principals; admin_token.h lists the calls
//   POST /admin/vault/…        kept content; admin_vault.h lists the calls
//   POST /admin/provenance/…   where texts came from; admin_provenance.h lists the calls
//
// A call exists only where gateway/administration.cc says which right it takes. A body with a
// member that is not listed here is refused. Errors: {"error": {"code", "message"}} with the HTTP
// status that fits.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "gateway/administration_desk.h"
#include "gateway/control.h"
#include "gateway/gateway.h"
#include "net/server.h"

namespace gatehouse::api {

using AdminReply = gateway::AdministrationReply;

// Thread-safe as its registry is; blocks on the disk.
class Admin {
 public:
  using Hook = std::function<Result<void>()>;
  // `changed` runs after a change of state, `reload` on request; either may be empty.
  Admin(gateway::ControlPlane& control, std::shared_ptr<const gateway::Config> config, Hook changed,
        Hook reload);
  // What answers GET /admin/export; without one the files of the exporters do.
  void on_export_status(std::function<std::string()> status) { export_status_ = std::move(status); }
  // What is in force now, where it can change; else the configuration of the constructor holds.
  void on_config(std::function<std::shared_ptr<const gateway::Config>()> current) {
    current_config_ = std::move(current);
  }
  // `roles`: those the policies were asked about; a directory changes no others.
  AdminReply handle(std::string_view method, std::string_view path, std::string_view body,
                    std::string_view actor, const std::vector<std::string>& roles = {});

 private:
  Result<std::string> dispatch(std::string_view method, std::string_view path,
                               std::string_view body, std::string_view actor);
  AdminReply directory(std::string_view method, std::string_view target, std::string_view body,
                       std::string_view actor, const std::vector<std::string>& roles);
  Result<std::string> create_key(std::string_view body, std::string_view actor);
  Result<std::string> add_model(std::string_view body, std::string_view actor);
  Result<std::string> reset_limit(std::string_view body, std::string_view actor);
  Result<std::string> after_change(std::string reply);
  std::shared_ptr<const gateway::Config> config() const {
    return current_config_ ? current_config_() : config_;
  }

  gateway::ControlPlane& control_;
  std::shared_ptr<const gateway::Config> config_;
  std::mutex directory_mutex_;
  Hook changed_;
  Hook reload_;
  std::function<std::string()> export_status_;
  std::function<std::shared_ptr<const gateway::Config>()> current_config_;
};

// Serves Admin on <data>/admin.sock, on a thread of its own, which also keeps the database up with
// the ledger.
class AdminServer {
 public:
  static Result<std::unique_ptr<AdminServer>> start(gateway::Gateway& gateway);
  ~AdminServer();

 private:
  explicit AdminServer(gateway::Gateway& gateway);
  net::Task<void> answer(net::ServerStream& client);
  AdminReply administer_here(std::string_view method, std::string_view path, std::string_view body,
                             std::string_view actor);
  net::Task<void> keep_up(identity::Registry& registry);
  net::Task<void> reconcile(gateway::Gateway& gateway);
  net::Task<void> watch_risk(gateway::Gateway& gateway);
  net::Task<void> keep_vault_up(gateway::Gateway& gateway);
  net::Task<void> keep_budgets_up(gateway::Gateway& gateway);

  gateway::Gateway& gateway_;
  Admin admin_;
  net::Loop loop_;
  std::unique_ptr<net::Server> server_;
  std::thread thread_;
};

// One administrative call to another machine's gateway, by its listener: `server` is its URL, https
// (or http to this machine), `key` the credential of whoever calls. No message ever has the key.
struct RemoteGateway {
  std::string server;
  Secret key;
  std::string ca_file;  // PEM; empty: the system's trust store
};
Result<std::string> administer(const RemoteGateway& gateway, std::string_view method,
                               std::string_view path, std::string body);

// One administrative call from the command line, through the running gateway where there is one.
Result<std::string> administer(const gateway::Config& config, std::string_view method,
                               std::string_view path, std::string body, std::string_view actor);

}  // namespace gatehouse::api

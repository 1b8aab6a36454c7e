// See admin.h.
#include "api/admin.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/admin_approval.h"
#include "api/admin_directory.h"
#include "api/admin_mcp.h"
#include "api/admin_provenance.h"
#include "api/admin_token.h"
#include "api/admin_vault.h"
#include "api/json_depth.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "gateway/administer_directory.h"
#include "gateway/administration.h"
#include "ledger/event.h"

namespace gatehouse::api {
namespace {

using nlohmann::json;

// A text that is looked for, with every byte of it escaped.
constexpr std::size_t largest_body = 7u << 20;
// How often, and after how many entries, the database is told how far the ledger is.
constexpr std::chrono::minutes keep_up_interval(1);
constexpr std::uint64_t keep_up_entries = 10'000;
// How often what was used of budgets is written down, so that a start after a kill is a short one.
constexpr std::chrono::seconds budgets_interval(10);

json to_json(const store::KeyRecord& key) {
  json attributes = json::object();
  for (const auto& [name, value] : key.attributes) attributes[name] = value;
  return {{"id", key.id},
          {"prefix", key.prefix},
          {"principal", key.principal_kind + ":" + key.principal_id},
          {"attributes", std::move(attributes)},
          {"created", key.created},
          {"expires", key.expires},
          {"revoked", key.revoked}};
}

json to_json(const store::ModelRecord& model) {
  return {{"name", model.name},
          {"provider", model.provider},
          {"upstream_name", model.upstream_name},
          {"trust", model.trust},
          {"clearance", model.clearance},
          {"created", model.created}};
}

template <class Record>
json to_json(const std::vector<Record>& records) {
  json list = json::array();
  for (const auto& record : records) list.push_back(to_json(record));
  return list;
}

// Reads the members of a request body; a missing, mistyped or unknown one is an error that names
// it. An unknown one is most likely a misspelt limit, and what it should have limited would be
// without.
class Body {
 public:
  static Result<Body> parse(std::string_view text, std::initializer_list<std::string_view> known) {
    auto parsed = json::parse(text, nullptr, false);
    if (!parsed.is_object())
      return fail(ErrorCode::invalid_argument, "the body must be a JSON object");
    for (const auto& [name, value] : parsed.items()) {
      if (std::ranges::count(known, name) == 0)
        return fail(ErrorCode::invalid_argument, "unknown member " + json(name).dump());
    }
    return Body(std::move(parsed));
  }

  Result<std::string> text(const char* name, const char* fallback = nullptr) const {
    const auto member = json_.find(name);
    if (member != json_.end() && member->is_string()) return member->get<std::string>();
    if (fallback && member == json_.end()) return std::string(fallback);
    return fail(ErrorCode::invalid_argument, std::string("expected a string \"") + name + "\"");
  }

  Result<std::vector<std::pair<std::string, std::string>>> pairs(const char* name) const {
    std::vector<std::pair<std::string, std::string>> pairs;
    if (!json_.contains(name)) return pairs;
    const auto& members = json_.at(name);
    if (!members.is_object())
      return fail(ErrorCode::invalid_argument, std::string("\"") + name + "\" must be an object");
    for (const auto& [key, value] : members.items()) {
      if (!value.is_string()) {
        return fail(ErrorCode::invalid_argument,
                    std::string("\"") + name + "." + key + "\" must be a string");
      }
      pairs.emplace_back(key, value.get<std::string>());
    }
    return pairs;
  }

  Result<std::optional<std::chrono::seconds>> seconds(const char* name) const {
    const auto member = json_.find(name);
    if (member == json_.end()) return std::nullopt;
    if (!member->is_number_integer())
      return fail(ErrorCode::invalid_argument,
                  std::string("\"") + name + "\" must be a whole number of seconds");
    // What does not fit becomes negative, which is no lifetime either.
    return std::chrono::seconds(member->get<std::int64_t>());
  }

 private:
  explicit Body(json parsed) : json_(std::move(parsed)) {}
  json json_;
};

}  // namespace

Admin::Admin(gateway::ControlPlane& control, std::shared_ptr<const gateway::Config> config,
             Hook changed, Hook reload)
    : control_(control),
      config_(std::move(config)),
      changed_(std::move(changed)),
      reload_(std::move(reload)) {}

AdminReply Admin::handle(std::string_view method, std::string_view path, std::string_view body,
                         std::string_view actor, const std::vector<std::string>& roles) {
  if (gateway::is_directory_path(path)) return directory(method, path, body, actor, roles);
  if (is_nested_too_deep(body))
    return gateway::reply_of(
        Error{ErrorCode::invalid_argument, "the body is nested deeper than 64 levels", {}});
  auto reply = dispatch(method, path, body, actor);
  return reply ? AdminReply{200, std::move(*reply)} : gateway::reply_of(reply.error());
}

AdminReply Admin::directory(std::string_view method, std::string_view target, std::string_view body,
                            std::string_view actor, const std::vector<std::string>& roles) {
  bool changed = false;
  auto reply = administer_directory(control_, *config(), method, target, body, actor, roles,
                                    directory_mutex_, changed);
  if (changed && changed_)
    if (auto in_force = changed_(); !in_force) return gateway::reply_of(in_force.error());
  return reply;
}

Result<std::string> Admin::dispatch(std::string_view method, std::string_view path,
                                    std::string_view body, std::string_view actor) {
  if (gateway::find_administration(method, path) == nullptr)
    return fail(ErrorCode::not_found, "no such administrative call");
  const auto config = this->config();
  auto& registry = control_.registry();
  if (method == "GET" && path == "/admin/keys") {
    GH_ASSIGN(const auto keys, registry.list_keys());
    return json{{"keys", to_json(keys)}}.dump();
  }
  if (method == "GET" && path == "/admin/models") {
    GH_ASSIGN(const auto models, registry.list_models());
    return json{{"models", to_json(models)}}.dump();
  }
  if (is_token_call(method, path)) {
    bool changed = false;
    GH_ASSIGN(auto reply, administer_tokens(control_, *config, path, body, actor, changed));
    return changed ? after_change(std::move(reply)) : std::move(reply);
  }
  if (method == "GET" && path == "/admin/export") {
    if (export_status_) return export_status_();
    return gateway::remembered_export_status(*config, control_.ledger());
  }
  if (method == "GET" && path == "/admin/limits") {
    return control_.budgets().list_json(config->budgets);
  }
  if (method != "POST") return fail(ErrorCode::not_found, "no such administrative call");
  if (path.starts_with(vault_prefix))
    return administer_vault(control_.vault(), *config, path.substr(vault_prefix.size()), body,
                            actor);
  if (path.starts_with(provenance_prefix))
    return administer_provenance(control_, *config, path.substr(provenance_prefix.size()), body);
  if (path == "/admin/limits/reset") return reset_limit(body, actor);
  if (path.starts_with(mcp_prefix))
    return administer_mcp(control_, *config, path.substr(mcp_prefix.size()), body, actor);
  if (path.starts_with(approvals_prefix))
    return administer_approvals(control_, path.substr(approvals_prefix.size()), body, actor);
  if (path == "/admin/keys") return create_key(body, actor);
  if (path == "/admin/models") return add_model(body, actor);
  if (path == "/admin/keys/revoke") {
    GH_ASSIGN(const auto request, Body::parse(body, {"key"}));
    GH_ASSIGN(const auto which, request.text("key"));
    GH_ASSIGN(const auto record, registry.revoke_key(which, actor));
    return after_change(json{{"record", to_json(record)}}.dump());
  }
  if (path == "/admin/models/remove") {
    GH_ASSIGN(const auto request, Body::parse(body, {"name"}));
    GH_ASSIGN(const auto name, request.text("name"));
    GH_ASSIGN(const auto record, registry.remove_model(name, actor));
    return after_change(json{{"model", to_json(record)}}.dump());
  }
  if (path == "/admin/reload" && reload_) {
    GH_TRY(reload_());
    return "{}";
  }
  return fail(ErrorCode::not_found, "no such administrative call");
}

Result<std::string> Admin::create_key(std::string_view body, std::string_view actor) {
  GH_ASSIGN(const auto request, Body::parse(body, {"principal", "attributes", "lifetime_seconds"}));
  identity::NewKey key;
  GH_ASSIGN(key.principal, request.text("principal"));
  GH_ASSIGN(key.attributes, request.pairs("attributes"));
  GH_ASSIGN(key.lifetime, request.seconds("lifetime_seconds"));
  GH_ASSIGN(const auto created, control_.registry().create_key(key, actor));
  return after_change(json{{"key", created.key}, {"record", to_json(created.record)}}.dump());
}

Result<std::string> Admin::add_model(std::string_view body, std::string_view actor) {
  GH_ASSIGN(const auto request,
            Body::parse(body, {"name", "provider", "upstream_name", "trust", "clearance"}));
  identity::NewModel model;
  GH_ASSIGN(model.name, request.text("name"));
  GH_ASSIGN(model.provider, request.text("provider"));
  GH_ASSIGN(model.upstream_name, request.text("upstream_name", ""));
  GH_ASSIGN(model.trust, request.text("trust"));
  GH_ASSIGN(model.clearance, request.text("clearance", ""));
  const auto config = this->config();
  if (!config->providers.contains(model.provider)) {
    return fail(ErrorCode::invalid_argument, "provider \"" + model.provider + "\" is not in " +
                                                 config->file.string() +
                                                 "; add it under providers first");
  }
  GH_ASSIGN(const auto record, control_.registry().add_model(model, actor));
  return after_change(json{{"model", to_json(record)}}.dump());
}

Result<std::string> Admin::reset_limit(std::string_view body, std::string_view actor) {
  GH_ASSIGN(const auto request, Body::parse(body, {"limit", "key"}));
  GH_ASSIGN(const auto limit, request.text("limit"));
  GH_ASSIGN(const auto key, request.text("key", ""));
  const auto config = this->config();
  if (config->budgets.find(limit) == nullptr && limit != limits::delegation_name)
    return fail(ErrorCode::not_found, "there is no limit \"" + limit +
                                          "\"; `gatehouse limit list` "
                                          "shows those that are");
  GH_ASSIGN(const auto count, control_.budgets().reset(
                                  limit, key.empty() ? std::nullopt : std::optional(key), actor));
  return json{{"reset", count}}.dump();
}

Result<std::string> Admin::after_change(std::string reply) {
  if (changed_) GH_TRY(changed_());
  return reply;
}

AdminServer::AdminServer(gateway::Gateway& gateway)
    : gateway_(gateway),
      admin_(
          gateway.control(), gateway.config(),
          [&gateway] { return gateway.refresh("administration"); },
          [&gateway] { return gateway.reload(); }) {
  admin_.on_export_status([&gateway] { return gateway.export_status(); });
  admin_.on_config([&gateway] { return gateway.config(); });
}

Result<std::unique_ptr<AdminServer>> AdminServer::start(gateway::Gateway& gateway) {
  std::unique_ptr<AdminServer> admin(new AdminServer(gateway));
  net::ListenAddress address;
  address.unix_path = gateway.config()->admin_socket().string();
  // The ledger's lock says that no other gateway lives here, so an old socket is a dead one.
  std::error_code ignored;
  std::filesystem::remove(address.unix_path, ignored);
  net::ServerLimits limits;
  limits.body_bytes = largest_body;
  limits.connections = 16;
  AdminServer& self = *admin;
  admin->server_ = std::make_unique<net::Server>(
      admin->loop_, address, limits,
      [&self](net::ServerStream& client) { return self.answer(client); });
  GH_TRY(admin->server_->listen());
  admin->loop_.spawn(self.keep_up(gateway.control().registry()));
  admin->loop_.spawn(self.reconcile(gateway));
  admin->loop_.spawn(self.keep_vault_up(gateway));
  admin->loop_.spawn(self.keep_budgets_up(gateway));
  admin->loop_.spawn(self.watch_risk(gateway));
  admin->thread_ = std::thread([&self] { self.loop_.run(); });
  gateway.administration().open([&self](std::string_view method, std::string_view path,
                                        std::string_view body, std::string_view actor,
                                        const std::vector<std::string>& roles) {
    return self.admin_.handle(method, path, body, actor, roles);
  });
  return admin;
}

AdminServer::~AdminServer() {
  gateway_.administration().close();
  loop_.stop();
  if (thread_.joinable()) thread_.join();
}

net::Task<void> AdminServer::keep_up(identity::Registry& registry) {
  while (true) {
    co_await loop_.sleep(keep_up_interval);
    if (auto kept = registry.keep_up(keep_up_entries); !kept)
      log_warning("the database is behind the ledger", {{"error", kept.error().describe()}});
  }
}

net::Task<void> AdminServer::reconcile(gateway::Gateway& gateway) {
  while (true) {
    co_await loop_.sleep(gateway.config()->reconcile_interval);
    if (auto checked = gateway.check_state(); !checked)
      log_warning("the database could not be compared with the ledger",
                  {{"error", checked.error().describe()}});
  }
}

net::Task<void> AdminServer::watch_risk(gateway::Gateway& gateway) {
  constexpr std::chrono::seconds interval{1};
  while (true) {
    co_await loop_.sleep(interval);
    gateway.watch_risk();
  }
}

net::Task<void> AdminServer::keep_vault_up(gateway::Gateway& gateway) {
  while (true) {
    const auto retention = gateway.config()->vault.retention;
    if (auto kept = gateway.control().vault().keep_up(retention); !kept)
      log_error("the vault cannot be pruned", {{"error", kept.error().describe()}});
    auto* const outputs = gateway.control().outputs();
    if (auto pruned = outputs ? outputs->prune() : Result<void>{}; !pruned)
      log_error("old answers cannot be pruned", {{"error", pruned.error().describe()}});
    co_await loop_.sleep(keep_up_interval);
  }
}

net::Task<void> AdminServer::keep_budgets_up(gateway::Gateway& gateway) {
  while (true) {
    co_await loop_.sleep(budgets_interval);
    if (auto kept = gateway.control().budgets().keep_up(); !kept)
      log_error("what was used of budgets cannot be written down",
                {{"error", kept.error().describe()}});
  }
}

namespace {

// Who owns the node may call itself what it likes, but not like a caller that policies decided
// about.
std::string local_actor(std::string_view claimed) {
  constexpr std::string_view prefix = "cli:";
  return claimed.starts_with(prefix) ? std::string(claimed) : std::string(prefix).append(claimed);
}

// What is done at the node is done without asking anybody: that stands in the ledger first.
Result<void> record_local(gateway::ControlPlane& control, const std::string& node,
                          const gateway::AdministrationRoute& route, std::string_view body,
                          std::string_view actor) {
  ledger::Event event;
  event.id = make_uuid7(control.clock(), control.random());
  event.time = control.clock().wall();
  event.type = "administration.local";
  event.node = node;
  JsonWriter who(event.actor);
  who.begin_object().key("kind").string("operator").key("id").string(utf8_prefix(actor, 256));
  who.end_object();
  JsonWriter what(event.subject);
  what.begin_object().key("method").string(route.method).key("path").string(route.path);
  const auto matter = gateway::matter_of(route, body);
  if (!matter.target.empty()) what.key("target").string(matter.target);
  what.end_object();
  JsonWriter data(event.data);
  data.begin_object().key("action").string(route.action).key("surface").string("socket");
  data.end_object();
  GH_ASSIGN(auto entry, ledger::serialize(event));
  GH_TRY(control.ledger().append_and_wait(std::move(entry)));
  return {};
}

}  // namespace

AdminReply AdminServer::administer_here(std::string_view method, std::string_view path,
                                        std::string_view body, std::string_view actor) {
  const auto* const route = gateway::find_administration(method, path);
  if (route == nullptr)
    return gateway::reply_of({ErrorCode::not_found, "no such administrative call", ""});
  if (route->changes) {
    if (auto recorded =
            record_local(gateway_.control(), gateway_.config()->node, *route, body, actor);
        !recorded)
      return gateway::reply_of(recorded.error());
  }
  return admin_.handle(method, path, body, actor);
}

net::Task<void> AdminServer::answer(net::ServerStream& client) {
  AdminReply reply;
  if (client.request().method == "POST") {
    auto body = co_await client.read_body(largest_body);
    if (!body) {
      client.abort();
      co_return;
    }
    const auto actor =
        local_actor(client.request().fields.find("gatehouse-actor").value_or("admin"));
    // On this thread: administration is rare, and waits for nobody but itself.
    reply = administer_here("POST", client.request().path(), *body, actor);
  } else {
    reply = administer_here(client.request().method, client.request().path(), "", "cli:admin");
  }
  net::ResponseHead head;
  head.status = reply.status;
  head.fields.add("Content-Type", "application/json");
  // Whoever asked may have gone; the change stands all the same.
  (void)co_await client.respond(std::move(head), std::move(reply.body));
}

}  // namespace gatehouse::api

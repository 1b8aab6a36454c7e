// See admin_token.h.
#include "api/admin_token.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/id.h"
#include "base/json.h"
#include "gateway/delegation_event.h"
#include "identity/delegation.h"
#include "identity/rules.h"

namespace gatehouse::api {
namespace {

using nlohmann::json;

constexpr std::string_view paths[] = {"/admin/tokens", "/admin/tokens/revoke",
                                      "/admin/principals/suspend", "/admin/principals/restore"};
constexpr std::string_view list_path = "/admin/revocations";

std::unexpected<Error> refuse(std::string why) {
  return fail(ErrorCode::invalid_argument, std::move(why));
}

Result<json> parse_body(std::string_view text, std::initializer_list<std::string_view> known) {
  auto body = json::parse(text, nullptr, false);
  if (!body.is_object()) return refuse("the body must be a JSON object");
  for (const auto& [name, value] : body.items())
    if (std::ranges::count(known, name) == 0) return refuse("unknown member " + json(name).dump());
  return body;
}

Result<std::string> text(const json& body, const char* name) {
  const auto member = body.find(name);
  if (member == body.end() || !member->is_string())
    return refuse(std::string("expected a string \"") + name + "\"");
  return member->get<std::string>();
}

Result<identity::Principal> principal_from(const json& body) {
  identity::Principal principal;
  GH_ASSIGN(const auto acting, text(body, "principal"));
  GH_ASSIGN(auto who, identity::parse_principal(acting));
  principal.kind = who.first;
  principal.id = std::move(who.second);
  const json chain = body.value("for", json::array());
  if (!chain.is_array() || chain.size() > identity::max_delegation_hops)
    return refuse("\"for\" is a list of at most 16 principals, nearest first");
  for (const auto& one : chain) {
    if (!one.is_string()) return refuse("\"for\" is a list of principals");
    GH_ASSIGN(auto other, identity::parse_principal(one.get<std::string>()));
    principal.chain.push_back({other.first, std::move(other.second), {}, {}});
  }
  return principal;
}

Result<std::string> mint_token(gateway::ControlPlane& control, const gateway::Config& config,
                               std::string_view text_body, std::string_view actor) {
  GH_ASSIGN(const json body,
            parse_body(text_body, {"principal", "for", "scope", "lifetime_seconds", "once"}));
  identity::Grant grant;
  GH_ASSIGN(grant.principal, principal_from(body));
  if (body.contains("scope")) {
    GH_ASSIGN(const auto scope, text(body, "scope"));
    GH_ASSIGN(grant.principal.scope, gateway::parse_scope(scope));
  }
  auto lifetime = config.identity.delegation_lifetime;
  if (body.contains("lifetime_seconds")) {
    const auto& seconds = body["lifetime_seconds"];
    const auto longest = config.identity.longest_delegation.count();
    if (!seconds.is_number_integer() || seconds.get<std::int64_t>() < 1 ||
        seconds.get<std::int64_t>() > longest)
      return refuse("\"lifetime_seconds\" is between 1 and identity.longest_delegation (" +
                    std::to_string(longest) + ")");
    lifetime = std::chrono::seconds(seconds.get<std::int64_t>());
  }
  if (body.contains("once") && !body["once"].is_boolean())
    return refuse("\"once\" is true or false");
  grant.once = body.contains("once") && body["once"].get<bool>();
  grant.issued = control.clock().wall();
  grant.expires = grant.issued + lifetime;
  grant.principal.scope.expires = grant.expires;
  grant.principal.credential = identity::CredentialKind::delegation;
  grant.id = make_uuid7(grant.issued, control.random());
  grant.principal.key_prefix = "ghd_" + grant.id;
  std::string who;
  JsonWriter writer(who);
  writer.begin_object().key("kind").string("operator").key("id").string(actor).end_object();
  GH_ASSIGN(auto entry, gateway::delegation_issued(config, grant, std::move(who), grant.issued,
                                                   control.random()));
  GH_TRY(control.ledger().append_and_wait(std::move(entry)));
  const auto& key = control.keys().delegation;
  const std::string& resource = config.identity.resource;
  const identity::DelegationRoot root{key.public_key(), resource.empty() ? "gatehouse" : resource};
  return json{{"token", mint(grant, root, key, control.random())}, {"id", grant.id}}.dump();
}

std::string revocations(const store::State& state) {
  json tokens = json::array();
  json principals = json::array();
  for (const auto& [name, data] : state.records()) {
    auto record = json::parse(data, nullptr, false);
    if (name.starts_with("revoked/token/"))
      tokens.push_back(std::move(record));
    else if (name.starts_with("revoked/principal/"))
      principals.push_back(std::move(record));
  }
  return json{{"tokens", std::move(tokens)}, {"principals", std::move(principals)}}.dump();
}

}  // namespace

bool is_token_call(std::string_view method, std::string_view path) {
  return method == "GET" ? path == list_path
                         : method == "POST" && std::ranges::count(paths, path) > 0;
}

Result<std::string> administer_tokens(gateway::ControlPlane& control, const gateway::Config& config,
                                      std::string_view path, std::string_view body,
                                      std::string_view actor, bool& changed) {
  auto& registry = control.registry();
  if (path == list_path) return revocations(registry.state());
  if (path == "/admin/tokens") return mint_token(control, config, body, actor);
  const bool token = path == "/admin/tokens/revoke";
  GH_ASSIGN(const json request, parse_body(body, {token ? "id" : "principal"}));
  GH_ASSIGN(const auto which, text(request, token ? "id" : "principal"));
  if (token) {
    GH_TRY(registry.revoke_token(which, actor));
  } else if (path == "/admin/principals/suspend") {
    GH_TRY(registry.suspend_principal(which, actor));
  } else {
    GH_TRY(registry.restore_principal(which, actor));
  }
  changed = true;
  return "{}";
}

}  // namespace gatehouse::api

// See administration.h. Everything that is not understood denies.
#include "gateway/administration.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "gateway/principal_facts.h"
#include "policy/context.h"

namespace gatehouse::gateway {
namespace {

// The JSON of a text that is looked for may escape every byte of it.
constexpr std::size_t a_text = 7u << 20;
constexpr std::size_t longest_target = 512;  // no principal is longer

constexpr auto routes = std::to_array<AdministrationRoute>({
    {"GET", "/admin/keys", "manage_keys"},
    {"POST", "/admin/keys", "manage_keys", "principal", "principal", true},
    {"POST", "/admin/keys/revoke", "manage_keys", "key", "key", true},
    {"POST", "/admin/tokens", "manage_keys", "principal", "principal", true},
    {"POST", "/admin/tokens/revoke", "manage_keys", "id", "token", true},
    {"GET", "/admin/revocations", "manage_revocations"},
    {"POST", "/admin/principals/suspend", "manage_revocations", "principal", "principal", true},
    {"POST", "/admin/principals/restore", "manage_revocations", "principal", "principal", true},
    {"GET", "/admin/models", "read_status"},
    {"POST", "/admin/models", "manage_models", "name", "model", true},
    {"POST", "/admin/models/remove", "manage_models", "name", "model", true},
    {"GET", "/admin/export", "read_status"},
    {"GET", "/admin/limits", "read_status"},
    {"POST", "/admin/limits/reset", "manage_limits", "limit", "limit", true},
    {"POST", "/admin/reload", "manage_settings", {}, {}, true},
    {"POST", "/admin/mcp/list", "read_status"},
    {"POST", "/admin/mcp/review", "review_tools", "server", "server"},
    {"POST", "/admin/mcp/approve", "review_tools", "tool", "tool", true},
    {"POST", "/admin/mcp/withdraw", "review_tools", "tool", "tool", true},
    {"POST", "/admin/provenance/status", "read_status"},
    {"POST", "/admin/provenance/check", "read_audit"},
    {"POST", "/admin/provenance/find", "read_content", {}, {}, false, false, a_text},
    {"POST", "/admin/vault/list", "read_content"},
    {"POST", "/admin/vault/get", "read_content", "record", "record", true},
    {"POST", "/admin/vault/find", "read_content", {}, {}, true},
    {"POST", "/admin/vault/holds", "read_content"},
    {"POST", "/admin/vault/erase", "erase_content", "record", "record", true},
    {"POST", "/admin/vault/hold", "erase_content", "record", "record", true},
    {"POST", "/admin/vault/release", "erase_content", "hold", "hold", true},
    {"POST", "/admin/vault/rewrap", "manage_settings", {}, {}, true},
    {"POST", "/admin/approvals/list", "approve"},
    {"POST", "/admin/approvals/show", "approve", "approval", "approval"},
    {"POST", "/admin/approvals/approve", "approve", "approval", "approval", true},
    {"POST", "/admin/approvals/deny", "approve", "approval", "approval", true},
    {"POST", "/admin/approvals/grant", "approve", "tool", "tool", true},
    {"POST", "/admin/approvals/withdraw", "approve", "approval", "approval", true},
    // Whoever makes a link can decide in the name of whom it is for.
    {"POST", "/admin/approvals/link", "approve", "approval", "approval", true, true},
});

policy::Attributes context_of(const AdministrationQuestion& question) {
  policy::Attributes context;
  context.reserve(8);
  context.emplace_back("surface", std::string(question.surface));
  context.emplace_back("target", question.matter->target);
  policy::append_clock(context, question.time);
  policy::append_peer(context, question.peer);
  context.emplace_back("delegation", delegation_record(*question.principal));
  return context;
}

policy::Request request_of(const AdministrationQuestion& question) {
  policy::Request request;
  request.principal = principal_entity(*question.principal);
  request.acts_for = acts_for_entities(*question.principal);
  request.action = question.action;
  request.resource = policy::Entity{"Gateway", std::string(question.node), {}, {}};
  request.context = context_of(question);
  return request;
}

bool speaks_of(const policy::PolicySet& policies, std::string_view action) {
  const std::string name = '"' + std::string(action) + '"';
  return std::ranges::any_of(policies.files(), [&](const auto& file) {
    return file.first.ends_with(".cedar") && file.second.find(name) != std::string::npos;
  });
}

}  // namespace

std::span<const AdministrationRoute> administration_routes() {
  return routes;
}

const AdministrationRoute* find_administration(std::string_view method, std::string_view path) {
  const auto found = std::ranges::find_if(
      routes, [&](const auto& route) { return route.method == method && route.path == path; });
  return found == routes.end() ? nullptr : &*found;
}

bool is_administrative_group(std::string_view name) {
  return to_lower(name).starts_with(administrative_groups);
}

AdministrationMatter matter_of(const AdministrationRoute& route, std::string_view body) {
  AdministrationMatter matter;
  const auto parsed = nlohmann::json::parse(body, nullptr, false);
  if (!parsed.is_object()) return matter;
  const auto text = [](const nlohmann::json& object, std::string_view name) {
    const auto member = object.find(name);
    return member != object.end() && member->is_string() ? member->get<std::string>()
                                                         : std::string();
  };
  if (!route.target.empty())
    if (const auto name = text(parsed, route.target); !name.empty())
      matter.target =
          std::string(route.target_kind) + ':' + std::string(utf8_prefix(name, longest_target));
  if (const auto attributes = parsed.find("attributes");
      attributes != parsed.end() && attributes->is_object())
    if (auto role = text(*attributes, "role"); !role.empty())
      matter.roles.push_back(std::move(role));
  return matter;
}

policy::Request policy_request(const AdministrationQuestion& question) {
  auto request = request_of(question);
  request.context.emplace_back("roles", question.matter->roles);
  return request;
}

policy::Request policy_request(const ApprovalQuestion& question) {
  auto request = request_of(question.administration);
  request.context.emplace_back("role", std::string(question.role));
  request.context.emplace_back("requester", std::string(question.requester));
  request.context.emplace_back("own", question.own);
  return request;
}

void settle_administration(const AdministrationQuestion& question,
                           const policy::PolicySet& policies, policy::Decision& decision) {
  if (!decision.permit) return;
  if (!speaks_of(policies, question.action)) {
    decision.permit = false;
    decision.determining.clear();
    decision.advice = {"These policies do not speak of the action \"" +
                       std::string(question.action) + "\", so nobody has it over HTTP."};
  } else if (!decision.obligations.empty()) {
    decision.permit = false;
    decision.errors.emplace_back("an obligation is not supported for administration");
  }
  ScopeQuestion asked;
  asked.time = question.time;
  deny_outside_scope(*question.principal, asked, decision);
}

}  // namespace gatehouse::gateway

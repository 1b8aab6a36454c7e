// See principal_facts.h.
#include "gateway/principal_facts.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "policy/context.h"

namespace gatehouse::gateway {
namespace {

constexpr std::array<std::string_view, 3> own_attributes = {"clearance_level", "credential",
                                                            "key_prefix"};
constexpr std::size_t longest_name_told = 200;

std::string_view entity_type(identity::PrincipalKind kind) {
  switch (kind) {
    case identity::PrincipalKind::user:
      return "User";
    case identity::PrincipalKind::service:
      return "Service";
    case identity::PrincipalKind::agent:
      return "Agent";
    case identity::PrincipalKind::model:
      return "Model";
  }
  return "User";
}

using Texts = std::vector<std::pair<std::string, std::string>>;

std::int64_t level_in(const Texts& attributes) {
  std::int64_t level = 0;
  for (const auto& [name, value] : attributes)
    if (name == "clearance") level = policy::clearance_level(value);
  return level;
}

// The least of the chain, who has none having 0, or less where a delegation left less.
std::int64_t level_of(const identity::Principal& principal) {
  std::int64_t level = level_in(principal.attributes);
  for (const auto& actor : principal.chain) level = std::min(level, level_in(actor.attributes));
  return std::clamp(principal.scope.clearance.value_or(level), std::int64_t{0}, level);
}

// A model that asks: what the registry says of models is of those that are asked.
policy::Entity asking_model(const std::string& id, std::int64_t level) {
  policy::Entity entity{"Model", id, {}, {}};
  entity.attributes = {
      {"name", id},          {"provider", std::string()},    {"trust", std::string("external")},
      {"registered", false}, {"clearance", std::int64_t{0}}, {"clearance_level", level}};
  return entity;
}

// One of the chain of `principal`.
policy::Entity entity_of(const identity::Actor& one, const identity::Principal& principal) {
  if (one.kind == identity::PrincipalKind::model) return asking_model(one.id, level_of(principal));
  policy::Entity entity;
  entity.type = entity_type(one.kind);
  entity.id = one.id;
  entity.attributes.reserve(one.attributes.size() + own_attributes.size());
  for (const auto& [name, value] : one.attributes)
    if (std::ranges::find(own_attributes, name) == own_attributes.end())
      entity.attributes.emplace_back(name, value);
  entity.attributes.emplace_back("key_prefix", principal.key_prefix);
  entity.attributes.emplace_back("credential",
                                 std::string(identity::to_string(principal.credential)));
  entity.attributes.emplace_back("clearance_level", level_of(principal));
  entity.parents.reserve(one.groups.size());
  for (const auto& group : one.groups) entity.parents.emplace_back("Group", group);
  return entity;
}

std::string name_of(identity::PrincipalKind kind, const std::string& id) {
  return std::string(identity::to_string(kind)) + ":" + id;
}

std::string shown(std::string_view name) {
  return "\"" + std::string(utf8_prefix(name, longest_name_told)) + "\"";
}

bool has(const std::optional<std::vector<std::string>>& allowed, std::string_view name) {
  return !allowed || std::ranges::find(*allowed, name) != allowed->end();
}

}  // namespace

policy::Entity principal_entity(const identity::Principal& principal) {
  return entity_of({principal.kind, principal.id, principal.attributes, principal.groups},
                   principal);
}

std::vector<policy::Entity> acts_for_entities(const identity::Principal& principal) {
  std::vector<policy::Entity> entities;
  entities.reserve(principal.chain.size());
  for (const auto& one : principal.chain) entities.push_back(entity_of(one, principal));
  return entities;
}

policy::Record delegation_record(const identity::Principal& principal) {
  policy::Delegation delegation;
  delegation.depth = static_cast<std::int64_t>(principal.chain.size());
  delegation.actors.reserve(principal.chain.size() + 1);
  delegation.actors.push_back(name_of(principal.kind, principal.id));
  for (const auto& actor : principal.chain)
    delegation.actors.push_back(name_of(actor.kind, actor.id));
  const bool alone = principal.chain.empty();
  delegation.root_kind = identity::to_string(alone ? principal.kind : principal.chain.back().kind);
  delegation.root_id = alone ? principal.id : principal.chain.back().id;
  return policy::delegation_record(delegation);
}

std::optional<std::string> scope_denial(const identity::Scope& scope, const ScopeQuestion& asked) {
  if (scope.expires && asked.time >= *scope.expires)
    return "The delegation ended at " + format_time(*scope.expires) + ".";
  if (asked.model && !has(scope.models, *asked.model))
    return "The delegation does not include the model " + shown(*asked.model) + ".";
  if (asked.tool && !has(scope.tools, *asked.tool))
    return "The delegation does not include the tool " + shown(*asked.tool) + ".";
  if (scope.clearance && asked.confidentiality > *scope.clearance)
    return "The delegation leaves a clearance of " + std::to_string(*scope.clearance) +
           "; this takes " + std::to_string(asked.confidentiality) + ".";
  return std::nullopt;
}

void deny_outside_scope(const identity::Principal& principal, const ScopeQuestion& asked,
                        policy::Decision& decision) {
  if (!decision.permit) return;
  auto reason = scope_denial(principal.scope, asked);
  if (!reason) return;
  decision.permit = false;
  decision.obligations.clear();
  decision.determining = {std::string(scope_policy)};
  decision.advice = {std::move(*reason)};
}

}  // namespace gatehouse::gateway

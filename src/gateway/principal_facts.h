// What policies are told of a principal, and what its delegation leaves it whatever policies say.
// One place for calls of models, calls of tools and replay. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "identity/principal.h"
#include "policy/policy.h"

namespace gatehouse::gateway {

// With its groups as parents. What the gateway knows itself (key_prefix, credential,
// clearance_level) cannot be claimed by an attribute of that name.
policy::Entity principal_entity(const identity::Principal& principal);
// Each of those it acts for, nearest first, as the principal of a question of its own: with the
// groups and attributes that are known of it, the credential that spoke, and the clearance of the
// whole chain, which is the least of all of them.
std::vector<policy::Entity> acts_for_entities(const identity::Principal& principal);

// context.delegation
policy::Record delegation_record(const identity::Principal& principal);

// What is asked for, as far as a scope speaks of it. Views.
struct ScopeQuestion {
  WallTime time;
  std::optional<std::string_view> model{};
  std::optional<std::string_view> tool{};  // "SERVER/TOOL"
  std::int64_t confidentiality = 0;        // of what is shown or used: the highest
};

// Why the delegation does not allow it, for the caller; nothing where it does.
std::optional<std::string> scope_denial(const identity::Scope& scope, const ScopeQuestion& asked);

// Named by decisions a delegation denied, where others name policies.
inline constexpr std::string_view scope_policy = "delegation-scope";

// Makes a permit a deny where the scope of the principal says no: determined by `scope_policy`, the
// reason as advice. Nothing a permit owes is left.
void deny_outside_scope(const identity::Principal& principal, const ScopeQuestion& asked,
                        policy::Decision& decision);

}  // namespace gatehouse::gateway

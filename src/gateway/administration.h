// Administration of Gatehouse itself as policies see it: which call is which action, and what is
// asked about it. A call that is not in this table exists nowhere, neither at the node's socket nor
// over HTTP, so none can be made without somebody saying which right it takes. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "identity/principal.h"
#include "policy/policy.h"

namespace gatehouse::gateway {

struct AdministrationRoute {
  std::string_view method;
  std::string_view path;
  std::string_view action;  // of policies/schema.cedarschema
  // The member of the body that says what it is about, and what kind of thing that is; empty: all.
  std::string_view target = {};
  std::string_view target_kind = {};
  bool changes = false;  // something, or opens what is kept: also recorded when done at the node
  bool at_node_only = false;  // not over HTTP, whatever policies say
  std::size_t most_body = 64u << 10;
};

std::span<const AdministrationRoute> administration_routes();
// Null: there is no such call.
const AdministrationRoute* find_administration(std::string_view method, std::string_view path);

inline constexpr std::string_view administration_prefix = "/admin/";

// Groups of the directory that are roles here: "gatehouse-administrators", …
inline constexpr std::string_view administrative_groups = "gatehouse-";
bool is_administrative_group(std::string_view name);

// What a call is about and what it would give away, from its body: {"principal":…,"attributes":
// {"role":…}}. A body that is no JSON object gives nothing; whoever carries it out refuses it.
struct AdministrationMatter {
  std::string target;              // "key:gh_1a2b3c4d", "model:gpt-4o"; empty: all
  std::vector<std::string> roles;  // that somebody would have, or have no more, by it; sorted
};
AdministrationMatter matter_of(const AdministrationRoute& route, std::string_view body);

// Views; what they look at must outlive it.
struct AdministrationQuestion {
  const identity::Principal* principal = nullptr;
  std::string_view action;
  std::string_view surface;  // "api", "cli", "link"
  const AdministrationMatter* matter = nullptr;
  std::string_view node;
  WallTime time;
  std::string_view peer;  // address:port
};

policy::Request policy_request(const AdministrationQuestion& question);

// Who decides about an approval. `role`: one of those that are asked.
struct ApprovalQuestion {
  AdministrationQuestion administration;
  std::string_view role;
  std::string_view requester;  // "agent:helper"
  bool own = false;            // the requester, or whom it acts for, is the one who decides
};
policy::Request policy_request(const ApprovalQuestion& question);

// Makes a deny of what must not pass although policy permits: where the policies do not speak of
// this action by its name (a set from before there was any, whose "permit everything" meant
// models), an obligation, what the delegation does not leave.
void settle_administration(const AdministrationQuestion& question,
                           const policy::PolicySet& policies, policy::Decision& decision);

}  // namespace gatehouse::gateway

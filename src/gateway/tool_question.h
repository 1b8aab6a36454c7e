// What policy is asked about one call of a tool, and what is made of the answer. Pure, so that
// calls in the answers of models (tool_calls.cc), calls over MCP and replay cannot disagree: all
// ask this question.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "gateway/config_tools.h"
#include "identity/principal.h"
#include "label/label.h"
#include "policy/context.h"
#include "policy/policy.h"
#include "policy/terms.h"

namespace gatehouse::gateway {

// Where the call came by. Policies see "chat" and "mcp".
enum class ToolSurface : std::uint8_t { chat, mcp };
std::string_view to_string(ToolSurface surface);

// What is known about the values of the consequential arguments of a call: where they came from,
// not what they are. Names of nested ones are paths: "attachments.0.file_id".
struct ArgumentLabels {
  Integrity integrity = Integrity::trusted;  // of the worst
  Confidentiality confidentiality = Confidentiality::public_;
  std::set<std::string, std::less<>> untrusted;  // found only in untrusted content
  std::set<std::string, std::less<>> derived;    // made by the model, found nowhere

  // Of a surface that cannot say where values came from (MCP without a session that is known): each
  // takes the label of the context.
  static ArgumentLabels of_context(const Label& context);
};

// Views; what they look at must outlive it.
struct ToolQuestion {
  const identity::Principal* principal = nullptr;
  std::string_view server;  // empty: a tool the client brings itself
  std::string_view tool;
  const ToolDeclaration* declaration = nullptr;  // null: nobody declared it
  bool reviewed = false;                         // its definition is pinned (MCP)

  WallTime time;
  std::string_view peer;     // address:port
  std::string_view purpose;  // empty: none was declared
  ToolSurface surface = ToolSurface::chat;
  const Label* label = nullptr;      // of the context: all the model has seen
  policy::FindingCounts findings{};  // in the arguments
  policy::RiskValues risk;
  const ArgumentLabels* arguments = nullptr;
  bool approved = false;  // a person has approved exactly this call
};

policy::Request policy_request(const ToolQuestion& question);

// What @require_approval asks for.
using policy::ApprovalTerms;
using policy::parse_approval_terms;

enum class ToolEffect : std::uint8_t { permit, hold, refuse };
std::string_view to_string(ToolEffect effect);

struct ToolRuling {
  ToolEffect effect = ToolEffect::refuse;
  std::vector<ApprovalTerms> approvals;  // of a hold; each must be met
};

// Reads the obligations. One that is not understood refuses; a permit that obliges to ask a person
// is a hold until the call is approved. An approval never lifts a forbid.
ToolRuling settle_tool(const ToolQuestion& question, policy::Decision& decision);

}  // namespace gatehouse::gateway

// A call that policy holds meets the desk of approvals: the same way whether it stands in the
// answer of a model or comes over MCP.
#pragma once

#include <string_view>

#include "approval/approval.h"
#include "gateway/exchange.h"
#include "gateway/tool_question.h"

namespace gatehouse::gateway {

struct HeldCall {
  std::string_view server;  // empty: a tool the client brings itself
  std::string_view tool;
  std::string_view arguments;  // JSON, as it stands
  std::string_view session;
  std::string_view reason;  // for the approver; no content
};

// Uses an approval of exactly this call (arguments: mcp/canonical.h), or asks for one. Blocks on
// the disk. Errors: invalid_argument where the call is nothing a person can be shown.
Result<approval::Answer> ask_for_approval(approval::Desk& desk, const Exchange& exchange,
                                          const HeldCall& held, const ToolRuling& ruling);

}  // namespace gatehouse::gateway

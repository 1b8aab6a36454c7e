// See tool_approval.h.
#include "gateway/tool_approval.h"

#include <algorithm>

#include "base/text.h"
#include "mcp/canonical.h"

namespace gatehouse::gateway {
namespace {

std::string name_of(const auto& principal) {
  return std::string(to_string(principal.kind)) + ":" + principal.id;
}

}  // namespace

Result<approval::Answer> ask_for_approval(approval::Desk& desk, const Exchange& exchange,
                                          const HeldCall& held, const ToolRuling& ruling) {
  if (!is_utf8(held.arguments))
    return fail(ErrorCode::invalid_argument, "the arguments are no text a person can be shown");
  approval::Call call;
  call.server = held.server;
  call.tool = held.tool;
  call.arguments = mcp::canonical_json(held.arguments);
  call.principal = name_of(exchange.principal);
  for (const auto& actor : exchange.principal.chain) call.acts_for.push_back(name_of(actor));
  call.session = held.session;
  call.request = exchange.id;
  call.reason = trim(held.reason);
  call.label = "confidentiality " + std::string(to_string(exchange.label.confidentiality)) +
               ", integrity " + std::string(to_string(exchange.label.integrity));
  std::vector<approval::Quorum> quorums;
  auto lifetime = ruling.approvals.front().expires;
  for (const auto& terms : ruling.approvals) {
    quorums.push_back({terms.role, terms.count});
    lifetime = std::min(lifetime, terms.expires);
  }
  return desk.ask(call, quorums, lifetime);
}

}  // namespace gatehouse::gateway

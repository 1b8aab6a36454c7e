// Obligations on a message that leaves: personal data becomes placeholders, and nothing else
// changes. The answer gets its values back (mcp_texts.cc).
#include "gateway/mcp_call.h"
#include "gateway/stages.h"

namespace gatehouse::gateway {
namespace {

bool must_not_leave(Exchange& exchange, const Channel& channel) {
  for (const auto& finding : exchange.scanner->scan(channel.text))
    if (exchange.plan.redact.test(static_cast<std::size_t>(finding.category))) return true;
  return false;
}

void redact(Exchange& exchange, const Channel& channel, const inspect::FilterPlan& plan,
            std::vector<Splice>& edits) {
  const bool json = channel.role == TextRole::raw_json;
  auto filtered =
      inspect::filter_text(*exchange.scanner, plan,
                           json ? inspect::TextForm::json : inspect::TextForm::plain, channel.text);
  if (!filtered.changed) return;
  for (const auto& finding : filtered.findings)
    exchange.redacted += plan.redact.test(static_cast<std::size_t>(finding.category)) ? 1 : 0;
  Splice splice{channel.inside.begin, channel.inside.end, {}};
  if (json) {
    splice.text = std::move(filtered.text);
  } else {
    append_json_escaped(splice.text, filtered.text);
  }
  edits.push_back(std::move(splice));
}

}  // namespace

McpVerdict transform_mcp(Exchange& exchange, McpCall& call) {
  std::vector<Splice> edits;
  if (exchange.plan.redact.any() && !exchange.channels_with_findings.empty()) {
    for (const auto& channel : exchange.channels)
      if (channel.role != TextRole::opaque) exchange.placeholders.reserve(channel.text);
    inspect::FilterPlan plan;
    plan.redact = exchange.plan.redact;
    plan.placeholders = &exchange.placeholders;
    for (const auto at : exchange.channels_with_findings) {
      const auto& channel = exchange.channels[at];
      if (channel.role != TextRole::fixed) {
        redact(exchange, channel, plan, edits);
      } else if (must_not_leave(exchange, channel)) {
        return mcp_refuse(
            Problem::blocked, 403, mcp::Code::refused_by_policy,
            "Data that policy wants replaced stands where it cannot be replaced: in a "
            "name, an address, a header or the name of a JSON member.");
      }
    }
  }
  call.outgoing = edits.empty() ? exchange.body : apply_splices(exchange.body, std::move(edits));
  if (call.continued) call.outgoing = without_continuation(call.outgoing);
  exchange.channels.clear();  // their positions no longer hold
  return {};
}

}  // namespace gatehouse::gateway

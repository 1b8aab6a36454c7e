// Inspect: every text channel becomes findings, all findings a label.
#include "gateway/stages.h"

namespace gatehouse::gateway {
namespace {

std::vector<inspect::Finding> scan_channel(inspect::Scanner& scanner, const Channel& channel) {
  if (channel.role != TextRole::json) return scanner.scan(channel.text);
  return inspect::filter_text(scanner, {}, inspect::TextForm::json, channel.text).findings;
}

Label label_of(const FindingTotals& findings) {
  Label label;
  label.confidentiality = Confidentiality::internal;
  label.integrity = Integrity::unverified;
  label.origin = Origin::human;
  const auto count = [&](inspect::Category category) {
    return findings.by_category[static_cast<std::size_t>(category)];
  };
  if (count(inspect::Category::personal) > 0) {
    label.categories.emplace("personal");
    label.confidentiality = Confidentiality::confidential;
  }
  if (count(inspect::Category::credentials) > 0) {
    label.categories.emplace("credentials");
    label.confidentiality = Confidentiality::restricted;
  }
  return label;
}

}  // namespace

void inspect_request(Worker& worker, Exchange& exchange) {
  const StageTimer timer(worker, exchange, Stage::inspect);
  for (std::size_t at = 0; at < exchange.channels.size(); ++at) {
    const auto findings = scan_channel(*exchange.scanner, exchange.channels[at]);
    if (findings.empty()) continue;
    exchange.findings.add(findings);
    exchange.channels_with_findings.push_back(at);
  }
  exchange.label = label_of(exchange.findings);
}

}  // namespace gatehouse::gateway

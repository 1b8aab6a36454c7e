// Inspect: every text channel becomes findings, all findings a label.
#include <algorithm>

#include "gateway/question.h"
#include "gateway/stages.h"
#include "gateway/tool_calls.h"
#include "provenance/marks.h"

namespace gatehouse::gateway {
namespace {

std::vector<inspect::Finding> scan_channel(inspect::Scanner& scanner, const Channel& channel) {
  switch (channel.role) {
    case TextRole::text:
    case TextRole::fixed:
      return scanner.scan(channel.text);
    case TextRole::json:
    case TextRole::raw_json:
      return inspect::filter_text(scanner, {}, inspect::TextForm::json, channel.text).findings;
    case TextRole::signed_: {
      // Personal data in it is the provider's own writing, or came from there.
      auto findings = scanner.scan(channel.text);
      std::erase_if(findings, [](const inspect::Finding& finding) {
        return finding.category == inspect::Category::personal;
      });
      return findings;
    }
    case TextRole::covered:
    case TextRole::opaque:
      return {};
  }
  return scanner.scan(channel.text);
}

// Marks of what a model wrote: read, and left where they are.
void read_marks(Exchange& exchange, const Channel& channel) {
  if (channel.role == TextRole::opaque || channel.role == TextRole::covered) return;
  for (const auto mark : provenance::marks_in(channel.text))
    if (std::ranges::find(exchange.marks, mark) == exchange.marks.end())
      exchange.marks.push_back(mark);
}

}  // namespace

void scan_channels(Exchange& exchange) {
  for (std::size_t at = 0; at < exchange.channels.size(); ++at) {
    read_marks(exchange, exchange.channels[at]);
    const auto findings = scan_channel(*exchange.scanner, exchange.channels[at]);
    if (findings.empty()) continue;
    exchange.findings.add(findings);
    exchange.channels_with_findings.push_back(at);
  }
}

net::Task<Verdict> inspect_request(Worker& worker, Exchange& exchange) {
  const StageTimer timer(worker, exchange, Stage::inspect);
  Assessment assessment;
  const auto look = [&exchange, &assessment] {
    scan_channels(exchange);
    read_flow(exchange);
    assessment = assess(*exchange.snapshot->risk, exchange.channels);
  };
  if (is_large(exchange.body)) {
    exchange.scanner =
        std::make_shared<inspect::Scanner>(exchange.snapshot->rules, exchange.snapshot->watched);
    GH_STAGE(co_await beside_the_loop(worker, look));
  } else {
    look();
  }
  exchange.risk = assessment.p;
  worker.risk_watch.note(assessment);
  exchange.label = join(exchange.label, label_of_findings(exchange.findings.by_category));
  if (!exchange.marks.empty()) exchange.label = with_marks(exchange.label);
  co_return Verdict{};
}

}  // namespace gatehouse::gateway

// A list of tools on its way to a client: the catalogue hears of it first, so that a definition
// that changed is out of service before anybody sees it; then only what this principal may call,
// and what was reviewed, stays in the list.
#include "base/log.h"
#include "gateway/mcp_call.h"
#include "gateway/mcp_news.h"
#include "gateway/stages.h"

namespace gatehouse::gateway {
namespace {

// Texts of a definition that only a machine was meant to read, and texts that instruct one.
struct Inspected {
  FindingTotals findings;
  policy::RiskValues risk;
};

std::string facts_of(const Exchange& exchange, const Inspected& inspected) {
  std::string facts;
  JsonWriter json(facts);
  json.begin_object().key("findings");
  write_findings_json(json, exchange, inspected.findings);
  json.key("injection_p").number(inspected.risk.injection).end_object();
  return facts.substr(1, facts.size() - 2);
}

Inspected inspect_definition(Worker& worker, const Exchange& exchange,
                             std::string_view definition) {
  Inspected inspected;
  auto filtered = inspect::filter_text(*exchange.scanner, {}, inspect::TextForm::json, definition);
  inspected.findings.add(filtered.findings);
  const std::vector<Channel> data{{{}, definition, TextRole::text, false, Source::data}};
  inspected.risk = assess(*exchange.snapshot->risk, data).p;
  (void)worker;
  return inspected;
}

// Tells the ledger, off the loop: the catalogue has acted already.
net::Task<void> tell_ledger(Worker& worker, const Exchange& exchange, const McpServerConfig& server,
                            std::vector<mcp::Catalogue::News> news) {
  const bool trust = exchange.snapshot->config->mcp.trust_on_first_use;
  for (const auto& one : news) {
    if (!is_for_ledger(one, trust)) continue;
    const auto listed = worker.control.mcp().catalogue().listed(server.name, one.tool);
    if (!listed) continue;
    const auto facts = facts_of(exchange, inspect_definition(worker, exchange, listed->definition));
    Result<void> recorded = fail(ErrorCode::internal, "not asked");
    const auto ran = co_await worker.loop.run_blocking(
        [&] { recorded = record_tool_news(worker.control, server.name, one, facts); });
    if (ran && recorded) continue;
    log_error("news of a tool could not be recorded",
              {{"server", server.name},
               {"tool", one.tool},
               {"error", ran ? recorded.error().describe() : ran.error().describe()}});
  }
}

}  // namespace

net::Task<Result<std::string>> filter_tool_list(Worker& worker, Exchange& exchange, McpCall& call,
                                                const McpServerConfig& server, std::string message,
                                                std::string_view prefix) {
  GH_CO_ASSIGN(const auto read, mcp::read_message(message));
  const auto result = read.body.find("result");
  if (!result) co_return fail(ErrorCode::invalid_argument, "a list without a result");
  GH_CO_ASSIGN(const auto page, mcp::read_tools(*result));
  auto& catalogue = worker.control.mcp().catalogue();
  auto news = catalogue.note_list(server.name, page.tools);
  if (!news.empty()) co_await tell_ledger(worker, exchange, server, std::move(news));

  std::string list = "[";
  for (const auto& tool : page.tools) {
    const auto standing = catalogue.standing_of(server.name, tool.name, tool.digest);
    const bool shown = standing == mcp::Standing::in_service &&
                       may_see_tool(worker, exchange, call, server.name, tool.name, true);
    if (!shown) {
      ++call.hidden_tools;
      continue;
    }
    if (list.size() > 1) list += ',';
    if (prefix.empty()) {
      list += tool.json.raw();
      continue;
    }
    std::vector<Splice> rename;
    const auto name = tool.json.find("name")->span();
    const auto whole = tool.json.span();
    rename.push_back({name.begin - whole.begin, name.end - whole.begin,
                      json_string(std::string(prefix) + tool.name)});
    list += apply_splices(tool.json.raw(), std::move(rename));
  }
  list += ']';
  call.hidden_tools += page.unusable;
  if (call.hidden_tools == 0 && prefix.empty()) co_return message;
  const auto tools = result->find("tools")->span();
  co_return apply_splices(message, {{tools.begin, tools.end, std::move(list)}});
}

}  // namespace gatehouse::gateway

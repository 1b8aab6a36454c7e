// The events of calls over MCP: mcp.call.decided, mcp.call.refused, mcp.call.completed. Content
// never enters: digests, counts and names only.
#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "gateway/admit.h"
#include "gateway/decision_event.h"
#include "gateway/mcp_call.h"
#include "gateway/stages.h"
#include "ledger/event.h"

namespace gatehouse::gateway {
namespace {

std::string clean(const Exchange& exchange, std::string_view text) {
  return without_findings(*exchange.scanner, utf8_prefix(text, longest_text));
}

std::string subject_json(const Exchange& exchange, const McpCall& call) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("route").string("mcp");
  json.key("server").string(call.subject_server.empty() ? "*" : call.subject_server);
  json.key("era").string(mcp::to_string(call.era));
  if (call.message && !call.message->method.empty()) {
    json.key("method").string(clean(exchange, call.message->method));
  } else {
    json.key("method").string(exchange.head->method == "POST" ? "response" : exchange.head->method);
  }
  if (!call.tool.empty()) json.key("tool").string(clean(exchange, call.tool));
  json.end_object();
  return out;
}

ledger::Event new_event(const Worker& worker, const Exchange& exchange, const McpCall& call,
                        std::string_view type) {
  ledger::Event event;
  event.time = worker.control.clock().wall();
  event.type = type;
  event.node = exchange.snapshot->config->node;
  event.actor = describe_actor(exchange);
  event.subject = subject_json(exchange, call);
  event.snapshot = exchange.snapshot->digest;
  return event;
}

void write_content(JsonWriter& json, const Worker& worker, const Exchange& exchange) {
  const auto salt = content_salt(worker.control.keys(), exchange.id, "request");
  json.begin_object().key("sha256").string(to_hex(crypto::sha256(salt, bytes_of(exchange.body))));
  json.key("bytes").number(exchange.body.size()).end_object();
}

std::string decision_json(const Worker& worker, const Exchange& exchange, const McpCall& call) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  write_decision(json, exchange.decision, exchange.problem);
  json.key("findings");
  write_findings_json(json, exchange, exchange.findings);
  if (exchange.admission) write_reserved(json, *exchange.admission);
  if (call.listed) json.key("definition").string(call.listed->digest);
  if (!call.tool.empty()) json.key("standing").string(to_string(call.standing));
  if (!call.approval.empty()) json.key("approval").string(call.approval);
  if (!call.session_key.empty()) json.key("session").string(call.session_key.substr(0, 16));
  json.key("uninspectable").boolean(exchange.uninspectable);
  if (const auto purpose = exchange.head->fields.find("gatehouse-purpose"))
    json.key("purpose").string(clean(exchange, *purpose));
  json.key("content");
  write_content(json, worker, exchange);
  json.end_object();
  return out;
}

std::string outcome_json(Exchange& exchange, const McpCall& call) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("decision").string(exchange.id);
  json.key("status").number(exchange.status);
  if (exchange.problem) json.key("problem").string(name_of(*exchange.problem));
  if (call.error_code != 0) json.key("error").number(call.error_code);
  if (exchange.client_left) json.key("client_left").boolean(true);
  if (exchange.answer_bytes > 0) {
    json.key("content").begin_object();
    json.key("sha256").string(to_hex(exchange.answer_digest.finish()));
    json.key("bytes").number(exchange.answer_bytes).end_object();
  }
  if (call.hidden_tools > 0) json.key("hidden_tools").number(call.hidden_tools);
  json.key("redacted").number(exchange.redacted).key("restored").number(exchange.restored);
  json.key("findings");
  write_findings_json(json, exchange, exchange.answer_findings);
  json.key("injection_p").number(call.answer_risk.injection);
  json.end_object();
  return out;
}

net::Task<McpVerdict> append(Worker& worker, const Exchange& exchange, ledger::Event event) {
  auto recorded = co_await append_event(worker, exchange, std::move(event));
  if (!recorded) co_return std::unexpected(mcp_refusal(recorded.error()));
  co_return McpVerdict{};
}

}  // namespace

net::Task<McpVerdict> taint_session(Worker& worker, Exchange& exchange, McpCall& call) {
  const bool brings_content = !call.tool.empty() || call.replayed;
  if (exchange.answer_bytes == 0 || !brings_content || call.session_key.empty() || call.tainted)
    co_return McpVerdict{};
  call.tainted = true;
  call.answer_label.integrity = call.declared_trusted ? Integrity::trusted : Integrity::untrusted;
  auto& sessions = worker.control.mcp().sessions();
  if (call.declared_trusted ||
      sessions.holds(call.session_key, Integrity::untrusted, exchange.time))
    co_return McpVerdict{};
  Result<void> kept = fail(ErrorCode::internal, "not asked");
  const auto ran = co_await worker.loop.run_blocking(
      [&] { kept = sessions.join(call.session_key, Integrity::untrusted, exchange.time); });
  if (ran && kept) co_return McpVerdict{};
  log_error(
      "what a session has seen cannot be kept",
      {{"entry", exchange.id}, {"error", ran ? kept.error().describe() : ran.error().describe()}});
  co_return mcp_refuse(Problem::internal, 503, mcp::Code::internal_error,
                       "What this session has seen cannot be written down now, so the answer is "
                       "not passed on.");
}

net::Task<McpVerdict> record_mcp_decision(Worker& worker, Exchange& exchange, McpCall& call) {
  const StageTimer timer(worker, exchange, Stage::record);
  auto event = new_event(worker, exchange, call, "mcp.call.decided");
  event.id = exchange.id;
  append_json(event.label, exchange.label);
  event.data = decision_json(worker, exchange, call);
  exchange.decision_recorded = true;
  co_return co_await append(worker, exchange, std::move(event));
}

net::Task<McpVerdict> record_mcp_refusal(Worker& worker, Exchange& exchange, McpCall& call,
                                         const McpRefusal& refusal) {
  if (exchange.outcome_recorded) co_return McpVerdict{};
  // A refusal by the decision itself stands in the ledger already.
  if (exchange.decision_recorded && !exchange.decision.permit) co_return McpVerdict{};
  if (exchange.decision_recorded) co_return co_await record_mcp_outcome(worker, exchange, call);
  auto event = new_event(worker, exchange, call, "mcp.call.refused");
  event.id = exchange.id;
  JsonWriter json(event.data);
  json.begin_object().key("problem").string(name_of(refusal.problem));
  json.key("status").number(refusal.status).key("error").number(refusal.code);
  json.key("reason").string(clean(exchange, refusal.message)).end_object();
  co_return co_await append(worker, exchange, std::move(event));
}

net::Task<McpVerdict> record_mcp_outcome(Worker& worker, Exchange& exchange, McpCall& call) {
  const StageTimer timer(worker, exchange, Stage::outcome);
  GH_MCP(co_await taint_session(worker, exchange, call));
  auto event = new_event(worker, exchange, call, "mcp.call.completed");
  event.id = make_uuid7(worker.control.clock(), worker.control.random());
  append_json(event.label, join(exchange.label, call.answer_label));
  event.data = outcome_json(exchange, call);
  exchange.outcome_recorded = true;
  co_return co_await append(worker, exchange, std::move(event));
}

}  // namespace gatehouse::gateway

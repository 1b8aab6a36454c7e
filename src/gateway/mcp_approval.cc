// A call of a tool that a person has to approve first. A client that can be asked for input in the
// middle of a call (2026-07-28, multi-round-trip requests) keeps its call: it is told what is
// waited for and sends the call again when its user says so. Every other client gets a result that
// says so.
#include "base/log.h"
#include "base/text.h"
#include "gateway/decision_event.h"
#include "gateway/mcp_call.h"
#include "gateway/stages.h"
#include "gateway/tool_approval.h"

namespace gatehouse::gateway {
namespace {

constexpr std::string_view state_prefix = "gatehouse-approval:";
constexpr std::string_view input_name = "gatehouse-approval";

const std::optional<mcp::JsonView>& params_of(const McpCall& call) {
  return call.message->params;
}

// The client's own state of a call that waits at a server is not ours to replace.
bool can_be_asked(const McpCall& call) {
  if (call.era != mcp::Era::modern || params_of(call)->find("requestState")) return false;
  const auto capabilities =
      call.message->meta ? call.message->meta->find(mcp::meta_capabilities) : std::nullopt;
  const auto elicitation = capabilities ? capabilities->find("elicitation") : std::nullopt;
  // {} is how forms alone used to be said.
  return elicitation && (elicitation->members().empty() || elicitation->find("form"));
}

std::string ask_input(std::string_view approval, std::string_view message) {
  std::string result;
  JsonWriter json(result);
  json.begin_object().key("resultType").string("input_required");
  json.key("inputRequests").begin_object().key(input_name).begin_object();
  json.key("method").string("elicitation/create").key("params").begin_object();
  json.key("mode").string("form").key("message").string(message);
  json.key("requestedSchema").begin_object().key("type").string("object");
  json.key("properties").begin_object().end_object().end_object().end_object();
  json.end_object().end_object();
  json.key("requestState").string(std::string(state_prefix) + std::string(approval));
  json.end_object();
  return result;
}

std::string waits_for(const Exchange& exchange, const McpCall& call, const std::string& id) {
  std::string text = "Gatehouse holds the call of \"" + call.tool + "\".";
  for (const auto& advice : exchange.decision.advice) text += " " + advice;
  text += " A person must approve it (role \"" + call.ruling.approvals.front().role +
          "\"): approval " + id + ". ";
  return text;
}

McpRefusal refused(const Exchange& exchange, std::string message) {
  auto refusal =
      mcp_refuse(Problem::blocked, 200, mcp::Code::refused_by_policy,
                 std::move(message) + " Entry " + exchange.id + " of the ledger has the decision.")
          .error();
  return refusal;
}

McpRefusal held(const Exchange& exchange, const McpCall& call, const std::string& id,
                bool asked_before) {
  const auto waits = waits_for(exchange, call, id);
  auto refusal = refused(exchange, waits + "Once it is approved, make the same call again.");
  refusal.as_result = call.message->method == "tools/call";
  if (refusal.as_result && (asked_before || can_be_asked(call)))
    refusal.result = ask_input(id, waits + "Continue when it has been decided.");
  return refusal;
}

// What the user of a client said to the question above; none: this is no answer to it.
std::optional<bool> continued(const McpCall& call) {
  if (!call.message || !params_of(call)) return std::nullopt;
  const auto state = params_of(call)->find_text("requestState");
  if (!state || !state->starts_with(state_prefix)) return std::nullopt;
  const auto responses = params_of(call)->find("inputResponses");
  const auto response = responses ? responses->find(input_name) : std::nullopt;
  return response && response->find_text("action") == "accept";
}

}  // namespace

net::Task<McpVerdict> await_approval(Worker& worker, Exchange& exchange, McpCall& call) {
  const auto goes_on = continued(call);
  call.continued = goes_on.has_value();
  if (call.ruling.effect != ToolEffect::hold) co_return McpVerdict{};
  const auto refuse_as_result = [&](std::string message) {
    exchange.decision.permit = false;
    auto refusal = refused(exchange, std::move(message));
    refusal.as_result = call.message->method == "tools/call";
    return std::unexpected(std::move(refusal));
  };
  if (goes_on && !*goes_on)
    co_return refuse_as_result("The call of \"" + call.tool +
                               "\" needs a person's approval, which nobody waits for here.");
  const auto arguments = params_of(call)->find("arguments");
  std::string reason;
  for (const auto& advice : exchange.decision.advice) reason += advice + " ";
  Result<approval::Answer> answer = fail(ErrorCode::unavailable, "not asked");
  const auto ran = co_await worker.loop.run_blocking([&] {
    answer = ask_for_approval(worker.control.approvals(), exchange,
                              {.server = call.subject_server,
                               .tool = call.tool,
                               .arguments = arguments ? arguments->raw() : "{}",
                               .session = call.session_key,
                               .reason = reason},
                              call.ruling);
  });
  if (!ran || !answer) {
    log_warning("an approval could not be asked for",
                {{"entry", exchange.id},
                 {"error", ran ? answer.error().describe() : ran.error().describe()}});
    co_return refuse_as_result("The call of \"" + call.tool +
                               "\" needs a person's approval, which cannot be asked for now.");
  }
  call.approval = answer->id;
  if (answer->verdict == approval::Verdict::approved) co_return McpVerdict{};
  if (answer->verdict == approval::Verdict::denied)
    co_return refuse_as_result("A person has denied the call of \"" + call.tool + "\" (approval " +
                               answer->id + ").");
  exchange.decision.permit = false;
  co_return std::unexpected(held(exchange, call, answer->id, call.continued));
}

std::string without_continuation(std::string_view body) {
  const auto message = mcp::read_message(body);
  if (!message || !message->params) return std::string(body);
  std::string params;
  JsonWriter json(params);
  json.begin_object();
  for (const auto& member : message->params->members())
    if (member.key != "requestState" && member.key != "inputResponses")
      json.key(member.key).raw(member.value.raw());
  json.end_object();
  const auto span = message->params->span();
  return apply_splices(body, {{span.begin, span.end, std::move(params)}});
}

}  // namespace gatehouse::gateway

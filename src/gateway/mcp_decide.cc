// What policy says of a call over MCP. A call of a tool is asked as one of chat traffic is
// (tool_question.h); everything else a client does with a server asks whether it may see it: the
// action list_tools on the tool "*". What a server returns on reading (resources, prompts) is asked
// as a call of a tool of the method's name, "resources/read".
#include "base/text.h"
#include "gateway/admit.h"
#include "gateway/decision_event.h"
#include "gateway/mcp_call.h"
#include "gateway/principal_facts.h"
#include "gateway/stages.h"
#include "gateway/tool_question.h"

namespace gatehouse::gateway {
namespace {

constexpr std::string_view whole_server = "*";

// Methods that bring content as a tool does, asked under their own name.
bool reads_content(std::string_view method) {
  return method == "resources/read" || method == "prompts/get" || method == "resources/subscribe";
}

const ToolDeclaration& reading() {
  static const ToolDeclaration declaration = [] {
    ToolDeclaration made;
    made.effects.reads = true;
    made.declared_effects = true;
    return made;
  }();
  return declaration;
}

ToolQuestion question_of(const Exchange& exchange, std::string_view server, std::string_view tool,
                         const Label& label, const ArgumentLabels& arguments) {
  ToolQuestion question;
  question.principal = &exchange.principal;
  question.server = server;
  question.tool = tool;
  question.declaration = exchange.snapshot->config->tools.find(server, tool);
  if (!question.declaration && reads_content(tool)) question.declaration = &reading();
  question.time = exchange.time;
  question.peer = exchange.peer;
  question.purpose = exchange.head->fields.find("gatehouse-purpose").value_or("");
  question.surface = ToolSurface::mcp;
  question.label = &label;
  question.arguments = &arguments;
  return question;
}

// The same question about seeing it: a Listing knows less.
policy::Request listing_request(const ToolQuestion& question) {
  auto request = policy_request(question);
  request.action = "list_tools";
  std::erase_if(request.context, [](const auto& member) {
    const std::string_view name = member.first;
    return name != "purpose" && name != "hour" && name != "weekday" && name != "peer" &&
           name != "delegation";
  });
  request.context.emplace_back("dialect", std::string("mcp"));
  return request;
}

std::string blocked_message(const Exchange& exchange) {
  return blocked_by(exchange.decision) + " Entry " + exchange.id +
         " of the ledger has the decision.";
}

McpRefusal blocked(const McpCall& call, std::string message) {
  auto refusal =
      mcp_refuse(Problem::blocked, 200, mcp::Code::refused_by_policy, std::move(message)).error();
  const bool request = call.message && call.message->kind == mcp::Message::Kind::request;
  if (!request) refusal.status = 403;
  refusal.as_result = request && call.message->method == "tools/call";
  return refusal;
}

// As a server answers a name it has not.
McpRefusal unknown_tool(const Exchange& exchange, const McpCall& call) {
  return mcp_refuse(Problem::blocked, 200, mcp::Code::invalid_params,
                    "Unknown tool: \"" + call.tool + "\". No list of \"" + call.subject_server +
                        "\" has shown it here, and nobody has reviewed it. Entry " + exchange.id +
                        " of the ledger has the decision.")
      .error();
}

// What was found out about this call when it left in an answer of this conversation.
std::optional<DecidedCalls::Known> known_from_chat(const Worker& worker, const Exchange& exchange,
                                                   const McpCall& call) {
  if (exchange.session_id.empty() || !call.message || call.message->method != "tools/call")
    return std::nullopt;
  const auto& params = call.message->params;
  const auto arguments = params ? params->find("arguments") : std::nullopt;
  return worker.control.mcp().decided().take(exchange.session_id, call.subject_server, call.tool,
                                             arguments ? arguments->raw() : "{}", exchange.time);
}

std::string not_in_service(const Exchange& exchange, const McpCall& call) {
  return "The tool \"" + call.tool + "\" is " + std::string(to_string(call.standing)) +
         ", so it is out of service. `gatehouse mcp review " + call.subject_server +
         "` shows its definition to the operators of this gateway. Entry " + exchange.id +
         " of the ledger has the decision.";
}

// Obligations on arguments and results that this surface can meet; the rest is settle_tool()'s.
void take_redactions(policy::Decision& decision, Plan& plan) {
  if (!decision.permit) return;
  std::erase_if(decision.obligations, [&](const policy::Obligation& one) {
    if (one.name != "redact" && one.name != "redact_answer") return false;
    const auto category = inspect::parse_category(one.value);
    if (!category) return false;
    (one.name == "redact" ? plan.redact : plan.redact_answer)
        .set(static_cast<std::size_t>(*category));
    return true;
  });
}

// What the principal's delegation leaves it, whatever policies say.
void apply_scope(const ToolQuestion& question, policy::Decision& decision) {
  const std::string tool = std::string(question.server) + "/" + std::string(question.tool);
  ScopeQuestion asked;
  asked.time = question.time;
  asked.tool = tool;
  asked.confidentiality = static_cast<std::int64_t>(question.label->confidentiality);
  deny_outside_scope(*question.principal, asked, decision);
}

McpVerdict decide_call(Exchange& exchange, McpCall& call, ToolQuestion question) {
  question.findings = exchange.findings.by_category;
  question.risk = exchange.risk;
  question.reviewed = call.standing == mcp::Standing::in_service || reads_content(call.tool);
  exchange.decision = exchange.decisions->decide(policy_request(question));
  const auto asked = exchange.decision.obligations;
  take_redactions(exchange.decision, exchange.plan);
  if (exchange.decision.permit) apply_scope(question, exchange.decision);
  call.ruling = settle_tool(question, exchange.decision);
  exchange.decision.obligations = asked;  // for the record: all of them
  if (!question.reviewed) {
    exchange.decision.permit = false;
    exchange.decision.determining = {"mcp-out-of-service"};
    return std::unexpected(call.standing == mcp::Standing::unknown
                               ? unknown_tool(exchange, call)
                               : blocked(call, not_in_service(exchange, call)));
  }
  if (call.ruling.effect != ToolEffect::refuse) return {};  // a hold: await_approval()
  exchange.decision.permit = false;
  return std::unexpected(blocked(call, blocked_message(exchange)));
}

McpVerdict decide_listing(Exchange& exchange, const McpCall& call, const ToolQuestion& question) {
  exchange.decision = exchange.decisions->decide(listing_request(question));
  take_redactions(exchange.decision, exchange.plan);
  if (exchange.decision.permit) return {};
  return std::unexpected(blocked(call, blocked_message(exchange)));
}

// A stream that is resumed brings answers to earlier calls. Which tools they are of is not known,
// so what any policy wants replaced in the answer of a tool is.
void redact_replays(const Exchange& exchange, Plan& plan) {
  for (const auto& policy : exchange.snapshot->policies->policies())
    for (const auto& [name, value] : policy.obligations)
      if (name == "redact_answer")
        if (const auto category = inspect::parse_category(value))
          plan.redact_answer.set(static_cast<std::size_t>(*category));
}

}  // namespace

McpVerdict decide_mcp(const Worker& worker, Exchange& exchange, McpCall& call) {
  const StageTimer timer(worker, exchange, Stage::decide);
  const auto& catalogue = worker.control.mcp().catalogue();
  Label seen;
  seen.integrity = worker.control.mcp().sessions().of(call.session_key, exchange.time);
  const Label label = join(exchange.label, seen);
  exchange.label = label;
  const auto arguments = ArgumentLabels::of_context(label);
  const std::string_view method = call.message ? std::string_view(call.message->method) : "";
  if (method == "tools/call") {
    call.standing = catalogue.standing_of(call.subject_server, call.tool);
  } else if (reads_content(method)) {
    call.tool = method;
  } else {
    if (!call.message) redact_replays(exchange, exchange.plan);
    return decide_listing(
        exchange, call, question_of(exchange, call.subject_server, whole_server, label, arguments));
  }
  const auto decided = known_from_chat(worker, exchange, call);
  auto question = question_of(exchange, call.subject_server, call.tool, label,
                              decided ? decided->arguments : arguments);
  question.approved = decided && decided->approved;
  call.left_in_answer = decided.has_value();
  call.declared_trusted = question.declaration && question.declaration->trust == Integrity::trusted;
  return decide_call(exchange, call, question);
}

McpVerdict admit_mcp(Worker& worker, Exchange& exchange, const McpCall& call) {
  if (call.tool.empty()) return {};
  const auto limits = limits_of(exchange.decision.obligations);
  auto admitted = admit_tool_call(worker, *exchange.snapshot,
                                  {.principal = &exchange.principal,
                                   .tool = call.subject_server + '/' + call.tool,
                                   .model = {},
                                   .route = "mcp",
                                   .session = call.session_key,
                                   .policy_limits = limits,
                                   .is_request = true,
                                   .counted = call.left_in_answer});
  if (admitted) {
    exchange.admission = *std::move(admitted);
    return {};
  }
  exchange.decision.permit = false;
  auto refusal = blocked(call, admitted.error().error.message);
  refusal.problem = admitted.error().error.problem;
  exchange.admission = std::move(admitted).error().admission;
  return std::unexpected(std::move(refusal));
}

bool may_see_tool(const Worker&, const Exchange& exchange, const McpCall&, std::string_view server,
                  std::string_view tool, bool reviewed) {
  // As it would be called in a conversation that has seen nothing yet.
  const Label label;
  const auto arguments = ArgumentLabels::of_context(label);
  auto question = question_of(exchange, server, tool, label, arguments);
  question.reviewed = reviewed;
  if (!exchange.decisions->decide(listing_request(question)).permit) return false;
  auto decision = exchange.decisions->decide(policy_request(question));
  Plan plan;
  take_redactions(decision, plan);
  if (decision.permit) apply_scope(question, decision);
  return settle_tool(question, decision).effect != ToolEffect::refuse;
}

}  // namespace gatehouse::gateway

// See tool_question.h. Everything that is not understood refuses.
#include "gateway/tool_question.h"

#include "gateway/principal_facts.h"

namespace gatehouse::gateway {
namespace {

// A tool nobody declared may do everything and is trusted with nothing.
policy::Entity tool_entity(const ToolQuestion& question) {
  const auto* declared = question.declaration;
  const bool known = declared != nullptr && declared->declared_effects;
  const ToolEffects effects = known ? declared->effects : ToolEffects{true, true, true, true};
  const auto clearance =
      declared != nullptr ? static_cast<std::int64_t>(declared->clearance) : std::int64_t{0};
  const std::string server(question.server);
  policy::Entity entity{"Tool", server + "/" + std::string(question.tool), {}, {}};
  entity.attributes = {
      {"name", std::string(question.tool)},
      {"server", server},
      {"reads", effects.reads},
      {"writes", effects.writes},
      {"external", effects.external},
      {"irreversible", effects.irreversible},
      {"reviewed", question.reviewed},
      {"trusted", declared != nullptr && declared->trust == Integrity::trusted},
      {"clearance", clearance},
  };
  if (!server.empty()) entity.parents.emplace_back("Server", server);
  return entity;
}

policy::Record arguments_record(const ArgumentLabels& labels) {
  policy::Arguments arguments;
  arguments.integrity = labels.integrity;
  arguments.confidentiality = labels.confidentiality;
  arguments.untrusted.assign(labels.untrusted.begin(), labels.untrusted.end());
  arguments.derived.assign(labels.derived.begin(), labels.derived.end());
  return policy::arguments_record(arguments);
}

policy::Attributes context_of(const ToolQuestion& question) {
  policy::Attributes context;
  context.reserve(11);
  context.emplace_back("surface", std::string(to_string(question.surface)));
  context.emplace_back("purpose", std::string(question.purpose));
  policy::append_clock(context, question.time);
  policy::append_peer(context, question.peer);
  context.emplace_back("label", policy::label_record(*question.label));
  context.emplace_back("findings", policy::findings_record(question.findings));
  context.emplace_back("risk", policy::risk_record(question.risk));
  context.emplace_back("delegation", delegation_record(*question.principal));
  context.emplace_back("approved", question.approved);
  context.emplace_back("arguments", arguments_record(*question.arguments));
  return context;
}

// What the delegation would have to leave.
ScopeQuestion asked_of(const ToolQuestion& question, std::string_view tool) {
  ScopeQuestion asked;
  asked.time = question.time;
  asked.tool = tool;
  asked.confidentiality = static_cast<std::int64_t>(question.arguments->confidentiality);
  return asked;
}

}  // namespace

std::string_view to_string(ToolSurface surface) {
  return surface == ToolSurface::chat ? "chat" : "mcp";
}

std::string_view to_string(ToolEffect effect) {
  switch (effect) {
    case ToolEffect::permit:
      return "permit";
    case ToolEffect::hold:
      return "hold";
    case ToolEffect::refuse:
      return "refuse";
  }
  return "refuse";
}

ArgumentLabels ArgumentLabels::of_context(const Label& context) {
  ArgumentLabels labels;
  labels.integrity = context.integrity;
  labels.confidentiality = context.confidentiality;
  return labels;
}

policy::Request policy_request(const ToolQuestion& question) {
  policy::Request request;
  request.principal = principal_entity(*question.principal);
  request.acts_for = acts_for_entities(*question.principal);
  request.action = "call_tool";
  request.resource = tool_entity(question);
  request.context = context_of(question);
  return request;
}

ToolRuling settle_tool(const ToolQuestion& question, policy::Decision& decision) {
  ToolRuling ruling;
  for (const auto& [name, value] : decision.obligations) {
    if (!decision.permit) break;
    if (name == "log_content" || name == "limit") continue;  // the walk carries them out
    if (name != "require_approval") {
      decision.permit = false;
      decision.errors.emplace_back("an obligation is not supported for calls of tools");
      break;
    }
    auto terms = parse_approval_terms(value);
    if (!terms) {
      decision.permit = false;
      decision.errors.push_back(terms.error().message);
      break;
    }
    ruling.approvals.push_back(std::move(*terms));
  }
  const std::string name = std::string(question.server) + "/" + std::string(question.tool);
  deny_outside_scope(*question.principal, asked_of(question, name), decision);
  if (!decision.permit) return {};
  const bool holds = !ruling.approvals.empty() && !question.approved;
  ruling.effect = holds ? ToolEffect::hold : ToolEffect::permit;
  return ruling;
}

}  // namespace gatehouse::gateway

// See tool_question.h. Everything that is not understood refuses.
#include "gateway/tool_question.h"

#include <array>
#include <optional>

#include "base/text.h"

namespace gatehouse::gateway {
namespace {

constexpr std::size_t most_approvers = 16;
constexpr std::chrono::milliseconds longest_expiry{31LL * 24 * 3'600'000};

std::string_view entity_type(identity::PrincipalKind kind) {
  switch (kind) {
    case identity::PrincipalKind::user:
      return "User";
    case identity::PrincipalKind::service:
      return "Service";
    case identity::PrincipalKind::agent:
      return "Agent";
    case identity::PrincipalKind::model:
      return "Model";
  }
  return "User";
}

policy::Entity principal_entity(const identity::Principal& principal) {
  policy::Entity entity;
  entity.type = entity_type(principal.kind);
  entity.id = principal.id;
  for (const auto& [name, value] : principal.attributes)
    entity.attributes.emplace_back(name, value);
  entity.attributes.emplace_back("key_prefix", principal.key_prefix);
  for (const auto& group : principal.groups) entity.parents.emplace_back("Group", group);
  return entity;
}

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

std::string_view address_of(std::string_view peer) {
  const auto colon = peer.rfind(':');
  return colon == std::string_view::npos ? peer : peer.substr(0, colon);
}

policy::Record label_record(const Label& label) {
  return {
      {"confidentiality", static_cast<std::int64_t>(label.confidentiality)},
      {"categories", std::vector<std::string>(label.categories.begin(), label.categories.end())},
      {"integrity", static_cast<std::int64_t>(label.integrity)}};
}

policy::Record arguments_record(const ArgumentLabels& arguments) {
  return {
      {"integrity", static_cast<std::int64_t>(arguments.integrity)},
      {"confidentiality", static_cast<std::int64_t>(arguments.confidentiality)},
      {"untrusted",
       std::vector<std::string>(arguments.untrusted.begin(), arguments.untrusted.end())},
      {"derived", std::vector<std::string>(arguments.derived.begin(), arguments.derived.end())}};
}

policy::Record delegation_record(const identity::Principal& principal) {
  std::vector<std::string> actors;
  for (const auto& actor : principal.chain)
    actors.push_back(std::string(to_string(actor.kind)) + ":" + actor.id);
  return {{"depth", static_cast<std::int64_t>(principal.chain.size())},
          {"actors", std::move(actors)}};
}

policy::Attributes context_of(const ToolQuestion& question) {
  const auto day = std::chrono::floor<std::chrono::days>(question.time);
  const auto hour = std::chrono::duration_cast<std::chrono::hours>(question.time - day).count();
  const auto weekday = std::chrono::weekday(day).iso_encoding();
  return {
      {"label", label_record(*question.label)},
      {"findings", policy::findings_record(question.findings)},
      {"risk", policy::risk_record(question.risk)},
      {"purpose", std::string(question.purpose)},
      {"hour", static_cast<std::int64_t>(hour)},
      {"weekday", static_cast<std::int64_t>(weekday)},
      {"peer", std::string(address_of(question.peer))},
      {"delegation", delegation_record(*question.principal)},
      {"surface", std::string(to_string(question.surface))},
      {"approved", question.approved},
      {"arguments", arguments_record(*question.arguments)},
  };
}

// "250ms", "30m", "12h", "7d"
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::int64_t milliseconds;
  };
  constexpr std::array<Unit, 4> units{
      {{"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
  for (const auto& unit : units) {
    if (!text.ends_with(unit.name)) continue;
    const auto count = parse_uint(text.substr(0, text.size() - unit.name.size()));
    if (!count || *count == 0 || *count > 1'000'000) return std::nullopt;
    const std::chrono::milliseconds value(static_cast<std::int64_t>(*count) * unit.milliseconds);
    if (value > longest_expiry) return std::nullopt;
    return value;
  }
  return std::nullopt;
}

bool read_term(std::string_view name, std::string_view value, ApprovalTerms& terms) {
  if (name == "role") {
    terms.role = value;
    return !value.empty() && value.size() <= 128;
  }
  if (name == "count") {
    const auto count = parse_uint(value);
    terms.count = count ? static_cast<std::size_t>(*count) : 0;
    return terms.count >= 1 && terms.count <= most_approvers;
  }
  if (name != "expires") return false;
  const auto expires = parse_duration(value);
  terms.expires = expires.value_or(std::chrono::milliseconds(0));
  return expires.has_value();
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
  request.action = "call_tool";
  request.resource = tool_entity(question);
  request.context = context_of(question);
  return request;
}

Result<ApprovalTerms> parse_approval_terms(std::string_view text) {
  ApprovalTerms terms;
  for (const auto part : split(text, ',')) {
    const auto term = trim(part);
    if (term.empty()) continue;
    const auto equals = term.find('=');
    if (equals == std::string_view::npos ||
        !read_term(trim(term.substr(0, equals)), trim(term.substr(equals + 1)), terms))
      return fail(ErrorCode::invalid_argument,
                  "\"" + std::string(term) +
                      "\" is no term of an approval; write \"role=approver, count=1, expires=1h\"");
  }
  return terms;
}

ToolRuling settle_tool(const ToolQuestion& question, policy::Decision& decision) {
  ToolRuling ruling;
  for (const auto& [name, value] : decision.obligations) {
    if (!decision.permit) break;
    if (name == "log_content") continue;
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
  if (!decision.permit) return {};
  const bool holds = !ruling.approvals.empty() && !question.approved;
  ruling.effect = holds ? ToolEffect::hold : ToolEffect::permit;
  return ruling;
}

}  // namespace gatehouse::gateway

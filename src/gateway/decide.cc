// Decide: principal, action, resource and context go to the policies; their obligations become the
// plan. Everything that is not understood denies.
#include <algorithm>
#include <chrono>

#include "base/text.h"
#include "gateway/stages.h"

namespace gatehouse::gateway {
namespace {

std::string_view entity_type(identity::PrincipalKind kind) {
  switch (kind) {
    case identity::PrincipalKind::user:
      return "User";
    case identity::PrincipalKind::service:
      return "Service";
    case identity::PrincipalKind::agent:
      return "Agent";
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
  return entity;
}

policy::Entity model_entity(const Exchange& exchange) {
  policy::Entity entity{"Model", exchange.model_name, {}, {}};
  const bool registered = exchange.model != nullptr;
  const std::string provider = registered ? exchange.model->provider : "";
  // A model nobody registered is outside until somebody says otherwise.
  const std::string trust = registered ? exchange.model->trust : "external";
  entity.attributes = {{"name", exchange.model_name},
                       {"provider", provider},
                       {"trust", trust},
                       {"registered", registered}};
  if (registered) entity.parents.emplace_back("Provider", provider);
  return entity;
}

std::string_view action_of(Route route) {
  switch (route) {
    case Route::embeddings:
      return "embed";
    case Route::list_models:
      return "list_models";
    default:
      return "infer";
  }
}

// The address without the port, which says nothing about who it is.
std::string_view address_of(std::string_view peer) {
  const auto colon = peer.rfind(':');
  return colon == std::string_view::npos ? peer : peer.substr(0, colon);
}

policy::Attributes context_of(const Exchange& exchange) {
  const auto day = std::chrono::floor<std::chrono::days>(exchange.time);
  const auto hour = std::chrono::duration_cast<std::chrono::hours>(exchange.time - day).count();
  const auto weekday = std::chrono::weekday(day).iso_encoding();
  const auto count = [&](inspect::Category category) {
    return static_cast<std::int64_t>(
        exchange.findings.by_category[static_cast<std::size_t>(category)]);
  };
  const std::vector<std::string> categories(exchange.label.categories.begin(),
                                            exchange.label.categories.end());
  return {
      {"dialect", std::string(to_string(exchange.dialect->kind()))},
      {"route", std::string(to_string(*exchange.route))},
      {"stream", exchange.stream},
      {"purpose", std::string(exchange.head->fields.find("gatehouse-purpose").value_or(""))},
      {"hour", static_cast<std::int64_t>(hour)},
      {"weekday", static_cast<std::int64_t>(weekday)},
      {"peer", std::string(address_of(exchange.peer))},
      {"label", policy::Record{{"confidentiality",
                                static_cast<std::int64_t>(exchange.label.confidentiality)},
                               {"categories", categories},
                               {"integrity", static_cast<std::int64_t>(exchange.label.integrity)}}},
      {"findings", policy::Record{{"credentials", count(inspect::Category::credentials)},
                                  {"personal", count(inspect::Category::personal)}}},
      {"uninspectable", exchange.uninspectable},
      {"tools", exchange.tools},
  };
}

// Turns obligations into a plan; false when one is not known here.
bool read_obligations(const std::vector<policy::Obligation>& obligations, Plan& plan) {
  for (const auto& [name, value] : obligations) {
    if (name == "redact" || name == "redact_answer") {
      const auto category = inspect::parse_category(value);
      if (!category) return false;
      (name == "redact" ? plan.redact : plan.redact_answer)
          .set(static_cast<std::size_t>(*category));
    } else if (name == "require_validation") {
      if (value != "json") return false;
      plan.validate_json = true;
    } else if (name == "log_content") {
      plan.log_content = value;  // at most one arrives, see policy.h
    } else {
      return false;
    }
  }
  return true;
}

std::string found_rules(const Exchange& exchange) {
  constexpr std::size_t most = 5;
  std::string text;
  for (std::size_t at = 0; at < exchange.findings.by_rule.size() && at < most; ++at) {
    const auto& [rule, count] = exchange.findings.by_rule[at];
    text += (at > 0 ? ", " : "") + exchange.snapshot->rules->rules()[rule].id;
    if (count > 1) text += " (" + std::to_string(count) + ")";
  }
  return text;
}

std::string blocked_message(const Exchange& exchange) {
  const auto& decision = exchange.decision;
  std::string message = "Blocked by policy";
  for (std::size_t at = 0; at < decision.determining.size(); ++at)
    message += (at == 0 ? " " : ", ") + decision.determining[at];
  if (!decision.errors.empty()) message += " (a policy could not be evaluated)";
  message += '.';
  for (const auto& advice : decision.advice) message += " " + advice;
  if (const auto rules = found_rules(exchange); !rules.empty()) message += " Found: " + rules + ".";
  return message + " Entry " + exchange.id + " of the ledger has the decision.";
}

}  // namespace

Verdict decide(const Worker& worker, Exchange& exchange) {
  const StageTimer timer(worker, exchange, Stage::decide);
  const bool lists = exchange.route == Route::list_models;
  if (!lists) exchange.model = exchange.snapshot->find_model(exchange.model_name);
  if (exchange.model) exchange.provider = exchange.snapshot->provider_of(*exchange.model);

  policy::Request request;
  request.principal = principal_entity(exchange.principal);
  request.action = action_of(*exchange.route);
  request.resource = lists ? policy::Entity{"Gateway", exchange.snapshot->config->node, {}, {}}
                           : model_entity(exchange);
  request.context = context_of(exchange);
  exchange.decision = exchange.decisions->decide(request);

  if (exchange.decision.permit && !read_obligations(exchange.decision.obligations, exchange.plan)) {
    exchange.decision.permit = false;
    exchange.decision.errors.emplace_back("an obligation is not supported by this version");
  }
  if (!lists && !exchange.model) {
    exchange.decision.permit = false;
    return refuse(Problem::unknown_model,
                  "The model \"" + std::string(utf8_prefix(exchange.model_name, 200)) +
                      "\" is not registered here. `gatehouse model list` shows those that are; "
                      "`gatehouse model add` registers one.");
  }
  if (!exchange.decision.permit) return refuse(Problem::blocked, blocked_message(exchange));
  if (exchange.provider && exchange.provider->dialect != exchange.dialect->kind()) {
    exchange.decision.permit = false;
    return refuse(Problem::bad_request, "The model \"" + exchange.model_name + "\" speaks the " +
                                            std::string(to_string(exchange.provider->dialect)) +
                                            " dialect; use " +
                                            (exchange.provider->dialect == DialectKind::anthropic
                                                 ? "/v1/messages"
                                                 : "/v1/chat/completions or /v1/embeddings") +
                                            " for it.");
  }
  return {};
}

}  // namespace gatehouse::gateway

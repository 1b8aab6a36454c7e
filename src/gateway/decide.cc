// Decide: principal, action, resource and context go to the policies; their obligations become the
// plan. What is asked is in question.h; here it is taken from the exchange, and a no is put into
// words.
#include "base/text.h"
#include "gateway/decision_event.h"
#include "gateway/question.h"
#include "gateway/stages.h"

namespace gatehouse::gateway {
namespace {

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
  std::string message = blocked_by(exchange.decision);
  if (const auto rules = found_rules(exchange); !rules.empty()) message += " Found: " + rules + ".";
  return message + " Entry " + exchange.id + " of the ledger has the decision.";
}

std::string unknown_model_message(const Exchange& exchange) {
  return "The model \"" + std::string(utf8_prefix(exchange.model_name, 200)) +
         "\" is not registered here. `gatehouse model list` shows those that are; "
         "`gatehouse model add` registers one.";
}

std::string wrong_dialect_message(const Exchange& exchange) {
  const DialectKind dialect = exchange.provider->dialect;
  return "The model \"" + exchange.model_name + "\" speaks the " + std::string(to_string(dialect)) +
         " dialect; use " +
         (dialect == DialectKind::anthropic
              ? "/v1/messages"
              : "/v1/chat/completions, /v1/responses or /v1/embeddings") +
         " for it.";
}

Question question_of(const Exchange& exchange) {
  Question question;
  question.principal = &exchange.principal;
  question.route = *exchange.route;
  question.dialect = exchange.dialect->kind();
  question.model_name = exchange.model_name;
  question.model = exchange.model;
  question.node = exchange.snapshot->config->node;
  question.time = exchange.time;
  question.peer = exchange.peer;
  question.purpose = exchange.head->fields.find("gatehouse-purpose").value_or("");
  question.stream = exchange.stream;
  question.uninspectable = exchange.uninspectable;
  question.findings = exchange.findings.by_category;
  question.risk = exchange.risk;
  question.label = &exchange.label;
  question.tools = exchange.tools;
  return question;
}

}  // namespace

Verdict decide(const Worker& worker, Exchange& exchange) {
  const StageTimer timer(worker, exchange, Stage::decide);
  if (exchange.route != Route::list_models)
    exchange.model = exchange.snapshot->find_model(exchange.model_name);
  if (exchange.model) exchange.provider = exchange.snapshot->provider_of(*exchange.model);

  const Question question = question_of(exchange);
  exchange.decision = exchange.decisions->decide(policy_request(question));
  const auto provider_dialect =
      exchange.provider ? std::optional(exchange.provider->dialect) : std::nullopt;
  const auto problem = settle(question, provider_dialect, exchange.decision, exchange.plan);
  if (!problem) return {};
  switch (*problem) {
    case Problem::unknown_model:
      return refuse(*problem, unknown_model_message(exchange));
    case Problem::bad_request:
      return refuse(*problem, wrong_dialect_message(exchange));
    default:
      return refuse(*problem, blocked_message(exchange));
  }
}

}  // namespace gatehouse::gateway

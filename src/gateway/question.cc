// See question.h. Everything that is not understood denies.
#include "gateway/question.h"

#include <algorithm>
#include <chrono>

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
    case identity::PrincipalKind::model:
      return "Model";
  }
  return "User";
}

policy::Entity principal_entity(const Question& question) {
  policy::Entity entity;
  entity.type = entity_type(question.principal_kind);
  entity.id = question.principal_id;
  entity.attributes.reserve(question.attributes.size() + 1);
  for (const auto& [name, value] : question.attributes) entity.attributes.emplace_back(name, value);
  entity.attributes.emplace_back("key_prefix", std::string(question.key_prefix));
  return entity;
}

policy::Entity model_entity(const Question& question) {
  const std::string name(question.model_name);
  policy::Entity entity{"Model", name, {}, {}};
  const bool registered = question.model != nullptr;
  const std::string provider = registered ? question.model->provider : "";
  // A model nobody registered is outside until somebody says otherwise.
  const std::string trust = registered ? question.model->trust : "external";
  entity.attributes = {
      {"name", name}, {"provider", provider}, {"trust", trust}, {"registered", registered}};
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

policy::Attributes context_of(const Question& question) {
  const auto day = std::chrono::floor<std::chrono::days>(question.time);
  const auto hour = std::chrono::duration_cast<std::chrono::hours>(question.time - day).count();
  const auto weekday = std::chrono::weekday(day).iso_encoding();
  const Label& label = *question.label;
  return {
      {"dialect", std::string(to_string(question.dialect))},
      {"route", std::string(to_string(question.route))},
      {"stream", question.stream},
      {"purpose", std::string(question.purpose)},
      {"hour", static_cast<std::int64_t>(hour)},
      {"weekday", static_cast<std::int64_t>(weekday)},
      {"peer", std::string(address_of(question.peer))},
      {"label",
       policy::Record{{"confidentiality", static_cast<std::int64_t>(label.confidentiality)},
                      {"categories",
                       std::vector<std::string>(label.categories.begin(), label.categories.end())},
                      {"integrity", static_cast<std::int64_t>(label.integrity)}}},
      {"findings", policy::findings_record(question.findings)},
      {"risk", policy::risk_record(question.risk)},
      {"uninspectable", question.uninspectable},
      {"tools", std::vector<std::string>(question.tools.begin(), question.tools.end())},
  };
}

// Of two policies with one check the stricter action holds.
void keep_strictest(std::vector<PlannedCheck>& checks) {
  std::ranges::sort(checks, {}, [](const PlannedCheck& check) {
    return std::pair(std::string_view(check.name), check.action);
  });
  const auto again = std::ranges::unique(checks, {}, &PlannedCheck::name);
  checks.erase(again.begin(), again.end());
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
    } else if (name == "guard") {
      plan.guards.push_back(value);
    } else if (name == "guard_answer") {
      plan.answer_guards.push_back(value);
    } else if (name == "check") {
      const auto check = parse_planned_check(value);
      if (!check) return false;
      plan.checks.push_back(*check);
    } else if (name == "canary") {
      const auto action = parse_check_action(value);
      if (!action) return false;
      plan.canary = std::min(plan.canary.value_or(*action), *action);
    } else if (name == "limit") {
      plan.limits.push_back(value);
    } else if (name == "log_content") {
      // Read by keep.cc, also where the decision forbids.
    } else {
      return false;
    }
  }
  keep_strictest(plan.checks);
  return true;
}

}  // namespace

inspect::Categories watched_categories(const policy::PolicySet& policies) {
  const std::string& source = policies.source();
  const auto says = [&](std::string_view text) { return source.find(text) != std::string::npos; };
  const bool obliges = std::ranges::any_of(policies.policies(), [](const policy::PolicyInfo& one) {
    return std::ranges::find(one.obligations, "names", &policy::Obligation::value) !=
           one.obligations.end();
  });
  inspect::Categories watched = inspect::Categories().set();
  // However a policy may write it; the schema's own "names:" is none of these.
  const bool asked = obliges || says(".names") || says("\"names\"");
  watched.set(static_cast<std::size_t>(inspect::Category::names), asked);
  return watched;
}

static_assert(policy::finding_categories.size() == inspect::category_count);

Label label_of_findings(const policy::FindingCounts& findings) {
  const auto count = [&](inspect::Category category) {
    return findings[static_cast<std::size_t>(category)];
  };
  return label_of_call(count(inspect::Category::credentials),
                       count(inspect::Category::personal) + count(inspect::Category::names));
}

Label with_marks(const Label& label) {
  Label marked;
  marked.origin = Origin::ai;
  return join(label, marked);
}

policy::Request policy_request(const Question& question) {
  policy::Request request;
  request.principal = principal_entity(question);
  request.action = action_of(question.route);
  request.resource = question.route == Route::list_models
                         ? policy::Entity{"Gateway", std::string(question.node), {}, {}}
                         : model_entity(question);
  request.context = context_of(question);
  return request;
}

std::optional<Problem> settle(const Question& question, std::optional<DialectKind> provider_dialect,
                              policy::Decision& decision, Plan& plan) {
  if (decision.permit && !read_obligations(decision.obligations, plan)) {
    decision.permit = false;
    decision.errors.emplace_back("an obligation is not supported by this version");
  }
  if (question.route != Route::list_models && question.model == nullptr) {
    decision.permit = false;
    return Problem::unknown_model;
  }
  if (!decision.permit) return Problem::blocked;
  if (provider_dialect && *provider_dialect != question.dialect) {
    decision.permit = false;
    return Problem::bad_request;
  }
  return std::nullopt;
}

}  // namespace gatehouse::gateway

// See question.h. Everything that is not understood denies.
#include "gateway/question.h"

#include <algorithm>

#include "gateway/principal_facts.h"
#include "policy/terms.h"

namespace gatehouse::gateway {
namespace {

// What one needs for the model. A model nobody registered is refused for that.
std::int64_t clearance_of(const store::ModelRecord* model) {
  return model == nullptr ? 0 : policy::clearance_level(model->clearance);
}

policy::Entity model_entity(const Question& question) {
  const std::string name(question.model_name);
  policy::Entity entity{"Model", name, {}, {}};
  const bool registered = question.model != nullptr;
  const std::string provider = registered ? question.model->provider : "";
  // A model nobody registered is outside until somebody says otherwise.
  const std::string trust = registered ? question.model->trust : "external";
  entity.attributes = {{"name", name},
                       {"provider", provider},
                       {"trust", trust},
                       {"registered", registered},
                       {"clearance", clearance_of(question.model)},
                       {"clearance_level", std::int64_t{0}}};
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

policy::Attributes context_of(const Question& question) {
  policy::Attributes context;
  context.reserve(13);
  context.emplace_back("dialect", std::string(to_string(question.dialect)));
  context.emplace_back("purpose", std::string(question.purpose));
  policy::append_clock(context, question.time);
  policy::append_peer(context, question.peer);
  context.emplace_back("delegation", delegation_record(*question.principal));
  if (question.route == Route::list_models) return context;
  context.emplace_back("route", std::string(to_string(question.route)));
  context.emplace_back("stream", question.stream);
  context.emplace_back("label", policy::label_record(*question.label));
  context.emplace_back("findings", policy::findings_record(question.findings));
  context.emplace_back("risk", policy::risk_record(question.risk));
  context.emplace_back("uninspectable", question.uninspectable);
  context.emplace_back("tools",
                       std::vector<std::string>(question.tools.begin(), question.tools.end()));
  return context;
}

ScopeQuestion asked_of(const Question& question) {
  ScopeQuestion asked;
  asked.time = question.time;
  if (question.route == Route::list_models) return asked;
  asked.model = question.model_name;
  asked.confidentiality = std::max(clearance_of(question.model),
                                   static_cast<std::int64_t>(question.label->confidentiality));
  return asked;
}

// Of two policies with one check the stricter action holds.
void keep_strictest(std::vector<PlannedCheck>& checks) {
  std::ranges::sort(checks, {}, [](const PlannedCheck& check) {
    return std::pair(std::string_view(check.name), check.action);
  });
  const auto again = std::ranges::unique(checks, {}, &PlannedCheck::name);
  checks.erase(again.begin(), again.end());
}

// Of two policies with one header both values are in it, as a list (RFC 9110 section 5.3).
void add_header(Plan& plan, const policy::HeaderTerms& header) {
  const auto [entry, added] = plan.headers.try_emplace(header.name, header.value);
  if (!added && entry->second != header.value) entry->second += ", " + header.value;
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
    } else if (name == "watermark_header") {
      const auto header = policy::parse_header_terms(value);
      if (!header) return false;
      add_header(plan, *header);
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
  request.principal = principal_entity(*question.principal);
  request.acts_for = acts_for_entities(*question.principal);
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
  if (decision.permit) deny_outside_scope(*question.principal, asked_of(question), decision);
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

// Annotations: a closed list, each with a closed list of values, so that a misspelt obligation is
// an error when the set is loaded and not a missing redaction when it is used.
#include "policy/obligations.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/text.h"
#include "policy/terms.h"

namespace gatehouse::policy {
namespace {

constexpr std::array<std::string_view, 1> validations = {"json"};
constexpr std::array<std::string_view, 3> log_content_levels = {"none", "flagged",
                                                                "all"};  // least first
constexpr std::array<std::string_view, 1> shadow_values = {"true"};
constexpr std::array<std::string_view, 4> check_actions = {"block", "retry", "redact", "flag"};

// What is wrong with a value that has terms; empty where nothing is.
using TermsCheck = std::string (*)(std::string_view);

template <class Terms>
std::string problem_of(const Result<Terms>& terms) {
  return terms ? std::string() : terms.error().message;
}
std::string check_approval(std::string_view value) {
  return problem_of(parse_approval_terms(value));
}
// Terms, or the name of a budget: whether there is one of that name is not known here.
std::string check_limit(std::string_view value) {
  const bool is_name = !value.empty() && value.find_first_of("=,| \t") == std::string_view::npos;
  return is_name ? std::string() : problem_of(parse_limit_terms(value));
}
std::string check_header(std::string_view value) {
  return problem_of(parse_header_terms(value));
}
std::optional<int> percentage(std::string_view value) {
  const auto number = parse_uint(value);
  if (!number || *number > 100) return std::nullopt;
  return static_cast<int>(*number);
}
std::string check_percentage(std::string_view value) {
  return percentage(value) ? std::string() : "it is a number of per cent, 0 to 100";
}

struct Rule {
  std::string_view name;
  std::span<const std::string_view> values;  // empty: any text
  bool is_list = false;
  bool obliges = false;      // becomes an obligation of the decision
  bool permit_only = false;  // on a forbid it would have nothing to act on
  bool is_named = false;     // "NAME:value", the name being anybody's
  TermsCheck terms = nullptr;
};

constexpr std::array<Rule, 18> rules = {{
    {"id", {}},
    {"description", {}},
    {"advice", {}},
    {"shadow", shadow_values},
    {"rollout", {}, false, false, false, false, check_percentage},
    {"redact", finding_categories, true, true, true},
    {"redact_answer", finding_categories, true, true, true},
    {"tokenise", finding_categories, true, true, true},
    {"restore", finding_categories, true, true, true},
    {"require_approval", {}, false, true, true, false, check_approval},
    {"limit", {}, false, true, true, false, check_limit},
    {"watermark_header", {}, false, true, true, false, check_header},
    {"guard", {}, true, true, true},
    {"guard_answer", {}, true, true, true},
    {"check", check_actions, true, true, true, true},
    {"canary", check_actions, false, true, true},
    {"require_validation", validations, false, true, true},
    {"log_content", log_content_levels, false, true, false},
}};

const Rule* find_rule(std::string_view name) {
  const auto* rule = std::ranges::find(rules, name, &Rule::name);
  return rule == rules.end() ? nullptr : rule;
}

std::string known_names() {
  std::string names;
  for (const Rule& rule : rules)
    names += fmt::format("{}@{}", names.empty() ? "" : ", ", rule.name);
  return names;
}

std::string check_value(const Rule& rule, std::string_view value) {
  if (rule.is_named) {
    const auto colon = value.rfind(':');
    if (colon == 0 || colon == std::string_view::npos)
      return fmt::format("@{} has \"{}\"; write \"NAME:{}\"", rule.name, value, rule.values[0]);
    value.remove_prefix(colon + 1);
  }
  if (rule.terms != nullptr) {
    const std::string problem = rule.terms(value);
    return problem.empty() ? problem : fmt::format("@{}: {}", rule.name, problem);
  }
  if (rule.values.empty() || std::ranges::find(rule.values, value) != rule.values.end()) return {};
  return fmt::format("@{} has no value \"{}\"; {}one of: {}", rule.name, value,
                     rule.is_list ? "each item is " : "it is ", fmt::join(rule.values, ", "));
}

class Reader {
 public:
  explicit Reader(PolicyInfo& policy) : policy_(policy) {}

  void read(const Annotation& annotation) {
    const Rule* rule = find_rule(annotation.key);
    if (rule == nullptr) {
      note(annotation,
           fmt::format("unknown annotation @{}; known are {}", annotation.key, known_names()));
      return;
    }
    if (rule->permit_only && policy_.forbid) {
      note(annotation,
           fmt::format("@{} on a forbid has nothing to act on; put it on a permit", rule->name));
      return;
    }
    keep(*rule, annotation);
  }

  std::vector<AnnotationProblem> problems;

 private:
  void keep(const Rule& rule, const Annotation& annotation) {
    if (rule.name == "description") policy_.description = annotation.value;
    if (rule.name == "advice") keep_advice(annotation);
    if (rule.name == "shadow") policy_.shadow = true;
    if (rule.name == "rollout") policy_.rollout = percentage(annotation.value);
    if (!rule.is_list) {
      keep_value(rule, annotation, annotation.value);
      return;
    }
    for (const std::string_view item : split(annotation.value, ','))
      keep_value(rule, annotation, trim(item));
  }

  void keep_advice(const Annotation& annotation) {
    policy_.advice = annotation.value;
    if (policy_.forbid) return;
    note(annotation, "@advice on a permit is never shown", true);
  }

  void keep_value(const Rule& rule, const Annotation& annotation, std::string_view value) {
    if (std::string problem = check_value(rule, value); !problem.empty()) {
      note(annotation, std::move(problem));
      return;
    }
    if (rule.obliges) policy_.obligations.push_back({std::string(rule.name), std::string(value)});
  }

  void note(const Annotation& annotation, std::string message, bool is_warning = false) {
    problems.push_back({annotation.line, annotation.column, std::move(message), is_warning});
  }

  PolicyInfo& policy_;
};

}  // namespace

std::vector<AnnotationProblem> read_annotations(const std::vector<Annotation>& annotations,
                                                PolicyInfo& policy) {
  Reader reader(policy);
  for (const Annotation& annotation : annotations) reader.read(annotation);
  settle(policy.obligations);
  return std::move(reader.problems);
}

void settle(std::vector<Obligation>& obligations) {
  std::ranges::sort(obligations);
  const auto duplicates = std::ranges::unique(obligations);
  obligations.erase(duplicates.begin(), duplicates.end());
  const auto is_log = [](const Obligation& one) { return one.name == "log_content"; };
  if (std::ranges::count_if(obligations, is_log) < 2) return;
  const auto keeps = [&](std::string_view value) {
    return std::ranges::find(obligations, Obligation{"log_content", std::string(value)}) !=
           obligations.end();
  };
  const auto* least = std::ranges::find_if(log_content_levels, keeps);
  std::erase_if(obligations,
                [&](const Obligation& one) { return is_log(one) && one.value != *least; });
}

}  // namespace gatehouse::policy

// What policy is asked about one call, and what the gateway makes of the answer. Pure, so that the
// walk of a request and `gatehouse audit replay` cannot disagree: both ask this question.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "gateway/config.h"
#include "gateway/exchange.h"
#include "gateway/problem.h"
#include "identity/identity.h"
#include "label/label.h"
#include "policy/context.h"
#include "store/store.h"

namespace gatehouse::gateway {

// Views; what they look at must outlive it.
struct Question {
  const identity::Principal* principal = nullptr;

  Route route = Route::chat_completions;
  DialectKind dialect = DialectKind::openai;
  std::string_view model_name;
  const store::ModelRecord* model = nullptr;  // null: not registered, or its provider unknown
  std::string_view node;

  WallTime time;
  std::string_view peer;     // address:port
  std::string_view purpose;  // empty: none was declared
  bool stream = false;
  bool uninspectable = false;
  policy::FindingCounts findings{};
  policy::RiskValues risk;
  const Label* label = nullptr;
  std::span<const std::string> tools;
};

// What inspection looks for under these policies. Finding names takes longer than all the rest
// together, so they are looked for only where a policy speaks of them.
inspect::Categories watched_categories(const policy::PolicySet& policies);

// What a call is whose text has so many findings of each category.
Label label_of_findings(const policy::FindingCounts& findings);
// The same of a call in whose texts there are marks of a model's writing: not all of it is a
// person's.
Label with_marks(const Label& label);

policy::Request policy_request(const Question& question);

// Reads the obligations into `plan` and makes a deny of what must not pass although policy permits:
// an obligation this version does not know, what the delegation does not leave (principal_facts.h),
// a model nobody registered, a provider that speaks the other dialect. The problem, where the call
// ends here.
std::optional<Problem> settle(const Question& question, std::optional<DialectKind> provider_dialect,
                              policy::Decision& decision, Plan& plan);

}  // namespace gatehouse::gateway

// Claims about a policy set that must hold for all requests (policies/claims/*.yaml), the questions
// a prover is asked for them (cedar/prove), and what it found. docs/policies.md has the format.
//
// A set that is partly rolled out is taken at its worst: for what must never be permitted, permits
// on their way in count and forbids on their way in do not; for what must always be permitted, the
// other way round. So a proof holds at every percentage.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "policy/policy.h"

namespace gatehouse::policy {

struct Claim {
  enum class Kind : std::uint8_t { never_permit, always_permit, never_error, not_more_permissive };
  std::string name;
  std::string where;  // file:line
  std::string description;
  Kind kind = Kind::never_permit;
  std::vector<std::string> actions;     // empty: all
  std::vector<std::string> principals;  // types; empty: all
  std::string when;                     // Cedar; empty: whatever is asked
  std::string unless_obliged;           // permitted all the same where this obligation is owed
};

struct Claims {
  std::vector<std::string> assumptions;  // Cedar: what the gateway sees to
  std::vector<Claim> claims;
};

// Every *.yaml of the folder, in name order. A wrong file is the error.
Result<Claims> load_claims(const std::filesystem::path& folder);
// Those of the default set.
Result<Claims> builtin_claims();

struct ProofOptions {
  std::size_t workers = 2;
  std::uint64_t time_limit_ms = 60'000;  // for one question
  std::vector<std::string> solver;       // program and arguments; empty: cvc5
};

// The job of gatehouse-prove, as JSON. With `old`, one claim more: what `policies` permit, `old`
// does too.
std::string proof_job(const PolicySet& policies, const PolicySet* old, const Claims& claims,
                      const ProofOptions& options);

struct Proof {
  enum class Outcome : std::uint8_t { proved, refuted, unknown };
  std::string name;
  Outcome outcome = Outcome::unknown;
  std::size_t environments = 0;  // combinations of principal, action and resource
  std::string detail;
  std::optional<Request> counterexample;
};
std::string_view to_string(Proof::Outcome outcome);

// One line of what gatehouse-prove writes. Errors: data_loss.
Result<Proof> read_proof(std::string_view line);

// A request as a case of `policy test`, one line of YAML; `expect` is what should be decided.
std::string case_of(const Request& request, std::string_view name, bool permit);
// The same for people: one fact a line, without what is as usual.
std::string describe(const Request& request);

inline constexpr std::string_view not_more_permissive = "no more permissive than the other set";

}  // namespace gatehouse::policy

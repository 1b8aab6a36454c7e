// May they? Cedar policies (formally verified engine, Rust, behind cedar/gatehouse_cedar.h)
// evaluated over one request. Fail closed: an evaluation error, a panic or an unknown entity type
// is a deny with the reason.
//
// Obligations are annotations on the policies that determined the answer:
//   @redact("personal")               replace findings of these categories (comma-separated) in the
//                                     request and restore them in the answer
//   @redact_answer("credentials")     mask findings of these categories in the answer
//   @require_validation("json")       the answer must be valid JSON
//   @guard("NAME, …")                 guard models of the configuration must find the request
//   harmless
//   @guard_answer("NAME, …")          the same for the answer
//   @check("NAME:block|retry|redact|flag, …")  the configured check of the answer, and what comes
//   of
//                                     its failure
//   @canary("block|retry|redact|flag")  a canary in the system prompt, and a check for it
//   @tokenise("personal")             as @redact, with placeholders that are the same for the same
//                                     text in every call of the deployment
//   @restore("personal")              only these categories are put back into the answer
//   @require_approval("role=approver, count=1, expires=1h")  people must approve first (terms.h)
//   @limit("requests=100/1h, …")      an allowance of its own (terms.h)
//   @watermark_header("x-ai-generated: true")  the answer has this header
//   @log_content("none|flagged|all")  where policies disagree, the one that keeps least holds
//   @shadow("true")                   the policy decides nothing; what it would have changed is
//                                     reported in Decision::shadow
//   @rollout("25")                    the policy is enforced for this percentage of principals, the
//                                     same ones each time; for the others it is in shadow
// An unknown annotation other than @id, @description, @advice is an error at load.
//
// PolicySet is immutable and thread-safe. Attributes the schema does not declare are not seen by
// policies: strings of an entity become its tags, the rest is dropped. A declared attribute of
// another type, or a required one that is absent, is an error, and so a deny.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace gatehouse::policy {

struct Member;

inline constexpr std::string_view schema_file = "schema.cedarschema";

// The members of context.findings, in this order; those of inspect::Category.
inline constexpr std::array<std::string_view, 8> finding_categories = {
    "credentials", "personal", "names", "smuggling", "links", "code", "leak", "custom"};

// A record whose members have types of their own: {{"confidentiality", std::int64_t{2}}, …}.
struct Record {
  std::vector<Member> members;

  Record() = default;
  Record(std::initializer_list<Member> list);
};

// Cedar's decimal: four digits behind the point.
struct Decimal {
  std::int64_t ten_thousandths = 0;
};

using Value =
    std::variant<bool, std::int64_t, std::string, std::vector<std::string>, Record, Decimal>;
using Attributes = std::vector<std::pair<std::string, Value>>;

struct Member {
  std::string name;
  Value value;
};

inline Record::Record(std::initializer_list<Member> list) : members(list) {}

struct Entity {
  std::string type;  // "User", "Model" (namespace Gatehouse is added)
  std::string id;
  Attributes attributes;
  std::vector<std::pair<std::string, std::string>> parents;  // (type, id)
};

// Asked about the principal and about each of `acts_for`, whose authority it uses, as the
// principal: permitted only where all are, with what any of the answers asks for.
struct Request {
  Entity principal;
  std::string action;  // "infer"
  Entity resource;
  Attributes context;
  std::vector<Entity> others = {};    // parents that have parents themselves
  std::vector<Entity> acts_for = {};  // with what is known of them; empty: it acts for itself
};

struct Obligation {
  std::string name;   // "redact"
  std::string value;  // "personal"
  friend auto operator<=>(const Obligation&, const Obligation&) = default;
};

struct Decision {
  bool permit = false;
  // Of the determining policies, sorted, unique. One category each: a list in a policy becomes one
  // obligation for each item.
  std::vector<Obligation> obligations;
  std::vector<std::string> determining;  // policy ids
  std::vector<std::string> advice;       // @advice of the determining forbids: for the caller
  std::vector<std::string> errors;       // evaluation errors; any makes permit false
  struct Shadow {
    std::string policy;
    bool permit = false;                  // what the decision would be with it enforced
    std::vector<Obligation> obligations;  // what it would add to them
    friend bool operator==(const Shadow&, const Shadow&) = default;
  };
  std::vector<Shadow> shadow;  // only those that would change the decision
};

struct PolicyInfo {
  std::string id;     // @id, else file name and number: "20-finance.cedar#2"
  std::string where;  // file:line
  bool forbid = false;
  bool shadow = false;
  std::optional<int> rollout;  // per cent of principals; none: everybody
  std::string description;
  std::string advice;
  std::vector<Obligation> obligations;
};

class PolicySet {
 public:
  // The default set compiled into the program (policies/ at build time).
  static Result<std::shared_ptr<const PolicySet>> builtin();
  // <folder>/schema.cedarschema and every *.cedar, in name order; validated against the schema
  // (strict). The error lists every problem as file:line:column: message.
  static Result<std::shared_ptr<const PolicySet>> load(const std::filesystem::path& folder);
  // (file name, text) pairs; one name must be schema.cedarschema.
  static Result<std::shared_ptr<const PolicySet>> parse(
      std::span<const std::pair<std::string, std::string>> files);

  Decision decide(const Request& request) const;
  const std::string& digest() const;  // "sha256:…" of source()
  // Schema and policies in name order, each as "<bytes>:<name>:<bytes>:<text>".
  const std::string& source() const;
  // (file name, text) in name order, the schema among them.
  const std::vector<std::pair<std::string, std::string>>& files() const;
  std::size_t size() const;                         // number of policies
  const std::vector<PolicyInfo>& policies() const;  // by file, then by place in it
  // What is allowed but probably not meant, as file:line:column: message.
  const std::vector<std::string>& warnings() const;

  struct Impl;
  explicit PolicySet(std::unique_ptr<Impl> impl);
  ~PolicySet();

 private:
  std::unique_ptr<Impl> impl_;
};

// Cases in YAML (docs/policies.md): requests and expected decisions; runs each of every *.yaml of
// the folder, in name order. An unreadable or wrong file is the error; a wrong decision is a case
// that did not pass.
struct TestReport {
  struct Case {
    std::string name;
    std::string where;  // file:line
    bool passed = false;
    std::string detail;  // expected and got, when not passed
  };
  std::vector<Case> cases;
  std::size_t failures() const;
};
Result<TestReport> run_tests(const PolicySet& policies, const std::filesystem::path& folder);

}  // namespace gatehouse::policy

// PolicySet over the Cedar engine: loading (problems become file:line:column), and one decision.
// A set is built on the thread that loads it and then only read, from any thread.
//
// 1. permit is true only where Cedar permits and no policy erred.
// 2. Obligations, advice and ids come from the policies that determined what is answered: after a
//    deny those are forbids only.
// 3. A shadow policy changes nothing but Decision::shadow. One that is rolled out is a shadow
// policy
//    for those it has not come to yet, and an ordinary one for the others.
#include "policy/policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "gatehouse_cedar.h"
#include "policy/builtin.h"
#include "policy/flatten.h"
#include "policy/obligations.h"

namespace gatehouse::policy {
namespace {

constexpr std::string_view cedar_namespace = "Gatehouse";
constexpr std::size_t max_file_bytes = 1u << 20;
constexpr std::size_t max_files = 1000;
constexpr std::size_t max_request_nodes = 65536;

using NamedText = std::pair<std::string, std::string>;

struct CedarSetDeleter {
  void operator()(gh_cedar_set* set) const { gh_cedar_free(set); }
};
using CedarSet = std::unique_ptr<gh_cedar_set, CedarSetDeleter>;

// One line of a report, kept apart so that all can be sorted by place.
struct Problem {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::string text;
  bool is_warning = false;

  std::string describe(const std::string& folder) const {
    const std::string name = folder.empty() ? file : folder + "/" + file;
    if (line == 0) return fmt::format("{}: {}", name, text);
    return fmt::format("{}:{}:{}: {}", name, line, column, text);
  }
};

std::string problem_text(const gh_cedar_problem_info& info) {
  std::string text(text_from_cedar(info.message));
  if (info.attribute.size > 0)
    text += fmt::format("; attribute {}", text_from_cedar(info.attribute));
  if (info.policy.size > 0) text += fmt::format("; in policy {}", text_from_cedar(info.policy));
  if (info.hint.size > 0) text += fmt::format("; {}", text_from_cedar(info.hint));
  return text;
}

std::vector<Problem> engine_problems(const gh_cedar_set* set) {
  std::vector<Problem> problems;
  for (std::size_t i = 0; i < gh_cedar_problem_count(set); ++i) {
    gh_cedar_problem_info info{};
    GH_CHECK(gh_cedar_problem(set, i, &info) == GH_CEDAR_OK);
    problems.push_back({std::string(text_from_cedar(info.file)), info.line, info.column,
                        problem_text(info), info.is_warning != 0});
  }
  return problems;
}

std::vector<Annotation> annotations_of(const gh_cedar_set* set, std::size_t policy,
                                       std::uint32_t count) {
  std::vector<Annotation> annotations;
  for (std::uint32_t i = 0; i < count; ++i) {
    gh_cedar_annotation_info info{};
    GH_CHECK(gh_cedar_annotation(set, policy, i, &info) == GH_CEDAR_OK);
    annotations.push_back(
        {text_from_cedar(info.key), text_from_cedar(info.value), info.line, info.column});
  }
  return annotations;
}

std::vector<PolicyInfo> read_policies(const gh_cedar_set* set, std::vector<Problem>& problems) {
  std::vector<PolicyInfo> policies;
  for (std::size_t i = 0; i < gh_cedar_policy_count(set); ++i) {
    gh_cedar_policy_info info{};
    GH_CHECK(gh_cedar_policy(set, i, &info) == GH_CEDAR_OK);
    PolicyInfo policy;
    policy.id = text_from_cedar(info.id);
    policy.forbid = info.is_forbid != 0;
    policy.where = fmt::format("{}:{}", text_from_cedar(info.file), info.line);
    for (AnnotationProblem& problem :
         read_annotations(annotations_of(set, i, info.annotation_count), policy)) {
      problems.push_back({std::string(text_from_cedar(info.file)), problem.line, problem.column,
                          fmt::format("{}; in policy {}", problem.message, policy.id),
                          problem.is_warning});
    }
    policies.push_back(std::move(policy));
  }
  return policies;
}

// Lines of the problems that are (or are not) warnings, by place, each once.
std::vector<std::string> lines_of(std::vector<Problem> problems, bool warnings,
                                  const std::string& folder) {
  std::ranges::sort(problems, {}, [](const Problem& one) {
    return std::tie(one.file, one.line, one.column, one.text);
  });
  std::vector<std::string> lines;
  for (const Problem& problem : problems) {
    if (problem.is_warning != warnings) continue;
    std::string line = problem.describe(folder);
    if (lines.empty() || lines.back() != line) lines.push_back(std::move(line));
  }
  return lines;
}

std::string source_of(const std::vector<NamedText>& files) {
  std::string all;
  for (const auto& [name, text] : files)
    all += fmt::format("{}:{}:{}:{}", name.size(), name, text.size(), text);
  return all;
}

Result<void> check_files(const std::vector<NamedText>& files) {
  if (files.size() > max_files)
    return fail(ErrorCode::invalid_argument, fmt::format("more than {} files", max_files));
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto& [name, text] = files[i];
    if (i > 0 && files[i - 1].first == name)
      return fail(ErrorCode::invalid_argument, "two files have this name", name);
    if (text.size() > max_file_bytes)
      return fail(ErrorCode::invalid_argument,
                  fmt::format("larger than {} KiB", max_file_bytes / 1024), name);
    if (!is_utf8(name) || !is_utf8(text))
      return fail(ErrorCode::invalid_argument, "not UTF-8 text", name);
  }
  return {};
}

Result<CedarSet> load_engine(const std::vector<NamedText>& files) {
  GH_CHECK(gh_cedar_abi_version() == GH_CEDAR_ABI_VERSION);
  std::vector<gh_cedar_file> policies;
  gh_cedar_file schema{};
  for (const auto& [name, text] : files) {
    const gh_cedar_file file{text_for_cedar(name), text_for_cedar(text)};
    if (name == schema_file) {
      schema = file;
    } else {
      policies.push_back(file);
    }
  }
  if (schema.name.data == nullptr)
    return fail(ErrorCode::invalid_argument, fmt::format("there is no {}", schema_file));
  gh_cedar_set* set = nullptr;
  const int status = gh_cedar_load(text_for_cedar(cedar_namespace), &schema, policies.data(),
                                   policies.size(), &set);
  if (status != GH_CEDAR_OK)
    return fail(ErrorCode::internal, "the policy engine could not read the policies");
  return CedarSet(set);
}

// Where a principal stands in the roll-out of a policy, 0 to 99: the same each time and on every
// node, and for each policy another, so that not always the same people come first.
int rollout_place(std::string_view policy, const Entity& principal) {
  const std::string text = fmt::format("gatehouse/rollout/v1:{}:{}:{}:{}", policy.size(), policy,
                                       principal.type, principal.id);
  const crypto::Digest digest = crypto::sha256(bytes_of(text));
  std::uint64_t number = 0;
  for (std::size_t at = 0; at < sizeof number; ++at)
    number = number << 8 | static_cast<std::uint64_t>(digest[at]);
  return static_cast<int>(number % 100);
}

bool is_policy_file(const std::filesystem::path& path) {
  return path.filename() == schema_file || path.extension() == ".cedar";
}

Result<std::vector<NamedText>> read_folder(const std::filesystem::path& folder) {
  std::vector<NamedText> files;
  std::error_code problem;
  std::filesystem::directory_iterator entry(folder, problem);
  for (; !problem && entry != std::filesystem::directory_iterator(); entry.increment(problem)) {
    if (!is_policy_file(entry->path())) continue;
    if (files.size() > max_files) break;  // check_files says what is wrong
    GH_ASSIGN(std::string text, read_file(entry->path(), max_file_bytes));
    files.emplace_back(entry->path().filename().string(), std::move(text));
  }
  if (problem) return fail(ErrorCode::not_found, problem.message(), folder.string());
  return files;
}

}  // namespace

// A policy that applied, or that could not be evaluated.
struct Touched {
  const PolicyInfo* policy = nullptr;
  bool applies = false;
  bool is_enforced = false;  // for this principal; else it is in shadow
};

struct PolicySet::Impl {
  CedarSet engine;
  std::vector<PolicyInfo> policies;
  std::vector<std::string> warnings;
  std::vector<NamedText> files;
  std::string source;
  std::string digest;

  static Result<std::shared_ptr<const PolicySet>> make(std::vector<NamedText> files,
                                                       const std::string& folder);
  // The policies with an outcome, in the order of the set: few of many.
  std::vector<Touched> touched(std::span<const std::uint8_t> outcomes,
                               const Entity& principal) const;
  static void enforce_rollouts(std::span<const Touched> touched, Decision& decision);
  static void fill(std::span<const Touched> touched, Decision& decision);
  static void add_shadows(std::span<const Touched> touched, Decision& decision);
  // About the principal alone.
  Decision decide(const Request& request) const;
};

Result<std::shared_ptr<const PolicySet>> PolicySet::Impl::make(std::vector<NamedText> files,
                                                               const std::string& folder) {
  std::ranges::sort(files);
  GH_TRY(check_files(files));
  auto impl = std::make_unique<Impl>();
  GH_ASSIGN(impl->engine, load_engine(files));
  std::vector<Problem> problems = engine_problems(impl->engine.get());
  impl->policies = read_policies(impl->engine.get(), problems);
  if (const auto errors = lines_of(problems, false, folder); !errors.empty())
    return fail(ErrorCode::invalid_argument, fmt::format("{}", fmt::join(errors, "\n")));
  impl->warnings = lines_of(std::move(problems), true, folder);
  impl->source = source_of(files);
  impl->files = std::move(files);
  impl->digest = "sha256:" + to_hex(crypto::sha256(bytes_of(impl->source)));
  return std::make_shared<const PolicySet>(std::move(impl));
}

std::vector<Touched> PolicySet::Impl::touched(std::span<const std::uint8_t> outcomes,
                                              const Entity& principal) const {
  std::vector<Touched> touched;
  const auto is_touched = [](std::uint8_t outcome) { return outcome != GH_CEDAR_NOT_DETERMINING; };
  for (auto at = std::ranges::find_if(outcomes, is_touched); at != outcomes.end();
       at = std::find_if(at + 1, outcomes.end(), is_touched)) {
    const PolicyInfo& policy = policies[static_cast<std::size_t>(at - outcomes.begin())];
    const bool is_enforced =
        !policy.shadow &&
        (!policy.rollout || rollout_place(policy.id, principal) < *policy.rollout);
    touched.push_back({&policy, *at == GH_CEDAR_DETERMINING, is_enforced});
  }
  return touched;
}

// The engine decided without the policies that are rolled out; those that count for this principal
// are taken in by Cedar's own rule: an error denies, then one forbid that applies, then a permit.
void PolicySet::Impl::enforce_rollouts(std::span<const Touched> touched, Decision& decision) {
  bool permits = decision.permit;
  bool forbids = false;
  for (const auto& [policy, applies, is_enforced] : touched) {
    if (!is_enforced) continue;
    if (policy->rollout && !applies)
      decision.errors.push_back(fmt::format("policy {} could not be evaluated", policy->id));
    if (!applies) continue;
    if (policy->forbid) forbids = true;
    if (policy->rollout && !policy->forbid) permits = true;
  }
  decision.permit = permits && !forbids && decision.errors.empty();
}

// What the enforced policies determined.
void PolicySet::Impl::fill(std::span<const Touched> touched, Decision& decision) {
  for (const auto& [policy, applies, is_enforced] : touched) {
    if (!applies || !is_enforced) continue;
    if (policy->forbid == decision.permit) continue;  // a permit has no say in a deny
    decision.determining.push_back(policy->id);
    decision.obligations.insert(decision.obligations.end(), policy->obligations.begin(),
                                policy->obligations.end());
    if (policy->forbid && !policy->advice.empty()) decision.advice.push_back(policy->advice);
  }
  settle(decision.obligations);
}

// What each shadow policy, alone, would change. Cedar's rule needs no second evaluation: a forbid
// that applies forbids; a permit that applies permits unless a forbid applied; an error denies.
void PolicySet::Impl::add_shadows(std::span<const Touched> touched, Decision& decision) {
  const bool forbidden = !decision.permit && !decision.determining.empty();
  for (const auto& [policy, applies, is_enforced] : touched) {
    if (is_enforced) continue;
    Decision::Shadow shadow{.policy = policy->id, .permit = decision.permit, .obligations = {}};
    if (!applies || policy->forbid) {
      shadow.permit = false;
    } else if (!forbidden && decision.errors.empty()) {
      shadow.permit = true;
    }
    if (applies && policy->forbid != shadow.permit) {
      std::vector<Obligation> after = decision.obligations;
      after.insert(after.end(), policy->obligations.begin(), policy->obligations.end());
      settle(after);
      std::ranges::set_difference(after, decision.obligations,
                                  std::back_inserter(shadow.obligations));
    }
    if (shadow.permit != decision.permit || !shadow.obligations.empty())
      decision.shadow.push_back(std::move(shadow));
  }
}

PolicySet::PolicySet(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PolicySet::~PolicySet() = default;

Result<std::shared_ptr<const PolicySet>> PolicySet::builtin() {
  std::vector<NamedText> files;
  for (const BuiltinFile& file : builtin_files())
    if (is_policy_file(std::filesystem::path(file.name))) files.emplace_back(file.name, file.text);
  return Impl::make(std::move(files), "policies");
}

Result<std::shared_ptr<const PolicySet>> PolicySet::load(const std::filesystem::path& folder) {
  GH_ASSIGN(std::vector<NamedText> files, read_folder(folder));
  auto loaded = Impl::make(std::move(files), folder.string());
  if (!loaded && loaded.error().message.starts_with("there is no"))
    return std::unexpected(std::move(loaded).error().within(folder.string()));
  return loaded;
}

Result<std::shared_ptr<const PolicySet>> PolicySet::parse(
    std::span<const std::pair<std::string, std::string>> files) {
  return Impl::make({files.begin(), files.end()}, "");
}

Decision PolicySet::Impl::decide(const Request& request) const {
  Decision decision;
  const FlatRequest flat(request);
  if (flat.size() > max_request_nodes) {
    decision.errors.push_back(
        fmt::format("the request has more than {} attribute values", max_request_nodes));
    return decision;
  }
  std::vector<std::uint8_t> outcomes(policies.size(), GH_CEDAR_NOT_DETERMINING);
  gh_cedar_decision answer{.permit = 0, .outcomes = outcomes.data(), .errors = {nullptr, 0}};
  const int status = gh_cedar_decide(engine.get(), &flat.get(), &answer);
  decision.permit = status == GH_CEDAR_OK && answer.permit == 1;
  if (answer.errors.data != nullptr) {
    for (const std::string_view line : split(text_from_cedar(answer.errors), '\n'))
      decision.errors.emplace_back(line);
    gh_cedar_text_free(answer.errors);
  }
  if (status == GH_CEDAR_PANIC) log_error("the policy engine failed; the request is denied");
  if (status != GH_CEDAR_OK) return decision;
  const std::vector<Touched> those = touched(outcomes, request.principal);
  enforce_rollouts(those, decision);
  fill(those, decision);
  add_shadows(those, decision);
  return decision;
}

namespace {

// What the answer would be with this shadow policy enforced.
Decision::Shadow with_policy(const Decision& decision, const std::string& policy) {
  const auto found = std::ranges::find(decision.shadow, policy, &Decision::Shadow::policy);
  return found == decision.shadow.end() ? Decision::Shadow{policy, decision.permit, {}} : *found;
}

void append(std::vector<std::string>& to, const std::vector<std::string>& texts) {
  for (const auto& text : texts)
    if (std::ranges::find(to, text) == to.end()) to.push_back(text);
}

std::vector<Decision::Shadow> joined_shadows(const std::vector<Decision>& answers,
                                             const Decision& decision) {
  std::vector<std::string> policies;
  for (const auto& answer : answers)
    for (const auto& shadow : answer.shadow) append(policies, {shadow.policy});
  std::vector<Decision::Shadow> shadows;
  for (const auto& policy : policies) {
    Decision::Shadow joined{policy, true, {}};
    for (const auto& answer : answers) {
      const auto one = with_policy(answer, policy);
      joined.permit = joined.permit && one.permit;
      joined.obligations.insert(joined.obligations.end(), one.obligations.begin(),
                                one.obligations.end());
    }
    settle(joined.obligations);
    std::erase_if(joined.obligations, [&](const Obligation& one) {
      return std::ranges::count(decision.obligations, one) > 0;
    });
    if (joined.permit != decision.permit || !joined.obligations.empty())
      shadows.push_back(std::move(joined));
  }
  return shadows;
}

// One answer of those about each of a chain. Who permits has no say in a deny.
Decision joined(const std::vector<Decision>& answers) {
  Decision decision;
  decision.permit = std::ranges::all_of(answers, &Decision::permit);
  for (const auto& answer : answers) {
    append(decision.errors, answer.errors);
    if (answer.permit != decision.permit) continue;
    append(decision.determining, answer.determining);
    append(decision.advice, answer.advice);
    decision.obligations.insert(decision.obligations.end(), answer.obligations.begin(),
                                answer.obligations.end());
  }
  settle(decision.obligations);
  decision.shadow = joined_shadows(answers, decision);
  return decision;
}

}  // namespace

Decision PolicySet::decide(const Request& request) const {
  if (request.acts_for.empty()) return impl_->decide(request);
  std::vector<Decision> answers{impl_->decide(request)};
  Request of_one = request;
  for (const auto& one : request.acts_for) {
    of_one.principal = one;
    answers.push_back(impl_->decide(of_one));
  }
  return joined(answers);
}

const std::string& PolicySet::digest() const {
  return impl_->digest;
}
const std::string& PolicySet::source() const {
  return impl_->source;
}
const std::vector<std::pair<std::string, std::string>>& PolicySet::files() const {
  return impl_->files;
}
std::size_t PolicySet::size() const {
  return impl_->policies.size();
}
const std::vector<PolicyInfo>& PolicySet::policies() const {
  return impl_->policies;
}
const std::vector<std::string>& PolicySet::warnings() const {
  return impl_->warnings;
}

}  // namespace gatehouse::policy

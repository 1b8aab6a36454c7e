// gatehouse policy prove: claims about a policy set for all requests there can be. The prover is a
// program of its own beside this one (cedar/prove); it gets a job on its standard input and writes
// an answer a line. A counterexample is asked of the engine once more before it is shown.
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "base/text.h"
#include "cli/policy_verbs.h"
#include "policy/claims.h"

namespace gatehouse::cli {
namespace {

using policy::Claims;
using policy::PolicySet;
using policy::Proof;
using PolicySetPointer = std::shared_ptr<const PolicySet>;

struct ProveOptions {
  std::string folder;
  std::string old_folder;
  std::string solver;
  std::string prover;
  std::string only;
  std::size_t workers = 2;
  std::uint64_t time_limit_seconds = 60;
  bool as_json = false;
};

// The program beside this one.
std::string default_prover() {
  std::error_code problem;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", problem);
  return problem ? "gatehouse-prove" : (self.parent_path() / "gatehouse-prove").string();
}

struct Child {
  pid_t pid = -1;
  int to = -1;
  int from = -1;
};

Result<Child> start(const std::string& program) {
  int to[2];
  int from[2];
  if (::pipe(to) != 0 || ::pipe(from) != 0) return fail(ErrorCode::internal, "no pipe");
  Child child{::fork(), to[1], from[0]};
  if (child.pid < 0) return fail(ErrorCode::internal, "no process");
  if (child.pid == 0) {
    ::dup2(to[0], STDIN_FILENO);
    ::dup2(from[1], STDOUT_FILENO);
    for (const int end : {to[0], to[1], from[0], from[1]}) ::close(end);
    ::execlp(program.c_str(), program.c_str(), nullptr);
    ::_exit(errno == ENOENT ? 127 : 126);
  }
  ::close(to[0]);
  ::close(from[1]);
  return child;
}

void write_all(int to, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(to, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;  // it has gone; its exit code says why
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  ::close(to);
}

std::string read_all(int from) {
  std::string all;
  char buffer[65536];
  while (true) {
    const ssize_t got = ::read(from, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    all.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(from);
  return all;
}

// What it wrote. Error: it is not there, or could not work (it has said why).
Result<std::string> run(const std::string& program, const std::string& job) {
  ::signal(SIGPIPE, SIG_IGN);
  GH_ASSIGN(const Child child, start(program));
  std::string answers;
  {
    const std::jthread writer([&] { write_all(child.to, job); });
    answers = read_all(child.from);
  }
  int status = 0;
  while (::waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {
  }
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 126;
  if (code == 0) return answers;
  if (code == 127)
    return fail(ErrorCode::not_found,
                program + " is not there; it is built with Gatehouse (target gatehouse_prove)");
  return fail(ErrorCode::failed_precondition, "nothing was proved");
}

Result<std::vector<Proof>> read_answers(std::string_view text) {
  std::vector<Proof> proofs;
  for (const std::string_view line : split(text, '\n')) {
    if (line.empty()) continue;
    GH_ASSIGN(Proof proof, policy::read_proof(line));
    proofs.push_back(std::move(proof));
  }
  return proofs;
}

void print_indented(std::string_view text) {
  for (const std::string_view line : split(text, '\n'))
    if (!line.empty()) std::cout << "    " << printable(line) << '\n';
}

std::string engine_says(const PolicySet& set, const policy::Request& request) {
  const policy::Decision decision = set.decide(request);
  std::string text = decision.permit ? "permit" : "forbid";
  if (!decision.determining.empty())
    text += fmt::format(", determined by {}", fmt::join(decision.determining, ", "));
  for (const std::string& error : decision.errors) text += "; " + error;
  return text;
}

void print_people(const PolicySet& set, const Proof& proof) {
  std::cout << fmt::format("{:<8} {} ({} kinds of request)\n", policy::to_string(proof.outcome),
                           proof.name, proof.environments);
  if (!proof.detail.empty()) print_indented(proof.detail);
  if (!proof.counterexample) return;
  print_indented(policy::describe(*proof.counterexample));
  const bool permit = set.decide(*proof.counterexample).permit;
  std::cout << "  the engine says: " << printable(engine_says(set, *proof.counterexample)) << '\n';
  std::cout << "  as a case of `gatehouse policy test`, to be put right in its expectation:\n    "
            << printable(policy::case_of(*proof.counterexample, proof.name, !permit)) << '\n';
}

void print_json(const PolicySet& set, const Proof& proof) {
  nlohmann::ordered_json line = {{"claim", proof.name},
                                 {"outcome", policy::to_string(proof.outcome)},
                                 {"environments", proof.environments},
                                 {"detail", proof.detail}};
  if (proof.counterexample) {
    const auto decision = set.decide(*proof.counterexample);
    line["effect"] = decision.permit ? "permit" : "forbid";
    line["policies"] = decision.determining;
    line["case"] = policy::case_of(*proof.counterexample, proof.name, !decision.permit);
  }
  std::cout << line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
}

Result<Claims> claims_of(const ProveOptions& options) {
  Claims claims;
  if (options.folder.empty()) {
    GH_ASSIGN(claims, policy::builtin_claims());
  } else {
    const auto folder = std::filesystem::path(options.folder) / "claims";
    std::error_code problem;
    if (!options.old_folder.empty() && !std::filesystem::exists(folder, problem)) return claims;
    GH_ASSIGN(claims, policy::load_claims(folder));
  }
  if (!options.only.empty())
    std::erase_if(claims.claims, [&](const auto& claim) { return claim.name != options.only; });
  return claims;
}

Result<std::vector<Proof>> prove_claims(const ProveOptions& options, const PolicySet& set) {
  PolicySetPointer old;
  if (!options.old_folder.empty()) {
    GH_ASSIGN(old, PolicySet::load(options.old_folder));
  }
  GH_ASSIGN(const Claims claims, claims_of(options));
  if (claims.claims.empty() && !old)
    return fail(ErrorCode::not_found, "there is no claim to prove");
  policy::ProofOptions how;
  how.workers = options.workers;
  how.time_limit_ms = options.time_limit_seconds * 1'000;
  for (const std::string_view word : split(options.solver, ' '))
    if (!word.empty()) how.solver.emplace_back(word);
  GH_ASSIGN(const std::string answers,
            run(options.prover.empty() ? default_prover() : options.prover,
                policy::proof_job(set, old.get(), claims, how)));
  return read_answers(answers);
}

int prove(const ProveOptions& options) {
  const auto set = options.folder.empty() ? PolicySet::builtin() : PolicySet::load(options.folder);
  if (!set) {
    std::cerr << set.error().describe() << '\n';
    return 2;
  }
  const auto proofs = prove_claims(options, **set);
  if (!proofs) {
    std::cerr << "gatehouse: " << proofs.error().describe() << '\n';
    return 2;
  }
  std::size_t refuted = 0;
  std::size_t unknown = 0;
  for (const Proof& proof : *proofs) {
    options.as_json ? print_json(**set, proof) : print_people(**set, proof);
    refuted += proof.outcome == Proof::Outcome::refuted ? 1 : 0;
    unknown += proof.outcome == Proof::Outcome::unknown ? 1 : 0;
  }
  if (!options.as_json)
    std::cout << fmt::format("{} proved, {} refuted, {} unknown\n",
                             proofs->size() - refuted - unknown, refuted, unknown);
  if (refuted > 0) return 1;
  return unknown > 0 ? 2 : 0;
}

}  // namespace

void add_policy_prove(CLI::App& policy, Exit& exit) {
  auto options = std::make_shared<ProveOptions>();
  CLI::App* verb = policy.add_subcommand(
      "prove", "Prove claims for all requests, or show a request they do not hold for");
  verb->add_option("DIR", options->folder,
                   "Folder with policies and claims/*.yaml (default: the built-in set)");
  verb->add_option("--no-more-permissive-than", options->old_folder,
                   "Another folder: whatever DIR permits, it permits as well");
  verb->add_option("--claim", options->only, "Only the claim of this name");
  verb->add_option("--solver", options->solver, "Program that speaks SMT-LIB (default: cvc5)");
  verb->add_option("--prover", options->prover, "gatehouse-prove, if not beside this program");
  verb->add_option("--workers", options->workers, "Solvers at once")
      ->check(CLI::Range(1, 16))
      ->capture_default_str();
  verb->add_option("--time-limit", options->time_limit_seconds, "Seconds for one question")
      ->check(CLI::Range(1, 3'600))
      ->capture_default_str();
  verb->add_flag("--json", options->as_json, "Print JSON, a line each");
  verb->callback([options, &exit] { exit = prove(*options); });
}

}  // namespace gatehouse::cli

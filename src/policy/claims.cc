// See claims.h.
#include "policy/claims.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/config.h"
#include "policy/builtin.h"

namespace gatehouse::policy {
namespace {

using nlohmann::json;

constexpr std::size_t most_files = 1000;

std::string file_and_line(const ConfigNode& node) {
  const std::string where = node.where();
  return where.substr(0, where.find(": "));
}

void read_kind(ConfigReader& reader, const ConfigNode& node, Claim& claim) {
  const bool never = node.find("never").has_value();
  if (never == node.find("always").has_value()) {
    reader.note(
        node.error("a claim says either 'never: permit', 'never: error' or 'always: permit'"));
    return;
  }
  if (!never) {
    reader.choice("always", 0, {"permit"});
    claim.kind = Claim::Kind::always_permit;
  } else if (reader.choice("never", 0, {"permit", "error"}) == 1) {
    claim.kind = Claim::Kind::never_error;
  }
  if (claim.kind != Claim::Kind::never_permit && node.find("unless_obliged"))
    reader.note(node.error("'unless_obliged' goes with 'never: permit'"));
  if (claim.kind == Claim::Kind::never_error && node.find("when"))
    reader.note(node.error("'never: error' is claimed of all requests; it has no 'when'"));
}

Claim read_claim(const ConfigNode& node, ConfigReader& outer) {
  ConfigReader reader(node);
  Claim claim;
  claim.name = reader.required_string("name");
  claim.where = file_and_line(node);
  claim.description = reader.string("description", "");
  read_kind(reader, node, claim);
  claim.actions = reader.strings("actions");
  claim.principals = reader.strings("principals");
  claim.when = reader.string("when", "");
  claim.unless_obliged = reader.string("unless_obliged", "");
  if (auto finished = reader.finish(); !finished) outer.note(std::move(finished).error());
  return claim;
}

Result<void> read_file(const ConfigNode& root, Claims& claims) {
  ConfigReader reader(root);
  for (std::string& text : reader.strings("assume")) claims.assumptions.push_back(std::move(text));
  const std::size_t before = claims.claims.size();
  for (const ConfigNode& node : reader.list("claims"))
    claims.claims.push_back(read_claim(node, reader));
  if (root.is_map() && claims.claims.size() == before && claims.assumptions.empty())
    reader.note(root.error("there is no claim in 'claims'"));
  return reader.finish();
}

// ---- the questions --------------------------------------------------------------------------

bool partly(const PolicyInfo& policy) {
  return policy.rollout && *policy.rollout < 100;
}

// Numbers, from `first` on, of the policies that count where as much as possible is permitted, or
// as little.
json numbers_of(const PolicySet& set, bool most_permissive, std::size_t first = 0) {
  json numbers = json::array();
  for (std::size_t i = 0; i < set.policies().size(); ++i) {
    const PolicyInfo& policy = set.policies()[i];
    if (policy.shadow) continue;
    if (partly(policy) && policy.forbid == most_permissive) continue;
    numbers.push_back(first + i);
  }
  return numbers;
}

json obliging_numbers(const PolicySet& set, std::string_view obligation) {
  json numbers = json::array();
  for (std::size_t i = 0; i < set.policies().size(); ++i) {
    const PolicyInfo& policy = set.policies()[i];
    if (policy.shadow || policy.forbid || partly(policy)) continue;
    if (std::ranges::find(policy.obligations, obligation, &Obligation::name) !=
        policy.obligations.end())
      numbers.push_back(i);
  }
  return numbers;
}

std::string condition_of(const Claim& claim, const Claims& claims) {
  std::string condition = claim.when.empty() ? "true" : "(" + claim.when + ")";
  for (const std::string& assumption : claims.assumptions) condition += " && (" + assumption + ")";
  return condition;
}

std::string statement(std::string_view effect, std::string_view clause,
                      std::string_view condition) {
  return fmt::format("{} (principal, action, resource) {} {{ {} }};", effect, clause, condition);
}

json question_of(const PolicySet& set, const Claim& claim, const Claims& claims) {
  const std::string condition = condition_of(claim, claims);
  switch (claim.kind) {
    case Claim::Kind::always_permit:
      return {{"kind", "implies"},
              {"narrow", {{"text", statement("permit", "when", condition)}}},
              {"wide", {{"policies", numbers_of(set, false)}}}};
    case Claim::Kind::never_error: {
      json numbers = json::array();
      for (std::size_t i = 0; i < set.policies().size(); ++i)
        if (!set.policies()[i].shadow) numbers.push_back(i);
      return {{"kind", "never_errors"}, {"policies", numbers}};
    }
    default:
      break;
  }
  if (claim.unless_obliged.empty())
    return {{"kind", "never_permitted"},
            {"sets",
             {{{"policies", numbers_of(set, true)}},
              {{"text", statement("permit", "when", condition)}}}}};
  return {
      {"kind", "implies"},
      {"narrow",
       {{"policies", numbers_of(set, true)}, {"text", statement("forbid", "unless", condition)}}},
      {"wide", {{"policies", obliging_numbers(set, claim.unless_obliged)}}}};
}

void add_files(const PolicySet& set, json& files) {
  for (const auto& [name, text] : set.files())
    if (name != schema_file) files.push_back({{"name", name}, {"text", text}});
}

std::string schema_of(const PolicySet& set) {
  for (const auto& [name, text] : set.files())
    if (name == schema_file) return text;
  return {};
}

}  // namespace

Result<Claims> load_claims(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code problem;
  std::filesystem::directory_iterator entry(folder, problem);
  for (; !problem && entry != std::filesystem::directory_iterator(); entry.increment(problem))
    if (entry->path().extension() == ".yaml" && files.size() < most_files)
      files.push_back(entry->path());
  if (problem) return fail(ErrorCode::not_found, problem.message(), folder.string());
  std::ranges::sort(files);
  Claims claims;
  for (const auto& file : files) {
    GH_ASSIGN(const ConfigNode root, ConfigNode::parse_file(file));
    GH_TRY(read_file(root, claims));
  }
  return claims;
}

Result<Claims> builtin_claims() {
  Claims claims;
  for (const BuiltinFile& file : builtin_files()) {
    if (!file.name.starts_with("claims/")) continue;
    GH_ASSIGN(const ConfigNode root, ConfigNode::parse(file.text, std::string(file.name)));
    GH_TRY(read_file(root, claims));
  }
  return claims;
}

std::string proof_job(const PolicySet& policies, const PolicySet* old, const Claims& claims,
                      const ProofOptions& options) {
  json files = json::array();
  json list = json::array();
  add_files(policies, files);
  if (old != nullptr) {
    add_files(*old, files);
    list.push_back({{"name", not_more_permissive},
                    {"question",
                     {{"kind", "implies"},
                      {"narrow", {{"policies", numbers_of(policies, true)}}},
                      {"wide", {{"policies", numbers_of(*old, false, policies.size())}}}}}});
  }
  for (const Claim& claim : claims.claims)
    list.push_back({{"name", claim.name},
                    {"actions", claim.actions},
                    {"principals", claim.principals},
                    {"question", question_of(policies, claim, claims)}});
  return json{{"schema", schema_of(policies)},
              {"files", files},
              {"claims", list},
              {"workers", options.workers},
              {"solver", options.solver},
              {"time_limit_ms", options.time_limit_ms}}
      .dump();
}

}  // namespace gatehouse::policy

// See audit_check.h. check needs the receipt, the log's public key and nothing else; salt needs the
// configuration, since salts are derived from the deployment secret.
#include "cli/audit_check.h"

#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/file.h"
#include "base/text.h"
#include "cli/audit_common.h"
#include "cli/audit_policy.h"
#include "crypto/crypto.h"
#include "gateway/config.h"
#include "gateway/control.h"
#include "ledger/proof.h"
#include "ledger/query.h"

namespace gatehouse::cli {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

struct CheckOptions {
  std::string receipt_file;
  std::string entry_file;
  KeyOptions key;
  std::string policy_file;
  std::string content_file;
  std::string salt;
  std::string which;
  bool as_json = false;
};

// An entry and what is to prove it.
struct Claim {
  std::string proof;
  std::string entry;
  std::string entry_name;  // for people
};

struct Proven {
  std::string entry_name;
  std::uint64_t index = 0;
  ledger::WitnessedCheckpoint signed_by;
  json event;

  const ledger::Checkpoint& checkpoint() const { return signed_by.checkpoint; }
};

// Whose log it has to be, and who has to have cosigned it.
struct Trusted {
  std::optional<ledger::VerifierKey> key;
  std::optional<ledger::TrustPolicy> policy;
};

// Bounds what a stranger's file can make a parser do.
constexpr int deepest = 32;

json parse_event(std::string_view text) {
  const auto too_deep = [](int depth, json::parse_event_t, json&) { return depth <= deepest; };
  return json::parse(text, too_deep, false);
}

std::string text_at(const json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && found != object.end() && found->is_string()
             ? found->get<std::string>()
             : std::string();
}

const json& member(const json& object, const char* name) {
  static const json absent;
  const auto found = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && found != object.end() ? *found : absent;
}

Error malformed(std::string message) {
  return {ErrorCode::invalid_argument, std::move(message), {}};
}

// ---- the receipt ----------------------------------------------------------------------------

Result<Claim> claim_in(const json& object, std::string name) {
  Claim claim{.proof = text_at(object, "proof"),
              .entry = text_at(object, "entry"),
              .entry_name = std::move(name)};
  if (claim.entry.empty()) {
    auto bytes = from_base64(text_at(object, "entry_base64"));
    if (bytes) claim.entry = std::move(*bytes);
  }
  if (claim.proof.empty() || claim.entry.empty())
    return std::unexpected(malformed("there is no proof with its entry in it"));
  return claim;
}

// The JSON form has the entries in it, the decision's and, where there is one, the outcome's.
Result<std::vector<Claim>> claims_in_json(const std::string& text) {
  const json object = parse_event(text);
  if (!object.is_object()) return std::unexpected(malformed("this is not a receipt: broken JSON"));
  std::vector<Claim> claims;
  GH_ASSIGN(auto own, claim_in(object, "the entry in it"));
  claims.push_back(std::move(own));
  if (member(object, "outcome").is_object()) {
    GH_ASSIGN(auto outcome, claim_in(object["outcome"], "the outcome in it"));
    claims.push_back(std::move(outcome));
  }
  return claims;
}

Result<std::vector<Claim>> read_claims(const CheckOptions& options) {
  GH_ASSIGN(std::string text, read_file(options.receipt_file));
  if (text.starts_with('{')) {
    auto claims = claims_in_json(text);
    // What it says is wrong, not that it could not be read.
    if (!claims) return fail(ErrorCode::data_loss, claims.error().message, options.receipt_file);
    return claims;
  }
  const std::string entry_file =
      options.entry_file.empty() ? entry_file_beside(options.receipt_file) : options.entry_file;
  GH_ASSIGN(std::string entry, read_file(entry_file));
  std::vector<Claim> claims;
  claims.push_back({.proof = std::move(text), .entry = std::move(entry), .entry_name = entry_file});
  return claims;
}

Result<Proven> prove(const Claim& claim, const Trusted& trusted) {
  GH_ASSIGN(const auto receipt, ledger::parse_receipt(claim.proof));
  GH_ASSIGN(auto checked, check_receipt(receipt, trusted.key, trusted.policy, claim.entry));
  return Proven{.entry_name = claim.entry_name,
                .index = receipt.index,
                .signed_by = std::move(checked),
                .event = parse_event(claim.entry)};
}

Result<std::vector<Proven>> prove_all(const std::vector<Claim>& claims, const Trusted& trusted) {
  std::vector<Proven> proven;
  for (const Claim& claim : claims) {
    GH_ASSIGN(auto one, prove(claim, trusted));
    proven.push_back(std::move(one));
  }
  if (proven.size() == 2 &&
      text_at(member(proven[1].event, "data"), "decision") != text_at(proven[0].event, "id"))
    return std::unexpected(malformed("the outcome in it is that of another call"));
  return proven;
}

// ---- the content ----------------------------------------------------------------------------

std::string_view content_kind(const Proven& proven) {
  const std::string type = text_at(proven.event, "type");
  return type == "request.decided" ? "request" : type == "request.completed" ? "answer" : "";
}

// Which of the proven entries the content is held against.
Result<const Proven*> entry_of_content(const CheckOptions& options,
                                       const std::vector<Proven>& proven) {
  const auto found = std::ranges::find_if(proven, [&](const Proven& one) {
    const auto kind = content_kind(one);
    return !kind.empty() && (options.which.empty() || options.which == kind);
  });
  if (found != proven.end()) return &*found;
  return fail(ErrorCode::invalid_argument,
              "the receipt proves no " + (options.which.empty() ? "content" : options.which) +
                  ": a request is in a request.decided, an answer in a request.completed",
              options.receipt_file);
}

// Error data_loss: it is not what was recorded.
Result<std::string> check_content(const CheckOptions& options, const std::vector<Proven>& proven) {
  GH_ASSIGN(const auto content, read_file(options.content_file, std::size_t{2} << 30));
  auto salt = from_hex(options.salt);
  if (!salt || salt->empty())
    return fail(ErrorCode::invalid_argument, "expected the salt in hex digits", "--salt");
  GH_ASSIGN(const Proven* one, entry_of_content(options, proven));
  const json& recorded = member(member(one->event, "data"), "content");
  const std::string wanted = text_at(recorded, "sha256");
  if (wanted.empty())
    return fail(ErrorCode::invalid_argument, "the entry records no content", one->entry_name);
  std::string kind(content_kind(*one));
  if (to_hex(crypto::sha256(bytes_of(*salt), bytes_of(content))) == wanted) return kind;
  std::string message = "this is not the " + kind + " that was recorded, or not its salt";
  if (const json& bytes = member(recorded, "bytes");
      bytes.is_number_unsigned() && bytes.get<std::uint64_t>() != content.size())
    message += ": recorded were " + bytes.dump() + " bytes, the file has " +
               std::to_string(content.size());
  return fail(ErrorCode::data_loss, std::move(message), options.content_file);
}

// ---- check ----------------------------------------------------------------------------------

void print_people(const std::vector<Proven>& proven, const CheckOptions& options,
                  const Trusted& trusted, const std::string& content) {
  for (const Proven& one : proven) {
    std::cout << "ok: " << printable(one.entry_name) << " is entry " << one.index << " of "
              << one.checkpoint().origin << ", under a signed checkpoint of "
              << one.checkpoint().size << " entries\n";
    if (trusted.policy) print_witnesses(*trusted.policy, one.signed_by.witnesses);
  }
  if (!content.empty())
    std::cout << "ok: " << printable(options.content_file) << " is the " << content
              << " that was recorded, to the byte\n";
}

ordered_json to_json(const std::vector<Proven>& proven, const Trusted& trusted,
                     const std::string& content) {
  ordered_json out = {{"ok", true},
                      {"log", proven.front().signed_by.log},
                      {"index", proven.front().index},
                      {"size", proven.front().checkpoint().size},
                      {"root", to_base64(proven.front().checkpoint().root)}};
  if (trusted.policy)
    out["witnesses"] = witnesses_json(*trusted.policy, proven.front().signed_by.witnesses);
  if (proven.size() > 1) out["outcome"] = {{"index", proven[1].index}};
  if (!content.empty()) out["content"] = content;
  return out;
}

int check(const CheckOptions& options) {
  auto key = key_from(options.key);
  if (!key) return report(key.error());
  auto policy = policy_from(options.policy_file);
  if (!policy) return report(policy.error());
  if (!*key && (!*policy || (*policy)->logs.empty())) {
    std::cerr << "gatehouse: give the log's public key with --key or --key-file, or a --policy "
                 "that lists it\n";
    return 2;
  }
  const Trusted trusted{.key = std::move(*key), .policy = std::move(*policy)};
  if (options.content_file.empty() != options.salt.empty()) {
    std::cerr << "gatehouse: --content and --salt go together\n";
    return 2;
  }
  const auto claims = read_claims(options);
  if (!claims && claims.error().code == ErrorCode::data_loss)
    return wrong(claims.error(), options.as_json);
  if (!claims) return report(claims.error());
  auto proven = prove_all(*claims, trusted);
  if (!proven)
    return wrong(std::move(proven).error().within(options.receipt_file), options.as_json);
  std::string content;
  if (!options.content_file.empty()) {
    auto checked = check_content(options, *proven);
    if (!checked && checked.error().code == ErrorCode::data_loss)
      return wrong(checked.error(), options.as_json);
    if (!checked) return report(checked.error());
    content = std::move(*checked);
  }
  if (options.as_json) {
    std::cout << to_json(*proven, trusted, content).dump() << '\n';
  } else {
    print_people(*proven, options, trusted, content);
  }
  return 0;
}

// ---- salt -----------------------------------------------------------------------------------

struct SaltOptions {
  std::string config = "gatehouse.yaml";
  std::string id;
  std::string which = "request";
};

// The id of the decision that the entry is, or is the outcome of.
Result<std::string> decision_of(const ledger::FoundEntry& found) {
  const json event = parse_event(found.entry);
  const std::string type = text_at(event, "type");
  if (type == "request.decided") return text_at(event, "id");
  if (type == "request.completed") return text_at(member(event, "data"), "decision");
  return fail(ErrorCode::invalid_argument,
              "entry " + std::to_string(found.index) + " is a " + type +
                  ", which records no content; name a request.decided or a request.completed");
}

// Kept content has a salt that only the vault knows.
Result<void> refuse_kept(const ledger::FoundEntry& found, const std::string& decision) {
  const json event = parse_event(found.entry);
  const json content = member(member(event, "data"), "content");
  const auto kept = content.is_object() ? content.find("kept") : content.end();
  if (!content.is_object() || kept == content.end() || *kept != true) return {};
  return fail(ErrorCode::failed_precondition,
              "this content is kept in the vault, with a salt of its own: gatehouse vault get " +
                  decision + " --salt");
}

Result<std::string> salt_of(const SaltOptions& options) {
  GH_ASSIGN(const auto config, gateway::load_config(options.config, gateway::FirstSecret::leave));
  if (config.secret.reveal().empty())
    return fail(ErrorCode::failed_precondition, "there is no deployment secret yet",
                options.config);
  GH_ASSIGN(const auto found, ledger::find_entry(config.ledger_directory(), options.id));
  GH_ASSIGN(const auto decision, decision_of(found));
  GH_TRY(refuse_kept(found, decision));
  const auto keys = gateway::DeploymentKeys::derive(config.secret);
  return to_hex(gateway::content_salt(keys, decision, options.which));
}

int salt(const SaltOptions& options) {
  const auto made = salt_of(options);
  if (!made) return report(made.error());
  std::cout << *made << '\n';
  return 0;
}

void add_salt(CLI::App& audit, Exit& exit) {
  auto options = std::make_shared<SaltOptions>();
  auto* verb = audit.add_subcommand(
      "salt", "Print the salt of one recorded content, so that others can check it");
  verb->add_option("ID", options->id, "The entry's id or index")->required();
  verb->add_option("--which", options->which, "request (default) or answer")
      ->check(CLI::IsMember({"request", "answer"}));
  verb->add_option("--config", options->config, "Configuration file")->capture_default_str();
  verb->callback([options, &exit] { exit = salt(*options); });
}

}  // namespace

void add_audit_check(CLI::App& audit, Exit& exit) {
  auto options = std::make_shared<CheckOptions>();
  auto* verb = audit.add_subcommand("check",
                                    "Verify a receipt with the log's public key alone, and what it "
                                    "is about");
  verb->add_option("FILE", options->receipt_file, "The .tlog-proof file, or a receipt in JSON")
      ->required();
  verb->add_option("--entry", options->entry_file, "The entry of a .tlog-proof (beside it)");
  add_key_options(*verb, options->key);
  add_policy_option(*verb, options->policy_file);
  verb->add_option("--content", options->content_file,
                   "Whether the bytes of this file are the recorded ones");
  verb->add_option("--salt", options->salt, "Their salt, in hex (audit salt, vault get)");
  verb->add_option("--which", options->which, "They are the request or the answer")
      ->check(CLI::IsMember({"request", "answer"}));
  verb->add_flag("--json", options->as_json, "Print JSON");
  verb->callback([options, &exit] { exit = check(*options); });
  add_salt(audit, exit);
}

}  // namespace gatehouse::cli

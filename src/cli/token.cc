// gatehouse token mint|attenuate|seal|inspect|revoke, gatehouse principal suspend|restore|list.
// Narrowing and inspecting need no gateway and no configuration: whoever holds a token can.
#include <iostream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "cli/admin_call.h"
#include "cli/verbs.h"
#include "identity/delegation.h"

namespace gatehouse::cli {
namespace {

using nlohmann::json;

constexpr std::size_t max_token_file = 64u << 10;

struct TokenOptions {
  std::string config = "gatehouse.yaml";
  std::string principal;
  std::vector<std::string> acts_for;
  std::string actor;
  std::vector<std::string> models;
  std::vector<std::string> tools;
  std::optional<std::int64_t> clearance;
  std::optional<std::int64_t> budget;
  std::string lifetime;
  bool once = false;
  std::string file = "-";
  std::string which;
  bool as_json = false;
};

int said(const Error& error) {
  std::cerr << "gatehouse: " << error.describe() << '\n';
  return error.code == ErrorCode::unauthenticated ? 1 : 2;
}

// A token is a secret: it comes by standard input or a file, not by an argument everybody can list.
Result<std::string> read_token(const TokenOptions& options) {
  std::string text;
  if (options.file == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    GH_ASSIGN(text, read_file(options.file, max_token_file));
  }
  return std::string(trim(text));
}

std::string scope_of(const TokenOptions& options) {
  std::string scope;
  const auto say = [&scope](const std::string& part) {
    scope += (scope.empty() ? "" : " ") + part;
  };
  for (const auto& name : options.models) say("model:" + name);
  for (const auto& name : options.tools) say("tool:" + name);
  if (options.clearance) say("clearance:" + std::to_string(*options.clearance));
  if (options.budget) say("budget:" + std::to_string(*options.budget));
  return scope;
}

int mint_token(const TokenOptions& options) {
  json body = {{"principal", options.principal}, {"for", options.acts_for}};
  if (const auto scope = scope_of(options); !scope.empty()) body["scope"] = scope;
  if (options.once) body["once"] = true;
  if (!options.lifetime.empty()) {
    const auto seconds = parse_lifetime(options.lifetime);
    if (!seconds) return said(seconds.error());
    body["lifetime_seconds"] = *seconds;
  }
  const auto reply = admin_call(options.config, "POST", "/admin/tokens", body);
  if (reply.is_discarded()) return 2;
  std::cout << (options.as_json ? reply.dump() : reply["token"].get<std::string>()) << '\n';
  return 0;
}

std::optional<std::vector<std::string>> names(const std::vector<std::string>& given) {
  return given.empty() ? std::nullopt : std::optional(given);
}

int attenuate_token(const TokenOptions& options) {
  const auto token = read_token(options);
  if (!token) return said(token.error());
  const WallTime now = SystemClock().wall();
  identity::Narrowing narrowing;
  narrowing.actor = options.actor;
  narrowing.models = names(options.models);
  narrowing.tools = names(options.tools);
  narrowing.clearance = options.clearance;
  narrowing.budget_micros = options.budget;
  narrowing.once = options.once;
  if (!options.lifetime.empty()) {
    const auto seconds = parse_lifetime(options.lifetime);
    if (!seconds) return said(seconds.error());
    narrowing.expires = now + std::chrono::seconds(*seconds);
  }
  SystemRandom random;
  const auto narrowed = identity::attenuate(*token, narrowing, now, random);
  if (!narrowed) return said(narrowed.error());
  std::cout << *narrowed << '\n';
  return 0;
}

int seal_token(const TokenOptions& options) {
  const auto token = read_token(options);
  if (!token) return said(token.error());
  const auto sealed = identity::seal_delegation(*token);
  if (!sealed) return said(sealed.error());
  std::cout << *sealed << '\n';
  return 0;
}

int inspect_token(const TokenOptions& options) {
  const auto token = read_token(options);
  if (!token) return said(token.error());
  const auto inspected = identity::inspect_delegation(*token);
  if (!inspected) return said(inspected.error());
  const auto& principal = inspected->verified.principal;
  json out = {{"acts", std::string(identity::to_string(principal.kind)) + ":" + principal.id},
              {"for", json::array()},
              {"tail", inspected->tail},
              {"ids", inspected->verified.ids},
              {"parts", inspected->parts}};
  for (const auto& one : principal.chain)
    out["for"].push_back(std::string(identity::to_string(one.kind)) + ":" + one.id);
  const auto& scope = principal.scope;
  if (scope.models) out["models"] = *scope.models;
  if (scope.tools) out["tools"] = *scope.tools;
  if (scope.clearance) out["clearance"] = *scope.clearance;
  if (scope.budget_micros) out["budget"] = *scope.budget_micros;
  if (scope.expires) out["expires"] = format_time(*scope.expires);
  std::cout << out.dump(2) << '\n';
  std::cerr << "The chain holds together. Whether its root is good, only a gateway can say.\n";
  return 0;
}

int change(const TokenOptions& options, const char* path, const char* member, const char* done) {
  const auto reply = admin_call(options.config, "POST", path, {{member, options.which}});
  if (reply.is_discarded()) return 2;
  std::cout << done << ' ' << options.which << '\n';
  return 0;
}

int list_revoked(const TokenOptions& options) {
  const auto reply = admin_call(options.config, "GET", "/admin/revocations", {});
  if (reply.is_discarded()) return 2;
  if (options.as_json) {
    std::cout << reply.dump() << '\n';
    return 0;
  }
  for (const auto& one : reply["principals"])
    std::cout << one["revoked"].get<std::string>() << "  " << one["principal"].get<std::string>()
              << '\n';
  for (const auto& one : reply["tokens"])
    std::cout << one["revoked"].get<std::string>() << "  token " << one["id"].get<std::string>()
              << '\n';
  return 0;
}

void add_scope(CLI::App& verb, TokenOptions& options) {
  verb.add_option("--model", options.models, "Only these models; may be repeated");
  verb.add_option("--tool", options.tools, "Only these tools, SERVER/TOOL; may be repeated");
  verb.add_option("--clearance", options.clearance, "0 public … 3 restricted")
      ->check(CLI::Range(0, 3));
  verb.add_option("--budget", options.budget, "Millionths of the currency, for its whole life")
      ->check(CLI::NonNegativeNumber);
  verb.add_option("--expires", options.lifetime, "Lifetime: 15m, 1h");
  verb.add_flag("--once", options.once, "For a single call");
}

void add_offline(CLI::App& verb, const std::shared_ptr<TokenOptions>& options, Exit& exit) {
  auto* narrow = verb.add_subcommand("attenuate", "Narrow a token; needs no gateway");
  narrow->add_option("--actor", options->actor, "A sub-agent, named below who holds the token");
  add_scope(*narrow, *options);
  narrow->callback([options, &exit] { exit = attenuate_token(*options); });
  auto* seal = verb.add_subcommand("seal", "Take the key away: nobody can narrow it further");
  seal->callback([options, &exit] { exit = seal_token(*options); });
  auto* show = verb.add_subcommand("inspect", "Show the chain of a token");
  show->callback([options, &exit] { exit = inspect_token(*options); });
  for (auto* each : {narrow, seal, show})
    each->add_option("--token-file", options->file, "Where the token is; - is standard input")
        ->capture_default_str();
}

void add_principal(CLI::App& app, Exit& exit) {
  const auto options = std::make_shared<TokenOptions>();
  auto* verb = app.add_subcommand("principal", "Principals, whatever credential they come with");
  verb->require_subcommand(1);
  auto* suspend = verb->add_subcommand("suspend", "No credential of it counts, at once");
  suspend->callback([options, &exit] {
    exit = change(*options, "/admin/principals/suspend", "principal", "suspended");
  });
  auto* restore = verb->add_subcommand("restore", "Its credentials count again");
  restore->callback([options, &exit] {
    exit = change(*options, "/admin/principals/restore", "principal", "restored");
  });
  auto* list = verb->add_subcommand("list", "What is suspended or revoked");
  list->callback([options, &exit] { exit = list_revoked(*options); });
  list->add_flag("--json", options->as_json, "Print JSON");
  for (auto* each : {suspend, restore})
    each->add_option("principal", options->which, "user:NAME, service:NAME or agent:NAME")
        ->required();
  for (auto* each : {suspend, restore, list})
    each->add_option("--config", options->config, "Configuration file")->capture_default_str();
}

}  // namespace

void add_token(CLI::App& app, Exit& exit) {
  const auto options = std::make_shared<TokenOptions>();
  auto* verb = app.add_subcommand("token", "Delegation tokens: made here, narrowed anywhere");
  verb->require_subcommand(1);
  auto* make = verb->add_subcommand("mint", "Make a token");
  make->add_option("--principal", options->principal, "Who acts: agent:helper")->required();
  make->add_option("--for", options->acts_for, "Whom it acts for, nearest first; may be repeated");
  add_scope(*make, *options);
  make->add_flag("--json", options->as_json, "Print JSON");
  make->callback([options, &exit] { exit = mint_token(*options); });
  add_offline(*verb, options, exit);
  auto* end = verb->add_subcommand("revoke", "End a token and all that was made from it, at once");
  end->add_option("id", options->which, "The id of the token or of a block in it")->required();
  end->callback(
      [options, &exit] { exit = change(*options, "/admin/tokens/revoke", "id", "revoked"); });
  for (auto* each : {make, end})
    each->add_option("--config", options->config, "Configuration file")->capture_default_str();
  add_principal(app, exit);
}

}  // namespace gatehouse::cli

// gatehouse key create|list|revoke.
#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/admin_call.h"
#include "cli/verbs.h"

namespace gatehouse::cli {
namespace {

using nlohmann::json;

struct KeyOptions {
  std::string config = "gatehouse.yaml";
  std::string principal;
  std::vector<std::string> attributes;
  std::string lifetime;
  std::string which;
  bool as_json = false;
};

int create(const KeyOptions& options) {
  json body = {{"principal", options.principal}, {"attributes", json::object()}};
  for (const auto& attribute : options.attributes) {
    const auto equals = attribute.find('=');
    if (equals == std::string::npos || equals == 0) {
      std::cerr << "gatehouse: --attribute takes NAME=VALUE, not \"" << attribute << "\"\n";
      return 2;
    }
    body["attributes"][attribute.substr(0, equals)] = attribute.substr(equals + 1);
  }
  if (!options.lifetime.empty()) {
    const auto seconds = parse_lifetime(options.lifetime);
    if (!seconds) {
      std::cerr << "gatehouse: --expires: " << seconds.error().message << '\n';
      return 2;
    }
    body["lifetime_seconds"] = *seconds;
  }
  const auto reply = admin_call(options.config, "POST", "/admin/keys", body);
  if (reply.is_discarded()) return 2;
  if (options.as_json) {
    std::cout << reply.dump() << '\n';
  } else {
    std::cout << reply["key"].get<std::string>() << '\n';
    std::cerr << "This is the only time the key is shown. It speaks for "
              << reply["record"]["principal"].get<std::string>() << ".\n";
  }
  return 0;
}

int list(const KeyOptions& options) {
  const auto reply = admin_call(options.config, "GET", "/admin/keys", {});
  if (reply.is_discarded()) return 2;
  if (options.as_json) {
    std::cout << reply["keys"].dump() << '\n';
    return 0;
  }
  std::cout << std::left << std::setw(14) << "PREFIX" << std::setw(28) << "PRINCIPAL"
            << std::setw(29) << "CREATED" << std::setw(29) << "EXPIRES"
            << "REVOKED\n";
  for (const auto& key : reply["keys"]) {
    const auto text = [&](const char* name) {
      const auto value = key[name].get<std::string>();
      return value.empty() ? std::string("-") : value;
    };
    std::cout << std::setw(14) << text("prefix") << std::setw(28) << text("principal")
              << std::setw(29) << text("created") << std::setw(29) << text("expires")
              << text("revoked") << '\n';
  }
  return 0;
}

int revoke(const KeyOptions& options) {
  const auto reply =
      admin_call(options.config, "POST", "/admin/keys/revoke", {{"key", options.which}});
  if (reply.is_discarded()) return 2;
  std::cout << "revoked " << reply["record"]["prefix"].get<std::string>() << '\n';
  return 0;
}

}  // namespace

void add_key(CLI::App& app, Exit& exit) {
  const auto options = std::make_shared<KeyOptions>();
  auto* verb = app.add_subcommand("key", "API keys and the principals they speak for");
  verb->require_subcommand(1);

  auto* make = verb->add_subcommand("create", "Make a key; it is shown once");
  make->add_option("--principal", options->principal, "user:NAME, service:NAME or agent:NAME")
      ->required();
  make->add_option("--attribute", options->attributes, "NAME=VALUE, for policies; may be repeated");
  make->add_option("--expires", options->lifetime, "Lifetime: 30d, 12h, 90m");
  make->callback([options, &exit] { exit = create(*options); });

  auto* show = verb->add_subcommand("list", "All keys, without their secrets");
  show->callback([options, &exit] { exit = list(*options); });

  auto* end = verb->add_subcommand("revoke", "End a key, at once");
  end->add_option("key", options->which, "Prefix (gh_xxxxxxxx) or id")->required();
  end->callback([options, &exit] { exit = revoke(*options); });

  for (auto* each : {make, show, end})
    each->add_option("--config", options->config, "Configuration file")->capture_default_str();
  for (auto* each : {make, show}) each->add_flag("--json", options->as_json, "Print JSON");
}

}  // namespace gatehouse::cli

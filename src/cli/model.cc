// gatehouse model add|list|remove.
#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/admin_call.h"
#include "cli/verbs.h"

namespace gatehouse::cli {
namespace {

using nlohmann::json;

struct ModelOptions {
  std::string config = "gatehouse.yaml";
  std::string name;
  std::string provider;
  std::string upstream_name;
  std::string trust = "external";
  std::string clearance;
  bool as_json = false;
};

int add(const ModelOptions& options) {
  const auto reply = admin_call(options.config, "POST", "/admin/models",
                                {{"name", options.name},
                                 {"provider", options.provider},
                                 {"upstream_name", options.upstream_name},
                                 {"trust", options.trust},
                                 {"clearance", options.clearance}});
  if (reply.is_discarded()) return 2;
  std::cout << "added " << options.name << " (" << options.trust << ", provider "
            << options.provider << ")\n";
  return 0;
}

int list(const ModelOptions& options) {
  const auto reply = admin_call(options.config, "GET", "/admin/models", {});
  if (reply.is_discarded()) return 2;
  if (options.as_json) {
    std::cout << reply["models"].dump() << '\n';
    return 0;
  }
  std::cout << std::left << std::setw(32) << "NAME" << std::setw(18) << "PROVIDER" << std::setw(32)
            << "UPSTREAM NAME" << std::setw(10) << "TRUST" << "CLEARANCE\n";
  for (const auto& model : reply["models"]) {
    std::cout << std::setw(32) << model["name"].get<std::string>() << std::setw(18)
              << model["provider"].get<std::string>() << std::setw(32)
              << model["upstream_name"].get<std::string>() << std::setw(10)
              << model["trust"].get<std::string>() << model["clearance"].get<std::string>() << '\n';
  }
  return 0;
}

int remove(const ModelOptions& options) {
  const auto reply =
      admin_call(options.config, "POST", "/admin/models/remove", {{"name", options.name}});
  if (reply.is_discarded()) return 2;
  std::cout << "removed " << options.name << '\n';
  return 0;
}

}  // namespace

void add_model(CLI::App& app, Exit& exit) {
  const auto options = std::make_shared<ModelOptions>();
  auto* verb = app.add_subcommand("model", "The models callers may ask for");
  verb->require_subcommand(1);

  auto* make = verb->add_subcommand("add", "Register a model");
  make->add_option("name", options->name, "What callers ask for")->required();
  make->add_option("--provider", options->provider, "A provider of the configuration")->required();
  make->add_option("--upstream-model", options->upstream_name,
                   "What the provider calls it, if different");
  make->add_option("--trust", options->trust,
                   "external: data leaves the company; internal: it does not")
      ->check(CLI::IsMember({"external", "internal"}))
      ->capture_default_str();
  make->add_option("--clearance", options->clearance,
                   "What one needs for it: policies see it as resource.clearance")
      ->check(CLI::IsMember({"public", "internal", "confidential", "restricted"}));
  make->callback([options, &exit] { exit = add(*options); });

  auto* show = verb->add_subcommand("list", "The registered models");
  show->add_flag("--json", options->as_json, "Print JSON");
  show->callback([options, &exit] { exit = list(*options); });

  auto* end = verb->add_subcommand("remove", "Take a model out of service");
  end->add_option("name", options->name, "Its name")->required();
  end->callback([options, &exit] { exit = remove(*options); });

  for (auto* each : {make, show, end})
    each->add_option("--config", options->config, "Configuration file")->capture_default_str();
}

}  // namespace gatehouse::cli

// gatehouse limit list|show|reset.
#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/admin_call.h"
#include "cli/verbs.h"

namespace gatehouse::cli {
namespace {

using nlohmann::json;

struct LimitOptions {
  std::string config = "gatehouse.yaml";
  std::string name;
  std::string key;
  bool all = false;
  bool as_json = false;
};

std::string text_of(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string joined(const json& limit, const char* member) {
  std::string text;
  if (!limit.contains(member)) return text;
  for (const auto& item : limit[member])
    text += (text.empty() ? "" : ",") + item.get<std::string>();
  return text;
}

json find(const json& reply, const std::string& name) {
  for (const auto& limit : reply["limits"])
    if (limit["name"] == name) return limit;
  return nullptr;
}

int list(const LimitOptions& options) {
  const auto reply = admin_call(options.config, "GET", "/admin/limits", {});
  if (reply.is_discarded()) return 2;
  if (options.as_json) {
    std::cout << reply["limits"].dump() << '\n';
    return 0;
  }
  std::cout << std::left << std::setw(28) << "NAME" << std::setw(12) << "UNIT" << std::setw(16)
            << "AMOUNT" << std::setw(12) << "WINDOW" << std::setw(24) << "EACH"
            << "COUNTERS\n";
  for (const auto& limit : reply["limits"]) {
    if (!limit.contains("amount") && limit["counters"].empty()) continue;
    std::cout << std::setw(28) << limit["name"].get<std::string>() << std::setw(12)
              << limit["unit"].get<std::string>() << std::setw(16)
              << (limit.contains("amount") ? text_of(limit["amount"]) : "by token") << std::setw(12)
              << limit["window"].get<std::string>() << std::setw(24)
              << (limit.contains("per") ? joined(limit, "per") : "-") << limit["counters"].size()
              << '\n';
  }
  return 0;
}

int show(const LimitOptions& options) {
  const auto reply = admin_call(options.config, "GET", "/admin/limits", {});
  if (reply.is_discarded()) return 2;
  const auto limit = find(reply, options.name);
  if (limit.is_null()) {
    std::cerr << "there is no limit \"" << options.name << "\"\n";
    return 2;
  }
  if (options.as_json) {
    std::cout << limit.dump() << '\n';
    return 0;
  }
  std::cout << std::left << std::setw(48) << "KEY" << std::setw(16) << "USED" << std::setw(16)
            << "LEFT"
            << "EMPTY AT\n";
  for (const auto& counter : limit["counters"]) {
    const auto key = counter["key"].get<std::string>();
    std::cout << std::setw(48) << (key.empty() ? "-" : key) << std::setw(16)
              << text_of(counter["used"]) << std::setw(16)
              << (counter.contains("left") ? text_of(counter["left"]) : "-")
              << (counter.contains("empty_at") ? counter["empty_at"].get<std::string>() : "never")
              << '\n';
  }
  return 0;
}

int reset(const LimitOptions& options) {
  if (options.key.empty() == !options.all) {
    std::cerr << "say which: --key KEY (`gatehouse limit show` lists them) or --all\n";
    return 2;
  }
  json body = {{"limit", options.name}};
  if (!options.key.empty()) body["key"] = options.key;
  const auto reply = admin_call(options.config, "POST", "/admin/limits/reset", body);
  if (reply.is_discarded()) return 2;
  std::cout << "reset " << reply["reset"] << " counters of " << options.name << '\n';
  return 0;
}

}  // namespace

void add_limit(CLI::App& app, Exit& exit) {
  const auto options = std::make_shared<LimitOptions>();
  auto* verb = app.add_subcommand("limit", "Limits and budgets, and what is used of them");
  verb->require_subcommand(1);

  auto* list_verb = verb->add_subcommand("list", "The limits there are");
  list_verb->callback([options, &exit] { exit = list(*options); });

  auto* show_verb = verb->add_subcommand("show", "What is used of a limit, by whom");
  show_verb->add_option("name", options->name, "Name of the limit")->required();
  show_verb->callback([options, &exit] { exit = show(*options); });

  auto* reset_verb = verb->add_subcommand("reset", "Begin anew; stands in the ledger");
  reset_verb->add_option("name", options->name, "Name of the limit")->required();
  reset_verb->add_option("--key", options->key, "One counter of it, as `limit show` names it");
  reset_verb->add_flag("--all", options->all, "All of them");
  reset_verb->callback([options, &exit] { exit = reset(*options); });

  for (auto* each : {list_verb, show_verb, reset_verb})
    each->add_option("--config", options->config, "Configuration file")->capture_default_str();
  for (auto* each : {list_verb, show_verb})
    each->add_flag("--json", options->as_json, "Print JSON");
}

}  // namespace gatehouse::cli

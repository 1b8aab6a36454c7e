// gatehouse approval list|show|approve|deny|grant|withdraw|link.
#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/admin_call.h"
#include "cli/verbs.h"

namespace gatehouse::cli {
namespace {

using nlohmann::json;

struct ApprovalOptions {
  std::string config = "gatehouse.yaml";
  std::string id;
  std::string server;
  std::string tool;
  std::string principal;
  std::string lifetime = "8h";
  std::string reason;
  std::string person;
  std::string url;
  bool as_json = false;
};

int list(const ApprovalOptions& options) {
  const auto reply = admin_call(options.config, "POST", "/admin/approvals/list", json::object());
  if (reply.is_discarded()) return 2;
  if (options.as_json) {
    std::cout << reply["approvals"].dump() << '\n';
    return 0;
  }
  std::cout << std::left << std::setw(30) << "APPROVAL" << std::setw(10) << "STATE" << std::setw(24)
            << "TOOL" << std::setw(24) << "FOR" << "UNTIL\n";
  for (const auto& one : reply["approvals"]) {
    const bool standing = one["standing"].get<bool>();
    std::cout << std::setw(30) << one["id"].get<std::string>() << std::setw(10)
              << (standing ? "standing" : one["state"].get<std::string>()) << std::setw(24)
              << one["tool"].get<std::string>() << std::setw(24)
              << one["principal"].get<std::string>() << one["expires"].get<std::string>() << '\n';
  }
  return 0;
}

int show(const ApprovalOptions& options) {
  const auto reply =
      admin_call(options.config, "POST", "/admin/approvals/show", {{"approval", options.id}});
  if (reply.is_discarded()) return 2;
  std::cout << reply["approval"].dump(2) << '\n';
  return 0;
}

int settle(const ApprovalOptions& options, const std::string& verb) {
  json body = {{"approval", options.id}};
  if (!options.reason.empty()) body["reason"] = options.reason;
  const auto reply = admin_call(options.config, "POST", "/admin/approvals/" + verb, body);
  if (reply.is_discarded()) return 2;
  std::cout << options.id << " is " << reply["approval"]["state"].get<std::string>() << '\n';
  return 0;
}

// Whoever has the link decides in the name of whom it is for: it is printed, never logged.
int link(const ApprovalOptions& options, bool with_lifetime) {
  json body = {{"approval", options.id}, {"for", options.person}};
  if (with_lifetime) {
    const auto seconds = parse_lifetime(options.lifetime);
    if (!seconds) {
      std::cerr << "error: " << seconds.error().describe() << '\n';
      return 2;
    }
    body["lifetime_seconds"] = *seconds;
  }
  const auto reply = admin_call(options.config, "POST", "/admin/approvals/link", body);
  if (reply.is_discarded()) return 2;
  std::string base = options.url;
  while (base.ends_with('/')) base.pop_back();
  std::cout << base << reply["path"].get<std::string>() << '\n';
  std::cerr << "For " << options.person << " only, once, until "
            << reply["expires"].get<std::string>() << ".\n";
  return 0;
}

int grant(const ApprovalOptions& options) {
  const auto seconds = parse_lifetime(options.lifetime);
  if (!seconds) {
    std::cerr << "error: " << seconds.error().describe() << '\n';
    return 2;
  }
  const auto reply = admin_call(options.config, "POST", "/admin/approvals/grant",
                                {{"server", options.server},
                                 {"tool", options.tool},
                                 {"principal", options.principal},
                                 {"lifetime_seconds", *seconds}});
  if (reply.is_discarded()) return 2;
  const auto& made = reply["approval"];
  std::cout << made["id"].get<std::string>() << ": " << options.tool << " for " << options.principal
            << " until " << made["expires"].get<std::string>() << '\n';
  return 0;
}

}  // namespace

void add_approval(CLI::App& app, Exit& exit) {
  const auto options = std::make_shared<ApprovalOptions>();
  auto* verb = app.add_subcommand("approval", "Calls of tools that wait for a person");
  verb->require_subcommand(1);

  auto* all = verb->add_subcommand("list", "What waits, and standing approvals");
  all->add_flag("--json", options->as_json, "Print JSON");
  all->callback([options, &exit] { exit = list(*options); });

  auto* one = verb->add_subcommand("show", "One of them, with the arguments of the call");
  one->callback([options, &exit] { exit = show(*options); });
  auto* yes = verb->add_subcommand("approve", "Let exactly this call pass, once");
  yes->callback([options, &exit] { exit = settle(*options, "approve"); });
  auto* no = verb->add_subcommand("deny", "Refuse it");
  no->callback([options, &exit] { exit = settle(*options, "deny"); });
  auto* end = verb->add_subcommand("withdraw", "End a standing approval");
  end->callback([options, &exit] { exit = settle(*options, "withdraw"); });
  auto* page = verb->add_subcommand("link", "A signed link by which one person decides it, once");
  page->add_option("--for", options->person, "Who: \"user:bob\"")->required();
  auto* lifetime = page->add_option("--expires", options->lifetime,
                                    "Lifetime: 30m, 8h; else the approval's own");
  page->add_option("--url", options->url, "Where they reach the gateway: https://ai.example.com");
  page->callback([options, lifetime, &exit] { exit = link(*options, lifetime->count() > 0); });
  for (auto* each : {one, yes, no, end, page})
    each->add_option("approval", options->id, "Its id (ap_…)")->required();
  for (auto* each : {yes, no, end})
    each->add_option("--reason", options->reason, "Why, for the record");

  auto* standing = verb->add_subcommand("grant", "Let a tool pass for a principal until then");
  standing->add_option("--server", options->server, "The tool's server, if it has one");
  standing->add_option("--tool", options->tool, "Its name")->required();
  standing->add_option("--principal", options->principal, "\"user:ada\", or \"*\" for everybody")
      ->required();
  standing->add_option("--for", options->lifetime, "How long: 30m, 8h, 7d")->capture_default_str();
  standing->callback([options, &exit] { exit = grant(*options); });

  for (auto* each : {all, one, yes, no, end, page, standing})
    each->add_option("--config", options->config, "Configuration file")->capture_default_str();
}

}  // namespace gatehouse::cli

// gatehouse mcp list|review|show|approve|withdraw.
#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/admin_call.h"
#include "cli/verbs.h"

namespace gatehouse::cli {
namespace {

using nlohmann::json;

struct McpOptions {
  std::string config = "gatehouse.yaml";
  std::string server;
  std::string tool;
  std::vector<std::string> tools;
  bool all = false;
  bool as_json = false;
};

std::string text(const json& value, const char* name) {
  return printable(value.value(name, std::string()));
}

int list(const McpOptions& options) {
  const auto reply = admin_call(options.config, "POST", "/admin/mcp/list", json::object());
  if (reply.is_discarded()) return 2;
  if (options.as_json) {
    std::cout << reply.dump() << '\n';
    return 0;
  }
  for (const auto& server : reply["servers"]) {
    std::cout << text(server, "name") << "  " << text(server, "at") << '\n';
    for (const auto& tool : server["tools"])
      std::cout << "  " << text(tool, "tool") << ": " << text(tool, "standing") << '\n';
  }
  return 0;
}

json review_of(const McpOptions& options) {
  return admin_call(options.config, "POST", "/admin/mcp/review", {{"server", options.server}});
}

void print_tool(const json& tool) {
  std::cout << text(tool, "tool") << ": " << text(tool, "standing") << "\n  "
            << text(tool, "digest") << '\n';
  // A server may give any JSON for one.
  const auto& definition = tool["definition"];
  const bool described =
      definition.contains("description") && definition["description"].is_string();
  std::cout << "  " << (described ? text(definition, "description") : "(no description)") << '\n';
  for (const auto& finding : tool["findings"])
    std::cout << "  found: " << text(finding, "rule") << " (" << finding["count"] << ")\n";
  if (const double p = tool["injection_p"].get<double>(); p <= 0.05)
    std::cout << "  reads like an instruction to a model: p = " << p << '\n';
}

int review(const McpOptions& options) {
  const auto reply = review_of(options);
  if (reply.is_discarded()) return 2;
  if (options.as_json) {
    std::cout << reply.dump() << '\n';
    return 0;
  }
  for (const auto& tool : reply["tools"]) print_tool(tool);
  if (reply["unusable"] != 0)
    std::cout << reply["unusable"] << " definitions cannot be served: no valid name or schema\n";
  return 0;
}

int show(const McpOptions& options) {
  const auto reply = review_of(options);
  if (reply.is_discarded()) return 2;
  for (const auto& tool : reply["tools"]) {
    if (tool["tool"] != options.tool) continue;
    print_tool(tool);
    // Non-ASCII as escapes, so that nothing in it can hide.
    std::cout << tool["definition"].dump(2, ' ', true) << '\n';
    return 0;
  }
  std::cerr << "the server has no tool of this name\n";
  return 1;
}

int approve(const McpOptions& options) {
  if (options.all == !options.tools.empty()) {
    std::cerr << "name the tools, or say --all\n";
    return 2;
  }
  const auto reply = review_of(options);
  if (reply.is_discarded()) return 2;
  std::size_t approved = 0;
  for (const auto& tool : reply["tools"]) {
    const auto name = tool["tool"].get<std::string>();
    if (!options.all && std::ranges::find(options.tools, name) == options.tools.end()) continue;
    const auto done =
        admin_call(options.config, "POST", "/admin/mcp/approve",
                   {{"server", options.server}, {"tool", name}, {"digest", tool["digest"]}});
    if (done.is_discarded()) return 2;
    std::cout << "approved " << printable(name) << "  " << text(tool, "digest") << '\n';
    ++approved;
  }
  if (options.all || approved == options.tools.size()) return 0;
  std::cerr << "the server does not have all of these tools\n";
  return 1;
}

int withdraw(const McpOptions& options) {
  const auto reply = admin_call(options.config, "POST", "/admin/mcp/withdraw",
                                {{"server", options.server}, {"tool", options.tool}});
  if (reply.is_discarded()) return 2;
  std::cout << "withdrew " << printable(options.tool) << '\n';
  return 0;
}

}  // namespace

void add_mcp(CLI::App& app, Exit& exit) {
  const auto options = std::make_shared<McpOptions>();
  auto* verb = app.add_subcommand("mcp", "Tools of MCP servers, and their review");
  verb->require_subcommand(1);

  auto* all = verb->add_subcommand("list", "Servers and the standing of their tools");
  all->callback([options, &exit] { exit = list(*options); });

  auto* look = verb->add_subcommand("review", "Ask a server for its tools and inspect them");
  look->callback([options, &exit] { exit = review(*options); });

  auto* one = verb->add_subcommand("show", "One definition, as the server has it now");
  one->callback([options, &exit] { exit = show(*options); });

  auto* pin =
      verb->add_subcommand("approve", "Pin definitions as they are now, and put them in service");
  pin->add_option("tools", options->tools, "Their names");
  pin->add_flag("--all", options->all, "All that the server has");
  pin->callback([options, &exit] { exit = approve(*options); });

  auto* end = verb->add_subcommand("withdraw", "Take a tool out of service");
  end->callback([options, &exit] { exit = withdraw(*options); });

  for (auto* each : {look, one, pin, end})
    each->add_option("--server,-s", options->server, "A server of the configuration")->required();
  for (auto* each : {one, end}) each->add_option("tool", options->tool, "Its name")->required();
  for (auto* each : {all, look}) each->add_flag("--json", options->as_json, "Print JSON");
  for (auto* each : {all, look, one, pin, end})
    each->add_option("--config", options->config, "Configuration file")->capture_default_str();
}

}  // namespace gatehouse::cli

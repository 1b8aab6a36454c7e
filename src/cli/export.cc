// gatehouse export status.
#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/admin_call.h"
#include "cli/verbs.h"

namespace gatehouse::cli {
namespace {

using nlohmann::json;

struct ExportOptions {
  std::string config = "gatehouse.yaml";
  bool as_json = false;
};

void print(const json& exporter) {
  std::cout << std::left << std::setw(20) << exporter["name"].get<std::string>() << std::setw(13)
            << exporter["type"].get<std::string>() << std::setw(10)
            << exporter["state"].get<std::string>() << std::right << std::setw(12)
            << exporter["position"].get<std::uint64_t>() << std::setw(12)
            << exporter["backlog"].get<std::uint64_t>() << std::setw(9)
            << exporter["errors"].get<std::uint64_t>() << std::setw(9)
            << exporter["skipped"].get<std::uint64_t>() << "  " << exporter["to"].get<std::string>()
            << '\n';
  if (const auto error = exporter["last_error"].get<std::string>(); !error.empty())
    std::cout << "  last error " << exporter["last_error_time"].get<std::string>() << ": "
              << printable(error) << '\n';
}

int status(const ExportOptions& options) {
  const auto reply = admin_call(options.config, "GET", "/admin/export", {});
  if (reply.is_discarded()) return 2;
  if (options.as_json) {
    std::cout << reply["exporters"].dump() << '\n';
    return 0;
  }
  std::cout << std::left << std::setw(20) << "NAME" << std::setw(13) << "TYPE" << std::setw(10)
            << "STATE" << std::right << std::setw(12) << "POSITION" << std::setw(12) << "BACKLOG"
            << std::setw(9) << "ERRORS" << std::setw(9) << "SKIPPED"
            << "  TO\n";
  for (const auto& exporter : reply["exporters"]) print(exporter);
  return 0;
}

}  // namespace

void add_export(CLI::App& app, Exit& exit) {
  const auto options = std::make_shared<ExportOptions>();
  auto* verb = app.add_subcommand("export", "Receivers of the ledger's events");
  verb->require_subcommand(1);
  auto* show = verb->add_subcommand("status", "How far each receiver is, and its last error");
  show->add_option("--config", options->config, "Configuration file")->capture_default_str();
  show->add_flag("--json", options->as_json, "Print JSON");
  show->callback([options, &exit] { exit = status(*options); });
}

}  // namespace gatehouse::cli

// gatehouse audit resume: the operator's word that a log is the newest there is.
#include <iostream>
#include <memory>

#include "base/text.h"
#include "cli/audit_read.h"
#include "gateway/config.h"
#include "gateway/control.h"
#include "ledger/disk.h"
#include "ledger/ledger.h"

namespace gatehouse::cli {
namespace {

int resume(const std::string& file) {
  const auto config = gateway::load_config(file, gateway::FirstSecret::leave);
  if (!config) {
    std::cerr << config.error().describe() << '\n';
    return 2;
  }
  ledger::Options options;
  options.directory = config->ledger_directory();
  options.origin = config->ledger_origin;
  options.last_signed = config->last_signed_directory();
  ledger::RealDisk disk;
  const auto keys = gateway::DeploymentKeys::derive(config->secret);
  const auto size = ledger::remember_as_last_signed(disk, options, keys.log_key);
  if (!size) {
    std::cerr << "gatehouse: " << printable(size.error().describe()) << '\n';
    return size.error().code == ErrorCode::data_loss ? 1 : 2;
  }
  std::cout << "the log in " << options.directory.string() << " is gone on with from " << *size
            << " signed entries\n";
  return 0;
}

}  // namespace

void add_audit_resume(CLI::App& audit, Exit& exit) {
  auto* verb = audit.add_subcommand(
      "resume", "Say that this log is the newest there is, after its last signed size was lost");
  auto* file = verb->add_option("--config", "Configuration file")->default_str("gatehouse.yaml");
  verb->callback([file, &exit] { exit = resume(file->as<std::string>()); });
}

}  // namespace gatehouse::cli

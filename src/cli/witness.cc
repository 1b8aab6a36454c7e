// gatehouse witness: cosigns the checkpoints of logs (docs/witness.md). `witness` runs the server,
// `witness init` makes the state folder of a new one, `witness key` prints its public key.
#include <csignal>
#include <iostream>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "cli/verbs.h"
#include "witness/config.h"
#include "witness/server.h"
#include "witness/state.h"

namespace gatehouse::cli {
namespace {

int report(const Error& error) {
  std::cerr << "gatehouse: " << error.describe() << "\n";
  return 2;
}

std::string address_of(const witness::WitnessConfig& config, std::uint16_t port) {
  const bool v6 = config.listen.host.find(':') != std::string::npos;
  return (v6 ? "[" + config.listen.host + "]" : config.listen.host) + ":" + std::to_string(port);
}

int run(const std::string& file) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  (void)std::signal(SIGPIPE, SIG_IGN);
  const auto config = witness::load_witness_config(file);
  if (!config) return report(config.error());
  const SystemClock clock;
  const auto server = witness::WitnessServer::start(*config, clock);
  if (!server) return report(server.error());
  log_info("listening", {{"address", address_of(*config, (*server)->port())},
                         {"witness", (*server)->verifier_key()},
                         {"logs", config->logs.size()},
                         {"cosigned", (*server)->known_logs()}});
  int signal = 0;
  sigwait(&signals, &signal);
  (*server)->stop();
  log_info("stopped", {});
  return 0;
}

int init(const std::string& file) {
  const auto config = witness::load_witness_config(file);
  if (!config) return report(config.error());
  const auto identity = witness::WitnessIdentity::derive(config->name, config->secret);
  ledger::RealDisk disk;
  const auto made = witness::WitnessState::create(disk, config->data.string(), identity);
  if (!made) return report(made.error());
  std::cout << to_string(identity.cosigner) << '\n';
  return 0;
}

int print_key(const std::string& file) {
  const auto config = witness::load_witness_config(file);
  if (!config) return report(config.error());
  std::cout << to_string(witness::WitnessIdentity::derive(config->name, config->secret).cosigner)
            << '\n';
  return 0;
}

}  // namespace

void add_witness(CLI::App& app, Exit& exit) {
  const auto file = std::make_shared<std::string>("witness.yaml");
  auto* verb = app.add_subcommand("witness", "Cosign the checkpoints of other installations' logs");
  verb->require_subcommand(0, 1);
  auto* make = verb->add_subcommand(
      "init", "Make the state folder of a new witness and print its public key");
  auto* key = verb->add_subcommand("key", "Print the public key");
  for (auto* each : {verb, make, key}) {
    each->add_option("--config", *file, "Configuration file")->capture_default_str();
  }
  make->callback([file, &exit] { exit = init(*file); });
  key->callback([file, &exit] { exit = print_key(*file); });
  verb->callback([verb, file, &exit] {
    if (verb->get_subcommands().empty()) exit = run(*file);
  });
}

}  // namespace gatehouse::cli

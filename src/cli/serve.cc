// gatehouse serve, gatehouse config check.
#include <csignal>
#include <iostream>
#include <string>

#include "api/admin.h"
#include "api/log_server.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "cli/verbs.h"
#include "gateway/config.h"
#include "gateway/gateway.h"
#include "guard/local_model.h"

namespace gatehouse::cli {
namespace {

// Signals are taken one at a time by the main thread; no other thread ever sees them.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
  }
  int wait() const {
    int signal = 0;
    return sigwait(&set_, &signal) == 0 ? signal : SIGTERM;
  }

 private:
  sigset_t set_{};
};

std::string listening_address(const gateway::Gateway& gateway) {
  const auto config = gateway.config();
  const bool v6 = config->listen.host.find(':') != std::string::npos;
  const std::string host = v6 ? "[" + config->listen.host + "]" : config->listen.host;
  return host + ":" + std::to_string(gateway.port());
}

std::string url_of(const net::ListenAddress& address, std::uint16_t port, bool tls) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return std::string(tls ? "https://" : "http://") +
         (v6 ? '[' + address.host + ']' : address.host) + ':' + std::to_string(port);
}

// The log for everybody who may read it, if the configuration says so; null otherwise.
Result<std::unique_ptr<api::LogServer>> serve_log(const gateway::Config& config) {
  const auto& settings = config.log_serve;
  if (!settings.listen) return nullptr;
  api::LogServerOptions options;
  options.directory = config.ledger_directory();
  options.listen = *settings.listen;
  options.prefix = settings.prefix;
  options.entries = settings.entries;
  options.connections = settings.connections;
  if (!config.tls_certificate.empty()) {
    GH_ASSIGN(options.tls, net::TlsContext::server(config.tls_certificate, config.tls_key));
  }
  const bool tls = options.tls != nullptr;
  auto server = api::LogServer::start(std::move(options));
  if (!server) return std::unexpected(std::move(server).error().within("ledger.serve"));
  log_info("the log is served",
           {{"url", url_of(*settings.listen, (*server)->port(), tls) + settings.prefix},
            {"entries", settings.entries}});
  return server;
}

int serve(const std::string& file) {
  const Signals signals;
  auto config = gateway::load_config(file);
  if (!config) {
    std::cerr << config.error().describe() << '\n';
    return 2;
  }
  const SystemClock clock;
  SystemRandom random;
  auto gateway = gateway::Gateway::start(std::move(*config), clock, random);
  if (!gateway) {
    std::cerr << "gatehouse: " << gateway.error().describe() << '\n';
    return 2;
  }
  auto admin = api::AdminServer::start(**gateway);
  if (!admin) {
    std::cerr << "gatehouse: " << admin.error().describe() << '\n';
    return 2;
  }
  auto log_server = serve_log(*(*gateway)->config());
  if (!log_server) {
    std::cerr << "gatehouse: " << log_server.error().describe() << '\n';
    return 2;
  }
  log_info("listening", {{"address", listening_address(**gateway)},
                         {"ledger", (*gateway)->control().ledger().verifier_key()}});
  while (signals.wait() == SIGHUP) {
    if (auto reloaded = (*gateway)->reload(); !reloaded)
      log_error("reload refused; the old configuration stays in force",
                {{"error", reloaded.error().describe()}});
  }
  log_info("draining", {});
  admin->reset();
  log_server->reset();
  (*gateway)->stop();
  log_info("stopped", {});
  return 0;
}

// Everything a start would read, without starting.
int check_config(const std::string& file) {
  auto config = gateway::load_config(file, gateway::FirstSecret::leave);
  if (!config) {
    std::cerr << config.error().describe() << '\n';
    return 1;
  }
  int problems = 0;
  const auto note = [&](const auto& loaded) {
    if (loaded) return;
    std::cerr << loaded.error().describe() << '\n';
    ++problems;
  };
  note(gateway::load_policies(*config));
  note(gateway::load_rules(*config));
  note(guard::load_local_models(config->guards, {}));
  if (!config->tls_certificate.empty())
    note(net::TlsContext::server(config->tls_certificate, config->tls_key));
  note(net::TlsContext::client(config->upstream_ca));
  if (problems > 0) return 1;
  std::cout << file << ": ok (" << config->providers.size() << " providers)\n";
  return 0;
}

}  // namespace

void add_serve(CLI::App& app, Exit& exit) {
  static constexpr auto default_file = "gatehouse.yaml";
  auto* serve_verb = app.add_subcommand("serve", "Run the gateway");
  auto* file = serve_verb->add_option("--config", "Configuration file")->default_str(default_file);
  serve_verb->callback([file, &exit] { exit = serve(file->as<std::string>()); });

  auto* config_verb = app.add_subcommand("config", "The configuration file");
  config_verb->require_subcommand(1);
  auto* check = config_verb->add_subcommand(
      "check", "Read the configuration, policies, rules and certificates; say what is wrong");
  auto* checked = check->add_option("--config", "Configuration file")->default_str(default_file);
  check->callback([checked, &exit] { exit = check_config(checked->as<std::string>()); });
}

}  // namespace gatehouse::cli

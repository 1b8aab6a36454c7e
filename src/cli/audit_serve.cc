// See audit_serve.h. For a copy on another machine; a gateway serves its own log by itself
// (ledger.serve in its configuration).
#include "cli/audit_serve.h"

#include <csignal>
#include <iostream>
#include <memory>

#include "api/log_server.h"
#include "base/text.h"
#include "cli/audit_read.h"
#include "gateway/config.h"

namespace gatehouse::cli {
namespace {

struct ServeOptions {
  std::vector<std::string> where;
  std::string listen = "127.0.0.1:8090";
  std::string prefix;
  bool entries = false;
};

// The signals that end it are taken here; no other thread ever sees them.
int wait_for_the_end(const sigset_t& signals) {
  int signal = 0;
  return sigwait(&signals, &signal) == 0 ? 0 : 2;
}

int serve(const ServeOptions& options) {
  sigset_t signals{};
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  (void)std::signal(SIGPIPE, SIG_IGN);
  const auto fails = [](const Error& error) {
    std::cerr << "gatehouse: " << printable(error.describe()) << '\n';
    return 2;
  };
  if (!gateway::is_url_prefix(options.prefix))
    return fails({ErrorCode::invalid_argument, "expected a path such as /log", "--prefix"});
  auto listen = gateway::parse_listen(options.listen);
  if (!listen) return fails(std::move(listen).error().within("--listen"));
  api::LogServerOptions how;
  how.directory = directory_of(options.where);
  how.listen = *listen;
  how.prefix = options.prefix;
  how.entries = options.entries;
  const auto server = api::LogServer::start(std::move(how));
  if (!server) return fails(server.error());
  const bool v6 = listen->host.find(':') != std::string::npos;
  std::cout << "http://" << (v6 ? "[" + listen->host + "]" : listen->host) << ':'
            << (*server)->port() << options.prefix << std::endl;
  return wait_for_the_end(signals);
}

}  // namespace

void add_audit_serve(CLI::App& audit, Exit& exit) {
  auto options = std::make_shared<ServeOptions>();
  auto* verb = audit.add_subcommand("serve", "Serve a log directory over HTTP (C2SP tlog-tiles)");
  verb->add_option("DIR", options->where, "Ledger directory (./var/ledger)")->expected(0, 1);
  verb->add_option("--listen", options->listen, "Address and port")->capture_default_str();
  verb->add_option("--prefix", options->prefix, "Path before /checkpoint and /tile");
  verb->add_flag("--entries", options->entries, "Serve the entries too; they name people");
  verb->callback([options, &exit] { exit = serve(*options); });
}

}  // namespace gatehouse::cli

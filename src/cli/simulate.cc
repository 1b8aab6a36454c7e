// gatehouse simulate: the provider simulator, until SIGINT or SIGTERM.
#include <csignal>
#include <iostream>
#include <map>
#include <memory>
#include <string>

#include "base/log.h"
#include "base/text.h"
#include "cli/verbs.h"
#include "simulate/simulator.h"

namespace gatehouse::cli {
namespace {

struct Options {
  std::string listen = "127.0.0.1:9090";
  std::uint64_t pace_ms = 0;
  int threads = 1;
  std::string key;
};

// Blocked before any thread starts, so that only the wait below sees them.
sigset_t block_stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

Result<simulate::SimulatorOptions> read_options(const Options& options) {
  const std::size_t colon = options.listen.rfind(':');
  const auto port = colon == std::string::npos
                        ? std::nullopt
                        : parse_uint(std::string_view(options.listen).substr(colon + 1));
  if (!port || *port > 65'535)
    return fail(ErrorCode::invalid_argument, "expected ADDRESS:PORT, found " + options.listen,
                "--listen");
  return simulate::SimulatorOptions{.host = options.listen.substr(0, colon),
                                    .port = static_cast<std::uint16_t>(*port),
                                    .threads = options.threads,
                                    .pace = std::chrono::milliseconds(options.pace_ms),
                                    .require_key = options.key};
}

Exit run(const Options& options) {
  const sigset_t signals = block_stop_signals();
  auto read = read_options(options);
  if (!read) {
    std::cerr << "gatehouse simulate: " << read.error().describe() << '\n';
    return 2;
  }
  const std::string host = read->host;
  auto simulator = simulate::Simulator::start(std::move(*read));
  if (!simulator) {
    std::cerr << "gatehouse simulate: " << simulator.error().describe() << '\n';
    return 2;
  }
  log_info("listening", {{"address", host + ":" + std::to_string((*simulator)->port())}});
  int signal = 0;
  sigwait(&signals, &signal);
  return 0;
}

}  // namespace

void add_simulate(CLI::App& app, Exit& exit) {
  auto* verb = app.add_subcommand("simulate", "Run the provider simulator (OpenAI and Anthropic)");
  auto options = std::make_shared<Options>();
  verb->add_option("--listen", options->listen, "ADDRESS:PORT; port 0: any")->capture_default_str();
  verb->add_option("--pace", options->pace_ms, "Time between the events of a stream, e.g. 20ms")
      ->transform(
          CLI::AsNumberWithUnit(std::map<std::string, std::uint64_t>{{"ms", 1}, {"s", 1000}},
                                CLI::AsNumberWithUnit::CASE_SENSITIVE));
  verb->add_option("--threads", options->threads, "Event loops")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  verb->add_option("--require-key", options->key, "Answer 401 to callers without this API key");
  verb->callback([options, &exit] { exit = run(*options); });
}

}  // namespace gatehouse::cli

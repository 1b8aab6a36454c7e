// One loop, one listener and one Provider a thread; SO_REUSEPORT spreads connections over them. The
// Recorder and the bench answers are shared.
#include "simulate/simulator.h"

#include <thread>
#include <utility>
#include <vector>

#include "net/loop.h"
#include "net/server.h"
#include "simulate/bench_answers.h"
#include "simulate/provider.h"
#include "simulate/recorder.h"

namespace gatehouse::simulate {
namespace {

// The thread is stopped and joined before what it runs is destroyed.
class Worker {
 public:
  Worker(const SimulatorOptions& options, std::uint16_t port, Recorder& recorder,
         const BenchAnswers& bench)
      : provider_(loop_, {.pace = options.pace, .require_key = options.require_key}, recorder,
                  bench),
        server_(loop_,
                {.host = options.host,
                 .port = port,
                 .unix_path = "",
                 .reuse_port = options.threads > 1},
                net::ServerLimits{},
                [this](net::ServerStream& stream) { return provider_.handle(stream); }) {}
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() {
    if (!thread_.joinable()) return;
    loop_.post([this] {
      server_.close_all();
      loop_.stop();
    });
    thread_.join();
  }

  Result<void> listen() { return server_.listen(); }
  std::uint16_t port() const { return server_.port(); }
  void run() {
    thread_ = std::thread([this] { loop_.run(); });
  }

 private:
  net::Loop loop_;
  Provider provider_;
  net::Server server_;
  std::thread thread_;
};

}  // namespace

struct Simulator::Impl {
  Recorder recorder;
  BenchAnswers bench;
  std::vector<std::unique_ptr<Worker>> workers;
};

Simulator::Simulator(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Simulator::~Simulator() = default;

Result<std::unique_ptr<Simulator>> Simulator::start(SimulatorOptions options) {
  auto impl = std::make_unique<Impl>();
  std::uint16_t port = options.port;
  for (int i = 0; i < options.threads; ++i) {
    auto worker = std::make_unique<Worker>(options, port, impl->recorder, impl->bench);
    GH_TRY(worker->listen());
    port = worker->port();  // the first decides when any was asked for
    impl->workers.push_back(std::move(worker));
  }
  for (const auto& worker : impl->workers) worker->run();
  return std::unique_ptr<Simulator>(new Simulator(std::move(impl)));
}

std::uint16_t Simulator::port() const {
  return impl_->workers.front()->port();
}

}  // namespace gatehouse::simulate

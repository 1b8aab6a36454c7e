// The HTTP side of the simulator on one loop: reads a request, asks for a plan, sends it. One
// Provider serves all connections of its loop; the Recorder and the bench answers are shared.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "net/loop.h"
#include "net/server.h"
#include "simulate/ask.h"
#include "simulate/bench_answers.h"
#include "simulate/plan.h"
#include "simulate/recorder.h"

namespace gatehouse::simulate {

struct ProviderOptions {
  std::chrono::milliseconds pace{0};
  std::string require_key;
};

class Provider {
 public:
  Provider(net::Loop& loop, ProviderOptions options, Recorder& recorder, const BenchAnswers& bench)
      : loop_(loop), options_(std::move(options)), recorder_(recorder), bench_(bench) {}

  net::Task<void> handle(net::ServerStream& stream);

 private:
  struct Delivery;
  using Headers = std::vector<std::pair<std::string, std::string>>;

  net::Task<void> control(net::ServerStream& stream);
  net::Task<void> route(net::ServerStream& stream, Dialect dialect, std::string body);
  net::Task<void> chat(net::ServerStream& stream, Dialect dialect, std::string body);
  net::Task<void> count(net::ServerStream& stream, std::string body);
  net::Task<void> embed(net::ServerStream& stream, std::string body);
  net::Task<void> list_models(net::ServerStream& stream, Dialect dialect);

  net::Task<void> play(net::ServerStream& stream, Ask ask, Plan plan);
  net::Task<void> send_bench(net::ServerStream& stream, Dialect dialect, const BenchAnswer& answer,
                             bool streamed, bool usage);
  net::Task<void> send_fault(net::ServerStream& stream, Dialect dialect, Fault fault,
                             Headers headers);
  net::Task<void> send_json(net::ServerStream& stream, net::ResponseHead head, std::string body);
  net::Task<void> deliver(net::ServerStream& stream, net::ResponseHead head, Delivery delivery);
  net::Task<bool> wait(net::ServerStream& stream, std::chrono::milliseconds duration);
  bool has_key(const net::RequestHead& head) const;

  net::Loop& loop_;
  ProviderOptions options_;
  Recorder& recorder_;
  const BenchAnswers& bench_;
};

}  // namespace gatehouse::simulate

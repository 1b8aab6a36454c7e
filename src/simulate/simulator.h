// The door of the room: a provider simulator that speaks the OpenAI and the Anthropic dialect with
// scripted, deterministic answers. For tests, the demo and the benchmark; its models are named
// simulator-*, so that nobody takes an answer for a real one. README.md lists models and scripts.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace gatehouse::simulate {

struct SimulatorOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 9090;  // 0: any, see Simulator::port()
  int threads = 1;
  std::chrono::milliseconds pace{0};  // between the events of a stream
  std::string require_key;            // empty: any caller
};

// Runs on threads of its own from start() to destruction.
class Simulator {
 public:
  static Result<std::unique_ptr<Simulator>> start(SimulatorOptions options);
  ~Simulator();
  Simulator(const Simulator&) = delete;
  Simulator& operator=(const Simulator&) = delete;

  std::uint16_t port() const;

  struct Impl;

 private:
  explicit Simulator(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gatehouse::simulate

// Counters and histograms of one process, in Prometheus' text format at /metrics. Handles are made
// at start, so that counting on the walk is one atomic addition. Thread-safe. docs/operating.md
// lists the names.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/exchange.h"
#include "gateway/problem.h"

namespace gatehouse::gateway {

class Metrics {
 public:
  Metrics();
  ~Metrics();

  void count_request(const Exchange& exchange);  // once, when its outcome is known
  void count_refused_message(int status);        // not HTTP enough to become a request
  void count_ledger_failure();
  void count_vault_failure();
  void count_output_failure();
  void count_reload(bool accepted);
  void count_guard(const GuardReport& report);
  void count_limit_refusal(const std::string& limit);
  void count_limit_worst_case();

  // Values read when somebody asks.
  void add_gauge(const std::string& name, const std::string& help, std::function<double()> read);

  // The same with labels; a counter must never go back.
  enum class Kind : std::uint8_t { gauge, counter };
  using Labels = std::map<std::string, std::string>;
  void add_reading(Kind kind, const std::string& name, const std::string& help,
                   const Labels& labels, std::function<double()> read);

  std::string text();

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace gatehouse::gateway

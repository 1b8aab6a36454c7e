// The gateway's side of witness/: the question at the start, the cosigner while it runs, and
// incidents as events of the ledger, log lines and metrics.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "gateway/config.h"
#include "gateway/control.h"
#include "gateway/metrics.h"
#include "ledger/ledger.h"
#include "witness/cosigner.h"

namespace gatehouse::gateway {

// With the ledger open and before anything is appended. An error refuses the start. Without a
// witness_policy it removes a cosigned checkpoint of earlier times, which would be served for ever.
Result<void> ask_witnesses_before_start(const Config& config, ledger::Ledger& ledger);

class Witnessing {
 public:
  // Null without a witness_policy. `control` must outlive it.
  static Result<std::unique_ptr<Witnessing>> start(const Config& config, ControlPlane& control,
                                                   Metrics& metrics);
  ~Witnessing() = default;

 private:
  Witnessing(const Config& config, ControlPlane& control) : node_(config.node), control_(control) {}
  void record(const witness::Incident& incident);
  void add_gauges(Metrics& metrics);

  const std::string node_;
  ControlPlane& control_;
  std::shared_ptr<witness::Cosigner> cosigner_;
};

}  // namespace gatehouse::gateway

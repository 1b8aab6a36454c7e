// Watches that the database says what the ledger says, while the gateway runs: at start and then by
// a timer. What is in force is the ledger's fold in any case (identity::Registry); this is so that
// somebody hears of it. One incident for each new way in which the two differ.
//
// check() is for one thread at a time; differences() for any.
#pragma once

#include <atomic>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gateway/control.h"

namespace gatehouse::gateway {

class StateGuard {
 public:
  StateGuard(ControlPlane& control, std::string node) : control_(control), node_(std::move(node)) {}

  // Compares again and raises an incident when there is news. Error: it could not be done.
  Result<void> check();

  std::size_t differences() const { return count_.load(std::memory_order_relaxed); }

 private:
  ControlPlane& control_;
  const std::string node_;
  std::vector<store::Difference> reported_;
  std::atomic<std::size_t> count_ = 0;
};

}  // namespace gatehouse::gateway

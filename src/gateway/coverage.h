// Who waits on one loop until a signed checkpoint covers an entry. One look at the ledger every few
// milliseconds serves all of them, and none is made while nobody waits. Loop thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "ledger/ledger.h"
#include "net/loop.h"
#include "net/task.h"

namespace gatehouse::gateway {

class Coverage {
 public:
  // All three must outlive it. `may_wait` false: nobody is made to wait any more.
  Coverage(net::Loop& loop, ledger::Ledger& ledger, const Clock& clock,
           std::function<bool()> may_wait);

  // Asks for a checkpoint and waits for it. False when it has not come by then, or so many wait
  // already that no more may.
  net::Task<bool> wait(std::uint64_t index, SteadyTime until);

  std::size_t waiting() const { return waiters_.size(); }

 private:
  struct Waiter {
    std::uint64_t index = 0;
    SteadyTime until;
    std::shared_ptr<net::Completion<bool>> done;
  };
  net::Task<void> watch();
  void settle();

  net::Loop& loop_;
  ledger::Ledger& ledger_;
  const Clock& clock_;
  std::function<bool()> may_wait_;
  std::vector<Waiter> waiters_;
  bool watching_ = false;
};

}  // namespace gatehouse::gateway

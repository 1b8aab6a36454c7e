#include "gateway/coverage.h"

#include <utility>

namespace gatehouse::gateway {
namespace {

constexpr std::chrono::milliseconds look_interval{5};
constexpr std::size_t most_waiters = 4'096;

}  // namespace

Coverage::Coverage(net::Loop& loop, ledger::Ledger& ledger, const Clock& clock,
                   std::function<bool()> may_wait)
    : loop_(loop), ledger_(ledger), clock_(clock), may_wait_(std::move(may_wait)) {}

net::Task<bool> Coverage::wait(std::uint64_t index, SteadyTime until) {
  if (ledger_.stats().checkpoint_size > index) co_return true;
  if (clock_.steady() >= until || waiters_.size() >= most_waiters) co_return false;
  ledger_.request_checkpoint(index);
  auto done = std::make_shared<net::Completion<bool>>(loop_);
  waiters_.push_back({.index = index, .until = until, .done = done});
  if (!std::exchange(watching_, true)) loop_.spawn(watch());
  co_return co_await done->wait();
}

net::Task<void> Coverage::watch() {
  while (!waiters_.empty()) {
    co_await loop_.sleep(look_interval);
    settle();
  }
  watching_ = false;
}

void Coverage::settle() {
  const std::uint64_t covered = ledger_.stats().checkpoint_size;
  const SteadyTime now = clock_.steady();
  const bool may_wait = may_wait_();
  std::vector<Waiter> settled;
  std::erase_if(waiters_, [&](const Waiter& waiter) {
    const bool over = waiter.index < covered || now >= waiter.until || !may_wait;
    if (over) settled.push_back(waiter);
    return over;
  });
  // Those who are told may wait again.
  for (const Waiter& waiter : settled) waiter.done->complete_here(waiter.index < covered);
}

}  // namespace gatehouse::gateway

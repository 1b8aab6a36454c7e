#include "net/blocking_pool.h"

#include <algorithm>
#include <utility>

namespace gatehouse::net {
namespace {

constexpr std::size_t kQueueLimit = 1'024;

std::size_t default_threads() {
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 2, 4);
}

// One pool for the process while anybody holds it: several loops share it without passing it
// around, since Loop's door has no argument for it.
std::shared_ptr<BlockingPool> share(std::mutex& mutex, std::weak_ptr<BlockingPool>& slot,
                                    std::size_t threads) {
  const std::lock_guard lock(mutex);
  auto pool = slot.lock();
  if (!pool) {
    pool = std::make_shared<BlockingPool>(threads, kQueueLimit);
    slot = pool;
  }
  return pool;
}

}  // namespace

BlockingPool::BlockingPool(std::size_t threads, std::size_t queue_limit)
    : queue_limit_(queue_limit) {
  threads_.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run_thread(); });
}

BlockingPool::~BlockingPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ready_.notify_all();
  threads_.clear();  // joins
}

bool BlockingPool::submit(std::move_only_function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queue_.size() >= queue_limit_) return false;
    queue_.push_back(std::move(work));
  }
  ready_.notify_one();
  return true;
}

void BlockingPool::run_thread() {
  for (;;) {
    std::move_only_function<void()> work;
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work();
  }
}

std::shared_ptr<BlockingPool> shared_blocking_pool() {
  static std::mutex mutex;
  static std::weak_ptr<BlockingPool> slot;
  return share(mutex, slot, default_threads());
}

std::shared_ptr<BlockingPool> shared_resolver_pool() {
  static std::mutex mutex;
  static std::weak_ptr<BlockingPool> slot;
  return share(mutex, slot, 2);
}

}  // namespace gatehouse::net

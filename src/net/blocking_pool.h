// A few threads for work that may block. Bounded queue; work that does not fit is refused, not
// delayed. Thread-safe. The destructor finishes what runs and drops what waits.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace gatehouse::net {

class BlockingPool {
 public:
  BlockingPool(std::size_t threads, std::size_t queue_limit);
  ~BlockingPool();
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;

  // False when the queue is full: `work` was then not taken.
  bool submit(std::move_only_function<void()> work);

 private:
  void run_thread();

  const std::size_t queue_limit_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::move_only_function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

// The pools that all loops share; they live as long as somebody holds them. Resolving has its own
// threads, since a slow name server must not hold up the database.
std::shared_ptr<BlockingPool> shared_blocking_pool();
std::shared_ptr<BlockingPool> shared_resolver_pool();

}  // namespace gatehouse::net

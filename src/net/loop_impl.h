// What a Loop is inside. Included only by the files of net/ that talk to Asio.
//
// The io_context runs without locks (one thread). Other threads reach it only through the mailbox:
// a queue under a mutex and one eventfd write for as many posts as come before the loop wakes. The
// mailbox outlives the loop as long as another thread holds it.
#pragma once

#include <atomic>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "net/blocking_pool.h"
#include "net/deadline.h"
#include "net/loop.h"
#include "net/mailbox.h"

namespace gatehouse::net {

namespace asio = boost::asio;
using Executor = asio::io_context::executor_type;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Executor>;

// The outermost frame of a spawned task: a node in the loop's list that removes and destroys itself
// when the task ends.
struct SpawnedFrame {
  struct promise_type : ListLink {
    std::size_t* count = nullptr;

    SpawnedFrame get_return_object() {
      return {std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    struct Leave {
      bool await_ready() noexcept { return false; }
      void await_suspend(std::coroutine_handle<promise_type> self) noexcept {
        --*self.promise().count;
        self.destroy();
      }
      void await_resume() noexcept {}
    };
    Leave final_suspend() noexcept { return {}; }
    void return_void() {}
    [[noreturn]] void unhandled_exception() noexcept { std::abort(); }
  };
  std::coroutine_handle<promise_type> handle;
};

struct Loop::Impl {
  explicit Impl(Loop& owner);
  ~Impl();

  bool on_thread() const {
    return thread.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }
  void wait_for_mail();
  void run_mail();
  void sweep();

  Loop& loop;
  std::shared_ptr<BlockingPool> blocking = shared_blocking_pool();
  std::shared_ptr<Mailbox> mailbox = std::make_shared<Mailbox>();
  asio::io_context context{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE};
  asio::executor_work_guard<Executor> work{context.get_executor()};
  asio::posix::basic_stream_descriptor<Executor> wake{context.get_executor()};
  std::uint64_t wake_count = 0;
  std::vector<std::move_only_function<void()>> mail;
  DeadlineList deadlines;
  Timer sweeper{context.get_executor()};
  bool sweeping = false;
  ListLink spawned_frames;
  std::size_t spawned_count = 0;
  std::atomic<std::thread::id> thread{};
};

}  // namespace gatehouse::net

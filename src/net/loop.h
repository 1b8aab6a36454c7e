// One event loop on one thread. Everything in net/ that is created with a Loop lives on its thread;
// only post(), stop() and Completion::complete() may be called from another.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/result.h"
#include "net/task.h"

namespace gatehouse::net {

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void run();   // until stop()
  void stop();  // any thread

  // Runs `work` on the loop thread, soon. Any thread. Posts from other threads are batched: many
  // posts before the loop wakes cost one wake-up.
  void post(std::move_only_function<void()> work);

  // The same, but the loop may sleep on until the posting thread calls wake_all(). For a thread
  // that has something for many loops or many times for one: a loop that is woken by the first post
  // would take the core from it before the second.
  void post_unwoken(std::move_only_function<void()> work);
  static void wake_all();

  // Starts a coroutine on the loop thread and owns it until it ends.
  void spawn(Task<void> task);
  std::size_t spawned() const;  // coroutines started by spawn() and not ended

  Task<void> sleep(std::chrono::milliseconds duration);

  // Runs `work` on a small bounded pool of threads shared by all loops, then resumes here. For what
  // may take longer than a millisecond (SQLite, large scans). resource_exhausted when the pool's
  // queue (1,024) is full; `work` was then not run. What `work` throws is thrown here.
  Task<Result<void>> run_blocking(std::move_only_function<void()> work);

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// A value that another thread (or a callback) delivers to one coroutine on `loop`, once.
//   auto done = std::make_shared<Completion<int>>(loop);
//   other_thread([done] { done->complete(7); });
//   int seven = co_await done->wait();
// complete() may come before or after wait(). The Completion must outlive both (hence shared_ptr).
template <class T>
class Completion : public std::enable_shared_from_this<Completion<T>> {
 public:
  explicit Completion(Loop& loop) : loop_(loop) {}

  void complete(T value) {  // any thread, at most once
    loop_.post(delivery(std::move(value)));
  }
  void complete_unwoken(T value) {  // the same by Loop::post_unwoken()
    loop_.post_unwoken(delivery(std::move(value)));
  }
  void complete_here(T value) {  // loop thread
    value_.emplace(std::move(value));
    if (auto waiting = std::exchange(waiting_, {})) waiting.resume();
  }

  struct Awaiter {
    Completion& completion;
    bool await_ready() const { return completion.value_.has_value(); }
    void await_suspend(std::coroutine_handle<> handle) { completion.waiting_ = handle; }
    // Resumed by complete() only. NOLINTNEXTLINE(bugprone-unchecked-optional-access)
    T await_resume() { return std::move(*completion.value_); }
  };
  Awaiter wait() { return Awaiter{*this}; }

 private:
  auto delivery(T value) {
    return [self = this->shared_from_this(), v = std::move(value)]() mutable {
      self->complete_here(std::move(v));
    };
  }

  Loop& loop_;
  std::optional<T> value_;
  std::coroutine_handle<> waiting_;
};

// One-shot cancellation, on one loop thread. Callbacks run at most once, in cancel().
class CancelSource {
 public:
  CancelSource() = default;
  CancelSource(const CancelSource&) = delete;
  CancelSource& operator=(const CancelSource&) = delete;

  bool cancelled() const { return cancelled_; }
  void cancel() {
    if (std::exchange(cancelled_, true)) return;
    if (auto callback = std::exchange(callback_, {})) callback();
  }
  // Registers what cancel() shall do; replaces the one before. Runs at once if already cancelled.
  void on_cancel(std::function<void()> callback) {
    if (cancelled_) {
      if (callback) callback();
      return;
    }
    callback_ = std::move(callback);
  }

 private:
  bool cancelled_ = false;
  std::function<void()> callback_;
};

}  // namespace gatehouse::net

// One coroutine waits until somebody calls raise(), or until a time has passed. Loop thread only;
// raise() resumes later, from the loop. Shared by the two sides.
#pragma once

#include <coroutine>
#include <memory>

#include "net/deadline.h"

namespace gatehouse::net {

class Signal : public std::enable_shared_from_this<Signal> {
 public:
  explicit Signal(Loop& loop) : loop_(loop), deadline_(loop, deadline_passed, this) {}

  void raise() {
    raised_ = true;
    if (waiting_) loop_.post([self = shared_from_this()] { self->wake(); });
  }

  struct Awaiter {
    Signal& signal;
    Milliseconds timeout;
    bool await_ready() const { return signal.raised_; }
    void await_suspend(std::coroutine_handle<> handle) {
      signal.waiting_ = handle;
      signal.deadline_.arm(timeout);
    }
    bool await_resume() const { return signal.raised_; }  // false: out of time
    ~Awaiter() {
      signal.waiting_ = {};
      signal.deadline_.disarm();
    }
  };
  Awaiter wait(Milliseconds timeout) { return Awaiter{*this, timeout}; }

 private:
  void wake() {
    if (waiting_) std::exchange(waiting_, {}).resume();
  }
  static void deadline_passed(void* self) {
    const auto keep = static_cast<Signal*>(self)->shared_from_this();
    keep->wake();
  }

  Loop& loop_;
  Deadline deadline_;
  bool raised_ = false;
  std::coroutine_handle<> waiting_;
};

}  // namespace gatehouse::net

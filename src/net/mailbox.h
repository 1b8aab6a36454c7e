// Where other threads leave work for a loop: a queue under a mutex, and one eventfd write for as
// many posts as come before the loop wakes. Shared: it may outlive its loop, and then drops what
// comes.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "net/loop.h"

namespace gatehouse::net {

class Mailbox {
 public:
  Mailbox();
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  void post(std::move_only_function<void()> work);  // any thread
  // Leaves work without waking the loop; wake() does that, once for as much as there is.
  void leave(std::move_only_function<void()> work);
  void wake();
  // Loop thread: takes everything that waits; later posts wake again.
  void take(std::vector<std::move_only_function<void()>>& out);
  void close();  // later posts are dropped
  int event_fd() const { return event_fd_; }

 private:
  void signal() const;
  const int event_fd_;
  std::mutex mutex_;
  std::vector<std::move_only_function<void()>> queue_;
  bool wake_pending_ = false;
  bool closed_ = false;
};

std::shared_ptr<Mailbox> mailbox_of(Loop& loop);

}  // namespace gatehouse::net

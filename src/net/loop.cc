// The event loop: mailbox, spawned tasks, timers, the deadline sweep, blocking work.
#include "net/loop.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <condition_variable>
#include <cstdlib>

#include "net/loop_impl.h"

namespace gatehouse::net {

// ---- Mailbox

Mailbox::Mailbox() : event_fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  GH_CHECK(event_fd_ >= 0);
}

Mailbox::~Mailbox() {
  ::close(event_fd_);
}

void Mailbox::post(std::move_only_function<void()> work) {
  bool must_wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    queue_.push_back(std::move(work));
    must_wake = !std::exchange(wake_pending_, true);
  }
  if (must_wake) signal();
}

void Mailbox::leave(std::move_only_function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (!closed_) queue_.push_back(std::move(work));
}

void Mailbox::wake() {
  {
    const std::lock_guard lock(mutex_);
    if (queue_.empty() || std::exchange(wake_pending_, true)) return;
  }
  signal();
}

void Mailbox::signal() const {
  const std::uint64_t one = 1;
  // Can only fail with EAGAIN when the counter is full, and then the loop is awake anyway.
  [[maybe_unused]] const auto written = ::write(event_fd_, &one, sizeof(one));
}

void Mailbox::take(std::vector<std::move_only_function<void()>>& out) {
  const std::lock_guard lock(mutex_);
  wake_pending_ = false;
  out.swap(queue_);
}

void Mailbox::close() {
  std::vector<std::move_only_function<void()>> dropped;  // destroyed outside the lock
  const std::lock_guard lock(mutex_);
  closed_ = true;
  dropped.swap(queue_);
}

// ---- Deadlines

void Deadline::arm(Milliseconds from_now) {
  at_ms_ = coarse_now_ms() + from_now.count();
  if (linked()) return;
  DeadlineList& list = deadlines_of(loop_);
  link_before(list.armed_);
  start_sweeper(loop_);
}

void DeadlineList::sweep(std::int64_t now_ms) {
  // What is due is moved to a list of its own first: firing runs other code, which may arm, disarm
  // or destroy any deadline, including those that are due.
  ListLink due;
  for (ListLink* link = armed_.next; link != &armed_;) {
    auto* deadline = static_cast<Deadline*>(link);
    link = link->next;
    if (deadline->at_ms_ > now_ms) continue;
    deadline->unlink();
    static_cast<ListLink*>(deadline)->link_before(due);
  }
  while (due.linked()) {
    auto* deadline = static_cast<Deadline*>(due.next);
    deadline->unlink();
    deadline->fire_(deadline->owner_);
  }
}

std::shared_ptr<Mailbox> mailbox_of(Loop& loop) {
  return loop.impl().mailbox;
}

DeadlineList& deadlines_of(Loop& loop) {
  return loop.impl().deadlines;
}

void start_sweeper(Loop& loop) {
  if (!std::exchange(loop.impl().sweeping, true)) loop.impl().sweep();
}

// ---- Loop::Impl

Loop::Impl::Impl(Loop& owner) : loop(owner) {
  wake.assign(mailbox->event_fd());
  wait_for_mail();
}

Loop::Impl::~Impl() {
  // Newest first: a task may own what an older one waits for, not the other way round.
  while (spawned_frames.linked()) {
    auto* promise = static_cast<SpawnedFrame::promise_type*>(spawned_frames.previous);
    promise->unlink();
    --spawned_count;
    std::coroutine_handle<SpawnedFrame::promise_type>::from_promise(*promise).destroy();
  }
  mailbox->close();
  mail.clear();
  wake.release();  // the mailbox owns the descriptor
}

void Loop::Impl::wait_for_mail() {
  wake.async_read_some(asio::buffer(&wake_count, sizeof(wake_count)),
                       [this](const boost::system::error_code& error, std::size_t) {
                         if (error) return;
                         run_mail();
                         wait_for_mail();
                       });
}

void Loop::Impl::run_mail() {
  mailbox->take(mail);
  for (auto& each : mail) each();
  mail.clear();
}

// Runs every kSweepPeriod while any deadline is armed; an idle loop sleeps.
void Loop::Impl::sweep() {
  sweeper.expires_after(kSweepPeriod);
  sweeper.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    deadlines.sweep(coarse_now_ms());
    sweeping = !deadlines.empty();
    if (sweeping) sweep();
  });
}

// ---- Loop

Loop::Loop() : impl_(std::make_unique<Impl>(*this)) {}
Loop::~Loop() = default;

void Loop::run() {
  impl_->thread.store(std::this_thread::get_id(), std::memory_order_relaxed);
  impl_->context.restart();
  impl_->context.run();
  impl_->thread.store(std::thread::id{}, std::memory_order_relaxed);
}

void Loop::stop() {
  post([this] { impl_->context.stop(); });
}

void Loop::post(std::move_only_function<void()> work) {
  impl_->mailbox->post(std::move(work));
}

namespace {
// The mailboxes in which this thread has left work without waking their loops.
thread_local std::vector<std::shared_ptr<Mailbox>> unwoken;
}  // namespace

void Loop::post_unwoken(std::move_only_function<void()> work) {
  const auto& mailbox = impl_->mailbox;
  mailbox->leave(std::move(work));
  if (std::ranges::find(unwoken, mailbox) == unwoken.end()) unwoken.push_back(mailbox);
}

void Loop::wake_all() {
  for (const auto& mailbox : unwoken) mailbox->wake();
  unwoken.clear();
}

namespace {
SpawnedFrame run_spawned(Task<void> task) {
  co_await std::move(task);
}
}  // namespace

void Loop::spawn(Task<void> task) {
  const auto handle = run_spawned(std::move(task)).handle;
  handle.promise().count = &impl_->spawned_count;
  handle.promise().link_before(impl_->spawned_frames);
  ++impl_->spawned_count;
  if (impl_->on_thread()) {
    handle.resume();
  } else {
    post([handle] { handle.resume(); });
  }
}

std::size_t Loop::spawned() const {
  return impl_->spawned_count;
}

// ---- sleep

namespace {

// The waiting coroutine, shared with the timer's handler: a timer that has already expired can no
// longer be cancelled, so the handler must be able to see that the coroutine is gone.
struct SleepAwaiter {
  Timer timer;
  Milliseconds duration;
  std::shared_ptr<std::coroutine_handle<>> sleeper = std::make_shared<std::coroutine_handle<>>();

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    *sleeper = handle;
    timer.expires_after(duration);
    timer.async_wait([shared = sleeper](const boost::system::error_code& error) {
      if (!error && *shared) std::exchange(*shared, {}).resume();
    });
  }
  void await_resume() const {}
  ~SleepAwaiter() { *sleeper = {}; }
};

}  // namespace

Task<void> Loop::sleep(std::chrono::milliseconds duration) {
  SleepAwaiter awaiter{Timer(impl_->context.get_executor()), duration};
  co_await awaiter;
}

// ---- run_blocking

namespace {

// Shared by the coroutine and the pool's thread. If the coroutine is destroyed while its work runs,
// the destroyer waits: the work may refer to the coroutine's own variables.
class BlockingJob : public std::enable_shared_from_this<BlockingJob> {
 public:
  BlockingJob(std::move_only_function<void()> work, std::shared_ptr<Mailbox> mailbox)
      : work_(std::move(work)), mailbox_(std::move(mailbox)) {}

  void run() {  // pool thread
    {
      const std::lock_guard lock(mutex_);
      if (state_ == State::abandoned) return;
      state_ = State::running;
    }
    try {
      work_();
    } catch (...) {
      thrown_ = std::current_exception();
    }
    {
      const std::lock_guard lock(mutex_);
      state_ = State::done;
    }
    finished_.notify_all();
    mailbox_->post([self = shared_from_this()] {
      if (auto handle = std::exchange(self->waiting_, {})) handle.resume();
    });
  }
  // What the work ended with, once it is done; null: it returned.
  std::exception_ptr thrown() { return std::exchange(thrown_, {}); }
  void wait_with(std::coroutine_handle<> handle) { waiting_ = handle; }
  void abandon() {  // loop thread
    waiting_ = {};
    std::unique_lock lock(mutex_);
    if (state_ == State::queued) state_ = State::abandoned;
    finished_.wait(lock, [this] { return state_ != State::running; });
  }

 private:
  enum class State { queued, running, done, abandoned };
  std::move_only_function<void()> work_;
  std::shared_ptr<Mailbox> mailbox_;
  std::exception_ptr thrown_;        // written before `done`
  std::coroutine_handle<> waiting_;  // loop thread only
  std::mutex mutex_;
  std::condition_variable finished_;
  State state_ = State::queued;
};

struct BlockingAwaiter {
  std::shared_ptr<BlockingJob> job;
  BlockingPool& pool;
  bool accepted = true;

  bool await_ready() const { return false; }
  bool await_suspend(std::coroutine_handle<> handle) {
    job->wait_with(handle);
    accepted = pool.submit([shared = job] { shared->run(); });
    return accepted;
  }
  bool await_resume() const { return accepted; }
  ~BlockingAwaiter() { job->abandon(); }
};

}  // namespace

Task<Result<void>> Loop::run_blocking(std::move_only_function<void()> work) {
  auto job = std::make_shared<BlockingJob>(std::move(work), impl_->mailbox);
  BlockingAwaiter awaiter{job, *impl_->blocking};
  const bool accepted = co_await awaiter;
  if (!accepted)
    co_return fail(ErrorCode::resource_exhausted, "too much blocking work is waiting already");
  if (auto thrown = job->thrown()) std::rethrow_exception(std::move(thrown));
  co_return Result<void>{};
}

}  // namespace gatehouse::net

#include "net/loop.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "net/deadline.h"
#include "net_test_support.h"

namespace gatehouse::net {
namespace {

using namespace std::chrono_literals;
using testing::LoopThread;
using testing::wait_until;

TEST(Loop, RunsPostedWorkInOrder) {
  Loop loop;
  std::vector<int> order;
  for (int i = 0; i < 5; ++i) loop.post([&order, i] { order.push_back(i); });
  loop.post([&] {
    loop.post([&] { order.push_back(5); });
    loop.stop();
  });
  loop.run();
  EXPECT_EQ((std::vector<int>{0, 1, 2, 3, 4}), std::vector<int>(order.begin(), order.begin() + 5));
}

TEST(Loop, TakesPostsFromManyThreads) {
  LoopThread thread;
  int count = 0;  // loop thread only
  std::vector<std::thread> posters;
  for (int i = 0; i < 4; ++i)
    posters.emplace_back([&] {
      for (int n = 0; n < 10'000; ++n) thread.loop().post([&count] { ++count; });
    });
  for (auto& poster : posters) poster.join();
  int seen = 0;
  thread.run([&] { seen = count; });
  EXPECT_EQ(40'000, seen);
}

TEST(Loop, RunsAgainAfterStop) {
  Loop loop;
  int runs = 0;
  for (int i = 0; i < 2; ++i) {
    loop.post([&] {
      ++runs;
      loop.stop();
    });
    loop.run();
  }
  EXPECT_EQ(2, runs);
}

struct Witness {
  explicit Witness(int& c) : count(&c) { ++*count; }
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;
  ~Witness() { --*count; }
  int* count;
};

Task<void> sleep_with_witness(Loop& loop, int& alive, Milliseconds duration) {
  const Witness witness(alive);
  co_await loop.sleep(duration);
}

TEST(Loop, OwnsSpawnedTasksUntilTheyEnd) {
  int alive = 0;
  LoopThread thread;
  thread.run([&] { thread.loop().spawn(sleep_with_witness(thread.loop(), alive, 20ms)); });
  EXPECT_TRUE(wait_until([&] {
    std::size_t spawned = 1;
    thread.run([&] { spawned = thread.loop().spawned(); });
    return spawned == 0;
  }));
  thread.run([&] { EXPECT_EQ(0, alive); });
}

TEST(Loop, DestroysTasksThatHaveNotEnded) {
  int alive = 0;
  {
    Loop loop;
    loop.spawn(sleep_with_witness(loop, alive, 1h));
    loop.spawn(sleep_with_witness(loop, alive, 1h));
    loop.post([&] { loop.post([&] { loop.stop(); }); });
    loop.run();
    EXPECT_EQ(2, alive);
    EXPECT_EQ(2u, loop.spawned());
  }
  EXPECT_EQ(0, alive);
}

TEST(Loop, DestroysTasksThatNeverStarted) {
  int alive = 0;
  {
    Loop loop;
    loop.spawn(sleep_with_witness(loop, alive, 1h));
  }
  EXPECT_EQ(0, alive);
}

Task<void> measure_sleep(Loop& loop, std::chrono::steady_clock::duration& slept) {
  const auto before = std::chrono::steady_clock::now();
  co_await loop.sleep(30ms);
  slept = std::chrono::steady_clock::now() - before;
}

TEST(Loop, Sleeps) {
  LoopThread thread;
  std::chrono::steady_clock::duration slept{};
  thread.run_task([&] { return measure_sleep(thread.loop(), slept); });
  EXPECT_GE(slept, 30ms);
  EXPECT_LT(slept, 300ms);
}

Task<void> sleep_then_stop(Loop& loop, std::optional<Task<void>>& victim) {
  co_await loop.sleep(10ms);
  victim.reset();
  loop.stop();
}

Task<void> await_started(Task<void>& task) {
  co_await task;
}

// Two timers expire in the same turn and the first destroys the coroutine of the second.
TEST(Loop, ASleeperMayBeDestroyedWhenItsTimerHasExpired) {
  for (int i = 0; i < 20; ++i) {
    int alive = 0;
    Loop loop;
    std::optional<Task<void>> victim(sleep_with_witness(loop, alive, 10ms));
    std::optional<Task<void>> outer;
    loop.post([&] {
      loop.spawn(sleep_then_stop(loop, outer));
      outer.emplace(await_started(*victim));
    });
    loop.run();
    outer.reset();
    victim.reset();
    EXPECT_EQ(0, alive);
  }
}

// ---- run_blocking

Task<void> block(Loop& loop, std::thread::id& worked_on, std::thread::id& resumed_on) {
  const Result<void> ran =
      co_await loop.run_blocking([&worked_on] { worked_on = std::this_thread::get_id(); });
  EXPECT_TRUE(ran);
  resumed_on = std::this_thread::get_id();
}

TEST(Loop, RunsBlockingWorkElsewhereAndComesBack) {
  LoopThread thread;
  std::thread::id worked_on;
  std::thread::id resumed_on;
  std::thread::id loop_thread;
  thread.run([&] { loop_thread = std::this_thread::get_id(); });
  thread.run_task([&] { return block(thread.loop(), worked_on, resumed_on); });
  EXPECT_NE(loop_thread, worked_on);
  EXPECT_EQ(loop_thread, resumed_on);
}

Task<void> throw_elsewhere(Loop& loop, bool& caught) {
  try {
    (void)co_await loop.run_blocking([] { throw std::runtime_error("a bug"); });
  } catch (const std::runtime_error&) {
    caught = true;
  }
}

TEST(Loop, WhatBlockingWorkThrowsIsThrownWhereItIsAwaited) {
  LoopThread thread;
  bool caught = false;
  thread.run_task([&] { return throw_elsewhere(thread.loop(), caught); });
  EXPECT_TRUE(caught);
}

struct Latch {
  std::mutex mutex;
  std::condition_variable opened;
  bool open = false;
  void wait() {
    std::unique_lock lock(mutex);
    opened.wait(lock, [&] { return open; });
  }
  void release() {
    {
      const std::lock_guard lock(mutex);
      open = true;
    }
    opened.notify_all();
  }
};

Task<void> block_on(Loop& loop, Latch& latch, int& accepted, int& refused) {
  const Result<void> ran = co_await loop.run_blocking([&latch] { latch.wait(); });
  if (ran) {
    ++accepted;
  } else {
    EXPECT_EQ(ErrorCode::resource_exhausted, ran.error().code);
    ++refused;
  }
}

TEST(Loop, RefusesBlockingWorkBeyondTheQueue) {
  Latch latch;
  int accepted = 0;
  int refused = 0;
  LoopThread thread;
  thread.run([&] {
    for (int i = 0; i < 1'100; ++i)
      thread.loop().spawn(block_on(thread.loop(), latch, accepted, refused));
    EXPECT_GE(refused, 1'100 - 1'024 - 4);
    EXPECT_LE(refused, 1'100 - 1'024);
  });
  latch.release();
  EXPECT_TRUE(wait_until([&] {
    int done = 0;
    thread.run([&] { done = accepted + refused; });
    return done == 1'100;
  }));
}

Task<void> block_on_own_variable(Loop& loop, std::atomic<bool>& started, std::atomic<bool>& ended) {
  std::string own(100, 'x');
  (void)co_await loop.run_blocking([&] {
    started = true;
    std::this_thread::sleep_for(50ms);
    EXPECT_EQ('x', own[99]);  // the frame must still be there
    ended = true;
  });
}

TEST(Loop, DestructionWaitsForBlockingWorkThatRuns) {
  std::atomic<bool> started{false};
  std::atomic<bool> ended{false};
  {
    LoopThread thread;
    thread.run([&] { thread.loop().spawn(block_on_own_variable(thread.loop(), started, ended)); });
    ASSERT_TRUE(wait_until([&] { return started.load(); }));
  }
  EXPECT_TRUE(ended);
}

// ---- Completion, CancelSource, Deadline

Task<void> await_completion(std::shared_ptr<Completion<std::string>> completion, std::string& got) {
  got = co_await completion->wait();
}

TEST(Completion, ComesFromAnotherThreadBeforeOrAfterTheWait) {
  for (const bool before : {true, false}) {
    LoopThread thread;
    auto completion = std::make_shared<Completion<std::string>>(thread.loop());
    std::string got;
    std::thread other([&] {
      if (!before) std::this_thread::sleep_for(20ms);
      completion->complete("value");
    });
    if (before) other.join();
    thread.run_task([&] { return await_completion(completion, got); });
    if (!before) other.join();
    EXPECT_EQ("value", got);
  }
}

TEST(CancelSource, RunsOnceAndAtOnceWhenLate) {
  CancelSource source;
  int runs = 0;
  source.on_cancel([&] { ++runs; });
  source.cancel();
  source.cancel();
  EXPECT_EQ(1, runs);
  source.on_cancel([&] { runs += 10; });
  EXPECT_EQ(11, runs);
}

TEST(CancelSource, ReplacesAndClears) {
  CancelSource source;
  int runs = 0;
  source.on_cancel([&] { ++runs; });
  source.on_cancel([&] { runs += 10; });
  source.on_cancel({});
  source.cancel();
  EXPECT_EQ(0, runs);
}

struct Fired {
  explicit Fired(Loop& loop) : deadline(loop, fire, this) {}
  static void fire(void* self) {
    auto* fired = static_cast<Fired*>(self);
    ++fired->count;
    if (fired->victim != nullptr) fired->victim->reset();
  }
  Deadline deadline;
  int count = 0;
  std::optional<Fired>* victim = nullptr;
};

TEST(Deadline, FiresNeverEarlyAndAtMostOneSweepLate) {
  LoopThread thread;
  std::optional<Fired> fired;
  const auto before = std::chrono::steady_clock::now();
  thread.run([&] {
    fired.emplace(thread.loop());
    fired->deadline.arm(300ms);
  });
  int count = 0;
  ASSERT_TRUE(wait_until([&] {
    thread.run([&] { count = fired->count; });
    return count == 1;
  }));
  const auto took = std::chrono::steady_clock::now() - before;
  EXPECT_GE(took, 295ms);  // the coarse clock has steps of 4 ms
  EXPECT_LT(took, 300ms + 2 * kSweepPeriod);
  thread.run([&] { fired.reset(); });
}

TEST(Deadline, CanBeDestroyedByAnotherThatFires) {
  LoopThread thread;
  std::optional<Fired> first;
  std::optional<Fired> second;
  thread.run([&] {
    first.emplace(thread.loop());
    second.emplace(thread.loop());
    first->victim = &second;
    first->deadline.arm(10ms);
    second->deadline.arm(10ms);
  });
  EXPECT_TRUE(wait_until([&] {
    bool gone = false;
    thread.run([&] { gone = !second.has_value(); });
    return gone;
  }));
  thread.run([&] { first.reset(); });
}

TEST(Deadline, DisarmedNeverFires) {
  LoopThread thread;
  std::optional<Fired> fired;
  thread.run([&] {
    fired.emplace(thread.loop());
    fired->deadline.arm(10ms);
    fired->deadline.disarm();
  });
  std::this_thread::sleep_for(600ms);
  thread.run([&] {
    EXPECT_EQ(0, fired->count);
    fired.reset();
  });
}

}  // namespace
}  // namespace gatehouse::net

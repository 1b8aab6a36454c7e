// Coarse deadlines: one intrusive list a loop, swept every 250 ms. Arming is a few stores and one
// read of the coarse clock, so that every phase of every request can have one. A deadline fires at
// most one sweep late and never early. Loop thread only; a node unlinks itself when it dies.
#pragma once

#include <time.h>

#include <chrono>
#include <utility>

#include "net/loop.h"

namespace gatehouse::net {

using Milliseconds = std::chrono::milliseconds;
constexpr Milliseconds kSweepPeriod{250};

// Monotonic milliseconds from the coarse clock: a few nanoseconds, 4 ms resolution.
inline std::int64_t coarse_now_ms() {
  timespec now{};
  (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

// One place in a circular list.
struct ListLink {
  ListLink* previous = this;
  ListLink* next = this;

  ListLink() = default;
  ListLink(const ListLink&) = delete;
  ListLink& operator=(const ListLink&) = delete;
  ~ListLink() { unlink(); }

  bool linked() const { return next != this; }
  void unlink() {
    previous->next = next;
    next->previous = previous;
    previous = next = this;
  }
  void link_before(ListLink& place) {
    previous = place.previous;
    next = &place;
    previous->next = this;
    place.previous = this;
  }
};

class Deadline;

class DeadlineList {
 public:
  bool empty() const { return !armed_.linked(); }
  void sweep(std::int64_t now_ms);

 private:
  friend class Deadline;
  ListLink armed_;
};

class Deadline : private ListLink {
 public:
  using Fire = void (*)(void* owner);
  Deadline(Loop& loop, Fire fire, void* owner) : loop_(loop), fire_(fire), owner_(owner) {}

  void arm(Milliseconds from_now);
  void disarm() { unlink(); }
  bool armed() const { return linked(); }

 private:
  friend class DeadlineList;
  Loop& loop_;
  Fire fire_;
  void* owner_;
  std::int64_t at_ms_ = 0;
};

// The loop's list, and the call that starts the sweeper when the list stops being empty.
DeadlineList& deadlines_of(Loop& loop);
void start_sweeper(Loop& loop);

}  // namespace gatehouse::net

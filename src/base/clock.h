// Time as an injected dependency. Wall time is what records carry; steady time is what durations
// are measured with. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gatehouse {

using WallTime = std::chrono::sys_time<std::chrono::microseconds>;
using SteadyTime = std::chrono::steady_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime wall() const = 0;
  virtual SteadyTime steady() const = 0;
};

class SystemClock final : public Clock {
 public:
  WallTime wall() const override;
  SteadyTime steady() const override;
};

// Stands still until told to move; for tests.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start);
  WallTime wall() const override;
  SteadyTime steady() const override;
  void advance(std::chrono::microseconds by);

 private:
  std::atomic<std::int64_t> micros_;
};

// RFC 3339, UTC, microseconds: 2026-11-23T17:43:50.123456Z (always 27 characters).
// Times outside the years 0000 to 9999 are shown as the nearest one inside.
std::string format_time(WallTime time);
// Reads exactly what format_time() writes.
Result<WallTime> parse_time(std::string_view text);

}  // namespace gatehouse

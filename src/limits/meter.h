// How much was used in a window: the arithmetic of one counter, without a lock and without a limit.
//
// A sliding window is cut into 60 parts. A charge is booked in the part it falls into and counts
// until 60 more parts have begun. So
//   1. at any moment at least the charges of the last whole window length are counted: whoever
//      admits only what fits never lets more than the amount through in any stretch of that length;
//   2. a charge is counted for at most a sixtieth of the window longer than it should be (and a
//      millisecond): that is the error, and it is on the safe side.
// A day, a month and forever have one part.
//
// Time never goes back for a meter: when the clock does, what comes is booked in the latest part.
// Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "limits/limits.h"

namespace gatehouse::limits {

inline constexpr std::int64_t parts_of_window = 60;
// What a meter shows at most; far more than any limit.
inline constexpr std::int64_t most_used = std::int64_t{1} << 60;

class Meter {
 public:
  // Where a charge is booked.
  struct Ticket {
    std::int64_t part = 0;
    std::uint64_t resets = 0;
  };

  Meter(const Window& window, WallTime now);

  const Window& window() const { return window_; }
  std::int64_t used(WallTime now);
  Ticket charge(std::int64_t amount, WallTime now);
  // Changes what was booked: what is not used is given back, what was used beyond is added. Nothing
  // happens when the part has slid out of the window or the meter was reset since.
  void correct(const Ticket& ticket, std::int64_t by);
  // Forgets everything, also that a clock was ahead.
  void reset(WallTime now);

  // When `amount` fits under `most` if nothing else comes; none: never.
  std::optional<WallTime> fits_at(std::int64_t amount, std::int64_t most, WallTime now);
  // When all that is booked by now counts no more; none: never.
  std::optional<WallTime> empty_at(WallTime now);

  // The booked parts, oldest first, for storage.
  std::vector<std::pair<std::int64_t, std::int64_t>> parts() const;
  std::uint64_t resets() const { return resets_; }
  // Puts back what parts() gave, into a meter that has seen no later time.
  void restore(const std::vector<std::pair<std::int64_t, std::int64_t>>& parts);

  std::int64_t part_at(WallTime time) const;

 private:
  std::int64_t advance(WallTime now);
  std::int64_t& amount_of(std::int64_t part);
  WallTime end_of(std::int64_t part) const;  // when it counts no more
  std::int64_t width() const;

  Window window_;
  std::int64_t latest_;    // the part under way
  std::int64_t used_ = 0;  // the sum of amounts_
  std::uint64_t resets_ = 0;
  std::vector<std::int64_t> amounts_;  // of the last parts, by part modulo size
};

}  // namespace gatehouse::limits

// The counters of all limits, and who may use how much of them.
//
//   auto held = book.reserve(rules, subject, worst_case, now);   // all limits or none
//   … the call …
//   book.settle(*held, what_it_used);                            // the rest is given back
//
// Invariants
//   1. What all calls hold and have used never exceeds the amount of a limit in its window,
//   whatever
//      runs at once: every limit of a call is checked and charged under the locks of its counters.
//   2. A reservation that is dropped without being settled stays charged.
//   3. Counters belong to the name, unit and window of a limit: they outlive a reload that changes
//      its amount or whom it is for.
//
// Thread-safe. A lock is held for some tens of nanoseconds, never over anything that waits; of two
// calls with common counters one waits for the other that long. bench: limits_bench.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "limits/limits.h"
#include "limits/meter.h"

namespace gatehouse::limits {

// One counter: a limit's name, unit and window, and of whom.
struct Counter {
  Counter(std::string its_family, std::string its_key, const Window& window, WallTime now)
      : family(std::move(its_family)), key(std::move(its_key)), meter(window, now) {}
  const std::string family;  // "NAME|UNIT|WINDOW"
  const std::string key;     // "principal=user:ada,model=gpt-4o"; empty: shared by all
  std::mutex mutex;
  Meter meter;  // under the mutex
};

std::string family_of(const Limit& limit);
struct Family {
  std::string name;
  Unit unit = Unit::requests;
  Window window;
};
Result<Family> parse_family(std::string_view text);

// The family of budgets that came with delegated tokens; the key is the token's id. No limit of the
// configuration can have the name.
inline constexpr std::string_view delegation_name = "@delegation";

struct Rule {
  Limit limit{};
  std::string family{};
  std::shared_ptr<Counter> shared{};  // of a limit that counts nothing apart
};
// Immutable; part of a snapshot.
using Rules = std::vector<Rule>;

struct Hold {
  std::string name;  // of the limit
  Unit unit = Unit::requests;
  std::int64_t most = 0;  // the amount of the limit
  std::shared_ptr<Counter> counter;
  Meter::Ticket ticket;
  std::int64_t amount = 0;  // reserved; what was used once it is settled
};

struct Reservation {
  std::vector<Hold> holds;
  bool settled = false;
};

// Why a call was not let in; of several reasons the one that lasts longest.
struct Refusal {
  std::string name{};
  std::string key{};
  Unit unit = Unit::requests;
  Window window{};
  std::int64_t most = 0;
  std::int64_t used = 0;              // what others hold and have used
  std::int64_t asked = 0;             // what this call would need at most
  std::optional<WallTime> fits_at{};  // none: never
  bool no_room = false;               // not the amount: there are too many counters
};

// How a caller stands with the tightest of its limits in one unit.
struct Standing {
  std::int64_t most = 0;
  std::int64_t left = 0;
  std::optional<WallTime> full_at;  // when all of it is there again; none: never
};

struct CounterView {
  std::string family;
  std::string key;
  std::int64_t used = 0;
  std::optional<WallTime> empty_at;
};

class Book {
 public:
  // A counter takes about 700 bytes; where more would be needed at once, calls are refused.
  explicit Book(std::size_t most_counters = 500'000) : most_counters_(most_counters) {}

  // Limits ready to be asked about. Their names differ.
  std::shared_ptr<const Rules> compile(std::vector<Limit> limits, WallTime now);

  std::expected<Reservation, Refusal> reserve(const Rules& rules, const Subject& subject,
                                              const Amounts& amounts, WallTime now);
  // Once. `used` may be more than was reserved; that is charged too, and counted as an overrun.
  void settle(Reservation& reservation, const Amounts& used);

  std::optional<Standing> standing(const Reservation& reservation, Unit unit, WallTime now) const;

  // Counters that are not empty.
  std::vector<CounterView> list(WallTime now);
  // The counter of this family and key, made where there is none.
  std::shared_ptr<Counter> counter(const std::string& family, const std::string& key, WallTime now);
  // Empties the counters of the limit with this name: that of `key`, or all. Returns how many.
  std::size_t reset(std::string_view name, const std::optional<std::string>& key, WallTime now);
  // Forgets counters that nobody holds and that are empty. From time to time.
  std::size_t tidy(WallTime now);

  std::size_t counters() const;
  std::uint64_t overruns() const { return overruns_.load(std::memory_order_relaxed); }

 private:
  struct Wanted;
  static constexpr std::size_t shard_count = 64;
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<std::string, std::shared_ptr<Counter>, TextHash, std::equal_to<>> counters;
  };
  Shard& shard_of(std::string_view full_key);
  // Null where there would be too many.
  std::shared_ptr<Counter> find_or_make(const std::string& family, const std::string& key,
                                        const Window& window, WallTime now, bool bounded);
  bool want(const Rule& rule, const Subject& subject, std::int64_t amount, WallTime now,
            std::vector<Wanted>& wanted, std::optional<Refusal>& refusal);
  template <class Each>
  void each_counter(Each each);

  const std::size_t most_counters_;
  std::array<Shard, shard_count> shards_;
  std::atomic<std::uint64_t> overruns_ = 0;
};

}  // namespace gatehouse::limits

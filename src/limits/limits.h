// What a limit is: how much of a unit, in which window, for which calls, counted apart for whom.
// Plain values and pure functions; no threads, no ownership. What counts is in book.h, what is left
// of it after a restart in tally.h.
//
// Units: requests and tool calls are counted; tokens are those of input and output together; money
// is in micros, millionths of whatever currency the prices are written in.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace gatehouse::limits {

enum class Unit : std::uint8_t { requests, tokens, money, tool_calls };
inline constexpr std::size_t unit_count = 4;
std::string_view to_string(Unit unit);
Result<Unit> parse_unit(std::string_view text);

// The largest amount of a limit, and of one charge. Sums of as many as there can be stay far below
// what 64 bits hold.
inline constexpr std::int64_t most_amount = std::int64_t{1} << 53;

// How much of each unit.
struct Amounts {
  std::array<std::int64_t, unit_count> of{};
  std::int64_t& operator[](Unit unit) { return of[static_cast<std::size_t>(unit)]; }
  std::int64_t operator[](Unit unit) const { return of[static_cast<std::size_t>(unit)]; }
  friend bool operator==(const Amounts&, const Amounts&) = default;
};

// Over which time an amount holds. Sliding: any stretch of that length, see meter.h for how
// exactly. Day and month are those of UTC. Forever: the whole life of what is limited.
struct Window {
  enum class Kind : std::uint8_t { sliding, day, month, forever };
  Kind kind = Kind::sliding;
  std::chrono::seconds length{60};  // of a sliding one
  friend bool operator==(const Window&, const Window&) = default;
};
inline constexpr std::chrono::seconds shortest_window{1};
inline constexpr std::chrono::seconds longest_window{366 * 86'400};
std::string to_string(const Window& window);  // "60s", "day", "month", "forever"
Result<Window> parse_window(std::string_view text);

// By what a limit counts apart. None of them: all calls it is for share one amount.
enum class Per : std::uint8_t { principal, team, model, route, session, tool };
std::string_view to_string(Per per);
Result<Per> parse_per(std::string_view text);

// Which calls a limit is for. An empty list: any. An item that ends in '*' is a beginning.
struct Match {
  std::vector<std::string> principals{};  // "KIND:ID"
  std::vector<std::string> groups{};
  std::vector<std::string> teams{};
  std::vector<std::string> models{};
  std::vector<std::string> routes{};
  std::vector<std::string> tools{};
};

struct Limit {
  std::string name{};
  Unit unit = Unit::requests;
  std::int64_t amount = 0;
  Window window{};
  Match match{};
  std::vector<Per> per{};  // sorted, unique
  bool by_policy = false;  // only where a policy that determined the decision names it
};

// Whoever acts or is acted for: "user:ada".
using ActorName = std::string;

// A budget that came with a delegated token, for the whole life of that token.
struct LifetimeBudget {
  std::string_view token;  // its id
  std::int64_t micros = 0;
};

// One call, as limits see it. Views; what they look at must outlive the call of reserve().
struct Subject {
  std::span<const ActorName> actors;  // who asks, then whom it acts for, nearest first
  std::span<const std::string> groups;
  std::string_view team;
  std::string_view model;
  std::string_view route;
  std::string_view session;
  std::string_view tool;
  std::span<const std::string> policy_limits;  // that policy wants applied
  std::span<const LifetimeBudget> delegated;
};

// Prices in micros for a million tokens.
struct Price {
  std::int64_t input = 0;
  std::int64_t output = 0;
  std::int64_t cache_read = 0;
  std::int64_t cache_write = 0;
};
inline constexpr std::int64_t tokens_of_price = 1'000'000;

struct Tokens {
  std::int64_t input = 0;  // without those of caches
  std::int64_t output = 0;
  std::int64_t cache_read = 0;
  std::int64_t cache_write = 0;
  std::int64_t total() const { return input + output + cache_read + cache_write; }
};

// In micros, rounded up; at most most_amount.
std::int64_t cost_of(const Price& price, const Tokens& tokens);

// "12.50" in micros: a number that is not negative, with at most six digits behind the point.
Result<std::int64_t> parse_money(std::string_view text);
std::string format_money(std::int64_t micros);  // "12.5"

}  // namespace gatehouse::limits

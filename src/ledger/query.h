// Looking for entries in a log directory: by id, by index, by what they say. Reads the files, needs
// no lock. For one thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace gatehouse::ledger {

struct FoundEntry {
  std::uint64_t index = 0;
  std::string entry;
};

// The id of an entry as event.h writes it; empty for an entry of another shape.
std::string_view id_of(std::string_view entry);

// Entries that are in the log now, durable or about to be.
Result<std::uint64_t> log_end(const std::filesystem::path& directory);

// By id (a UUID) or, when `reference` is a decimal number, by index. Ids sort by time, and so
// nearly do entries: a bisection finds most of them, a full scan the rest. not_found.
Result<FoundEntry> find_entry(const std::filesystem::path& directory, std::string_view reference);

struct EntryFilter {
  std::string type{};      // equal, or a prefix that ends in '.': "request." finds all of them
  std::string actor{};     // equal to any string in the entry's actor
  std::string since{};     // RFC 3339 as format_time writes it; inclusive
  std::string until{};     // exclusive
  std::string contains{};  // in the bytes of the entry

  bool empty() const;
};

bool matches(const EntryFilter& filter, std::string_view entry);

// "2026-11-23", "2026-11-23T17:43Z", "…:50Z", "…:50.123Z", or how long before `now`: "90s", "15m",
// "24h", "7d". As format_time writes it.
Result<std::string> parse_time_bound(std::string_view text, WallTime now);

// Where to begin a scan for entries since then, found by bisection. Entries are nearly in the order
// of their times: those that a clock set by more than five minutes put elsewhere are not found.
Result<std::uint64_t> first_since(const std::filesystem::path& directory, const std::string& since);

// Calls `each` with every matching entry in order until it returns false. Ends early when what
// follows is far behind filter.until.
Result<void> scan(const std::filesystem::path& directory, std::uint64_t from,
                  const EntryFilter& filter, const std::function<bool(const FoundEntry&)>& each);

}  // namespace gatehouse::ledger

// Dates, times and durations in words: "2024-05-19", "May 19th", "tomorrow", "10 am", "for two
// hours". Internal to flow/.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gatehouse::flow {

using Day = std::chrono::sys_days;

// What texts of one standing say about time.
struct TimeFacts {
  std::set<Day> days;                                  // with their year
  std::set<std::pair<unsigned, unsigned>> month_days;  // without
  std::set<int> offsets;                               // days from today: tomorrow is 1
  std::set<unsigned> weekdays;                         // ISO: 1 Monday to 7 Sunday
  std::set<int> times;                                 // minutes since midnight
  std::set<int> durations;                             // minutes

  void add(const std::vector<std::string>& words);
  // Whether they name this day, by itself or from one of `references`.
  bool names(Day day, const std::set<Day>& references) const;
};

// "june", "jun"
bool is_month(std::string_view word);

// A value that is a date, a time or both, as tools write them: ISO 8601 with ' ' or 'T'.
struct Moment {
  std::optional<Day> day;
  std::optional<int> minutes;
};
std::optional<Moment> moment_of(std::string_view value);

}  // namespace gatehouse::flow

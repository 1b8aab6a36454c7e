// Wall and steady time, and their one text form. Thread-safe.
#include "base/clock.h"

#include <algorithm>

#include "base/text.h"

namespace gatehouse {
namespace {

using std::chrono::days;
using std::chrono::duration_cast;
using std::chrono::floor;
using std::chrono::microseconds;
using std::chrono::sys_days;
using std::chrono::year;
using std::chrono::year_month_day;

constexpr std::string_view time_shape = "0000-00-00T00:00:00.000000Z";

constexpr WallTime first_time = sys_days(year(0) / 1 / 1);
constexpr WallTime last_time = sys_days(year(9999) / 12 / 31) + days(1) - microseconds(1);

void put_digits(char* at, int count, std::uint64_t value) {
  for (int i = count - 1; i >= 0; --i) {
    at[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

bool has_time_shape(std::string_view text) {
  return std::ranges::equal(text, time_shape, [](char got, char expected) {
    return expected == '0' ? got >= '0' && got <= '9' : got == expected;
  });
}

}  // namespace

WallTime SystemClock::wall() const {
  return floor<microseconds>(std::chrono::system_clock::now());
}

SteadyTime SystemClock::steady() const {
  return std::chrono::steady_clock::now();
}

ManualClock::ManualClock(WallTime start) : micros_(start.time_since_epoch().count()) {}

WallTime ManualClock::wall() const {
  return WallTime(microseconds(micros_.load()));
}

SteadyTime ManualClock::steady() const {
  return SteadyTime(microseconds(micros_.load()));
}

void ManualClock::advance(microseconds by) {
  micros_.fetch_add(by.count());
}

std::string format_time(WallTime time) {
  time = std::clamp(time, first_time, last_time);
  const sys_days day = floor<days>(time);
  const year_month_day date(day);
  const auto micros = static_cast<std::uint64_t>((time - day).count());
  const std::uint64_t seconds = micros / 1'000'000;

  std::string text(time_shape);
  put_digits(&text[0], 4, static_cast<std::uint64_t>(static_cast<int>(date.year())));
  put_digits(&text[5], 2, static_cast<unsigned>(date.month()));
  put_digits(&text[8], 2, static_cast<unsigned>(date.day()));
  put_digits(&text[11], 2, seconds / 3600);
  put_digits(&text[14], 2, seconds / 60 % 60);
  put_digits(&text[17], 2, seconds % 60);
  put_digits(&text[20], 6, micros % 1'000'000);
  return text;
}

Result<WallTime> parse_time(std::string_view text) {
  const auto refuse = [] {
    return fail(ErrorCode::invalid_argument, "expected a time such as 2026-11-23T17:43:50.123456Z");
  };
  if (!has_time_shape(text)) return refuse();
  const auto digits = [text](std::size_t at, std::size_t count) {
    return static_cast<unsigned>(*parse_uint(text.substr(at, count)));
  };
  const year_month_day date(year(static_cast<int>(digits(0, 4))), std::chrono::month(digits(5, 2)),
                            std::chrono::day(digits(8, 2)));
  const unsigned hour = digits(11, 2);
  const unsigned minute = digits(14, 2);
  const unsigned second = digits(17, 2);
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return refuse();
  return WallTime(sys_days(date)) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second) + microseconds(digits(20, 6));
}

}  // namespace gatehouse

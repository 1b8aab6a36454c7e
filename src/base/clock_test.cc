#include "base/clock.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace gatehouse {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

WallTime at(std::int64_t micros) {
  return WallTime(microseconds(micros));
}

TEST(FormatTime, is_rfc_3339_with_microseconds) {
  EXPECT_EQ(format_time(at(0)), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(format_time(at(1'795'455'830'123'456)), "2026-11-23T17:43:50.123456Z");
  EXPECT_EQ(format_time(at(-1)), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(format_time(at(951'782'400'000'000)), "2000-02-29T00:00:00.000000Z");
}

TEST(FormatTime, always_has_27_characters) {
  EXPECT_EQ(format_time(WallTime::max()), "9999-12-31T23:59:59.999999Z");
  EXPECT_EQ(format_time(WallTime::min()), "0000-01-01T00:00:00.000000Z");
}

RC_GTEST_PROP(ParseTime, reads_what_format_writes, ()) {
  const std::int64_t limit = 253'402'300'800'000'000;  // year 10000
  const WallTime time = at(*rc::gen::inRange<std::int64_t>(-limit / 5, limit));
  RC_ASSERT(parse_time(format_time(time)).value() == time);
}

RC_GTEST_PROP(FormatTime, sorts_as_time_does, ()) {
  const auto moment = rc::gen::inRange<std::int64_t>(0, 4'000'000'000'000'000);
  const WallTime a = at(*moment);
  const WallTime b = at(*moment);
  RC_ASSERT((a < b) == (format_time(a) < format_time(b)));
}

TEST(ParseTime, refuses_everything_else) {
  for (const char* text :
       {"", "2026-11-23", "2026-11-23T17:43:50Z", "2026-11-23T17:43:50.123456+00:00",
        "2026-13-01T00:00:00.000000Z", "2026-02-29T00:00:00.000000Z", "2026-01-01T24:00:00.000000Z",
        "2026-01-01T00:60:00.000000Z", "2026-01-01T00:00:60.000000Z", "2026-01-01 00:00:00.000000Z",
        "2026-01-01T00:00:00.000000Z ", "+026-01-01T00:00:00.000000Z"})
    EXPECT_FALSE(parse_time(text)) << text;
}

TEST(ManualClock, moves_only_when_told) {
  ManualClock clock(at(1'000));
  const SteadyTime before = clock.steady();
  EXPECT_EQ(clock.wall(), at(1'000));
  clock.advance(seconds(2));
  EXPECT_EQ(clock.wall(), at(2'001'000));
  EXPECT_EQ(clock.steady() - before, seconds(2));
}

TEST(SystemClock, goes_forward) {
  const SystemClock clock;
  const SteadyTime first = clock.steady();
  EXPECT_GE(clock.steady(), first);
  EXPECT_GT(clock.wall(), at(1'700'000'000'000'000));
}

}  // namespace
}  // namespace gatehouse

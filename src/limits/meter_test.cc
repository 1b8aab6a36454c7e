#include "limits/meter.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chrono>
#include <vector>

namespace gatehouse::limits {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

WallTime at(std::int64_t micros) {
  return WallTime(microseconds(1'790'000'000'000'000 + micros));
}
WallTime date(std::string_view text) {
  return parse_time(text).value();
}
constexpr Window minute{Window::Kind::sliding, seconds(60)};

TEST(Meter, ForgetsAChargeAfterTheWindowAndOnePartMore) {
  Meter meter(minute, at(0));
  meter.charge(5, at(0));
  EXPECT_EQ(meter.used(at(60'000'000)), 5);
  EXPECT_EQ(meter.used(at(61'000'000)), 0);
}

TEST(Meter, DaysAndMonthsEndAtMidnightUtc) {
  Meter day({Window::Kind::day, {}}, date("2026-11-26T10:00:00.000000Z"));
  day.charge(5, date("2026-11-26T10:00:00.000000Z"));
  EXPECT_EQ(day.used(date("2026-11-26T23:59:59.999999Z")), 5);
  EXPECT_EQ(format_time(day.empty_at(date("2026-11-26T23:00:00.000000Z")).value()),
            "2026-11-27T00:00:00.000000Z");
  EXPECT_EQ(day.used(date("2026-11-27T00:00:00.000000Z")), 0);

  Meter month({Window::Kind::month, {}}, date("2026-12-31T10:00:00.000000Z"));
  month.charge(7, date("2026-12-31T10:00:00.000000Z"));
  EXPECT_EQ(format_time(month.empty_at(date("2026-12-31T11:00:00.000000Z")).value()),
            "2027-01-01T00:00:00.000000Z");
  EXPECT_EQ(month.used(date("2026-12-31T23:59:59.999999Z")), 7);
  EXPECT_EQ(month.used(date("2027-01-01T00:00:00.000000Z")), 0);
}

TEST(Meter, ForeverNeverEnds) {
  Meter meter({Window::Kind::forever, {}}, at(0));
  meter.charge(5, at(0));
  EXPECT_EQ(meter.used(date("9999-01-01T00:00:00.000000Z")), 5);
  EXPECT_FALSE(meter.empty_at(at(1)));
  EXPECT_FALSE(meter.fits_at(6, 10, at(1)));
  EXPECT_TRUE(meter.fits_at(5, 10, at(1)));
}

TEST(Meter, GivesBackWhatWasNotUsed) {
  Meter meter(minute, at(0));
  const auto ticket = meter.charge(10, at(0));
  meter.correct(ticket, -7);
  EXPECT_EQ(meter.used(at(1)), 3);
  meter.correct(ticket, 4);
  EXPECT_EQ(meter.used(at(1)), 7);
}

TEST(Meter, GivesNothingBackOfAPartThatIsGone) {
  Meter meter(minute, at(0));
  const auto ticket = meter.charge(10, at(0));
  meter.charge(4, at(61'500'000));
  meter.correct(ticket, -10);
  EXPECT_EQ(meter.used(at(61'500'000)), 4);
}

TEST(Meter, GivesNothingBackAfterAReset) {
  Meter meter(minute, at(0));
  const auto ticket = meter.charge(10, at(0));
  meter.reset(at(0));
  meter.charge(4, at(1));
  meter.correct(ticket, -10);
  EXPECT_EQ(meter.used(at(2)), 4);
}

TEST(Meter, AClockThatGoesBackGivesNothingBack) {
  Meter meter(minute, at(100'000'000));
  meter.charge(10, at(100'000'000));
  EXPECT_EQ(meter.used(at(0)), 10);
  meter.charge(1, at(0));
  EXPECT_EQ(meter.used(at(100'000'000)), 11);
}

TEST(Meter, SaysWhenAnAmountFits) {
  Meter meter(minute, at(0));
  meter.charge(6, at(0));
  meter.charge(4, at(30'000'000));
  EXPECT_EQ(meter.fits_at(1, 10, at(30'000'000)), at(61'000'000));
  EXPECT_EQ(meter.fits_at(7, 10, at(30'000'000)), at(91'000'000));
  EXPECT_FALSE(meter.fits_at(11, 10, at(30'000'000)));
}

struct Charge {
  std::int64_t time = 0;
  std::int64_t amount = 0;
};

// What a caller who admits only what fits would have let through.
std::vector<Charge> admit_all(Meter& meter, std::int64_t most, const std::vector<Charge>& asked) {
  std::vector<Charge> admitted;
  for (const auto& [time, amount] : asked) {
    if (meter.used(at(time)) + amount > most) continue;
    meter.charge(amount, at(time));
    admitted.push_back({time, amount});
  }
  return admitted;
}

std::int64_t sum_between(const std::vector<Charge>& charges, std::int64_t after,
                         std::int64_t until) {
  std::int64_t sum = 0;
  for (const auto& [time, amount] : charges) sum += time > after && time <= until ? amount : 0;
  return sum;
}

std::vector<Charge> some_charges(std::int64_t longest_gap) {
  const auto steps =
      *rc::gen::container<std::vector<std::pair<std::int64_t, std::int64_t>>>(rc::gen::pair(
          rc::gen::inRange<std::int64_t>(0, longest_gap), rc::gen::inRange<std::int64_t>(1, 40)));
  std::vector<Charge> charges;
  std::int64_t time = *rc::gen::inRange<std::int64_t>(0, 100'000'000);
  for (const auto& [gap, amount] : steps) charges.push_back({time += gap, amount});
  return charges;
}

RC_GTEST_PROP(MeterLaws, NoStretchOfTheWindowHasMoreThanTheAmount, ()) {
  const auto length = *rc::gen::inRange<std::int64_t>(1, 400);
  const Window window{Window::Kind::sliding, seconds(length)};
  const std::int64_t micros = length * 1'000'000;
  const auto most = *rc::gen::inRange<std::int64_t>(1, 100);
  const auto asked = some_charges(micros / 4);
  Meter meter(window, at(0));
  const auto admitted = admit_all(meter, most, asked);
  for (const auto& last : admitted)
    RC_ASSERT(sum_between(admitted, last.time - micros, last.time) <= most);
}

RC_GTEST_PROP(MeterLaws, NothingCountsLongerThanAPartMoreThanTheWindow, ()) {
  const auto length = *rc::gen::inRange<std::int64_t>(1, 400);
  const std::int64_t micros = length * 1'000'000;
  const std::int64_t width = (micros + parts_of_window - 1) / parts_of_window;
  Meter meter({Window::Kind::sliding, seconds(length)}, at(0));
  const auto charges = some_charges(micros / 4);
  std::vector<Charge> booked;
  for (const auto& charge : charges) {
    meter.charge(charge.amount, at(charge.time));
    booked.push_back(charge);
    const auto used = meter.used(at(charge.time));
    RC_ASSERT(used >= sum_between(booked, charge.time - micros, charge.time));
    RC_ASSERT(used <=
              sum_between(booked, charge.time - (parts_of_window + 1) * width - 1, charge.time));
  }
}

RC_GTEST_PROP(MeterLaws, WhatIsSettledIsAsIfItHadBeenChargedSo, ()) {
  const auto charges = some_charges(10'000'000);
  Meter meter(minute, at(0));
  Meter plain(minute, at(0));
  for (const auto& [time, amount] : charges) {
    const auto used = *rc::gen::inRange<std::int64_t>(0, 60);
    const auto ticket = meter.charge(amount, at(time));
    meter.correct(ticket, used - amount);
    plain.charge(used, at(time));
    RC_ASSERT(meter.used(at(time)) == plain.used(at(time)));
  }
}

RC_GTEST_PROP(MeterLaws, WhatFitsAtATimeFitsThenAndNotBefore, ()) {
  const auto most = *rc::gen::inRange<std::int64_t>(40, 100);
  const auto asked = some_charges(10'000'000);
  RC_PRE(!asked.empty());
  Meter meter(minute, at(0));
  const auto admitted = admit_all(meter, most, asked);
  const auto now = asked.back().time;
  const auto amount = *rc::gen::inRange<std::int64_t>(1, most + 1);
  const auto fits = meter.fits_at(amount, most, at(now));
  RC_ASSERT(fits.has_value());
  Meter before = meter;
  if (*fits > at(now)) RC_ASSERT(before.used(*fits - microseconds(1)) + amount > most);
  RC_ASSERT(meter.used(*fits) + amount <= most);
}

RC_GTEST_PROP(MeterLaws, WhatIsStoredComesBack, ()) {
  const auto charges = some_charges(10'000'000);
  Meter meter(minute, at(0));
  std::int64_t now = 0;
  for (const auto& [time, amount] : charges) {
    meter.charge(amount, at(time));
    now = time;
  }
  const auto later = now + *rc::gen::inRange<std::int64_t>(0, 90'000'000);
  Meter again(minute, WallTime());
  again.restore(meter.parts());
  RC_ASSERT(again.used(at(later)) == meter.used(at(later)));
  RC_ASSERT(again.used(at(later + 20'000'000)) == meter.used(at(later + 20'000'000)));
}

}  // namespace
}  // namespace gatehouse::limits

#include "limits/limits.h"

#include <gtest/gtest.h>

namespace gatehouse::limits {
namespace {

TEST(Money, IsReadAndShownToTheMicro) {
  EXPECT_EQ(parse_money("12.50").value(), 12'500'000);
  EXPECT_EQ(parse_money("0.000001").value(), 1);
  EXPECT_EQ(parse_money("7").value(), 7'000'000);
  for (const auto* bad : {"", ".", "1.", ".5", "-1", "1.0000001", "1,5", "1e3", "9007199255"})
    EXPECT_FALSE(parse_money(bad)) << bad;
  EXPECT_EQ(format_money(12'500'000), "12.5");
  EXPECT_EQ(format_money(1), "0.000001");
  EXPECT_EQ(format_money(0), "0");
  EXPECT_EQ(format_money(-1'500'000), "-1.5");
}

TEST(Money, CostIsRoundedUp) {
  const Price price{.input = 150'000, .output = 600'000, .cache_read = 75'000, .cache_write = 0};
  EXPECT_EQ(cost_of(price, {.input = 1}), 1);
  EXPECT_EQ(cost_of(price, {.input = 1'000'000}), 150'000);
  EXPECT_EQ(cost_of(price, {.input = 1'000, .output = 500, .cache_read = 2'000}), 600);
  EXPECT_EQ(cost_of(price, {}), 0);
  EXPECT_EQ(cost_of({.input = most_amount}, {.input = most_amount}), most_amount);
}

TEST(Window, IsReadAsItIsShown) {
  for (const auto* text : {"60s", "1s", "day", "month", "forever", "31622400s"})
    EXPECT_EQ(to_string(parse_window(text).value()), text);
  EXPECT_EQ(parse_window("24h").value(), parse_window("86400s").value());
  EXPECT_EQ(parse_window("15m").value(), parse_window("900s").value());
  EXPECT_EQ(parse_window("366d").value(), parse_window("31622400s").value());
  for (const auto* bad : {"", "0s", "367d", "s", "1", "1w", "-1s", "99999999999999999999s"})
    EXPECT_FALSE(parse_window(bad)) << bad;
}

}  // namespace
}  // namespace gatehouse::limits

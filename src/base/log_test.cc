#include "base/log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/text.h"

namespace gatehouse {
namespace {

class LogTest : public testing::Test {
 protected:
  ~LogTest() override { set_log_level(LogLevel::info); }
};

TEST_F(LogTest, a_line_is_one_json_object_in_a_fixed_order) {
  testing::internal::CaptureStderr();
  log_info("listening \"now\"\n", {{"address", "127.0.0.1:8080"},
                                   {"port", 8080},
                                   {"big", std::int64_t{1} << 40},
                                   {"ratio", 0.5},
                                   {"nothing", std::numeric_limits<double>::infinity()},
                                   {"tls", false}});
  const std::string line = testing::internal::GetCapturedStderr();
  const auto json = nlohmann::ordered_json::parse(line);
  std::vector<std::string> names;
  for (const auto& [name, value] : json.items()) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"time", "level", "message", "address", "port", "big",
                                             "ratio", "nothing", "tls"}));
  EXPECT_TRUE(parse_time(json["time"].get<std::string>()));
  EXPECT_EQ(json["level"], "info");
  EXPECT_EQ(json["message"], "listening \"now\"\n");
  EXPECT_EQ(json["port"], 8080);
  EXPECT_EQ(json["big"], std::int64_t{1} << 40);
  EXPECT_EQ(json["ratio"], 0.5);
  EXPECT_TRUE(json["nothing"].is_null());
  EXPECT_EQ(json["tls"], false);
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
}

TEST_F(LogTest, lines_below_the_level_are_left_out) {
  testing::internal::CaptureStderr();
  set_log_level(LogLevel::warning);
  log_debug("a");
  log_info("b");
  log_warning("c");
  log_error("d");
  set_log_level(LogLevel::off);
  log_error("e");
  const std::string lines = testing::internal::GetCapturedStderr();
  std::string messages;
  for (const std::string_view line : split(trim(lines), '\n'))
    messages += nlohmann::json::parse(line)["message"].get<std::string>();
  EXPECT_EQ(messages, "cd");
}

TEST_F(LogTest, lines_of_many_threads_stay_whole) {
  testing::internal::CaptureStderr();
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([t] {
        for (int i = 0; i < 250; ++i) log_info(std::string(100, 'x'), {{"thread", t}});
      });
  }
  const std::string text = testing::internal::GetCapturedStderr();
  const auto lines = split(trim(text), '\n');
  EXPECT_EQ(lines.size(), 1000u);
  for (const std::string_view line : lines) EXPECT_TRUE(nlohmann::json::accept(line)) << line;
}

}  // namespace
}  // namespace gatehouse

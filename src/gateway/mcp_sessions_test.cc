// What a session has seen: over restarts, over torn files and out of a ledger.
#include "gateway/mcp_sessions.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/file.h"
#include "ledger/test_log.h"

namespace gatehouse::gateway {
namespace {

using namespace std::chrono_literals;
using ledger::TemporaryDirectory;

const WallTime now{1'800'000'000s};
const std::string first(64, 'a');
const std::string second(64, 'b');

class McpSessionsTest : public ::testing::Test {
 protected:
  McpSessionsTest() {
    ledger_ =
        ledger::Ledger::open(ledger::options_in(ledger_path()), ledger::test_key(), clock_).value();
  }
  std::filesystem::path ledger_path() {
    std::filesystem::create_directories(directory_.path() / "ledger");
    return directory_.path() / "ledger";
  }
  std::filesystem::path file() const { return directory_.path() / "mcp" / "sessions"; }
  std::unique_ptr<McpSessions> open(WallTime when = now) {
    auto sessions = std::make_unique<McpSessions>();
    const auto opened = sessions->open(file(), ledger_path(), when);
    EXPECT_TRUE(opened) << opened.error().describe();
    return sessions;
  }
  void append(const std::string& entry) { ASSERT_TRUE(ledger_->append_and_wait(entry)); }

  TemporaryDirectory directory_;
  SystemClock clock_;
  std::unique_ptr<ledger::Ledger> ledger_;
};

TEST_F(McpSessionsTest, ARestartForgetsNothing) {
  ASSERT_TRUE(open()->join(first, Integrity::untrusted, now));
  auto again = open(now + 1h);
  EXPECT_EQ(again->of(first, now + 1h), Integrity::untrusted);
  EXPECT_EQ(again->of(second, now + 1h), Integrity::trusted);
  // What is trusted takes nothing back.
  ASSERT_TRUE(again->join(first, Integrity::trusted, now + 1h));
  EXPECT_EQ(again->of(first, now + 1h), Integrity::untrusted);
}

TEST_F(McpSessionsTest, HoldForAMonthAfterTheLastTime) {
  auto sessions = open();
  ASSERT_TRUE(sessions->join(first, Integrity::untrusted, now));
  ASSERT_TRUE(sessions->join(first, Integrity::untrusted, now + 24h * 20));
  EXPECT_EQ(sessions->of(first, now + 24h * 40), Integrity::untrusted);
  EXPECT_EQ(open(now + 24h * 40)->of(first, now + 24h * 40), Integrity::untrusted);
  EXPECT_EQ(sessions->of(first, now + 24h * 51), Integrity::trusted);
}

TEST_F(McpSessionsTest, ATornLineSaysNothingAndAnotherTextTaintsAll) {
  ASSERT_TRUE(open()->join(first, Integrity::untrusted, now));
  std::ofstream(file(), std::ios::app) << std::string(16, 'b') + " untr";
  auto torn = open();
  EXPECT_EQ(torn->of(first, now), Integrity::untrusted);
  EXPECT_EQ(torn->of(second, now), Integrity::trusted);
  for (const char* text : {"", "nonsense\n", "gatehouse-mcp-sessions 1\nx y z\n"}) {
    ASSERT_TRUE(write_file_atomically(file(), text));
    EXPECT_EQ(open()->of(second, now), Integrity::untrusted) << text;
  }
}

TEST_F(McpSessionsTest, WhatCannotBeWrittenCountsAndIsSaid) {
  auto sessions = open();
  std::filesystem::remove(file());
  std::filesystem::create_directory(file());
  EXPECT_FALSE(sessions->join(first, Integrity::untrusted, now));
  EXPECT_EQ(sessions->of(first, now), Integrity::untrusted);
  std::filesystem::remove(file());
  ASSERT_TRUE(sessions->join(first, Integrity::untrusted, now)) << "it is written the next time";
  EXPECT_EQ(open()->of(first, now), Integrity::untrusted);
}

TEST_F(McpSessionsTest, WithoutAFileTheLedgerSaysIt) {
  const auto decided = [&](std::string id, std::string session, std::string subject) {
    append(
        R"({"id":")" + id + R"(","time":"2027-01-15T07:00:00.000000Z","type":"mcp.call.decided",)" +
        R"("node":"gw-1","subject":{)" + subject + R"(},"data":{"session":")" + session + "\"}}");
  };
  const auto completed = [&](std::string decision, std::string integrity) {
    append(R"({"id":"x","time":"2027-01-15T07:00:01.000000Z","type":"mcp.call.completed",)"
           R"("node":"gw-1","label":{"integrity":")" +
           integrity + R"("},"data":{"decision":")" + decision + "\"}}");
  };
  const std::string tool = R"("tool":"read")";
  decided("d1", first.substr(0, 16), tool);
  decided("d2", second.substr(0, 16), tool);
  completed("d2", "trusted");
  completed("d1", "untrusted");
  const std::string third(64, 'c');
  decided("d3", third.substr(0, 16), R"("method":"tools/list")");
  completed("d3", "untrusted");
  auto sessions = open();
  EXPECT_EQ(sessions->of(first, now), Integrity::untrusted);
  EXPECT_EQ(sessions->of(second, now), Integrity::trusted);
  EXPECT_EQ(sessions->of(third, now), Integrity::trusted) << "it called no tool";
  std::filesystem::remove(file());
  EXPECT_EQ(open(now + 24h * 40)->of(first, now + 24h * 40), Integrity::trusted);
}

TEST_F(McpSessionsTest, WhatIsForgottenTaintsTheOthers) {
  auto sessions = open();
  std::ofstream out(file(), std::ios::app);
  for (std::size_t at = 0; at <= McpSessions::most; ++at) {
    auto name = std::to_string(at);
    out << std::string(16 - name.size(), '0') + name << " untrusted " << 1'799'000'000 + at << '\n';
  }
  out.close();
  sessions = open();
  EXPECT_EQ(sessions->of(first, now), Integrity::untrusted);
  EXPECT_EQ(open()->of(first, now), Integrity::untrusted) << "after a restart too";
  EXPECT_EQ(sessions->of(first, now + 24h * 31), Integrity::trusted);
}

}  // namespace
}  // namespace gatehouse::gateway

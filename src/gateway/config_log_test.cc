#include "gateway/config_log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file.h"
#include "gateway/config.h"

namespace gatehouse::gateway {
namespace {

class ConfigLog : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  Result<Config> load(const std::string& ledger) const {
    EXPECT_TRUE(write_file_atomically(folder_ / "gatehouse.yaml", "ledger: " + ledger + "\n"));
    return load_config(folder_ / "gatehouse.yaml");
  }
  void expect_problem(const std::string& ledger, const std::string& words) const {
    const auto config = load(ledger);
    ASSERT_FALSE(config) << ledger;
    EXPECT_NE(config.error().describe().find(words), std::string::npos)
        << ledger << ": " << config.error().describe();
  }
  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("config-log-" + std::to_string(::getpid()));
};

TEST_F(ConfigLog, IsNotServedUnlessAsked) {
  const auto config = load("{}");
  ASSERT_TRUE(config) << config.error().describe();
  EXPECT_FALSE(config->log_serve.listen);
  EXPECT_FALSE(config->log_serve.entries);
  EXPECT_TRUE(config->receipts.readers.empty());
}

TEST_F(ConfigLog, ReadsEverything) {
  const auto config = load(
      "{serve: {listen: \"[::1]:8090\", prefix: /logs/eu, entries: true, connections: 9}, "
      "receipts: {readers: [\"service:audit\", \"user:eve\"]}}");
  ASSERT_TRUE(config) << config.error().describe();
  const auto listen = config->log_serve.listen.value_or(net::ListenAddress());
  EXPECT_EQ(listen.host, "::1");
  EXPECT_EQ(listen.port, 8090);
  EXPECT_EQ(config->log_serve.prefix, "/logs/eu");
  EXPECT_TRUE(config->log_serve.entries);
  EXPECT_EQ(config->log_serve.connections, 9u);
  EXPECT_EQ(config->receipts.readers, (std::vector<std::string>{"service:audit", "user:eve"}));
  EXPECT_EQ(load("{serve: {listen: \"127.0.0.1:1\", prefix: /}}")->log_serve.prefix, "");
}

TEST_F(ConfigLog, NamesWhatIsWrong) {
  expect_problem("{serve: {entries: true}}", "listen");
  expect_problem("{serve: {listen: nowhere}}", "ADDRESS:PORT");
  expect_problem("{serve: {listen: \"127.0.0.1:1\", entrys: true}}", "entries");
  for (const char* prefix : {"log", "/log/", "//log", "/a/../b", "/a b", "/a%2f", "/."})
    expect_problem("{serve: {listen: \"127.0.0.1:1\", prefix: \"" + std::string(prefix) + "\"}}",
                   "prefix must begin");
  expect_problem("{receipts: {readers: [eve]}}", "principal");
  expect_problem("{receipts: {reader: [\"user:eve\"]}}", "readers");
}

}  // namespace
}  // namespace gatehouse::gateway

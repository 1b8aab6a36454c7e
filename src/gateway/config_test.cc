#include "gateway/config.h"

#include <gtest/gtest.h>

#include "base/file.h"

namespace gatehouse::gateway {
namespace {

class ConfigTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::temp_directory_path() / ("gatehouse-config-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Result<Config> load(const std::string& yaml) {
    const auto file = folder_ / "gatehouse.yaml";
    EXPECT_TRUE(write_file_atomically(file, yaml));
    return load_config(file);
  }
  std::filesystem::path folder_;
};

TEST_F(ConfigTest, DefaultsAreEnough) {
  const auto config = load("node: gw-1\n");
  ASSERT_TRUE(config) << config.error().describe();
  EXPECT_EQ(config->listen.host, "127.0.0.1");
  EXPECT_EQ(config->listen.port, 8080);
  EXPECT_EQ(config->audit, AuditMode::strict);
  EXPECT_EQ(config->data, folder_ / "var");
  EXPECT_EQ(config->ledger_origin, "gatehouse.invalid/gw-1");
}

TEST_F(ConfigTest, MakesItsSecretOnceAndKeepsIt) {
  const auto first = load("node: a\n");
  const auto second = load("node: a\n");
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->secret.reveal(), second->secret.reveal());
  const auto mode = std::filesystem::status(folder_ / "var/secret").permissions();
  EXPECT_EQ(mode & std::filesystem::perms(0077), std::filesystem::perms::none);
}

TEST_F(ConfigTest, ReadsProviders) {
  ::setenv("GATEHOUSE_TEST_KEY", "sk-test", 1);
  const auto config = load(R"(
providers:
  - {name: a, dialect: openai, url: "https://api.example.com/v2", credential: {env: GATEHOUSE_TEST_KEY}}
  - {name: b, dialect: anthropic, url: "http://127.0.0.1:9"}
)");
  ASSERT_TRUE(config) << config.error().describe();
  const auto& a = config->providers.at("a");
  EXPECT_TRUE(a.endpoint.tls);
  EXPECT_EQ(a.endpoint.base_path, "/v2");
  EXPECT_EQ(a.credential.reveal(), "sk-test");
  EXPECT_EQ(config->providers.at("b").dialect, DialectKind::anthropic);
}

TEST_F(ConfigTest, NamesEveryProblemWithItsLine) {
  const auto config = load(
      "listen: nowhere\n"
      "audit: sometimes\n"
      "limits: {body_bytes: 3}\n"
      "provders: []\n"
      "providers:\n"
      "  - {name: a, dialect: soap, url: \"ftp://x\"}\n"
      "ledger: {origin: \"a b\"}\n");
  ASSERT_FALSE(config);
  const auto text = config.error().describe();
  for (const auto* expected : {"gatehouse.yaml:1", "gatehouse.yaml:2", "body_bytes", "provders",
                               "providers", "dialect", "gatehouse.yaml:6", "origin"})
    EXPECT_NE(text.find(expected), std::string::npos) << expected << "\nin\n" << text;
}

TEST_F(ConfigTest, RefusesShortSecretsAndTwins) {
  EXPECT_FALSE(load("secret: {env: GATEHOUSE_NOT_SET}\n"));
  ::setenv("GATEHOUSE_SHORT", "short", 1);
  EXPECT_FALSE(load("secret: {env: GATEHOUSE_SHORT}\n"));
  EXPECT_FALSE(
      load("providers:\n  - {name: a, url: \"http://x\"}\n  - {name: a, url: \"http://y\"}\n"));
}

}  // namespace
}  // namespace gatehouse::gateway

#include "base/secret.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "base/id.h"

namespace gatehouse {
namespace {

Result<Secret> load(std::string_view yaml) {
  auto root = ConfigNode::parse(yaml, "t.yaml");
  EXPECT_TRUE(root);
  return load_secret(*root->find("key"));
}

std::string failure(std::string_view yaml) {
  const auto secret = load(yaml);
  return secret ? "loaded" : secret.error().describe();
}

class SecretFile : public testing::Test {
 protected:
  SecretFile() {
    SystemRandom random;
    path_ = std::filesystem::temp_directory_path() /
            ("secret_test." + make_uuid7(SystemClock(), random));
  }
  ~SecretFile() override { std::filesystem::remove(path_); }
  Result<Secret> with(std::string_view content) {
    EXPECT_TRUE(write_file_atomically(path_, content));
    return load("key: {file: " + path_.string() + "}\n");
  }
  std::filesystem::path path_;
};

TEST_F(SecretFile, trailing_newlines_are_trimmed_and_nothing_else) {
  EXPECT_EQ(with(" value \r\n\n")->reveal(), " value ");
  EXPECT_EQ(with("two\nlines")->reveal(), "two\nlines");
}

TEST_F(SecretFile, an_empty_one_is_refused) {
  EXPECT_EQ(with("\n").error().describe(), "t.yaml:1: key.file: the secret is empty");
}

TEST_F(SecretFile, the_size_is_bounded) {
  EXPECT_EQ(with(std::string(65'536, 'x'))->reveal().size(), 65'536u);
  EXPECT_FALSE(with(std::string(65'537, 'x')));
}

TEST_F(SecretFile, a_missing_one_is_named) {
  const std::string message = failure("key: {file: /nowhere/secret}\n");
  EXPECT_EQ(message, "t.yaml:1: key.file: /nowhere/secret: cannot open: No such file or directory");
}

TEST(SecretEnvironment, is_read_by_name) {
  ::setenv("GATEHOUSE_TEST_SECRET", "from environment", 1);
  EXPECT_EQ(load("key: {env: GATEHOUSE_TEST_SECRET}\n")->reveal(), "from environment");
  ::unsetenv("GATEHOUSE_TEST_SECRET");
  EXPECT_EQ(failure("key: {env: GATEHOUSE_TEST_SECRET}\n"),
            "t.yaml:1: key.env: the environment variable 'GATEHOUSE_TEST_SECRET' is not set");
}

TEST(SecretCommand, prints_it) {
  EXPECT_EQ(load("key: {command: [echo, a b]}\n")->reveal(), "a b");
}

TEST(SecretCommand, runs_without_a_shell) {
  EXPECT_EQ(load("key: {command: [echo, '$HOME;id']}\n")->reveal(), "$HOME;id");
}

TEST(SecretCommand, failure_is_told_without_its_output) {
  EXPECT_EQ(failure("key: {command: [sh, -c, 'echo hidden; exit 3']}\n"),
            "t.yaml:1: key.command: the command ended with status 3");
  EXPECT_EQ(failure("key: {command: [sh, -c, 'kill -9 $$']}\n"),
            "t.yaml:1: key.command: the command was ended by signal 9");
  EXPECT_NE(failure("key: {command: [/nowhere/program]}\n").find("No such file"),
            std::string::npos);
  EXPECT_EQ(failure("key: {command: []}\n"), "t.yaml:1: key.command: the command is empty");
  EXPECT_EQ(failure("key: {command: ['true']}\n"), "t.yaml:1: key.command: the secret is empty");
}

TEST(SecretCommand, output_is_bounded) {
  EXPECT_EQ(failure("key: {command: [sh, -c, 'yes']}\n"),
            "t.yaml:1: key.command: the command printed more than 65536 bytes");
}

TEST(SecretCommand, gets_no_descriptor_of_ours_and_no_input) {
  // Lists its open descriptors: 0, 1, 2 and the one it lists with.
  EXPECT_EQ(load("key: {command: [sh, -c, 'cat; ls /proc/self/fd | wc -l']}\n")->reveal(), "4");
}

TEST(SecretCommand, one_that_hangs_is_killed_with_its_children) {
  for (const char* script : {"sleep 60 & sleep 60", "exec >&-; sleep 60"}) {
    const auto root =
        ConfigNode::parse("command: [sh, -c, '" + std::string(script) + "']", "t.yaml");
    const auto start = std::chrono::steady_clock::now();
    const auto secret = load_secret(*root, std::chrono::milliseconds(200));
    ASSERT_FALSE(secret);
    EXPECT_EQ(secret.error().code, ErrorCode::deadline_exceeded);
    EXPECT_EQ(secret.error().describe(), "t.yaml:1: command: the command did not end in time");
    const auto taken = std::chrono::steady_clock::now() - start;
    EXPECT_GE(taken, std::chrono::milliseconds(200));
    EXPECT_LT(taken, std::chrono::seconds(10));
  }
}

TEST(Secret, exactly_one_source) {
  const std::string expected =
      "t.yaml:1: key: expected exactly one of {file: PATH}, {env: NAME}, {command: [argv…]}";
  EXPECT_EQ(failure("key: {}\n"), expected);
  EXPECT_EQ(failure("key: plain\n"), expected);
  EXPECT_EQ(failure("key: {file: a, env: b}\n"), expected);
  EXPECT_EQ(failure("key: {vault: a}\n"), expected);
}

TEST(Secret, copies_moves_and_assigns) {
  Secret a("value long enough to live on the heap");
  Secret b = a;
  Secret c = std::move(a);
  EXPECT_EQ(b.reveal(), c.reveal());
  b = Secret("other");
  EXPECT_EQ(b.reveal(), "other");
  c = b;
  EXPECT_EQ(c.reveal(), "other");
  EXPECT_TRUE(Secret().empty());
}

}  // namespace
}  // namespace gatehouse

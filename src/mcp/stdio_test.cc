// Processes in the sandbox: what they may do, and how they are spoken to. The server is a few lines
// of shell, so that nothing stands between the test and the system.
#include "mcp/stdio.h"

#include <gtest/gtest.h>

#include <fstream>
#include <future>

#include "mcp/message.h"

namespace gatehouse::mcp {
namespace {

// Answers `initialize`, then each request with what the command prints.
StdioOptions shell_server(const std::string& command) {
  StdioOptions options;
  options.command = {"/bin/sh", "-c",
                     "read first; "
                     "echo '{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"serverInfo\":{}}}'; "
                     "read second; id=2; while read line; do "
                     "out=$(" +
                         command +
                         "); "
                         "echo "
                         "\"{\\\"jsonrpc\\\":\\\"2.0\\\",\\\"id\\\":$id,\\\"result\\\":{"
                         "\\\"out\\\":\\\"$out\\\"}}\"; "
                         "id=$((id+1)); done"};
  return options;
}

std::string ask(StdioServer& server) {
  auto answered = std::make_shared<std::promise<std::string>>();
  auto answer = answered->get_future();
  const auto sent = server.request("\"mine\"", "x", "{}", [answered](StdioServer::Piece piece) {
    answered->set_value(piece.message ? *piece.message
                                      : "error: " + piece.message.error().describe());
  });
  if (!sent) return "not sent: " + sent.error().describe();
  if (answer.wait_for(std::chrono::seconds(20)) != std::future_status::ready) return "no answer";
  return answer.get();
}

std::string output_of(const std::string& command, StdioOptions options) {
  options.command = shell_server(command).command;
  StdioServer server("test", std::move(options));
  const auto started = server.ensure_started();
  if (!started) return "not started: " + started.error().describe();
  const auto text = ask(server);
  const auto message = read_message(text);
  if (!message) return text;
  return message->body.find("result")->find_text("out").value_or("?");
}

TEST(Stdio, AnswersComeBackUnderTheCallersId) {
  StdioServer server("test", shell_server("echo hello"));
  ASSERT_TRUE(server.ensure_started()) << server.ensure_started().error().describe();
  EXPECT_EQ(ask(server), R"({"jsonrpc":"2.0","id":"mine","result":{"out":"hello"}})");
  EXPECT_EQ(ask(server), R"({"jsonrpc":"2.0","id":"mine","result":{"out":"hello"}})");
}

TEST(Stdio, TheEnvironmentIsNotOurs) {
  ::setenv("GATEHOUSE_TEST_SECRET", "leaks", 1);
  StdioOptions options;
  options.environment.emplace_back("GIVEN", Secret("yes"));
  EXPECT_EQ(output_of("echo $GATEHOUSE_TEST_SECRET$GIVEN", options), "yes");
}

TEST(Stdio, FilesAreReadOnlyAndHiddenOnesAreNotThere) {
  const auto folder = std::filesystem::current_path() / "stdio_test_hidden";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "secret") << "deployment secret";
  StdioOptions options;
  options.hidden = {folder};
  EXPECT_EQ(output_of("cat " + (folder / "secret").string() + " 2>/dev/null || echo none", options),
            "none");
  EXPECT_EQ(output_of("echo x 2>/dev/null > /usr/x && echo written || echo refused", {}),
            "refused");
  EXPECT_EQ(output_of("echo x > /tmp/x && cat /tmp/x", {}), "x");
  options.hidden.clear();
  options.writable = {folder};
  EXPECT_EQ(output_of("echo y > " + (folder / "y").string() + " && echo written", options),
            "written");
  EXPECT_TRUE(std::filesystem::exists(folder / "y"));
  std::filesystem::remove_all(folder);
}

TEST(Stdio, ThereIsNoNetworkAndNobodyElse) {
  EXPECT_EQ(output_of("ls /sys | wc -l", {}), "0");  // it would show the machine's devices
  EXPECT_EQ(output_of("grep -c : /proc/net/dev", {}), "1");
  EXPECT_EQ(output_of("echo $$", {}), "1");  // the first process of its own namespace
  EXPECT_EQ(output_of("unshare -U true 2>/dev/null && echo made || echo refused", {}), "refused");
}

TEST(Stdio, TheProcessEndsWithTheServer) {
  auto server = std::make_unique<StdioServer>("test", shell_server("echo x"));
  ASSERT_TRUE(server->ensure_started());
  std::promise<bool> ended;
  auto failed = ended.get_future();
  // `read` waits for a line that never comes whole.
  (void)server->request("1", "x", "{}", [&](StdioServer::Piece) {});
  server.reset();
  SUCCEED();  // the destructor has joined the reader, which has reaped the process
}

TEST(Stdio, WhatCannotBeStartedSaysWhy) {
  StdioOptions options;
  options.command = {"/no/such/program"};
  StdioServer server("test", options);
  const auto started = server.ensure_started();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::unavailable);
  EXPECT_NE(started.error().describe().find("cannot be started"), std::string::npos);
}

}  // namespace
}  // namespace gatehouse::mcp

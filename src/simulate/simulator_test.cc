// The simulator over real sockets, spoken to with the net room's own client.
#include "simulate/simulator.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "net/client.h"
#include "net/loop.h"

namespace gatehouse::simulate {
namespace {

using Json = nlohmann::json;
using net::Task;

struct Answer {
  int status = 0;
  net::Fields fields;
  std::string body;
  bool complete = false;  // false: cut
  std::size_t reads = 0;
};

struct Call {
  std::string method = "POST";
  std::string target = "/v1/chat/completions";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

// A simulator and a loop to talk to it from; each call() runs the loop until it has its answer.
class SimulatorTest : public testing::Test {
 protected:
  void start(SimulatorOptions options = {}) {
    options.port = 0;
    auto started = Simulator::start(std::move(options));
    ASSERT_TRUE(started) << started.error().describe();
    simulator_ = std::move(*started);
  }

  Answer call(Call call) {
    Answer answer;
    loop_.spawn(exchange(std::move(call), answer));
    loop_.run();
    return answer;
  }

  Answer chat(const Json& body) { return call({.body = body.dump(), .headers = {}}); }
  Answer script(const Json& script, bool stream = false) {
    return chat({{"model", "simulator-script"},
                 {"stream", stream},
                 {"messages", {{{"role", "user"}, {"content", script.dump()}}}}});
  }
  Json control(const std::string& path, const std::string& method = "GET") {
    return Json::parse(call({.method = method, .target = path, .body = "", .headers = {}}).body);
  }

  Task<void> exchange(Call call, Answer& answer) {
    net::Endpoint endpoint;
    endpoint.host = "127.0.0.1";
    endpoint.port = simulator_->port();
    net::RequestHead head{.method = call.method, .target = call.target, .fields = {}};
    for (auto& [name, value] : call.headers) head.fields.add(name, value);
    auto stream =
        co_await pool_.request(std::move(endpoint), std::move(head), std::move(call.body), nullptr);
    if (!stream) {
      ADD_FAILURE() << stream.error().describe();
      loop_.stop();
      co_return;
    }
    answer.status = (*stream)->head().status;
    answer.fields = (*stream)->head().fields;
    for (;;) {
      const Result<bool> more = co_await (*stream)->read_some(answer.body);
      ++answer.reads;
      answer.complete = more.has_value();
      if (!more || !*more) break;
    }
    loop_.stop();
  }

  std::unique_ptr<Simulator> simulator_;
  net::Loop loop_;
  net::ClientPool pool_{loop_, net::ClientLimits{}, nullptr};
};

Json echo(const std::string& text, bool stream = false) {
  return {{"model", "simulator-echo"},
          {"stream", stream},
          {"max_tokens", 1'000},
          {"messages", {{{"role", "user"}, {"content", text}}}}};
}

TEST_F(SimulatorTest, AnswersBothDialects) {
  start();
  const Answer openai = chat(echo("Hello"));
  EXPECT_EQ(openai.status, 200);
  EXPECT_TRUE(openai.fields.contains("x-request-id"));
  EXPECT_EQ(Json::parse(openai.body)["choices"][0]["message"]["content"], "Hello");
  const Answer anthropic = call({.target = "/v1/messages",
                                 .body = echo("Hello").dump(),
                                 .headers = {{"anthropic-version", "2023-06-01"}}});
  EXPECT_TRUE(anthropic.fields.contains("request-id"));
  EXPECT_EQ(Json::parse(anthropic.body)["content"][0]["text"], "Hello");
}

TEST_F(SimulatorTest, StreamsEventByEvent) {
  SimulatorOptions options;
  options.pace = std::chrono::milliseconds(5);
  start(options);
  const Answer answer = chat(echo("one two three", true));
  EXPECT_EQ(answer.fields.find("content-type"), "text/event-stream; charset=utf-8");
  EXPECT_TRUE(answer.complete);
  EXPECT_GE(answer.reads, 4U);
  EXPECT_TRUE(answer.body.ends_with("data: [DONE]\n\n"));
}

TEST_F(SimulatorTest, ModelsListIsToldApartByHeader) {
  start();
  const Answer openai = call({.method = "GET", .target = "/v1/models", .body = "", .headers = {}});
  EXPECT_EQ(Json::parse(openai.body)["object"], "list");
  const Answer anthropic = call({.method = "GET",
                                 .target = "/v1/models",
                                 .body = "",
                                 .headers = {{"anthropic-version", "2023-06-01"}}});
  EXPECT_EQ(Json::parse(anthropic.body)["data"][0]["type"], "model");
}

TEST_F(SimulatorTest, UnknownModelsAndPathsAre404) {
  start();
  Json body = echo("x");
  body["model"] = "gpt-4o";
  const Answer model = chat(body);
  EXPECT_EQ(model.status, 404);
  EXPECT_EQ(Json::parse(model.body)["error"]["code"], "model_not_found");
  EXPECT_EQ(call({.target = "/v1/nothing", .body = "{}", .headers = {}}).status, 404);
}

TEST_F(SimulatorTest, KeyIsCheckedInEitherHeader) {
  SimulatorOptions options;
  options.require_key = "sim-key";
  start(options);
  const std::string body = echo("x").dump();
  EXPECT_EQ(call({.body = body, .headers = {}}).status, 401);
  EXPECT_EQ(call({.body = body, .headers = {{"Authorization", "Bearer sim-kez"}}}).status, 401);
  EXPECT_EQ(call({.body = body, .headers = {{"Authorization", "Bearer sim-key"}}}).status, 200);
  EXPECT_EQ(call({.body = body, .headers = {{"x-api-key", "sim-key"}}}).status, 200);
}

TEST_F(SimulatorTest, RemembersWhatItReceived) {
  start();
  (void)chat(echo("remember me"));
  const Json requests = control("/_simulator/requests")["requests"];
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0]["target"], "/v1/chat/completions");
  EXPECT_EQ(Json::parse(requests[0]["body"].get<std::string>()), echo("remember me"));
  EXPECT_EQ(control("/_simulator/last"), echo("remember me"));
  EXPECT_EQ(control("/_simulator/count")["answered"], 1);
  (void)control("/_simulator/requests", "DELETE");
  EXPECT_TRUE(control("/_simulator/requests")["requests"].empty());
  EXPECT_EQ(control("/_simulator/count")["received"], 0);
}

TEST_F(SimulatorTest, ScriptedErrorsCarryTheirHeaders) {
  start();
  const Answer answer = script({{"status", 429}, {"retry_after", 2}, {"headers", {{"x-a", "b"}}}});
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.fields.find("retry-after"), "2");
  EXPECT_EQ(answer.fields.find("x-a"), "b");
}

TEST_F(SimulatorTest, FailTimesStopsFailing) {
  start();
  const Json failing = {{"status", 500}, {"fail_times", 2}, {"text", "fine"}};
  EXPECT_EQ(script(failing).status, 500);
  EXPECT_EQ(script(failing).status, 500);
  EXPECT_EQ(script(failing).status, 200);
}

TEST_F(SimulatorTest, CutDropsTheConnectionMidStream) {
  start();
  const Answer answer = script({{"text", "one two three four"}, {"cut_after", 2}}, true);
  EXPECT_EQ(answer.status, 200);
  EXPECT_FALSE(answer.complete);
  EXPECT_FALSE(answer.body.contains("[DONE]"));
  EXPECT_FALSE(script({{"text", "one two"}, {"cut_after", 20}}).complete);
}

TEST_F(SimulatorTest, ErrorAfterEndsTheStreamWithAnError) {
  start();
  const Answer answer = script({{"text", "one two three four"}, {"error_after", 2}}, true);
  EXPECT_TRUE(answer.complete);
  EXPECT_TRUE(answer.body.contains(R"(data: {"error":)"));
  EXPECT_FALSE(answer.body.contains("[DONE]"));
}

TEST_F(SimulatorTest, RawBytesAreSentAsTheyAre) {
  start();
  const Answer answer = script({{"raw", {": comment\r\n\r\n", "data: x\r\n\r\n"}}}, true);
  EXPECT_EQ(answer.body, ": comment\r\n\r\ndata: x\r\n\r\n");
}

TEST_F(SimulatorTest, RewrittenStreamsHaveTheSameBytes) {
  start();
  const std::string whole = chat(echo("Grüße an alle", true)).body;
  const Json body = {{"text", "Grüße an alle"}, {"rewrite", 1}};
  const std::string cut = script(body, true).body;
  EXPECT_EQ(std::ranges::count(whole, '\n'), std::ranges::count(cut, '\n'));
  EXPECT_TRUE(cut.ends_with("data: [DONE]\n\n"));
}

TEST_F(SimulatorTest, BenchAnswersAreFixedAndNotKept) {
  SimulatorOptions options;
  options.threads = 2;
  start(options);
  const Json body = {{"model", "simulator-bench-2k"}, {"messages", Json::array()}};
  EXPECT_EQ(chat(body).body.size(), 2'048U);
  Json streamed = body;
  streamed["stream"] = true;
  EXPECT_TRUE(chat(streamed).body.ends_with("data: [DONE]\n\n"));
  EXPECT_TRUE(control("/_simulator/requests")["requests"].empty());
  EXPECT_EQ(control("/_simulator/count")["answered"], 2);
}

}  // namespace
}  // namespace gatehouse::simulate

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "gateway/snapshot.h"
#include "gateway/test_support.h"

namespace gatehouse::gateway {
namespace {

using namespace testing;  // NOLINT: the room's own test helpers
using nlohmann::json;

const Dialect& dialect = openai_dialect();

Exchange decoded(const std::string& body) {
  Exchange exchange;
  exchange.dialect = &dialect;
  exchange.body = body;
  JsonWalker walker;
  const auto result = dialect.decode(walker, exchange);
  EXPECT_TRUE(result) << (result ? "" : result.error().describe());
  return exchange;
}

std::vector<std::string> texts(const Exchange& exchange, TextRole role) {
  std::vector<std::string> found;
  for (const auto& channel : exchange.channels)
    if (channel.role == role) found.emplace_back(channel.text);
  return found;
}

bool has(const std::vector<std::string>& texts, const std::string& text) {
  return std::ranges::find(texts, text) != texts.end();
}

TEST(OpenAiDecode, FindsEveryText) {
  const auto exchange = decoded(R"({"model":"m","messages":[
    {"role":"system","content":"one"},
    {"role":"user","content":[{"type":"text","text":"t\u0077o"},
       {"type":"image_url","image_url":{"url":"https://x.example/three"}}]},
    {"role":"assistant","tool_calls":[{"id":"c1","type":"function",
       "function":{"name":"f","arguments":"{\"a\":\"four\"}"}}]},
    {"role":"tool","tool_call_id":"c1","content":"five"}],
    "tools":[{"type":"function","function":{"name":"f","description":"six",
       "parameters":{"type":"object","properties":{"p":{"enum":["seven"]}}}}}],
    "a_field_of_tomorrow":{"deep":["eight"]},"card":4111111111111111})");
  const auto plain = texts(exchange, TextRole::text);
  for (const auto* text : {"one", "two", "https://x.example/three", "five", "six", "seven", "eight",
                           "4111111111111111"})
    EXPECT_TRUE(has(plain, text)) << text;
  EXPECT_EQ(texts(exchange, TextRole::json), std::vector<std::string>{"{\"a\":\"four\"}"});
  EXPECT_TRUE(has(texts(exchange, TextRole::fixed), "a_field_of_tomorrow"));
  EXPECT_EQ(exchange.tools, std::vector<std::string>{"f"});
  EXPECT_TRUE(exchange.uninspectable);
  EXPECT_EQ(exchange.model_name, "m");
}

TEST(OpenAiDecode, ReadsFlags) {
  const auto exchange = decoded(
      R"({"model":"m","stream":true,"stream_options":{"include_usage":true},
          "response_format":{"type":"json_object"},"messages":[]})");
  EXPECT_TRUE(exchange.stream);
  EXPECT_TRUE(exchange.wants_stream_usage);
  EXPECT_TRUE(exchange.json_answer);
  EXPECT_FALSE(exchange.uninspectable);
}

TEST(OpenAiDecode, RefusesNoModelAndTwoModels) {
  JsonWalker walker;
  for (const auto* body :
       {R"({"messages":[]})", R"({"model":1})", R"({"model":"a","mod\u0065l":"b"})"}) {
    Exchange exchange;
    exchange.body = body;
    EXPECT_FALSE(dialect.decode(walker, exchange)) << body;
  }
}

TEST(OpenAiScreen, RestoresTextAndArgumentsAsJson) {
  Bench bench;
  std::string body =
      json{{"id", "x"},
           {"choices",
            {{{"index", 0},
              {"message",
               {{"role", "assistant"},
                {"content", "Write to [EMAIL_1], [NAME_1] or [EMAIL_2]."},
                {"tool_calls",
                 {{{"id", "c"},
                   {"type", "function"},
                   {"function", {{"name", "f"}, {"arguments", R"({"who":"[NAME_1]"})"}}}}}}}},
              {"finish_reason", "tool_calls"}}}},
           {"usage", {{"prompt_tokens", 7}, {"completion_tokens", 5}}}}
          .dump();
  AnswerFacts facts;
  ASSERT_TRUE(dialect.screen(bench.plan(), body, facts));
  const auto answer = json::parse(body);
  const std::string name = "Ada \"the first\" \\ Löwe\n";
  const auto& message = answer["choices"][0]["message"];
  EXPECT_EQ(message["content"], "Write to ada@example.org, " + name + " or [EMAIL_2].");
  const auto arguments =
      json::parse(message["tool_calls"][0]["function"]["arguments"].get<std::string>());
  EXPECT_EQ(arguments["who"], name);
  EXPECT_EQ(facts.restored, 3u);
  EXPECT_EQ(facts.usage.input_tokens, 7u);
  EXPECT_EQ(facts.usage.output_tokens, 5u);
  EXPECT_EQ(facts.finish_reason, "tool_calls");
}

TEST(OpenAiScreen, ChangesNoByteWithoutReason) {
  Bench bench;
  const std::string original =
      "{ \"choices\" : [ {\"message\":{\"content\":\"caf\\u00e9 \\/ plain\"}} ],\"x\":1.0e0 }";
  std::string body = original;
  AnswerFacts facts;
  ASSERT_TRUE(dialect.screen(bench.plan(), body, facts));
  EXPECT_EQ(body, original);
}

std::string chunk(const json& delta, const json& finish = nullptr, int index = 0) {
  const json data = {
      {"id", "chatcmpl-1"},
      {"object", "chat.completion.chunk"},
      {"created", 1},
      {"model", "m"},
      {"choices", {{{"index", index}, {"delta", delta}, {"finish_reason", finish}}}}};
  return "data: " + data.dump() + "\n\n";
}

json tool_delta(int index, const std::string& arguments, const std::string& name = "") {
  json call = {{"index", index}, {"function", {{"arguments", arguments}}}};
  if (!name.empty()) {
    call["id"] = "call_" + std::to_string(index);
    call["type"] = "function";
    call["function"]["name"] = name;
  }
  return {{"tool_calls", {call}}};
}

// What an SDK would put together from a stream.
struct Accumulated {
  std::map<int, std::string> content;
  std::map<std::pair<int, int>, std::string> arguments;
  std::map<int, std::string> finish;
  bool done = false;
};

Accumulated accumulate(std::string_view stream) {
  Accumulated all;
  SseFramer framer(1 << 20);
  framer.feed(stream);
  while (true) {
    const auto event = framer.next();
    if (!event || !*event) return all;
    if ((*event)->data == "[DONE]") {
      all.done = true;
      continue;
    }
    if (!(*event)->has_data) continue;
    const auto data = json::parse((*event)->data);
    for (const auto& choice : data["choices"]) {
      const int index = choice["index"];
      EXPECT_FALSE(all.finish.contains(index)) << "text after the finish: " << data;
      const auto& delta = choice["delta"];
      if (delta.contains("content") && delta["content"].is_string())
        all.content[index] += delta["content"];
      if (delta.contains("tool_calls"))
        for (const auto& call : delta["tool_calls"])
          all.arguments[{index, call["index"]}] += call["function"]["arguments"];
      if (choice["finish_reason"].is_string()) all.finish[index] = choice["finish_reason"];
    }
  }
}

TEST(OpenAiStream, RestoresAcrossDeltasChoicesAndTools) {
  Bench bench;
  const std::string stream =
      chunk({{"role", "assistant"}, {"content", ""}}) + chunk({{"content", "To [EM"}}) +
      ": keep-alive\n\n" + chunk({{"content", "other ["}}, nullptr, 1) +
      chunk({{"content", "AIL_1] and [NA"}}) + chunk({{"content", "IBAN_1]"}}, nullptr, 1) +
      chunk({{"content", "ME_1"}}) + chunk({{"content", "]!"}}) + chunk(tool_delta(0, "", "send")) +
      chunk(tool_delta(1, R"({"x":)", "log")) + chunk(tool_delta(0, R"({"to":"[NAM)")) +
      chunk(tool_delta(1, R"("[EMAIL_1]"})")) + chunk(tool_delta(0, R"(E_1]","n":1})")) +
      chunk(json::object(), "tool_calls") + chunk({{"content", " [PHO"}}, nullptr, 1) +
      chunk(json::object(), "stop", 1) + "data: [DONE]\n\n";
  const auto screened = screen_whole(dialect, bench.plan(), stream);
  ASSERT_FALSE(screened.failed);
  EXPECT_TRUE(screened.complete);
  const auto all = accumulate(screened.out);
  const std::string name = "Ada \"the first\" \\ Löwe\n";
  EXPECT_EQ(all.content.at(0), "To ada@example.org and " + name + "!");
  EXPECT_EQ(all.content.at(1), "other DE89 3704 0044 0532 0130 00 [PHO");
  EXPECT_EQ(json::parse(all.arguments.at({0, 0}))["to"], name);
  EXPECT_EQ(json::parse(all.arguments.at({0, 1}))["x"], "ada@example.org");
  EXPECT_EQ(all.finish.at(0), "tool_calls");
  EXPECT_TRUE(all.done);
  expect_same_for_every_cut(dialect, bench, stream);
}

TEST(OpenAiStream, RedactsASecretSplitOverDeltas) {
  Bench bench;
  const std::string secret = std::string("AKIA") + "IOSFODNN7" + "QWERTYU";
  const std::string stream = chunk({{"role", "assistant"}, {"content", ""}}) +
                             chunk({{"content", "key " + secret.substr(0, 3)}}) +
                             chunk({{"content", secret.substr(3, 10)}}) +
                             chunk({{"content", secret.substr(13) + " ok"}}) +
                             chunk(json::object(), "stop") + "data: [DONE]\n\n";
  const auto screened = screen_whole(dialect, bench.plan(), stream);
  const auto all = accumulate(screened.out);
  EXPECT_EQ(all.content.at(0).find("AKI"), std::string::npos) << all.content.at(0);
  EXPECT_TRUE(all.content.at(0).starts_with("key [")) << all.content.at(0);
  EXPECT_TRUE(all.content.at(0).ends_with("] ok")) << all.content.at(0);
  EXPECT_EQ(screened.facts.findings.by_category[0], 1u);
  expect_same_for_every_cut(dialect, bench, stream);
}

TEST(OpenAiStream, LeavesUntouchedEventsByteForByte) {
  Bench bench;
  const std::string stream =
      "data:{\"choices\":[{\"delta\":{\"content\":\"caf\\u00e9 one \"},\"index\":0}],\"x\":[ "
      "]}\r\n\r\n"
      "data: {\"choices\":[{\"delta\":{},\"index\":0,\"finish_reason\":\"stop\"}]}\r\n\r\n"
      "data: [DONE]\r\n\r\n";
  EXPECT_EQ(screen_whole(dialect, bench.plan(), stream).out, stream);
}

TEST(OpenAiStream, SwallowsTheUsageOnlyTheGatewayAskedFor) {
  Bench bench;
  auto plan = bench.plan();
  plan.swallow_usage = true;
  const std::string stream =
      R"(data: {"id":"1","choices":[{"index":0,"delta":{"content":"a "},"finish_reason":null}],"usage":null})"
      "\n\n"
      R"(data: {"id":"1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null,"obfuscation":"xx"})"
      "\n\n"
      R"(data: {"id":"1","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}})"
      "\n\ndata: [DONE]\n\n";
  const auto screened = screen_whole(dialect, plan, stream);
  EXPECT_EQ(screened.out.find("usage"), std::string::npos) << screened.out;
  EXPECT_EQ(screened.facts.usage.input_tokens, 3u);
  EXPECT_EQ(screened.facts.usage.output_tokens, 4u);
  EXPECT_EQ(screen_whole(dialect, bench.plan(), stream).out, stream);
}

TEST(OpenAiStream, PassesErrorsAndNoticesTruncation) {
  Bench bench;
  const std::string begin = chunk({{"content", "held [EMA"}});
  const auto error = screen_whole(
      dialect, bench.plan(), begin + "data: {\"error\":{\"message\":\"boom\",\"code\":null}}\n\n");
  EXPECT_TRUE(error.facts.provider_error);
  EXPECT_NE(error.out.find("held "), std::string::npos);
  EXPECT_NE(error.out.find("[EMA"), std::string::npos);
  EXPECT_LT(error.out.find("[EMA"), error.out.find("boom"));
  EXPECT_FALSE(screen_whole(dialect, bench.plan(), begin).complete);
  EXPECT_TRUE(screen_whole(dialect, bench.plan(), "data: not json\n\n").failed);
}

}  // namespace
}  // namespace gatehouse::gateway

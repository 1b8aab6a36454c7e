#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "gateway/snapshot.h"
#include "gateway/test_support.h"

namespace gatehouse::gateway {
namespace {

using namespace testing;  // NOLINT: the room's own test helpers
using nlohmann::json;

const Dialect& dialect = anthropic_dialect();
const std::string name = "Ada \"the first\" \\ Löwe\n";

TEST(AnthropicDecode, FindsEveryTextAndLeavesSignedOnesFixed) {
  Exchange exchange;
  exchange.body =
      R"({"model":"m","stream":true,"max_tokens":9,"system":[{"type":"text","text":"one"}],
    "messages":[{"role":"user","content":"two"},
      {"role":"assistant","content":[{"type":"thinking","thinking":"three","signature":"c2ln"},
        {"type":"tool_use","id":"t1","name":"f","input":{"a_long_key_name":"four","n":[1,"five"]}}]},
      {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"six"}]},
        {"type":"document","source":{"type":"text","media_type":"text/plain","data":"seven words are text"}}]}],
    "tools":[{"name":"f","description":"eight","input_schema":{"type":"object"}}]})";
  JsonWalker walker;
  ASSERT_TRUE(dialect.decode(walker, exchange));
  std::map<std::string, TextRole> roles;
  for (const auto& channel : exchange.channels) roles[std::string(channel.text)] = channel.role;
  for (const auto* text : {"one", "two", "four", "five", "six", "seven words are text", "eight"})
    EXPECT_EQ(roles.at(text), TextRole::text) << text;
  EXPECT_EQ(roles.at("three"), TextRole::fixed);
  EXPECT_EQ(roles.at("a_long_key_name"), TextRole::fixed);
  EXPECT_FALSE(roles.contains("c2ln"));
  EXPECT_TRUE(exchange.stream);
  EXPECT_FALSE(exchange.uninspectable);
  EXPECT_EQ(exchange.tools, std::vector<std::string>{"f"});
}

TEST(AnthropicDecode, EncodedBytesAreUninspectable) {
  Exchange exchange;
  exchange.body = R"({"model":"m","messages":[{"role":"user","content":[{"type":"image","source":)"
                  R"({"type":"base64","media_type":"image/png","data":")" +
                  std::string(4000, 'A') + "\"}}]}]}";
  JsonWalker walker;
  ASSERT_TRUE(dialect.decode(walker, exchange));
  EXPECT_TRUE(exchange.uninspectable);
}

TEST(AnthropicScreen, RestoresTextAndToolInputButNotThinking) {
  Bench bench;
  std::string body = R"({"id":"msg","type":"message","content":[
    {"type":"thinking","thinking":"about [EMAIL_1]","signature":"s"},
    {"type":"text","text":"Hi [NAME_1]"},
    {"type":"tool_use","id":"t","name":"f","input":{"to":"[EMAIL_1]","id":"[IBAN_1]"}}],
    "stop_reason":"tool_use","usage":{"input_tokens":3,"output_tokens":4}})";
  AnswerFacts facts;
  ASSERT_TRUE(dialect.screen(bench.plan(), body, facts));
  const auto answer = json::parse(body);
  EXPECT_EQ(answer["content"][0]["thinking"], "about [EMAIL_1]");
  EXPECT_EQ(answer["content"][1]["text"], "Hi " + name);
  EXPECT_EQ(answer["content"][2]["input"]["to"], "ada@example.org");
  EXPECT_EQ(answer["content"][2]["input"]["id"], "DE89 3704 0044 0532 0130 00");
  EXPECT_EQ(facts.finish_reason, "tool_use");
  EXPECT_EQ(facts.usage.output_tokens, 4u);
}

std::string event(const std::string& type, json data) {
  data["type"] = type;
  return "event: " + type + "\ndata: " + data.dump() + "\n\n";
}

std::string text_delta(int index, const std::string& text) {
  return event("content_block_delta",
               {{"index", index}, {"delta", {{"type", "text_delta"}, {"text", text}}}});
}

std::string json_delta(int index, const std::string& text) {
  return event(
      "content_block_delta",
      {{"index", index}, {"delta", {{"type", "input_json_delta"}, {"partial_json", text}}}});
}

std::string recorded_stream() {
  return event("message_start", {{"message",
                                  {{"id", "msg"},
                                   {"role", "assistant"},
                                   {"content", json::array()},
                                   {"usage", {{"input_tokens", 11}, {"output_tokens", 1}}}}}}) +
         event("content_block_start",
               {{"index", 0}, {"content_block", {{"type", "thinking"}, {"thinking", ""}}}}) +
         event("content_block_delta",
               {{"index", 0},
                {"delta", {{"type", "thinking_delta"}, {"thinking", "see [EMAIL_1]"}}}}) +
         event("content_block_delta",
               {{"index", 0}, {"delta", {{"type", "signature_delta"}, {"signature", "sig="}}}}) +
         event("content_block_stop", {{"index", 0}}) + event("ping", json::object()) +
         event("content_block_start",
               {{"index", 1}, {"content_block", {{"type", "text"}, {"text", ""}}}}) +
         text_delta(1, "Dear [NA") + text_delta(1, "ME_") + text_delta(1, "1], [EMAIL_1") +
         text_delta(1, "]") + text_delta(1, " [IBA") + event("content_block_stop", {{"index", 1}}) +
         event("content_block_start",
               {{"index", 2},
                {"content_block",
                 {{"type", "tool_use"}, {"id", "t"}, {"name", "f"}, {"input", json::object()}}}}) +
         json_delta(2, "") + json_delta(2, "{\"to\": \"[NA") + json_delta(2, "ME_1] \\u00") +
         json_delta(2, "e9\\n\"") + json_delta(2, ", \"n\": 1}") +
         event("content_block_stop", {{"index", 2}}) +
         event("message_delta",
               {{"delta", {{"stop_reason", "tool_use"}}}, {"usage", {{"output_tokens", 42}}}}) +
         event("message_stop", json::object());
}

struct Accumulated {
  std::map<int, std::string> text;
  std::map<int, std::string> partial_json;
  std::map<int, std::string> thinking;
  std::vector<std::string> order;
};

Accumulated accumulate(std::string_view stream) {
  Accumulated all;
  SseFramer framer(1 << 20);
  framer.feed(stream);
  while (true) {
    const auto read = framer.next();
    if (!read || !*read) return all;
    const auto data = json::parse((*read)->data);
    EXPECT_EQ((*read)->name, data["type"].get<std::string>())
        << "every event needs its event: line";
    if (all.order.empty() || all.order.back() != (*read)->name) all.order.push_back((*read)->name);
    if ((*read)->name != "content_block_delta") continue;
    const auto& delta = data["delta"];
    const int index = data["index"];
    if (delta["type"] == "text_delta") all.text[index] += delta["text"];
    if (delta["type"] == "thinking_delta") all.thinking[index] += delta["thinking"];
    if (delta["type"] == "input_json_delta") all.partial_json[index] += delta["partial_json"];
  }
}

TEST(AnthropicStream, RestoresTextAndToolInputAcrossDeltas) {
  Bench bench;
  const auto stream = recorded_stream();
  const auto screened = screen_whole(dialect, bench.plan(), stream);
  ASSERT_FALSE(screened.failed);
  EXPECT_TRUE(screened.complete);
  const auto all = accumulate(screened.out);
  EXPECT_EQ(all.thinking.at(0), "see [EMAIL_1]");
  EXPECT_EQ(all.text.at(1), "Dear " + name + ", ada@example.org [IBA");
  EXPECT_EQ(json::parse(all.partial_json.at(2))["to"], name + " é\n");
  EXPECT_NE(all.partial_json.at(2).find("\\u00e9"), std::string::npos)
      << "escapes nobody had a reason to change stay";
  EXPECT_EQ(screened.facts.usage.input_tokens, 11u);
  EXPECT_EQ(screened.facts.usage.output_tokens, 42u);
  EXPECT_EQ(all.order.back(), "message_stop");
}

TEST(AnthropicStream, EveryCutGivesTheSameBytes) {
  Bench bench;
  expect_same_for_every_cut(dialect, bench, recorded_stream());
  std::string crlf;
  for (const char c : recorded_stream()) crlf += c == '\n' ? "\r\n" : std::string(1, c);
  expect_same_for_every_cut(dialect, bench, crlf);
}

TEST(AnthropicStream, ErrorEventPasses) {
  Bench bench;
  const auto screened = screen_whole(
      dialect, bench.plan(),
      text_delta(0, "held [EMA") +
          event("error", {{"error", {{"type", "overloaded_error"}, {"message", "busy"}}}}));
  EXPECT_TRUE(screened.facts.provider_error);
  EXPECT_FALSE(screened.complete);
  EXPECT_LT(screened.out.find("[EMA"), screened.out.find("busy"));
}

TEST(AnthropicErrors, HaveTheShapeTheSdkReads) {
  const auto body = json::parse(dialect.error_body({Problem::blocked, "no"}, "id-1"));
  EXPECT_EQ(body["type"], "error");
  EXPECT_EQ(body["error"]["type"], "permission_error");
  EXPECT_EQ(body["request_id"], "id-1");
  EXPECT_TRUE(dialect.error_event({Problem::internal, "x"}, "i").starts_with("event: error\n"));
}

}  // namespace
}  // namespace gatehouse::gateway

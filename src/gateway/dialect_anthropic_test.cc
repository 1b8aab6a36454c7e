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
  for (const auto* text : {"one", "two", "six", "seven words are text", "eight"})
    EXPECT_EQ(roles.at(text), TextRole::text) << text;
  EXPECT_EQ(roles.at("three"), TextRole::signed_);
  EXPECT_EQ(roles.at("c2ln"), TextRole::opaque);
  EXPECT_EQ(roles.at(R"({"a_long_key_name":"four","n":[1,"five"]})"), TextRole::raw_json);
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

std::map<std::string, TextRole> roles_of(const std::string& messages,
                                         bool* uninspectable = nullptr) {
  Exchange exchange;
  exchange.body = R"({"model":"m","messages":)" + messages + "}";
  JsonWalker walker;
  EXPECT_TRUE(dialect.decode(walker, exchange)) << messages;
  std::map<std::string, TextRole> roles;
  for (const auto& channel : exchange.channels) roles[std::string(channel.text)] = channel.role;
  if (uninspectable) *uninspectable = exchange.uninspectable;
  return roles;
}

TEST(AnthropicDecode, ExemptsByFullPathAndTypeOnly) {
  // The type may stand anywhere in its block.
  auto roles = roles_of(R"([{"content":[{"signature":"sig","thinking":"thought","type":"thinking"},
      {"data":"sealed","type":"redacted_thinking"}]}])");
  EXPECT_EQ(roles.at("sig"), TextRole::opaque);
  EXPECT_EQ(roles.at("thought"), TextRole::signed_);
  EXPECT_EQ(roles.at("sealed"), TextRole::opaque);
  for (
      const auto* messages :
      {R"([{"content":[{"type":"text","text":"x","signature":"secret"}]}])",
       R"([{"content":[{"type":"text","thinking":"secret","signature":"s"}]}])",
       R"([{"content":[{"type":"thinking","thinking":"secret"}]}])",
       R"([{"content":[{"type":"thinking","type":"text","thinking":"secret","signature":"s"}]}])",
       R"([{"content":[{"type":"text","data":"secret"}]}])", R"([{"signature":"secret"}])",
       R"([{"content":[{"x":{"signature":"secret"}}]}])",
       R"([{"content":[{"source":{"type":"text","data":"secret"}}]}])",
       R"([{"content":[{"type":"web_fetch_tool_result","content":{"content":{"source":{"type":"text","data":"secret"}}}}]}])",
       R"([{"content":[{"source":{"type":"base64","data":"secret"}}]}])",
       R"([{"content":[{"content":[{"encrypted_content":"secret"}]}]}])"}) {
    EXPECT_EQ(roles_of(messages).at("secret"), TextRole::text) << messages;
  }
  for (const auto* input : {R"({"signature":"secret"})", R"({"data":"secret"})",
                            R"({"thinking":"secret","type":"thinking"})",
                            R"({"source":{"type":"base64","data":"secret"}})"}) {
    roles = roles_of(std::string(R"([{"content":[{"type":"tool_use","input":)") + input + "}]}]");
    EXPECT_EQ(roles.at(input), TextRole::raw_json) << input;
  }
}

TEST(AnthropicDecode, MarksWhatIsNotTextWhateverItsBytesLookLike) {
  for (
      const auto* block :
      {R"({"type":"image","source":{"type":"base64","data":"AA\n=="}})",
       R"({"type":"image","source":{"type":"url","url":"https://x.example/a"}})",
       R"({"type":"document","source":{"type":"base64","data":"AA=="}})",
       R"({"type":"document","source":{"type":"file","file_id":"f"}})",
       R"({"type":"container_upload","file_id":"f"})", R"({"type":"of_tomorrow"})",
       R"({"type":"tool_result","content":[{"type":"image","source":{"type":"base64","data":"A"}}]})",
       R"({"type":"document","source":{"type":"content","content":[{"type":"image"}]}})"}) {
    bool marked = false;
    roles_of(std::string(R"([{"role":"user","content":[)") + block + "]}]", &marked);
    EXPECT_TRUE(marked) << block;
  }
  for (const auto* block :
       {R"({"type":"text","text":"x"})", R"({"type":"tool_use","input":{"type":"image"}})",
        R"({"type":"document","source":{"type":"text","data":"x"}})",
        R"({"type":"web_search_tool_result","content":[{"type":"web_search_result","url":"u"}]})",
        R"({"type":"thinking","thinking":"x","signature":"s"})"}) {
    bool marked = false;
    roles_of(std::string(R"([{"role":"user","content":[)") + block + "]}]", &marked);
    EXPECT_FALSE(marked) << block;
  }
}

TEST(AnthropicDecode, ToolInputHasItsKeysAsContext) {
  Bench bench;
  const std::string input = R"({"password":"hunter2x9"})";
  const auto roles =
      roles_of(R"([{"content":[{"type":"tool_use","name":"f","input":)" + input + "}]}]");
  ASSERT_EQ(roles.at(input), TextRole::raw_json);
  EXPECT_TRUE(bench.scanner.scan("hunter2x9").empty());
  EXPECT_EQ(inspect::filter_text(bench.scanner, {}, inspect::TextForm::json, input).findings.size(),
            1u);
}

TEST(AnthropicScreen, WholeAndStreamedAnswersMaskTheSameInToolInput) {
  Bench bench;
  std::string body =
      R"({"content":[{"type":"tool_use","input":{"password": "hunter2x9","signature":")" +
      secret() + R"(","n":[1]}}]})";
  AnswerFacts facts;
  ASSERT_TRUE(dialect.screen(bench.plan(), body, facts));
  EXPECT_EQ(json::parse(body)["content"][0]["input"],
            (json{{"password", "[CREDENTIAL_1]"}, {"signature", "[CREDENTIAL_2]"}, {"n", {1}}}))
      << body;
  EXPECT_EQ(facts.findings.by_category[0], 2u);
}

TEST(AnthropicScreen, ExemptsByFullPathAndTypeOnly) {
  Bench bench;
  for (const std::string block :
       {R"({"type":"text","text":"x","signature":"%"})", R"({"thinking":"%","type":"text"})",
        R"({"type":"text","data":"%"})", R"({"type":"x","content":{"signature":"%"}})",
        R"({"type":"x","content":{"type":"x","source":{"type":"text","data":"%"}}})",
        R"({"type":"x","x":{"model":"%"}})"}) {
    auto body = R"({"content":[)" + block + "]}";
    body.replace(body.find('%'), 1, secret());
    AnswerFacts facts;
    ASSERT_TRUE(dialect.screen(bench.plan(), body, facts));
    EXPECT_EQ(body.find("AKIA"), std::string::npos) << body;
    const auto start = R"(data: {"type":"content_block_start","content_block":)" + block + "}\n\n";
    auto stream = start;
    stream.replace(stream.find('%'), 1, secret());
    EXPECT_EQ(screen_whole(dialect, bench.plan(), stream).out.find("AKIA"), std::string::npos)
        << stream;
  }
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

TEST(AnthropicStream, EveryTextIsFilteredWhateverItsEventIsCalled) {
  Bench bench;
  for (
      const std::string data :
      {R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a ","partial_json":"\"%\""}})",
       R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","partial_json":"1","text":"% "}})",
       R"({"type":"ping","delta":{"text":"% "}})", R"({"type":"error","delta":{"text":"%"}})",
       R"({"type":"message_stop","delta":{"partial_json":"\"%\""}})",
       R"({"type":"content_block_stop","index":0,"delta":{"text":"%"}})",
       R"({"type":"content_block_delta","delta":{"type":"text_delta","thinking":"%"}})",
       R"({"type":"content_block_delta","delta":{"type":"text_delta","signature":"%"}})",
       R"({"type":"content_block_start","content_block":{"type":"tool_use","input":{"data":"%"}}})"}) {
    auto stream = "data: " + data + "\n\n";
    stream.replace(stream.find('%'), 1, secret());
    const auto screened = screen_whole(dialect, bench.plan(), stream);
    EXPECT_FALSE(screened.failed);
    EXPECT_EQ(screened.out.find("AKIA"), std::string::npos) << screened.out;
    expect_same_for_every_cut(dialect, bench, stream);
  }
}

TEST(AnthropicStream, TheTextABlockBeginsWithIsPartOfIt) {
  Bench bench;
  const std::string stream =
      event("content_block_start",
            {{"index", 0},
             {"content_block", {{"type", "text"}, {"text", "key " + secret().substr(0, 9)}}}}) +
      text_delta(0, secret().substr(9) + " [EMAIL_1]") +
      event("content_block_stop", {{"index", 0}}) + event("message_stop", json::object());
  const auto screened = screen_whole(dialect, bench.plan(), stream);
  EXPECT_EQ(screened.out.find("AKIA"), std::string::npos) << screened.out;
  EXPECT_NE(screened.out.find(R"("text":"key ")"), std::string::npos) << screened.out;
  EXPECT_NE(screened.out.find("ada@example.org"), std::string::npos);
  expect_same_for_every_cut(dialect, bench, stream);
}

// Whether some continuation makes it JSON: what is open is closed, or one more value put in.
bool begins_json(const std::string& text) {
  std::string closing;
  bool in_string = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (in_string && c == '\\') {
      if (at + 1 == text.size()) return false;
      at += text[at + 1] == 'u' ? 5 : 1;
    } else if (c == '"') {
      in_string = !in_string;
    } else if (!in_string && (c == '{' || c == '[')) {
      closing.insert(0, 1, c == '{' ? '}' : ']');
    } else if (!in_string && (c == '}' || c == ']')) {
      closing.erase(0, 1);
    }
  }
  const std::string begin = text + (in_string ? "\"" : "");
  for (const auto* middle : {"", ":0", "0", "\"k\":0", ",\"k\":0", "e", "rue", "ull"})
    if (json::accept(begin + middle + closing)) return true;
  return false;
}

TEST(AnthropicStream, EveryPrefixOfPartialJsonCanBeCompleted) {
  Bench bench;
  const std::string input =
      R"({"a": "[NAME_1] \u00e9\n x", "b": [1, true, {"c": "[EMAIL_1]"}], "d": ")" + secret() +
      R"(", "e": "[NA"})";
  for (std::size_t size = 1; size <= input.size(); ++size) {
    std::string stream;
    for (std::size_t at = 0; at < input.size(); at += size)
      stream += json_delta(0, input.substr(at, size));
    stream += event("content_block_stop", {{"index", 0}});
    const auto screened = screen_whole(dialect, bench.plan(), stream);
    SseFramer framer(1 << 20);
    framer.feed(screened.out);
    std::string all;
    while (true) {
      const auto read = framer.next();
      if (!read || !*read) break;
      const auto data = json::parse((*read)->data);
      if (data["type"] != "content_block_delta") continue;
      all += data["delta"]["partial_json"];
      ASSERT_TRUE(begins_json(all)) << all << "\nin pieces of " << size;
    }
    EXPECT_EQ(json::parse(all)["a"], name + " é\n x");
  }
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

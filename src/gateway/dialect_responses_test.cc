// The Responses API: what is found in a request, and that every copy of a text in an answer says
// the same, however a stream is cut.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "gateway/answer_texts.h"
#include "gateway/checked_stream.h"
#include "gateway/responses.h"
#include "gateway/test_support.h"

namespace gatehouse::gateway {
namespace {

using namespace testing;  // NOLINT: the room's own test helpers
using nlohmann::json;

const Dialect& dialect = responses_dialect();

Exchange decoded(const std::string& body) {
  Exchange exchange;
  exchange.dialect = &dialect;
  exchange.route = Route::responses;
  exchange.body = body;
  JsonWalker walker;
  const auto result = dialect.decode(walker, exchange);
  EXPECT_TRUE(result) << (result ? "" : result.error().describe());
  return exchange;
}

Source source_of(const Exchange& exchange, std::string_view text) {
  for (const auto& channel : exchange.channels)
    if (channel.text == text) return channel.source;
  ADD_FAILURE() << "no channel has " << text;
  return Source::none;
}

TEST(ResponsesDecode, KnowsWhoseWordsATextIs) {
  const auto exchange = decoded(R"({"model":"m","instructions":"the rules","input":[
    {"role":"developer","content":"more rules"},
    {"role":"user","content":[{"type":"input_text","text":"a question"}]},
    {"type":"reasoning","summary":[{"type":"summary_text","text":"a thought"}]},
    {"type":"function_call","call_id":"c","name":"f","arguments":"{\"a\":1}"},
    {"type":"function_call_output","call_id":"c","output":"what the tool said"},
    {"type":"function_call_output","call_id":"d","output":[{"type":"input_text","text":"in parts"}]},
    {"type":"message","role":"assistant","content":[{"type":"output_text","text":"an answer"}]},
    {"type":"of_tomorrow","content":"who knows"}]})");
  EXPECT_EQ(source_of(exchange, "the rules"), Source::system);
  EXPECT_EQ(source_of(exchange, "more rules"), Source::system);
  EXPECT_EQ(source_of(exchange, "a question"), Source::user);
  EXPECT_EQ(source_of(exchange, "a thought"), Source::assistant);
  EXPECT_EQ(source_of(exchange, "an answer"), Source::assistant);
  EXPECT_EQ(source_of(exchange, "what the tool said"), Source::data);
  EXPECT_EQ(source_of(exchange, "in parts"), Source::data);
  EXPECT_EQ(source_of(exchange, "who knows"), Source::data);
  EXPECT_FALSE(exchange.uninspectable);
  EXPECT_EQ(source_of(decoded(R"({"model":"m","input":"just this"})"), "just this"), Source::user);
}

TEST(ResponsesDecode, ArgumentsAreJsonInsideAString) {
  const auto exchange =
      decoded(R"({"model":"m","input":[{"type":"function_call","arguments":"{\"to\":\"a b\"}"}]})");
  const auto found = std::ranges::find(exchange.channels, TextRole::json, &Channel::role);
  ASSERT_NE(found, exchange.channels.end());
  EXPECT_EQ(found->text, R"({"to":"a b"})");
}

TEST(ResponsesDecode, NamesBuiltInToolsAndServersOfOthers) {
  const auto exchange = decoded(R"({"model":"m","input":"x","tools":[
    {"type":"web_search"},{"type":"function","name":"f"},
    {"type":"mcp","server_label":"shop","server_url":"https://shop.example/mcp"}]})");
  EXPECT_EQ(exchange.tools, (std::vector<std::string>{"web_search", "f", "mcp", "mcp:shop"}));
}

TEST(ResponsesDecode, ContentThatIsElsewhereCannotBeInspected) {
  for (
      const std::string member :
      {R"("previous_response_id":"resp_1","input":"x")", R"("conversation":"conv_1","input":"x")",
       R"("conversation":{"id":"conv_1"},"input":"x")", R"("prompt":{"id":"p"},"input":"x")",
       R"("input":[{"type":"item_reference","id":"msg_1"}])",
       R"("input":[{"role":"user","content":[{"type":"input_image","image_url":"https://x.example"}]}])",
       R"("input":[{"role":"user","content":[{"type":"input_file","file_id":"f"}]}])",
       R"("input":[{"role":"user","content":[{"type":"of_tomorrow","x":"y"}]}])"})
    EXPECT_TRUE(decoded(R"({"model":"m",)" + member + "}").uninspectable) << member;
  EXPECT_FALSE(decoded(R"({"model":"m","previous_response_id":null,"input":"x"})").uninspectable);
}

std::string event(std::string_view type, std::string_view members) {
  return "event: " + std::string(type) + "\ndata: {\"type\":\"" + std::string(type) + "\"," +
         std::string(members) + "}\n\n";
}

// A stream as the provider sends it: the text in pieces, then at its end, with its part, its item
// and the whole answer.
std::string text_stream(const std::vector<std::string>& pieces) {
  std::string whole;
  for (const auto& piece : pieces) whole += piece;
  std::uint64_t number = 0;
  const auto next = [&number] { return ",\"sequence_number\":" + std::to_string(number++); };
  const std::string at = R"("item_id":"msg_1","output_index":0,"content_index":0)";
  const auto part = R"({"type":"output_text","annotations":[],"text":)" + json_string(whole) + "}";
  const auto item =
      R"({"id":"msg_1","type":"message","role":"assistant","content":[)" + part + "]}";
  std::string stream =
      event("response.created", R"("response":{"id":"r","status":"in_progress"})" + next());
  stream +=
      event("response.output_item.added",
            R"("output_index":0,"item":{"id":"msg_1","type":"message","content":[]})" + next());
  stream += event("response.content_part.added",
                  at + R"(,"part":{"type":"output_text","text":""})" + next());
  for (const auto& piece : pieces)
    stream += event("response.output_text.delta",
                    at + ",\"delta\":" + json_string(piece) + R"(,"logprobs":[{"token":)" +
                        json_string(piece) + R"(,"logprob":-1}],"obfuscation":"xxxx")" + next());
  stream += event("response.output_text.done", at + ",\"text\":" + json_string(whole) + next());
  stream += event("response.content_part.done", at + ",\"part\":" + part + next());
  stream += event("response.output_item.done", R"("output_index":0,"item":)" + item + next());
  stream += event("response.completed",
                  R"("response":{"id":"r","status":"completed","output":[)" + item +
                      R"(],"usage":{"input_tokens":7,"output_tokens":3}})" + next());
  return stream;
}

struct Copies {
  std::string deltas;
  std::vector<std::string> whole;  // the terminal ones
  std::vector<std::uint64_t> numbers;
};

Copies copies_of(const std::string& stream) {
  SseFramer framer(1u << 20);
  framer.feed(stream);
  Copies copies;
  while (auto event = *framer.next()) {
    const auto data = json::parse(event->data);
    if (data.contains("sequence_number")) copies.numbers.push_back(data["sequence_number"]);
    const std::string type = data["type"];
    if (type == "response.output_text.delta") copies.deltas += data["delta"];
    if (type == "response.output_text.done") copies.whole.push_back(data["text"]);
    if (type == "response.content_part.done") copies.whole.push_back(data["part"]["text"]);
    if (type == "response.output_item.done")
      copies.whole.push_back(data["item"]["content"][0]["text"]);
    if (type == "response.completed")
      copies.whole.push_back(data["response"]["output"][0]["content"][0]["text"]);
  }
  return copies;
}

void expect_alike(const std::string& stream, const std::string& text) {
  const auto copies = copies_of(stream);
  EXPECT_EQ(copies.deltas, text);
  EXPECT_EQ(copies.whole, std::vector<std::string>(4, text));
  EXPECT_TRUE(std::ranges::is_sorted(copies.numbers, std::less_equal<>{})) << stream;
}

TEST(ResponsesStream, PassesByteForByteWhereNothingIsToBeChanged) {
  Bench bench;
  const auto stream = text_stream({"Nothing ", "in ", "here."});
  const auto screened = screen_whole(dialect, bench.plan(), stream);
  EXPECT_EQ(screened.out, stream);
  EXPECT_TRUE(screened.complete);
  EXPECT_EQ(screened.facts.usage.input_tokens, 7U);
  EXPECT_EQ(screened.facts.usage.output_tokens, 3U);
  EXPECT_EQ(screened.facts.finish_reason, "completed");
}

TEST(ResponsesStream, EveryCopyIsMaskedAlikeAndCountedOnce) {
  Bench bench;
  const auto key = secret();
  const auto stream = text_stream({"The key is ", key.substr(0, 5), key.substr(5), " so there."});
  const auto screened = screen_whole(dialect, bench.plan(), stream);
  EXPECT_FALSE(screened.out.contains(key));
  EXPECT_FALSE(screened.out.contains(key.substr(5)));  // nor its tokens
  expect_alike(screened.out, "The key is [CREDENTIAL_1] so there.");
  EXPECT_EQ(
      screened.facts.findings.by_category[static_cast<std::size_t>(inspect::Category::credentials)],
      1U);
}

TEST(ResponsesStream, EveryCopyIsRestoredAlike) {
  Bench bench;
  const auto stream = text_stream({"Write to [EM", "AIL_1", "] or [NAME_1]", " [PHO", "NE_1]"});
  const auto screened = screen_whole(dialect, bench.plan(), stream);
  expect_alike(screened.out,
               "Write to ada@example.org or Ada \"the first\" \\ Löwe\n +49 30 901820");
  EXPECT_EQ(screened.facts.restored, 3U);
}

TEST(ResponsesStream, WhatIsHeldAtTheEndComesAsOneMoreDeltaWithANumber) {
  Bench bench;
  const auto screened = screen_whole(dialect, bench.plan(), text_stream({"open [EMAIL"}));
  expect_alike(screened.out, "open [EMAIL");
}

TEST(ResponsesStream, IsTheSameForEveryCut) {
  Bench bench;
  expect_same_for_every_cut(dialect, bench,
                            text_stream({"To [EMAIL_1], ", secret(), " and [IB", "AN_1] ["}));
}

std::string call_stream(const std::vector<std::string>& pieces, std::string_view copy = {}) {
  std::string whole;
  for (const auto& piece : pieces) whole += piece;
  if (!copy.empty()) whole = copy;
  const std::string at = R"("item_id":"fc_1","output_index":1)";
  const auto item = R"({"id":"fc_1","type":"function_call","name":"f","call_id":"c","arguments":)" +
                    json_string(whole) + "}";
  std::string stream = event(
      "response.output_item.added",
      R"("output_index":1,"item":{"id":"fc_1","type":"function_call","name":"f","arguments":""})");
  for (const auto& piece : pieces)
    stream +=
        event("response.function_call_arguments.delta", at + ",\"delta\":" + json_string(piece));
  stream += event("response.function_call_arguments.done",
                  at + R"(,"name":"f","arguments":)" + json_string(whole));
  stream += event("response.output_item.done", R"("output_index":1,"item":)" + item);
  return stream + event("response.completed",
                        R"("response":{"status":"completed","output":[)" + item + "]}");
}

TEST(ResponsesStream, ArgumentsStayJsonInEveryCopy) {
  Bench bench;
  const auto screened =
      screen_whole(dialect, bench.plan(), call_stream({"{\"to\":\"[NA", "ME_1]\"}"}));
  SseFramer framer(1u << 20);
  framer.feed(screened.out);
  std::string deltas;
  std::size_t copies = 0;
  while (auto event = *framer.next()) {
    const auto data = json::parse(event->data);
    const std::string type = data["type"];
    const auto check = [&copies](const json& arguments) {
      ++copies;
      EXPECT_EQ(json::parse(arguments.get<std::string>())["to"], "Ada \"the first\" \\ Löwe\n");
    };
    if (type == "response.function_call_arguments.delta") deltas += data["delta"];
    if (type == "response.function_call_arguments.done") check(data["arguments"]);
    if (type == "response.output_item.done") check(data["item"]["arguments"]);
    if (type == "response.completed") check(data["response"]["output"][0]["arguments"]);
  }
  EXPECT_EQ(json::parse(deltas)["to"], "Ada \"the first\" \\ Löwe\n");
  EXPECT_EQ(copies, 3U);
}

TEST(ResponsesStream, ATextThatGoesOnAfterItsEndIsNoStream) {
  Bench bench;
  const std::string at = R"("item_id":"m","output_index":0,"content_index":0)";
  const auto stream = event("response.output_text.delta", at + R"(,"delta":"a")") +
                      event("response.output_text.done", at + R"(,"text":"a")") +
                      event("response.output_text.delta", at + R"(,"delta":"b")");
  EXPECT_TRUE(screen_whole(dialect, bench.plan(), stream).failed);
}

TEST(ResponsesStream, PartsMayBeNumberedByAnything) {
  Bench bench;
  std::string stream;
  for (const std::string at :
       {R"("output_index":0,"command_index":0)", R"("output_index":0,"command_index":1)"})
    stream += event("response.shell_call_command.delta", at + R"(,"delta":"ls")") +
              event("response.shell_call_command.done", at + R"(,"command":"ls")");
  EXPECT_FALSE(screen_whole(dialect, bench.plan(), stream).failed);
}

TEST(ResponsesStream, MoreTextsAtOnceThanAnybodyHasAreRefused) {
  Bench bench;
  std::string stream;
  for (int i = 0; i < 5'000; ++i)
    stream += event("response.output_text.delta",
                    R"("output_index":)" + std::to_string(i) + R"(,"delta":"a")");
  EXPECT_TRUE(screen_whole(dialect, bench.plan(), stream).failed);
}

TEST(ResponsesStream, NothingFollowsTheEnd) {
  Bench bench;
  const auto stream = text_stream({"Nothing ", "more."});
  const auto screened = screen_whole(
      dialect, bench.plan(), stream + event("response.output_text.delta", R"("delta":"y")"));
  EXPECT_EQ(screened.out, stream);
}

TEST(ResponsesStream, AFailedAnswerIsAnErrorOfTheProvider) {
  Bench bench;
  const auto screened = screen_whole(
      dialect, bench.plan(),
      event("response.failed",
            R"("response":{"status":"failed","error":{"code":"server_error","message":"no"}})"));
  EXPECT_TRUE(screened.facts.provider_error);
  EXPECT_TRUE(screen_whole(dialect, bench.plan(), event("error", R"("message":"no")"))
                  .facts.provider_error);
}

TEST(ResponsesWhole, TextArgumentsAndEncodedReasoning) {
  Bench bench;
  const auto key = secret();
  const std::string sealed(300, 'A');
  std::string body =
      R"({"id":"r","object":"response","status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},
      "output":[{"type":"reasoning","encrypted_content":")" +
      sealed + R"(","summary":[{"type":"summary_text","text":"about [EMAIL_1]"}]},
      {"type":"message","content":[{"type":"output_text","text":"key )" +
      key + R"( for [EMAIL_1]","logprobs":[{"token":"k"}]}]},
      {"type":"function_call","arguments":"{\"to\":\"[EMAIL_1]\"}"}],
      "usage":{"input_tokens":5,"output_tokens":6}})";
  AnswerFacts facts;
  auto plan = bench.plan();
  plan.keep_content = true;
  ASSERT_TRUE(dialect.screen(plan, body, facts));
  const auto answer = json::parse(body);
  EXPECT_EQ(answer["output"][0]["encrypted_content"], sealed);
  EXPECT_EQ(answer["output"][0]["summary"][0]["text"], "about ada@example.org");
  EXPECT_EQ(answer["output"][1]["content"][0]["text"], "key [CREDENTIAL_1] for ada@example.org");
  EXPECT_TRUE(answer["output"][1]["content"][0]["logprobs"].empty());
  EXPECT_EQ(answer["output"][2]["arguments"], R"({"to":"ada@example.org"})");
  EXPECT_EQ(facts.finish_reason, "max_output_tokens");
  EXPECT_EQ(facts.usage.output_tokens, 6U);
  ASSERT_EQ(facts.contents.size(), 1U);
  EXPECT_TRUE(facts.contents[0].calls_tools);
}

// What a client puts together of a stream's pieces, and of a whole answer, is the same.
TEST(ResponsesTexts, OfAStreamAreThoseOfTheAnswer) {
  JsonWalker walker;
  SseFramer framer(1u << 20);
  framer.feed(text_stream({"one ", "two"}) + call_stream({"{\"a\"", ":1}"}));
  AnswerBook streamed;
  while (auto event = *framer.next()) {
    const auto texts = read_event(walker, DialectKind::openai, event->data);
    ASSERT_TRUE(texts);
    streamed.add(*texts);
  }
  ASSERT_EQ(streamed.answer().choices.size(), 2U);
  EXPECT_EQ(streamed.answer().choices[0].text, "one two");
  ASSERT_EQ(streamed.answer().choices[1].tool_calls.size(), 1U);
  EXPECT_EQ(streamed.answer().choices[1].tool_calls[0].name, "f");
  EXPECT_EQ(streamed.answer().choices[1].tool_calls[0].arguments, "{\"a\":1}");
}

}  // namespace
}  // namespace gatehouse::gateway

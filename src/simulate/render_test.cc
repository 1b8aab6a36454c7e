// The shapes of both dialects, checked on parsed JSON as a client library would read them.
#include "simulate/render.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "simulate/bench_answers.h"
#include "simulate/tokens.h"

namespace gatehouse::simulate {
namespace {

using Json = nlohmann::json;

Ask ask_of(Dialect dialect, const Json& body) {
  Reading<Ask> read = read_ask(dialect, body.dump());
  if (const Fault* fault = std::get_if<Fault>(&read)) ADD_FAILURE() << fault->message;
  return std::get<Ask>(read);
}

Json user(const Json& content) {
  return {{"role", "user"}, {"content", content}};
}

Json chat(const std::string& model, const Json& content) {
  return {{"model", model}, {"max_tokens", 100'000}, {"messages", Json::array({user(content)})}};
}

Plan plan_of(const Ask& ask) {
  return make_plan(ask, Reflection{});
}

Json openai_answer(const Json& body) {
  const Ask ask = ask_of(Dialect::openai, body);
  return Json::parse(openai_body(ask, plan_of(ask)));
}
Json anthropic_answer(const Json& body) {
  const Ask ask = ask_of(Dialect::anthropic, body);
  return Json::parse(anthropic_body(ask, plan_of(ask)));
}

std::vector<Json> openai_chunks(const Json& body) {
  const Ask ask = ask_of(Dialect::openai, body);
  std::vector<std::string> events = openai_events(ask, plan_of(ask));
  EXPECT_EQ(events.back(), "data: [DONE]\n\n");
  events.pop_back();
  std::vector<Json> chunks;
  for (const std::string& event : events) {
    EXPECT_TRUE(event.starts_with("data: ") && event.ends_with("\n\n")) << event;
    chunks.push_back(Json::parse(event.substr(6)));
  }
  return chunks;
}

std::vector<Json> anthropic_event_data(const Json& body) {
  const Ask ask = ask_of(Dialect::anthropic, body);
  std::vector<Json> all;
  for (const std::string& event : anthropic_events(ask, plan_of(ask))) {
    const std::size_t line = event.find('\n');
    EXPECT_TRUE(event.starts_with("event: ") && event.ends_with("\n\n")) << event;
    EXPECT_EQ(event.substr(line + 1, 6), "data: ");
    all.push_back(Json::parse(event.substr(line + 7)));
    EXPECT_EQ(all.back()["type"], event.substr(7, line - 7));
  }
  return all;
}

const Json kWeather = {{"type", "function"},
                       {"function",
                        {{"name", "weather"},
                         {"parameters",
                          {{"type", "object"},
                           {"properties",
                            {{"city", {{"type", "string"}}},
                             {"days", {{"type", "integer"}}},
                             {"unit", {{"enum", {"C", "F"}}}},
                             {"who", {{"type", "array"}, {"items", {{"type", "string"}}}}}}}}}}}};

TEST(OpenAi, EchoAnswersWithTheLastUserText) {
  const Json answer = openai_answer(chat("simulator-echo", "Grüße, \"Ada\"\n"));
  EXPECT_EQ(answer["object"], "chat.completion");
  EXPECT_EQ(answer["choices"][0]["message"]["content"], "Grüße, \"Ada\"\n");
  EXPECT_EQ(answer["choices"][0]["message"]["role"], "assistant");
  EXPECT_TRUE(answer["choices"][0]["message"]["refusal"].is_null());
  EXPECT_EQ(answer["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(answer["usage"]["total_tokens"], answer["usage"]["prompt_tokens"].get<int>() +
                                                 answer["usage"]["completion_tokens"].get<int>());
}

TEST(OpenAi, EchoReadsTextPartsAndSkipsImages) {
  const Json parts = {{{"type", "text"}, {"text", "one"}},
                      {{"type", "image_url"}, {"image_url", {{"url", "data:"}}}},
                      {{"type", "text"}, {"text", "two"}}};
  EXPECT_EQ(openai_answer(chat("simulator-echo", parts))["choices"][0]["message"]["content"],
            "one\ntwo");
}

TEST(OpenAi, StreamBeginsWithTheRoleAndKeepsOneId) {
  const auto chunks = openai_chunks(chat("simulator-echo", "Hello there, Ada"));
  EXPECT_EQ(chunks.front()["choices"][0]["delta"]["role"], "assistant");
  EXPECT_EQ(chunks.front()["choices"][0]["delta"]["content"], "");
  EXPECT_EQ(chunks.back()["choices"][0]["finish_reason"], "stop");
  std::set<std::string> ids;
  std::string text;
  for (const Json& chunk : chunks) {
    ids.insert(chunk["id"]);
    EXPECT_EQ(chunk["object"], "chat.completion.chunk");
    EXPECT_TRUE(chunk.contains("obfuscation"));
    EXPECT_FALSE(chunk.contains("usage"));
    text += chunk["choices"][0]["delta"].value("content", "");
  }
  EXPECT_EQ(ids.size(), 1U);
  EXPECT_EQ(text, "Hello there, Ada");
}

TEST(OpenAi, UsageChunkComesLastAndOnlyWhenAskedFor) {
  Json body = chat("simulator-echo", "Hello");
  body["stream_options"] = {{"include_usage", true}, {"include_obfuscation", false}};
  const auto chunks = openai_chunks(body);
  for (std::size_t i = 0; i + 1 < chunks.size(); ++i) {
    EXPECT_TRUE(chunks[i]["usage"].is_null());
    EXPECT_FALSE(chunks[i].contains("obfuscation"));
  }
  EXPECT_TRUE(chunks.back()["choices"].empty());
  EXPECT_EQ(chunks.back()["usage"]["completion_tokens"], 1);
}

TEST(OpenAi, ChoicesAreInterleaved) {
  Json body = chat("simulator-echo", "one two three");
  body["n"] = 3;
  EXPECT_EQ(openai_answer(body)["choices"].size(), 3U);
  std::vector<std::string> texts(3);
  std::vector<std::size_t> order;
  for (const Json& chunk : openai_chunks(body)) {
    order.push_back(chunk["choices"][0]["index"]);
    texts[order.back()] += chunk["choices"][0]["delta"].value("content", "");
  }
  EXPECT_EQ(texts, std::vector<std::string>(3, "one two three"));
  EXPECT_EQ(std::vector<std::size_t>(order.begin(), order.begin() + 6),
            (std::vector<std::size_t>{0, 1, 2, 0, 1, 2}));
}

TEST(OpenAi, ToolsAreCalledWithTheLastUserText) {
  Json body = chat("simulator-tools", "Zürich \"city\"");
  body["tools"] = Json::array({kWeather});
  const Json message = openai_answer(body)["choices"][0]["message"];
  EXPECT_TRUE(message["content"].is_null());
  const Json arguments =
      Json::parse(message["tool_calls"][0]["function"]["arguments"].get<std::string>());
  EXPECT_EQ(arguments, (Json{{"city", "Zürich \"city\""},
                             {"days", 1},
                             {"unit", "C"},
                             {"who", Json::array({"Zürich \"city\""})}}));
}

TEST(OpenAi, TwoToolsMeanParallelCallsUnlessForbidden) {
  Json body = chat("simulator-tools", "x");
  body["tools"] = Json::array({kWeather, kWeather, kWeather});
  EXPECT_EQ(openai_answer(body)["choices"][0]["message"]["tool_calls"].size(), 2U);
  EXPECT_EQ(openai_answer(body)["choices"][0]["finish_reason"], "tool_calls");
  body["parallel_tool_calls"] = false;
  EXPECT_EQ(openai_answer(body)["choices"][0]["message"]["tool_calls"].size(), 1U);
  body["tool_choice"] = "none";
  EXPECT_EQ(openai_answer(body)["choices"][0]["message"]["content"], "x");
}

TEST(OpenAi, StreamedToolCallNamesItselfOnceThenSendsFragments) {
  Json body = chat("simulator-tools", "Bern");
  body["tools"] = Json::array({kWeather, kWeather});
  std::map<int, std::string> arguments;
  std::map<int, int> named;
  for (const Json& chunk : openai_chunks(body)) {
    const Json delta = chunk["choices"][0]["delta"];
    if (!delta.contains("tool_calls")) continue;
    const Json& call = delta["tool_calls"][0];
    const int index = call["index"];
    arguments[index] += call["function"]["arguments"].get<std::string>();
    if (!call.contains("id")) continue;
    ++named[index];
    EXPECT_EQ(call["function"]["name"], "weather");
    EXPECT_EQ(call["type"], "function");
  }
  EXPECT_EQ(named, (std::map<int, int>{{0, 1}, {1, 1}}));
  EXPECT_EQ(Json::parse(arguments[0])["city"], "Bern");
  EXPECT_EQ(arguments[0], arguments[1]);
}

TEST(OpenAi, AfterAToolResultTheModelAnswersWithIt) {
  Json body = chat("simulator-tools", "weather?");
  body["tools"] = Json::array({kWeather});
  body["messages"].push_back({{"role", "assistant"}, {"content", nullptr}});
  body["messages"].push_back({{"role", "tool"}, {"tool_call_id", "c"}, {"content", "sunny"}});
  EXPECT_EQ(openai_answer(body)["choices"][0]["message"]["content"], "sunny");
}

TEST(OpenAi, MaxTokensCutsTheAnswer) {
  Json body = chat("simulator-long", "x");
  EXPECT_EQ(openai_answer(body)["usage"]["completion_tokens"], 200);
  body["max_completion_tokens"] = 5;
  EXPECT_EQ(openai_answer(body)["choices"][0]["finish_reason"], "length");
  EXPECT_EQ(openai_answer(body)["usage"]["completion_tokens"], 5);
  body = chat("simulator-long-1000", "x");
  EXPECT_EQ(openai_answer(body)["usage"]["completion_tokens"], 1'000);
}

TEST(OpenAi, ScriptedRefusalHasItsOwnChannel) {
  const Json script = {{"refusal", "I cannot help with that."}};
  const Json body = chat("simulator-script", script.dump());
  const Json message = openai_answer(body)["choices"][0]["message"];
  EXPECT_TRUE(message["content"].is_null());
  EXPECT_EQ(message["refusal"], "I cannot help with that.");
  std::string streamed;
  for (const Json& chunk : openai_chunks(body)) {
    const Json& delta = chunk["choices"][0]["delta"];
    if (delta.contains("refusal") && delta["refusal"].is_string()) streamed += delta["refusal"];
  }
  EXPECT_EQ(streamed, "I cannot help with that.");
}

TEST(OpenAi, ScriptedChunksAreStreamedExactly) {
  const Json script = {{"chunks", {"[EMA", "IL_", "1]"}}};
  std::vector<std::string> pieces;
  for (const Json& chunk : openai_chunks(chat("simulator-script", script.dump())))
    if (const std::string piece = chunk["choices"][0]["delta"].value("content", ""); !piece.empty())
      pieces.push_back(piece);
  EXPECT_EQ(pieces, (std::vector<std::string>{"[EMA", "IL_", "1]"}));
}

TEST(OpenAi, EmbeddingsAreTheSameInBothEncodings) {
  const Json body = {{"model", "simulator-embed"}, {"input", {"a", "b"}}, {"dimensions", 8}};
  EmbeddingAsk ask = std::get<EmbeddingAsk>(read_embedding_ask(body.dump()));
  const Json floats = Json::parse(openai_embeddings(ask));
  ask.base64 = true;
  const Json encoded = Json::parse(openai_embeddings(ask));
  ASSERT_EQ(floats["data"].size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto bytes = from_base64(encoded["data"][i]["embedding"].get<std::string>());
    ASSERT_TRUE(bytes);
    std::vector<float> decoded(8);
    ASSERT_EQ(bytes->size(), 32U);
    std::memcpy(decoded.data(), bytes->data(), 32);
    EXPECT_EQ(floats["data"][i]["embedding"].get<std::vector<float>>(), decoded);
  }
  EXPECT_NE(floats["data"][0]["embedding"], floats["data"][1]["embedding"]);
}

TEST(OpenAi, ErrorsHaveTheFourMembers) {
  const Json error = Json::parse(openai_fault({404, "", "no", "model_not_found", ""}));
  EXPECT_EQ(error, Json::parse(R"({"error":{"message":"no","type":"invalid_request_error",
                                  "param":null,"code":"model_not_found"}})"));
}

TEST(Anthropic, EchoAnswersInOneTextBlock) {
  const Json answer = anthropic_answer(chat("simulator-echo", "Hello"));
  EXPECT_EQ(answer["type"], "message");
  EXPECT_EQ(answer["content"], Json::parse(R"([{"type":"text","text":"Hello"}])"));
  EXPECT_EQ(answer["stop_reason"], "end_turn");
  EXPECT_TRUE(answer["stop_sequence"].is_null());
}

TEST(Anthropic, StreamHasTheEventsInOrderWithDenseIndices) {
  Json body =
      chat("simulator-script",
           Json{{"text", "Hi you"},
                {"tool_calls", {{{"name", "f"}, {"arguments", {{"a", "é"}}}}, {{"name", "g"}}}}}
               .dump());
  body["thinking"] = {{"type", "enabled"}, {"budget_tokens", 1024}};
  const auto events = anthropic_event_data(body);
  EXPECT_EQ(events.front()["type"], "message_start");
  EXPECT_EQ(events.back()["type"], "message_stop");
  EXPECT_EQ(events[events.size() - 2]["delta"]["stop_reason"], "tool_use");
  int open = -1, next = 0;
  std::map<int, std::string> content;
  std::string signature;
  for (const Json& event : events) {
    if (event["type"] == "content_block_start") {
      EXPECT_EQ(open, -1);
      EXPECT_EQ(event["index"], next++);
      open = event["index"];
    } else if (event["type"] == "content_block_delta") {
      EXPECT_EQ(event["index"], open);
      const Json& delta = event["delta"];
      signature += delta.value("signature", "");
      content[open] += delta.value("text", "") + delta.value("partial_json", "");
    } else if (event["type"] == "content_block_stop") {
      EXPECT_EQ(event["index"], open);
      open = -1;
    }
  }
  EXPECT_EQ(next, 4);
  EXPECT_FALSE(signature.empty());
  EXPECT_EQ(content[1], "Hi you");
  EXPECT_EQ(Json::parse(content[2])["a"], "é");
  EXPECT_EQ(content[3], "");
  EXPECT_EQ(anthropic_answer(body)["content"][0]["signature"], signature);
}

TEST(Anthropic, ToolResultsAreReadFromTheUserMessage) {
  Json body = chat("simulator-tools", "q");
  body["tools"] = Json::array({{{"name", "f"}, {"input_schema", {{"type", "object"}}}}});
  EXPECT_EQ(anthropic_answer(body)["content"][0]["type"], "tool_use");
  body["messages"].push_back(
      user(Json::array({{{"type", "tool_result"}, {"tool_use_id", "t"}, {"content", "42"}}})));
  EXPECT_EQ(anthropic_answer(body)["content"][0]["text"], "42");
}

TEST(Anthropic, ErrorsCarryTheRequestId) {
  const Json error = Json::parse(anthropic_fault({529, "", "Overloaded", "", ""}, "req_1"));
  EXPECT_EQ(error, Json::parse(R"({"type":"error","error":{"type":"overloaded_error",
                                  "message":"Overloaded"},"request_id":"req_1"})"));
}

TEST(Both, TheSameRequestGetsTheSameAnswer) {
  const Json body = chat("simulator-echo", "again");
  EXPECT_EQ(openai_answer(body), openai_answer(body));
  EXPECT_EQ(openai_chunks(body), openai_chunks(body));
  EXPECT_NE(openai_answer(body)["id"], openai_answer(chat("simulator-echo", "other"))["id"]);
}

TEST(Both, StreamedTextIsTheWholeText) {
  EXPECT_TRUE(rc::check([](const std::string& bytes) {
    const std::string text = to_utf8(bytes);
    std::string openai, anthropic;
    for (const Json& chunk : openai_chunks(chat("simulator-echo", text)))
      openai += chunk["choices"][0]["delta"].value("content", "");
    for (const Json& event : anthropic_event_data(chat("simulator-echo", text)))
      if (event.contains("delta")) anthropic += event["delta"].value("text", "");
    RC_ASSERT(openai == text);
    RC_ASSERT(anthropic == text);
  }));
}

TEST(Reading, FaultsNameWhatIsMissing) {
  const auto fault = [](std::string_view body) {
    return std::get<Fault>(read_ask(Dialect::openai, body));
  };
  EXPECT_EQ(fault("{").status, 400);
  EXPECT_EQ(fault("[]").status, 400);
  EXPECT_EQ(fault(R"({"messages":[{}]})").param, "model");
  EXPECT_EQ(fault(R"({"model":"m","messages":[]})").param, "messages");
  EXPECT_EQ(fault(R"({"model":"m","messages":[{}],"n":129})").param, "n");
  EXPECT_EQ(fault(R"({"model":"m","x":)" + std::string(100'000, '[')).status, 400);
}

TEST(Script, MistakesAreTheAnswer) {
  EXPECT_EQ(plan_from_script("not json").fault->status, 400);
  EXPECT_EQ(plan_from_script(R"({"text":1})").fault->status, 400);
  EXPECT_EQ(plan_from_script(R"({"status":99})").fault->status, 400);
  EXPECT_EQ(plan_from_script(R"({"chunks":"x"})").fault->status, 400);
}

TEST(Script, ReadsItsMembers) {
  const Plan plan = plan_from_script(
      R"({"status":429,"error":{"message":"slow","code":"c"},"retry_after":7,"pace_ms":3,"hang_ms":4,
          "cut_after":5,"error_after":6,"rewrite":1,"headers":{"x-a":"b","bad":"a\nb"}})");
  EXPECT_EQ(plan.fault->status, 429);
  EXPECT_EQ(plan.fault->message, "slow");
  EXPECT_EQ(plan.headers,
            (std::vector<std::pair<std::string, std::string>>{{"x-a", "b"}, {"retry-after", "7"}}));
  EXPECT_EQ(plan.pace, std::chrono::milliseconds(3));
  EXPECT_EQ(plan.hang, std::chrono::milliseconds(4));
  EXPECT_EQ(plan.cut_after, 5U);
  EXPECT_EQ(plan.error_after, 6U);
  EXPECT_EQ(plan.rewrite, 1U);
}

TEST(Script, AnythingAtAllIsReadWithoutHarm) {
  EXPECT_TRUE(rc::check([](const std::string& text) {
    (void)plan_from_script(text);
    (void)read_ask(Dialect::anthropic, text);
    (void)read_embedding_ask(text);
  }));
}

TEST(Bench, BodiesHaveTheirExactSize) {
  const BenchAnswers bench;
  for (const Dialect dialect : {Dialect::openai, Dialect::anthropic})
    for (const auto& [name, bytes] : {std::pair{"1k", 1'024U}, {"2k", 2'048U}, {"16k", 16'384U}}) {
      const Json body = {{"model", std::string("simulator-bench-") + name}};
      const BenchAnswer* answer = bench.find(dialect, body.dump());
      ASSERT_NE(answer, nullptr);
      EXPECT_EQ(answer->body.size(), bytes);
      EXPECT_TRUE(Json::accept(answer->body));
      EXPECT_EQ(join(answer->events), join(answer->writes));
      EXPECT_EQ(join(answer->events_with_usage), join(answer->writes_with_usage));
    }
}

TEST(Bench, OnlyTheModelMemberCounts) {
  const BenchAnswers bench;
  EXPECT_NE(bench.find(Dialect::openai, R"({"model": "simulator-bench-1k"})"), nullptr);
  EXPECT_EQ(bench.find(Dialect::openai, R"({"model":"simulator-bench-3k"})"), nullptr);
  const Json quoted = chat("simulator-echo", R"("model":"simulator-bench-1k","stream":true)");
  EXPECT_EQ(bench.find(Dialect::openai, quoted.dump()), nullptr);
  EXPECT_FALSE(asks_to_stream(quoted.dump()));
}

}  // namespace
}  // namespace gatehouse::simulate

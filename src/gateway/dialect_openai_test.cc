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

TEST(OpenAiDecode, MarksWhatIsNotTextWhateverItsBytesLookLike) {
  const std::string part = R"({"model":"m","messages":[{"role":"user","content":[%]}]})";
  for (const std::string content :
       {R"({"type":"image_url","image_url":{"url":"https://x.example/a"}})",
        R"({"type":"image_url","image_url":"https://x.example/a"})", R"({"image_url":"x"})",
        R"({"type":"image_url","image_url":{"url":"DATA:image/png;base64,iVBO"}})",
        R"({"type":"input_audio","input_audio":{"data":"UklG\nRg==","format":"wav"}})",
        R"({"type":"video_url","video_url":{"url":"https://x.example/a"}})",
        R"({"type":"file","file":{"file_data":"AA=="}})", R"({"type":"of_tomorrow","x":"y"})",
        R"({"type":"text","text":"data:text/plain,hello"})"}) {
    auto body = part;
    body.replace(body.find('%'), 1, content);
    EXPECT_TRUE(decoded(body).uninspectable) << content;
  }
  for (const std::string content :
       {R"({"type":"text","text":"data: a, b"})", R"({"type":"refusal","refusal":"no"})"}) {
    auto body = part;
    body.replace(body.find('%'), 1, content);
    EXPECT_FALSE(decoded(body).uninspectable) << content;
  }
}

TEST(OpenAiDecode, InspectsEncodedBytesOnlyWhereTheyCanBeNothingElse) {
  const std::string encoded(400, 'A');
  const auto exchange =
      decoded(R"({"model":"m","data":")" + encoded + R"(","messages":[{"role":"user","content":[
    {"type":"image_url","image_url":{"url":"data:image/png;base64,)" +
              encoded + R"("}},{"type":"file","file":{"file_data":"data:;base64,short"}}]}]})");
  const auto plain = texts(exchange, TextRole::text);
  EXPECT_TRUE(has(plain, encoded));
  EXPECT_TRUE(has(plain, "data:;base64,short"));
  EXPECT_FALSE(has(plain, "data:image/png;base64," + encoded));
}

TEST(OpenAiDecode, NamesEveryTool) {
  const auto exchange = decoded(
      R"({"model":"m","tools":[{"type":"web_search"},{"function":{"name":"f"},"type":"function"},
          {"type":"custom","custom":{"name":"c"}}],"functions":[{"name":"old"}],
          "mcp_servers":[{"type":"url","name":"remote"}]})");
  EXPECT_EQ(exchange.tools, (std::vector<std::string>{"web_search", "f", "c", "old", "remote"}));
}

TEST(OpenAiDecode, NamesEveryNameAToolMayGoBy) {
  const auto exchange = decoded(
      R"({"model":"m","tools":[{"type":"function","function":{"name":"run_shell"},"name":"harmless"},
          {"type":"web_search","name":"harmless"},
          {"type":"namespace","name":"group","tools":[{"type":"function","name":"inner"}]},
          {"type":"function","function":{"name":"f","parameters":{"name":"no tool","type":"object"}}}],
          "web_search_options":{}})");
  EXPECT_EQ(exchange.tools,
            (std::vector<std::string>{"run_shell", "harmless", "web_search", "harmless", "group",
                                      "inner", "f", "web_search"}));
}

TEST(OpenAiDecode, RefusesWishesThatAreNoPlainNumbers) {
  JsonWalker walker;
  for (const auto* member : {R"("max_completion_tokens":1e6)", R"("max_tokens":"5")", R"("n":"50")",
                             R"("n":2.5)", R"("max_tokens":[5])"}) {
    Exchange exchange;
    exchange.body = R"({"model":"m",)" + std::string(member) + "}";
    EXPECT_FALSE(dialect.decode(walker, exchange)) << member;
  }
  EXPECT_EQ(decoded(R"({"model":"m","max_tokens":7,"n":null})").most_output_tokens, 7U);
}

TEST(OpenAiDecode, FilesThatAreOnlyNamedCannotBeInspected) {
  for (const std::string member :
       {R"("tools":[{"type":"file_search","vector_store_ids":["vs_1"]}])",
        R"("tools":[{"type":"code_interpreter","container":"cntr_1"}])",
        R"("tools":[{"type":"code_interpreter","container":{"type":"auto","file_ids":["f"]}}])",
        R"("container":"c")", R"("container":{"id":"c","skills":[]})"})
    EXPECT_TRUE(decoded(R"({"model":"m",)" + member + "}").uninspectable) << member;
  EXPECT_FALSE(
      decoded(R"({"model":"m","tools":[{"type":"code_interpreter","container":{"type":"auto"}}]})")
          .uninspectable);
}

TEST(OpenAiDecode, RefusesWhatTwoReadersCouldReadDifferently) {
  JsonWalker walker;
  for (const auto* body : {R"({"model":"m","Stream":true})", R"({"model":"m","MODEL":"n"})",
                           R"({"model":"m","Messages":[]})", R"({"model":"m","toolS":[]})",
                           R"({"model":"m","Functions":[]})", R"({"model":"m","stream":"true"})",
                           R"({"model":"m","stream":1})", R"({"model":"m","stream":[true]})",
                           R"({"model":"m","stream":{}})"}) {
    Exchange exchange;
    exchange.body = body;
    EXPECT_FALSE(dialect.decode(walker, exchange)) << body;
  }
  EXPECT_FALSE(decoded(R"({"model":"m","stream":null,"metadata":{"Stream":1}})").stream);
}

TEST(OpenAiDecode, FindsTheValueOfIncludeUsageWhateverItIs) {
  for (const std::string value : {"null", "false", "0", "\"x\"", "{}"}) {
    const auto exchange =
        decoded(R"({"model":"m","stream_options":{"include_usage":)" + value + "}}");
    ASSERT_TRUE(exchange.stream_usage_value) << value;
    const auto [begin, end] = *exchange.stream_usage_value;
    EXPECT_EQ(exchange.body.substr(begin, end - begin), value);
    EXPECT_FALSE(exchange.wants_stream_usage);
  }
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

TEST(OpenAiScreen, LogprobsThatShowWhatIsChangedAreTakenOut) {
  Bench bench;
  // Of the second choice the text is masked; of the third the tokens alone have a placeholder.
  const std::string harmless = R"({"logprobs":{"content":[{"token":"a","bytes":[97]}]},)"
                               R"("message":{"content":"a"}})";
  std::string body =
      R"({"choices":[)" + harmless +
      R"(,{"logprobs":{"content":[{"token":"AK"},{"token":"IA"}]},"message":{"content":")" +
      secret() +
      R"("}},{"message":{"content":"b"},"logprobs":{"refusal":[{"token":"[EMA"},)"
      R"({"token":"IL_1]"}]}},{"logprobs":"[EMAIL_1]"}]})";
  AnswerFacts facts;
  ASSERT_TRUE(dialect.screen(bench.plan(), body, facts));
  const auto answer = json::parse(body);
  EXPECT_EQ(answer["choices"][0], json::parse(harmless));
  for (int at = 1; at < 4; ++at) EXPECT_TRUE(answer["choices"][at]["logprobs"].is_null()) << at;
}

TEST(OpenAiScreen, ExemptsNamesByFullPathOnly) {
  Bench bench;
  for (const std::string body :
       {R"({"choices":[{"message":{"x":{"id":"%"}}}]})", R"({"choices":[{"x":{"role":"%"}}]})",
        R"({"x":{"data":"%"}})", R"({"choices":[{"message":{"object":"%"}}]})"}) {
    auto answer = body;
    answer.replace(answer.find('%'), 1, secret());
    AnswerFacts facts;
    ASSERT_TRUE(dialect.screen(bench.plan(), answer, facts));
    EXPECT_EQ(answer.find("AKIA"), std::string::npos) << answer;
  }
}

TEST(OpenAiScreen, KeepsTheContentOfEveryChoiceForValidation) {
  Bench bench;
  auto plan = bench.plan();
  plan.keep_content = true;
  std::string body = R"({"choices":[{"message":{"content":"{}"},"finish_reason":"stop"},)"
                     R"({"message":{"content":null},"finish_reason":"tool_calls"}]})";
  AnswerFacts facts;
  ASSERT_TRUE(dialect.screen(plan, body, facts));
  ASSERT_EQ(facts.contents.size(), 2u);
  EXPECT_EQ(facts.content_of(0).text, "{}");
  EXPECT_TRUE(facts.content_of(1).calls_tools);
}

TEST(OpenAiScreen, ALiteralThatLooksLikeAMaskIsNotRestored) {
  Bench bench;
  std::string body =
      R"({"choices":[{"message":{"content":")" + secret() + R"( is [CREDENTIAL_1]"}}]})";
  AnswerFacts facts;
  ASSERT_TRUE(dialect.screen(bench.plan(), body, facts));
  EXPECT_EQ(body.find("AKIA"), std::string::npos) << body;
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
    for (const auto& choice : data.value("choices", json::array())) {
      const int index = choice["index"];
      EXPECT_FALSE(all.finish.contains(index)) << "text after the finish: " << data;
      const auto& delta = choice["delta"];
      if (delta.contains("content") && delta["content"].is_string())
        all.content[index] += delta["content"];
      if (delta.contains("tool_calls"))
        for (const auto& call : delta["tool_calls"])
          all.arguments[{index, call["index"]}] += call["function"]["arguments"];
      if (const auto reason = choice.value("finish_reason", json()); reason.is_string())
        all.finish[index] = reason;
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
  const std::string stream = chunk({{"role", "assistant"}, {"content", ""}}) +
                             chunk({{"content", "key " + secret().substr(0, 3)}}) +
                             chunk({{"content", secret().substr(3, 10)}}) +
                             chunk({{"content", secret().substr(13) + " ok"}}) +
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
      R"(data: {"id":"1","choices":[{"index":0,"delta":{"content":"one "},"finish_reason":null}],"usage":null})"
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

TEST(OpenAiStream, AnErrorMemberDoesNotSwitchScreeningOff) {
  Bench bench;
  for (const std::string error : {R"("")", "{}", "null", "false", "[]", R"({"message":"boom"})",
                                  R"("boom")", "true", "[null]"}) {
    const bool real =
        error.find("boom") != std::string::npos || error == "true" || error.size() == 6;
    const std::string stream =
        R"(data: {"error":)" + error + R"(,"choices":[{"index":0,"delta":{"content":"a )" +
        secret().substr(0, 9) + "\"}}]}\n\n" + R"(data: {"choices":[{"index":0,"error":)" + error +
        R"(,"delta":{"content":")" + secret().substr(9) + " [EMAIL_1]\"}}],\"error\":" + error +
        "}\n\ndata: [DONE]\n\n";
    const auto screened = screen_whole(dialect, bench.plan(), stream);
    EXPECT_EQ(screened.facts.provider_error, real && error != "null") << error;
    EXPECT_NE(screened.out.find("ada@example.org"), std::string::npos) << screened.out;
    if (!screened.facts.provider_error) {
      EXPECT_EQ(accumulate(screened.out).content.at(0).find("AKIA"), std::string::npos) << error;
    }
    expect_same_for_every_cut(dialect, bench, stream);
  }
  const auto whole =
      screen_whole(dialect, bench.plan(),
                   R"(data: {"error":"boom","choices":[{"index":0,"delta":{"content":")" +
                       secret() + "\"}}]}\n\n");
  EXPECT_EQ(whole.out.find("AKIA"), std::string::npos) << whole.out;
}

TEST(OpenAiStream, ViewsOfAChunkOutliveTheTextsThatLeaveBeforeIt) {
  Bench bench;
  const std::string begin = chunk({{"content", "held [EMAIL"}}) + chunk({{"refusal", "no [EMAI"}});
  const std::string error = R"(data: {"error":{"message":"to \u0061 [EMAIL_1] )" + secret() +
                            R"(","code":"x\ty"},"choices":[]})" + "\n\n";
  const auto screened = screen_whole(dialect, bench.plan(), begin + error);
  EXPECT_TRUE(screened.facts.provider_error);
  EXPECT_NE(screened.out.find("to a ada@example.org"), std::string::npos) << screened.out;
  EXPECT_EQ(screened.out.find("AKIA"), std::string::npos);
  EXPECT_LT(screened.out.find("[EMAIL\""), screened.out.find("to a"));
}

TEST(OpenAiStream, UnknownMembersOfAChunkAreNotCopiedIntoOthers) {
  Bench bench;
  const std::string stream = R"(data: {"id":"i","x":")" + secret() +
                             R"(","choices":[{"index":0,"delta":{"content":"a [EMA"}}]})" + "\n\n" +
                             chunk(json::object(), "stop") + "data: [DONE]\n\n";
  const auto screened = screen_whole(dialect, bench.plan(), stream);
  EXPECT_EQ(screened.out.find("AKIA"), std::string::npos) << screened.out;
  EXPECT_EQ(accumulate(screened.out).content.at(0), "a [EMA");
}

TEST(OpenAiStream, EveryFieldIsWrittenInItsOwnShape) {
  Bench bench;
  const auto deltas = std::vector<json>{
      {{"function_call", {{"arguments", "{\"to\":\"[EMAI"}}}},
      {{"audio", {{"id", "a"}, {"transcript", "say [EMAI"}, {"data", "[EMAIL_1]"}}}},
      {{"reasoning_content", "think [EMAI"}},
      {{"tool_calls", {{{"index", 0}, {"custom", {{"input", "raw [EMAI"}}}}}}}};
  const auto rests = std::vector<std::string>{
      R"("delta":{"function_call":{"arguments":"[EMAI"}})",
      R"("delta":{"audio":{"transcript":"[EMAI"}})", R"("delta":{"reasoning_content":"[EMAI"})",
      R"("delta":{"tool_calls":[{"index":0,"custom":{"input":"[EMAI"}}]})"};
  std::string stream;
  for (const auto& delta : deltas) stream += chunk(delta);
  stream += chunk({{"reasoning_details", {{{"text", "[EMAIL_1] "}}, {{"text", "x [EMAI"}}}},
                   {"annotations", {{{"url", "https://x.example/[EMAIL_1]"}}}}}) +
            chunk(json::object(), "stop") + "data: [DONE]\n\n";
  const auto screened = screen_whole(dialect, bench.plan(), stream);
  for (const auto& rest : rests)
    EXPECT_NE(screened.out.find(rest), std::string::npos) << screened.out;
  EXPECT_NE(screened.out.find(R"("data":"[EMAIL_1]")"), std::string::npos);
  EXPECT_NE(screened.out.find(R"({"text":"ada@example.org "},{"text":"x [EMAI"})"),
            std::string::npos)
      << screened.out;
  EXPECT_NE(screened.out.find("https://x.example/ada@example.org"), std::string::npos);
  expect_same_for_every_cut(dialect, bench, stream);
}

TEST(OpenAiStream, IsCompleteWhenEveryChoiceHasFinished) {
  Bench bench;
  const std::string two = chunk({{"content", "a"}}) + chunk({{"content", "b"}}, nullptr, 1);
  const std::string first = chunk(json::object(), "stop");
  EXPECT_FALSE(screen_whole(dialect, bench.plan(), two + first).complete);
  EXPECT_TRUE(
      screen_whole(dialect, bench.plan(), two + first + chunk(json::object(), "stop", 1)).complete);
  EXPECT_TRUE(screen_whole(dialect, bench.plan(), two + "data: [DONE]\n\n").complete);
}

TEST(OpenAiStream, NothingFollowsTheEnd) {
  Bench bench;
  const std::string stream = chunk({{"content", "a"}}, "stop") + "data: [DONE] " + secret() +
                             "\n\n" + chunk({{"content", secret()}}) + "not even an event";
  const auto screened = screen_whole(dialect, bench.plan(), stream);
  EXPECT_FALSE(screened.failed);
  EXPECT_TRUE(screened.out.ends_with("data: [DONE]\n\n")) << screened.out;
  EXPECT_EQ(screened.out.find("AKIA"), std::string::npos);
  expect_same_for_every_cut(dialect, bench, stream);
}

TEST(OpenAiStream, UnknownFieldsOfEventsDoNotPass) {
  Bench bench;
  const std::string stream = "foo: " + secret() + "\n\n: ping\n\nbar: " + secret() + "\n" +
                             chunk({{"content", "a"}}, "stop") + "data: [DONE]\n\n";
  const auto screened = screen_whole(dialect, bench.plan(), stream);
  EXPECT_EQ(screened.out, ": ping\n\n" + chunk({{"content", "a"}}, "stop") + "data: [DONE]\n\n");
}

TEST(OpenAiStream, LogprobsThatShowWhatIsChangedAreTakenOut) {
  Bench bench;
  const auto with_logprobs = [](const std::string& text, const std::string& token) {
    return R"(data: {"choices":[{"index":0,"delta":{"content":")" + text +
           R"("},"logprobs":{"content":[{"token":")" + token + "\"}]}}]}\n\n";
  };
  const std::string end = chunk(json::object(), "stop") + "data: [DONE]\n\n";
  // Left alone while the text is.
  const auto harmless = with_logprobs("one ", "one ") + with_logprobs("two ", "two ") + end;
  EXPECT_EQ(screen_whole(dialect, bench.plan(), harmless).out, harmless);
  const auto key = secret();
  const auto held = screen_whole(dialect, bench.plan(),
                                 with_logprobs(key.substr(0, 8), key.substr(0, 8)) +
                                     with_logprobs(key.substr(8) + " ", key.substr(8)) + end);
  EXPECT_EQ(held.out.find(key.substr(8)), std::string::npos) << held.out;
  EXPECT_EQ(held.out.find("\"token\""), std::string::npos) << held.out;
  const auto alone = screen_whole(dialect, bench.plan(), with_logprobs("a ", "[EMAIL_1]") + end);
  EXPECT_EQ(alone.out.find("\"token\""), std::string::npos) << alone.out;
}

TEST(OpenAiStream, FindingsOfChannelsThatNeverEndedAreCounted) {
  Bench bench;
  auto stream = dialect.open_stream(bench.plan());
  std::string out;
  ASSERT_TRUE(stream->feed(chunk({{"content", secret() + " and then "}}), out));
  stream->close();
  EXPECT_EQ(stream->facts().findings.by_category[0], 1u);
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

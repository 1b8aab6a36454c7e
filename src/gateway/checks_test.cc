// Checks over answers as they leave: streams of both dialects, held, released, rewritten and
// refused; what is read of a request; where a canary goes.
#include "gateway/checks.h"

#include <gtest/gtest.h>

#include "gateway/canary_insert.h"
#include "gateway/checked_stream.h"
#include "gateway/snapshot.h"

namespace gatehouse::gateway {
namespace {

// Only its kind is asked for here.
class OnlyKind final : public Dialect {
 public:
  explicit OnlyKind(DialectKind kind) : kind_(kind) {}
  DialectKind kind() const override { return kind_; }
  std::string error_body(const ApiError&, std::string_view) const override { return {}; }
  std::string error_event(const ApiError&, std::string_view) const override { return {}; }
  std::string_view request_id_header() const override { return {}; }
  void authorize(net::RequestHead&, std::string_view) const override {}
  Result<void> decode(JsonWalker&, Exchange&) const override { return {}; }
  Result<void> screen(const AnswerPlan&, std::string&, AnswerFacts&) const override { return {}; }
  std::unique_ptr<AnswerStream> open_stream(const AnswerPlan&) const override { return nullptr; }
  std::string models_body(const std::vector<const store::ModelRecord*>&) const override {
    return {};
  }

 private:
  DialectKind kind_;
};

std::shared_ptr<const inspect::RuleSet> few_rules() {
  const std::vector<std::pair<std::string, std::string>> files{{"a.yaml", R"(
category: custom
rules:
  - id: a
    kind: A
    description: a
    pattern: 'qqqqqqqq'
    p_value: 1e-9
    examples: {match: ["«qqqqqqqq»"], no_match: ["q"]}
)"}};
  return *inspect::RuleSet::parse(files, false);
}

class Checks : public ::testing::TestWithParam<DialectKind> {
 protected:
  Checks() : dialect_(GetParam()), scanner_(few_rules()) {
    auto config = std::make_shared<Config>();
    add(*config, "links", {.kind = validate::CheckKind::links, .allow_hosts = {"example.com"}},
        Hold::sentence);
    add(*config, "number",
        {.kind = validate::CheckKind::schema, .schema = R"({"type":"object","properties":
            {"n":{"type":"integer"}},"required":["n"]})"},
        Hold::answer);
    add(*config, "arguments", {.kind = validate::CheckKind::tool_arguments}, Hold::answer);
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->config = config;
    exchange_.snapshot = snapshot;
    exchange_.dialect = &dialect_;
    exchange_.route = Route::chat_completions;
  }

  static void add(Config& config, const std::string& name, const validate::CheckOptions& options,
                  Hold hold) {
    config.checks[name] = {name, options, hold, 2, *validate::make_check(options)};
  }
  void plan(std::string name, CheckAction action) {
    exchange_.plan.checks = {{std::move(name), action}};
  }

  std::string text_event(const std::string& text) const {
    if (GetParam() == DialectKind::openai)
      return "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":" + json_string(text) +
             "}}]}\n\n";
    return "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,"
           "\"delta\":{\"type\":\"text_delta\",\"text\":" +
           json_string(text) + "}}\n\n";
  }
  std::string call_events(const std::string& name, const std::vector<std::string>& pieces) const {
    std::string events;
    if (GetParam() == DialectKind::openai) {
      events =
          R"(data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"c","function":{"name":)" +
          json_string(name) + R"(,"arguments":""}}]}}]})" + "\n\n";
      for (const auto& piece : pieces)
        events +=
            R"(data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"arguments":)" +
            json_string(piece) + "}}]}}]}\n\n";
      return events;
    }
    events =
        R"(data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"c","name":)" +
        json_string(name) + R"(,"input":{}}})" + "\n\n";
    for (const auto& piece : pieces)
      events +=
          R"(data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":)" +
          json_string(piece) + "}}\n\n";
    return events;
  }

  // What the client puts together of these events.
  validate::Answer read(const std::string& events) {
    SseFramer framer(1u << 20);
    framer.feed(events);
    AnswerBook book;
    while (auto event = *framer.next()) {
      auto texts = read_event(walker_, GetParam(), event->data);
      EXPECT_TRUE(texts) << texts.error().describe();
      book.add(*texts);
    }
    return book.answer();
  }
  std::string text(const std::string& events) {
    const auto answer = read(events);
    return answer.choices.empty() ? "" : answer.choices[0].text;
  }
  CheckedStream open() { return {exchange_, walker_, scanner_, {}, 1u << 20, 1u << 20}; }

  OnlyKind dialect_;
  inspect::Scanner scanner_;
  JsonWalker walker_;
  Exchange exchange_;
};

TEST_P(Checks, ASentenceWaitsForItsEnd) {
  plan("links", CheckAction::block);
  auto stream = open();
  std::string out;
  ASSERT_TRUE(stream.feed(text_event("One"), out));
  EXPECT_EQ(out, "");
  ASSERT_TRUE(stream.feed(text_event(" is done."), out));
  EXPECT_EQ(out, "");  // it may go on: 1.5
  ASSERT_TRUE(stream.feed(text_event(" Two"), out));
  EXPECT_EQ(text(out), "One is done.");
  EXPECT_EQ(out, text_event("One") + text_event(" is done."));  // byte for byte
  ASSERT_TRUE(stream.finish(out));
  EXPECT_EQ(text(out), "One is done. Two");
  ASSERT_EQ(exchange_.check_records.size(), 1U);
  EXPECT_EQ(exchange_.check_records[0].judgement, validate::Judgement::passed);
}

TEST_P(Checks, ABadSentenceNeverLeaves) {
  plan("links", CheckAction::block);
  auto stream = open();
  std::string out;
  ASSERT_TRUE(
      stream.feed(text_event("Fine. Go to https://ev") + text_event("il.test/?d=x now"), out));
  EXPECT_FALSE(stream.feed(text_event(". Bye"), out));
  EXPECT_FALSE(out.contains("il.test"));
  EXPECT_TRUE(stream.refusal().contains("1 link")) << stream.refusal();
  EXPECT_FALSE(stream.ask_again());
}

TEST_P(Checks, WhatIsTakenOutIsTakenOutOfTheStream) {
  plan("links", CheckAction::redact);
  auto stream = open();
  std::string out;
  for (const auto* piece : {"Fine. ", "Go to https://ev", "il.test/?d=x", " now. ", "And ", "on."})
    ASSERT_TRUE(stream.feed(text_event(piece), out)) << stream.refusal();
  ASSERT_TRUE(stream.finish(out)) << stream.refusal();
  EXPECT_EQ(text(out), "Fine. Go to [REMOVED] now. And on.");
}

TEST_P(Checks, ARepairedAnswerTakesThePlaceOfTheStream) {
  plan("number", CheckAction::block);
  auto stream = open();
  std::string out;
  ASSERT_TRUE(
      stream.feed(text_event("") + text_event("```json\n{'n'") + text_event(": '3',}\n```"), out));
  EXPECT_EQ(out, "");
  ASSERT_TRUE(stream.finish(out)) << stream.refusal();
  EXPECT_EQ(text(out), R"({"n":3})");
  EXPECT_EQ(exchange_.check_records.at(0).judgement, validate::Judgement::repaired);
}

TEST_P(Checks, AFailedAnswerIsAskedForAgainSoOften) {
  plan("number", CheckAction::retry);
  for (std::size_t attempt = 1; attempt <= 3; ++attempt) {
    exchange_.attempt = attempt;
    auto stream = open();
    std::string out;
    ASSERT_TRUE(stream.feed(text_event("no"), out));
    EXPECT_FALSE(stream.finish(out));
    EXPECT_EQ(stream.ask_again(), attempt <= 2);
  }
  EXPECT_EQ(exchange_.check_records.size(), 3U);
}

TEST_P(Checks, ArgumentsOfToolsAreRepairedInPlace) {
  plan("arguments", CheckAction::block);
  exchange_.facts.tools = {
      {"f", R"({"type":"object","properties":{"n":{"type":"integer"}}})", false}};
  auto stream = open();
  std::string out;
  ASSERT_TRUE(stream.feed(text_event("Let me see") + call_events("f", {"{\"n\":", "\"3\"}"}), out));
  ASSERT_TRUE(stream.finish(out)) << stream.refusal();
  const auto answer = read(out);
  ASSERT_EQ(answer.choices.at(0).tool_calls.size(), 1U);
  EXPECT_EQ(answer.choices[0].tool_calls[0].name, "f");
  EXPECT_EQ(answer.choices[0].tool_calls[0].arguments, R"({"n":3})");
  EXPECT_EQ(answer.choices[0].text, "Let me see");
  auto other = open();
  ASSERT_TRUE(other.feed(call_events("g", {"{}"}), out));
  EXPECT_FALSE(other.finish(out));
}

TEST_P(Checks, AMissingCheckRefuses) {
  plan("nowhere", CheckAction::flag);
  auto stream = open();
  std::string out;
  ASSERT_TRUE(stream.feed(text_event("x"), out));
  EXPECT_FALSE(stream.finish(out));
}

INSTANTIATE_TEST_SUITE_P(Dialects, Checks,
                         ::testing::Values(DialectKind::openai, DialectKind::anthropic));

std::string with_canary(Route route, std::string body) {
  JsonWalker walker;
  auto splice = canary_splice(walker, route, body, "S\"");
  EXPECT_TRUE(splice) << splice.error().describe();
  return apply_splices(body, {*splice});
}

TEST(CanarySplice, GoesBehindTheSystemPromptOrBecomesOne) {
  EXPECT_EQ(with_canary(Route::chat_completions, R"({"messages":[{"role":"user","content":"x"}]})"),
            R"({"messages":[{"role":"system","content":"S\""},{"role":"user","content":"x"}]})");
  EXPECT_EQ(
      with_canary(Route::chat_completions, R"({"messages":[{"content":"P","role":"developer"}]})"),
      R"({"messages":[{"content":"P\n\nS\"","role":"developer"}]})");
  EXPECT_EQ(
      with_canary(Route::chat_completions,
                  R"({"messages":[{"role":"system","content":[{"type":"text","text":"P"}]}]})"),
      R"({"messages":[{"role":"system","content":[{"type":"text","text":"P"},{"type":"text","text":"S\""}]}]})");
  EXPECT_EQ(with_canary(Route::messages, R"({"messages":[]})"),
            R"({"system":"S\"","messages":[]})");
  EXPECT_EQ(with_canary(Route::messages, R"({"system":"P","messages":[]})"),
            R"({"system":"P\n\nS\"","messages":[]})");
  EXPECT_EQ(with_canary(Route::messages, R"({"system":[]})"),
            R"({"system":[{"type":"text","text":"S\""}]})");
  EXPECT_EQ(with_canary(Route::responses, R"({"instructions":null,"input":"x"})"),
            R"({"instructions":"S\"","input":"x"})");
  EXPECT_EQ(with_canary(Route::responses, R"({"instructions":"P","input":"x"})"),
            R"({"instructions":"P\n\nS\"","input":"x"})");
  EXPECT_EQ(with_canary(Route::responses, R"({"input":"x"})"),
            R"({"instructions":"S\"","input":"x"})");
}

TEST(RequestFacts, AreReadOfBothDialects) {
  Exchange exchange;
  exchange.body = R"({"messages":[{"role":"system","content":"P"},
      {"role":"user","content":"old"},{"role":"tool","content":"found"},
      {"role":"user","content":[{"type":"text","text":"why?"}]}],
      "tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}},
               {"type":"custom","custom":{"name":"c"}}],
      "response_format":{"type":"json_schema","json_schema":{"schema":{"type":"array"}}}})";
  ASSERT_TRUE(note_facts(exchange));
  EXPECT_EQ(exchange.facts.system_prompts, std::vector<std::string>{"P"});
  EXPECT_EQ(exchange.facts.sources, std::vector<std::string>{"found\n"});
  EXPECT_EQ(exchange.facts.question, "why?\n");
  ASSERT_EQ(exchange.facts.tools.size(), 2U);
  EXPECT_EQ(exchange.facts.tools[0].parameters, R"({"type":"object"})");
  EXPECT_TRUE(exchange.facts.tools[1].free_form);
  EXPECT_EQ(exchange.facts.response_schema, R"({"type":"array"})");
  Exchange other;
  other.body = R"({"system":[{"type":"text","text":"P"}],"messages":[{"role":"user","content":[
      {"type":"tool_result","content":[{"type":"text","text":"found"}]}]}],
      "tools":[{"name":"f","input_schema":{"type":"object"}}]})";
  ASSERT_TRUE(note_facts(other));
  EXPECT_EQ(other.facts.system_prompts, std::vector<std::string>{"P\n"});
  EXPECT_TRUE(other.facts.sources.at(0).contains("found"));
  EXPECT_EQ(other.facts.tools.at(0).name, "f");
}

TEST(PlannedChecks, AreReadStrictly) {
  EXPECT_EQ(parse_planned_check("a:redact")->action, CheckAction::redact);
  EXPECT_FALSE(parse_planned_check("a"));
  EXPECT_FALSE(parse_planned_check("a:explode"));
}

}  // namespace
}  // namespace gatehouse::gateway

// Shapes and joins. That a real decoder understands them is shown in tests/e2e/export.test.mjs.
#include "export/otlp.h"

#include <gtest/gtest.h>

#include "export/span_join.h"
#include "export/test_events.h"

namespace gatehouse::exporter {
namespace {

using namespace testing;
using std::chrono::hours;

Json attribute(const Json& object, const char* key) {
  for (const auto& one : object["attributes"])
    if (one["key"] == key) return one["value"];
  return nullptr;
}

TEST(Otlp, ALogRecordHasTheEventAndItsTrace) {
  const Json log = Json::parse(otlp_log_record(completed()));
  EXPECT_EQ(log["timeUnixNano"], "1795455831000000000");
  EXPECT_EQ(log["severityNumber"], 9);
  EXPECT_EQ(log["eventName"], "request.completed");
  EXPECT_EQ(log["traceId"], "0193a0000000700080000000000000aa");
  EXPECT_EQ(log["spanId"], "80000000000000aa");
  EXPECT_EQ(attribute(log, "gatehouse.entry.index"), Json({{"intValue", "6"}}));
  EXPECT_EQ(attribute(log, "gen_ai.usage.input_tokens"), Json({{"intValue", "11"}}));
  EXPECT_EQ(attribute(log, "client.address"), Json({{"stringValue", "203.0.113.7"}}));
  EXPECT_TRUE(log["body"].contains("kvlistValue"));
}

TEST(Otlp, AnEventThatIsNoCallHasNoTrace) {
  const Json log = Json::parse(otlp_log_record(event({{"type", "key.created"}})));
  EXPECT_FALSE(log.contains("traceId"));
  EXPECT_EQ(attribute(log, "gen_ai.provider.name"), nullptr);
}

TEST(Otlp, AllKindsOfJsonHaveAValue) {
  const Json log = Json::parse(otlp_log_record(event(
      {{"type", "x.y"}, {"data", {{"b", true}, {"d", 0.5}, {"n", nullptr}, {"l", {1, "a"}}}}})));
  const std::string body = log["body"].dump();
  for (const char* part : {R"({"boolValue":true})", R"({"doubleValue":0.5})", R"("value":{})",
                           R"({"arrayValue":{"values":[{"intValue":"1"},{"stringValue":"a"}]}})"})
    EXPECT_NE(body.find(part), std::string::npos) << part << "\n" << body;
}

TEST(Otlp, AnEnvelopeHoldsTheRecordsOfItsNode) {
  const auto envelope = otlp_logs_envelope(source, "gw-1");
  const Json request = Json::parse(envelope.prefix + "{},{}" + envelope.suffix);
  EXPECT_EQ(request["resourceLogs"][0]["scopeLogs"][0]["logRecords"].size(), 2u);
  EXPECT_EQ(attribute(request["resourceLogs"][0]["resource"], "service.name"),
            Json({{"stringValue", "gatehouse"}}));
  EXPECT_EQ(attribute(request["resourceLogs"][0]["resource"], "service.instance.id"),
            Json({{"stringValue", "gw-1"}}));
  const auto traces = otlp_traces_envelope(source, "gw-1");
  EXPECT_TRUE(
      Json::parse(traces.prefix + traces.suffix)["resourceSpans"][0]["scopeSpans"][0].contains(
          "spans"));
}

TEST(SpanJoin, ASpanGoesFromTheDecisionToTheOutcome) {
  SpanJoin join;
  EXPECT_FALSE(join.add(decided()));
  EXPECT_EQ(join.replay_from(6), 5u);
  const auto made = join.add(completed());
  ASSERT_TRUE(made);
  const Json span = Json::parse(made.value_or(""));
  EXPECT_EQ(span["name"], "chat gpt");
  EXPECT_EQ(span["kind"], 3);
  EXPECT_EQ(span["startTimeUnixNano"], "1795455830123456000");
  EXPECT_EQ(span["endTimeUnixNano"], "1795455831000000000");
  EXPECT_EQ(span["traceId"], "0193a0000000700080000000000000aa");
  EXPECT_EQ(attribute(span, "gen_ai.operation.name"), Json({{"stringValue", "chat"}}));
  EXPECT_EQ(attribute(span, "gen_ai.provider.name"), Json({{"stringValue", "openai"}}));
  EXPECT_EQ(attribute(span, "gen_ai.response.finish_reasons"),
            Json({{"arrayValue", {{"values", {{{"stringValue", "stop"}}}}}}}));
  EXPECT_EQ(attribute(span, "gen_ai.usage.output_tokens"), Json({{"intValue", "22"}}));
  EXPECT_EQ(span["status"], Json::object());
  EXPECT_EQ(join.open(), 0u);
  EXPECT_EQ(join.replay_from(7), 7u);
}

TEST(SpanJoin, AProblemIsTheErrorType) {
  SpanJoin join;
  (void)join.add(decided());
  const Json span = Json::parse(join.add(completed({{"problem", "upstream_failed"}})).value_or(""));
  EXPECT_EQ(attribute(span, "error.type"), Json({{"stringValue", "upstream_failed"}}));
  EXPECT_EQ(span["status"]["code"], 2);
}

TEST(SpanJoin, ACallThatEndsWithItsDecisionIsASpanAtOnce) {
  SpanJoin join;
  const auto made = join.add(decided({{"effect", "forbid"}, {"problem", "forbidden"}}));
  ASSERT_TRUE(made);
  const Json span = Json::parse(made.value_or(""));
  EXPECT_EQ(span["startTimeUnixNano"], span["endTimeUnixNano"]);
  EXPECT_EQ(attribute(span, "gatehouse.decision.effect"), Json({{"stringValue", "forbid"}}));
  EXPECT_EQ(join.open(), 0u);
}

TEST(SpanJoin, AnOutcomeWithoutItsDecisionBeginsWhereItEnds) {
  SpanJoin join;
  const Json span = Json::parse(join.add(completed()).value_or(""));
  EXPECT_EQ(span["startTimeUnixNano"], span["endTimeUnixNano"]);
}

TEST(SpanJoin, WhatIsNoCallToAModelIsNoSpan) {
  SpanJoin join;
  EXPECT_FALSE(join.add(event({{"type", "key.created"}})));
  EXPECT_FALSE(join.add(event({{"type", "request.refused"}, {"subject", {{"path", "/x"}}}})));
}

TEST(SpanJoin, ReplayGivesTheSameMemory) {
  SpanJoin before;
  (void)before.add(decided({{"effect", "permit"}}, 5));
  SpanJoin after;
  after.replay(decided({{"effect", "permit"}}, 5));
  EXPECT_EQ(after.replay_from(9), before.replay_from(9));
  EXPECT_EQ(after.add(completed()), before.add(completed()));
  after.replay(decided());
  after.replay(completed());
  EXPECT_EQ(after.open(), 0u);
}

Record decision_number(std::uint64_t number, WallTime time) {
  Record record = decided({{"effect", "permit"}}, number);
  record.id = "call-" + std::to_string(number);
  record.time = time;
  return record;
}

TEST(SpanJoin, CallsWithoutAnOutcomeAreGivenUp) {
  SpanJoin join;
  const WallTime start = decided().time;
  (void)join.add(decision_number(1, start));
  (void)join.add(decision_number(2, start + SpanJoin::longest_call + hours(1)));
  EXPECT_EQ(join.open(), 1u);
  EXPECT_EQ(join.replay_from(3), 2u);
}

TEST(SpanJoin, MemoryIsBounded) {
  SpanJoin join;
  const Record first = decided();
  for (std::uint64_t i = 0; i < SpanJoin::most_open + 100; ++i) {
    Record record = first;
    record.index = i;
    record.id = std::to_string(i);
    (void)join.add(record);
  }
  EXPECT_EQ(join.open(), SpanJoin::most_open);
  EXPECT_EQ(join.replay_from(~0ull), 100u);
}

}  // namespace
}  // namespace gatehouse::exporter

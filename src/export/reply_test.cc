#include "export/reply.h"

#include <gtest/gtest.h>

namespace gatehouse::exporter {
namespace {

using namespace std::chrono_literals;
const WallTime now = parse_time("2026-11-25T10:00:00.000000Z").value();

TEST(Reply, OnlyWhatIsAboutTheEventsIsARefusal) {
  for (const int status : {200, 202, 204, 299})
    EXPECT_EQ(judge_status(status).verdict, Verdict::accepted) << status;
  for (const int status : {400, 413, 422})
    EXPECT_EQ(judge_status(status).verdict, Verdict::refused) << status;
  for (const int status : {301, 401, 403, 404, 405, 408, 409, 415, 429, 500, 501, 502, 503, 504})
    EXPECT_EQ(judge_status(status).verdict, Verdict::retry) << status;
  EXPECT_NE(judge_status(401).error.find("credential"), std::string::npos);
  EXPECT_NE(judge_status(302).error.find("redirect"), std::string::npos);
}

TEST(Reply, RetryAfterIsSecondsOrADate) {
  EXPECT_EQ(parse_retry_after("120", now), 120s);
  EXPECT_EQ(parse_retry_after(" 0 ", now), 0s);
  EXPECT_EQ(parse_retry_after("Wed, 25 Nov 2026 10:00:30 GMT", now), 30s);
  EXPECT_EQ(parse_retry_after("Wed, 25 Nov 2026 09:00:30 GMT", now), 0s);
}

TEST(Reply, RetryAfterIsBounded) {
  EXPECT_EQ(parse_retry_after("999999999999", now), 1h);
  EXPECT_EQ(parse_retry_after("18446744073709551615", now), 1h);
  EXPECT_EQ(parse_retry_after("Fri, 25 Nov 9999 10:00:30 GMT", now), 1h);
}

TEST(Reply, WhatIsNoRetryAfterIsNone) {
  for (const char* text :
       {"", "soon", "-1", "1.5", "Wed, 25 Nov 2026 10:00:30 UTC", "Wed, 31 Feb 2026 10:00:30 GMT",
        "Wed, 25 Nix 2026 10:00:30 GMT", "Wed, xx Nov 2026 10:00:30 GMT", "18446744073709551616"})
    EXPECT_EQ(parse_retry_after(text, now), std::nullopt) << text;
}

TEST(Reply, PartialSuccessIsCounted) {
  const auto text = parse_partial_success(
      R"({"partialSuccess":{"rejectedLogRecords":"3","errorMessage":"too\nold"}})");
  EXPECT_EQ(text.rejected, 3u);
  EXPECT_EQ(text.message, "too\\x0aold");
  EXPECT_EQ(parse_partial_success(R"({"partialSuccess":{"rejectedSpans":4}})").rejected, 4u);
}

TEST(Reply, AnythingElseIsFullSuccess) {
  const std::string deep = std::string(10'000, '[') + std::string(10'000, ']');
  for (const std::string& body :
       {std::string(), std::string("{}"), std::string("null"), std::string("\x08\x01"), deep,
        std::string(R"({"partialSuccess":null})"), std::string(R"({"partialSuccess":[1]})"),
        std::string(R"({"partialSuccess":{"rejectedSpans":-1}})"),
        std::string(R"({"partialSuccess":{"rejectedSpans":{}}})")})
    EXPECT_EQ(parse_partial_success(body).rejected, 0u) << body.substr(0, 60);
}

TEST(Reply, AQuoteIsShortAndPrintable) {
  EXPECT_EQ(quote_answer("a\x1b[31mb"), "a\\x1b[31mb");
  EXPECT_EQ(quote_answer(std::string(1'000, 'x')).size(), 200u);
}

}  // namespace
}  // namespace gatehouse::exporter

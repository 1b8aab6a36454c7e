// What becomes what. That every event is right by the schema is shown with the real binary and the
// schema itself (tests/e2e/export.test.mjs).
#include "export/ocsf.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "export/test_events.h"

namespace gatehouse::exporter {
namespace {

using namespace testing;

std::vector<Json> ocsf(const Record& record) {
  std::string out;
  append_ocsf(record, source, out);
  EXPECT_TRUE(out.ends_with('\n'));
  std::vector<Json> events;
  for (const auto line : split(out, '\n'))
    if (!line.empty()) events.push_back(Json::parse(line));
  return events;
}

Record of_type(const char* type) {
  return event({{"type", type},
                {"actor", {{"kind", "operator"}, {"id", "cli:root"}}},
                {"subject", {{"kind", "key"}, {"id", "k1"}, {"prefix", "gh_abc"}}},
                {"data", {{"reason", "why"}}}});
}

TEST(Ocsf, APermittedCallIsOneApiActivity) {
  const auto events = ocsf(decided());
  ASSERT_EQ(events.size(), 1u);
  const Json& one = events[0];
  EXPECT_EQ(one["class_uid"], 6003);
  EXPECT_EQ(one["type_uid"], 600301);
  EXPECT_EQ(one["severity"], "Informational");
  EXPECT_EQ(one["status"], "Success");
  EXPECT_EQ(one["time"], 1795455830123);
  EXPECT_EQ(one["metadata"]["uid"], "0193a000-0000-7000-8000-0000000000aa");
  EXPECT_EQ(one["metadata"]["sequence"], 5);
  EXPECT_EQ(one["metadata"]["log_name"], "example.org/log");
  EXPECT_EQ(one["metadata"]["product"]["version"], "1.2.3");
  EXPECT_EQ(one["ai_model"]["ai_provider"], "sim");
  EXPECT_EQ(one["ai_model"]["uid"], "gpt-4.1");
  EXPECT_EQ(one["src_endpoint"]["ip"], "203.0.113.7");
  EXPECT_EQ(one["src_endpoint"]["port"], 51234);
  EXPECT_EQ(one["actor"]["user"]["programmatic_credentials"][0]["uid"], "gh_abc");
  EXPECT_EQ(one["disposition"], "Allowed");
  EXPECT_EQ(one["unmapped"]["ledger_index"], 5);
}

TEST(Ocsf, AForbiddenCallIsAFindingToo) {
  const auto events = ocsf(decided({{"effect", "forbid"},
                                    {"problem", "blocked"},
                                    {"status", 403},
                                    {"policies", {"no-secrets", "base"}},
                                    {"findings", two_findings()}}));
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0]["disposition"], "Blocked");
  EXPECT_EQ(events[0]["status"], "Failure");
  EXPECT_EQ(events[0]["http_response"]["code"], 403);
  const Json& finding = events[1];
  EXPECT_EQ(finding["class_uid"], 2004);
  EXPECT_EQ(finding["severity"], "Medium");
  EXPECT_EQ(finding["is_alert"], true);
  EXPECT_EQ(finding["finding_info"]["title"], "Blocked: credential, personal in a request");
  EXPECT_EQ(finding["finding_info"]["analytic"]["uid"], "aws-key");
  EXPECT_EQ(finding["finding_info"]["types"], Json({"credential", "personal"}));
  EXPECT_EQ(finding["policy"]["name"], "no-secrets, base");
  EXPECT_EQ(finding["resources"][0]["name"], "gpt");
}

TEST(Ocsf, AForbiddenCallWithoutFindingsNamesThePolicy) {
  const auto events = ocsf(decided({{"effect", "forbid"}, {"problem", "forbidden"}}));
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[1]["finding_info"]["title"], "A call was forbidden by policy");
  EXPECT_EQ(events[1]["finding_info"]["analytic"]["name"], "Gatehouse policy");
}

TEST(Ocsf, TokensAreInTheMessageContext) {
  const auto events = ocsf(completed());
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0]["message_context"]["prompt_tokens"], 11);
  EXPECT_EQ(events[0]["message_context"]["completion_tokens"], 22);
  EXPECT_EQ(events[0]["message_context"]["total_tokens"], 33);
  EXPECT_EQ(events[0]["message_context"]["ai_role"], "Assistant");
}

TEST(Ocsf, NumbersBeyondTheSchemaAreLeftOut) {
  const auto events = ocsf(completed({{"input_tokens", 3'000'000'000}, {"status", -1}}));
  EXPECT_FALSE(events[0]["message_context"].contains("prompt_tokens"));
  EXPECT_FALSE(events[0]["message_context"].contains("total_tokens"));
  EXPECT_FALSE(events[0].contains("http_response"));
  std::string out;
  append_ocsf(decided({{"effect", "permit"}}, 1ull << 40), source, out);
  const Json far = Json::parse(out);
  EXPECT_FALSE(far["metadata"].contains("sequence"));
  EXPECT_EQ(far["unmapped"]["ledger_index"], 1ull << 40);
}

TEST(Ocsf, KeysModelsAndSnapshotsAreEntities) {
  const auto created = ocsf(of_type("key.created"));
  ASSERT_EQ(created.size(), 1u);
  EXPECT_EQ(created[0]["type_uid"], 300401);
  EXPECT_EQ(created[0]["entity"]["name"], "gh_abc");
  EXPECT_EQ(created[0]["entity"]["type"], "API key");
  EXPECT_EQ(created[0]["actor"]["user"]["type"], "Admin");
  EXPECT_EQ(ocsf(of_type("key.revoked"))[0]["activity_name"], "Delete");
  EXPECT_EQ(ocsf(of_type("model.added"))[0]["entity"]["type"], "AI model");
  const auto snapshot = ocsf(of_type("snapshot.activated"));
  EXPECT_EQ(snapshot[0]["activity_name"], "Activate");
  EXPECT_EQ(snapshot[0]["entity"]["policy"]["uid"], "sha256:ab");
  EXPECT_EQ(snapshot[0]["comment"], "why");
}

TEST(Ocsf, WhatIsNotKnownIsAnApiActivityByItsVerb) {
  EXPECT_EQ(ocsf(of_type("vault.erased"))[0]["type_uid"], 600304);
  EXPECT_EQ(ocsf(of_type("vault.read"))[0]["type_uid"], 600302);
  EXPECT_EQ(ocsf(of_type("something.new"))[0]["type_uid"], 600399);
  EXPECT_EQ(ocsf(of_type("something.new"))[0]["api"]["operation"], "something.new");
}

TEST(Ocsf, AnIncidentIsAnAlert) {
  const auto events =
      ocsf(event({{"type", "incident.raised"}, {"data", {{"kind", "state.differs"}}}}));
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0]["class_uid"], 2004);
  EXPECT_EQ(events[0]["severity"], "High");
  EXPECT_EQ(events[0]["is_alert"], true);
  EXPECT_EQ(events[0]["metadata"]["uid"], events[0]["metadata"]["original_event_uid"]);
  EXPECT_EQ(events[0]["finding_info"]["title"], "Gatehouse: incident.raised: state.differs");
  EXPECT_EQ(events[0]["finding_info"]["analytic"]["uid"], "state.differs");
}

TEST(Ocsf, WhatIsNoEventIsABaseEventWithItsDigest) {
  const auto record = read_record(9, "not an event", WallTime{});
  const auto events = ocsf(record);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0]["class_uid"], 0);
  EXPECT_EQ(events[0]["type_uid"], 99);
  EXPECT_EQ(events[0]["severity"], "High");
  EXPECT_EQ(events[0]["raw_data_hash"]["value"], to_hex(record.digest));
  EXPECT_EQ(events[0].dump().find("not an event"), std::string::npos);
}

TEST(Ocsf, ACallerWithoutAKeyIsNotAUser) {
  const auto events = ocsf(event({{"type", "request.refused"},
                                  {"actor", {{"peer", "unix"}}},
                                  {"data", {{"problem", "unauthenticated"}, {"status", 401}}}}));
  EXPECT_EQ(events[0]["actor"]["app_name"], "unauthenticated caller");
  EXPECT_EQ(events[0]["src_endpoint"]["name"], "unix");
  EXPECT_EQ(events[0]["status_detail"], "unauthenticated");
  EXPECT_FALSE(events[0].contains("ai_model"));
}

}  // namespace
}  // namespace gatehouse::exporter

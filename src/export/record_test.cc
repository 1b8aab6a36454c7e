#include "export/record.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/text.h"

namespace gatehouse::exporter {
namespace {

const WallTime read_at = parse_time("2026-11-25T10:00:00.000000Z").value();

TEST(Record, HasWhatTheEntryHas) {
  const auto record = read_record(
      7,
      R"({"id":"0193","time":"2026-11-23T17:43:50.123456Z","type":"key.created","node":"gw-1",)"
      R"("actor":{"kind":"operator","id":"cli:root"},"subject":{"id":"k"},"snapshot":"sha256:ab",)"
      R"("data":{"n":5,"list":["a"],"hash":"ff"}})",
      read_at);
  EXPECT_TRUE(record.readable);
  EXPECT_EQ(record.index, 7u);
  EXPECT_EQ(record.id, "0193");
  EXPECT_EQ(record.type, "key.created");
  EXPECT_EQ(format_time(record.time), "2026-11-23T17:43:50.123456Z");
  EXPECT_EQ(text_of(record.actor, "id"), "cli:root");
  EXPECT_EQ(number_of(record.data, "n"), 5);
  EXPECT_EQ(list_of(record.data, "list").size(), 1u);
  EXPECT_TRUE(record.label.empty());
  EXPECT_FALSE(record.data.contains("hash"));
}

TEST(Record, WhatIsNoEventIsNamedByItsDigest) {
  for (const char* entry : {"", "{", "[]", "7", "{}", R"({"id":"a"})", R"({"type":"b"})",
                            R"({"id":7,"type":"b"})", "\xff\xfe"}) {
    const auto record = read_record(3, entry, read_at);
    EXPECT_FALSE(record.readable) << entry;
    EXPECT_EQ(record.id, to_hex(crypto::sha256(bytes_of(entry))));
    EXPECT_EQ(record.type, unreadable_type);
    EXPECT_EQ(record.time, read_at);
  }
}

TEST(Record, MembersOfTheWrongKindAreAbsent) {
  const auto record = read_record(
      0, R"({"id":"a","type":"b","time":"soon","actor":7,"data":[1],"node":{}})", read_at);
  EXPECT_TRUE(record.readable);
  EXPECT_EQ(record.time, read_at);
  EXPECT_TRUE(record.actor.empty());
  EXPECT_TRUE(record.data.empty());
  EXPECT_TRUE(record.node.empty());
}

TEST(Record, IsBounded) {
  const std::string deep = std::string(20'000, '[') + std::string(20'000, ']');
  EXPECT_FALSE(read_record(0, R"({"id":"a","type":"b","data":)" + deep + "}", read_at).readable);
  Json entry = {{"id", "a"}, {"type", "b"}};
  entry["data"]["text"] = std::string(5'000, 'x');
  entry["data"]["list"] = std::vector<int>(1'000, 1);
  Json nested = 1;
  for (int i = 0; i < 25; ++i) nested = Json{{"n", nested}};
  entry["data"]["nested"] = nested;
  const auto record = read_record(0, entry.dump(), read_at);
  EXPECT_EQ(text_of(record.data, "text").size(), 1'024u);
  EXPECT_EQ(list_of(record.data, "list").size(), 256u);
  EXPECT_LT(to_text(record.data).size(), 4'000u);
}

TEST(Record, NumbersThatDoNotFitAreAbsent) {
  const auto record = read_record(
      0, R"({"id":"a","type":"b","data":{"big":18446744073709551615,"real":1.5,"text":"7"}})",
      read_at);
  EXPECT_EQ(number_of(record.data, "big"), std::nullopt);
  EXPECT_EQ(number_of(record.data, "real"), std::nullopt);
  EXPECT_EQ(number_of(record.data, "text"), std::nullopt);
  EXPECT_EQ(number_of(record.data, "none"), std::nullopt);
}

RC_GTEST_PROP(Record, AnyBytesBecomeARecord, (const std::string& bytes)) {
  const auto record = read_record(1, bytes, read_at);
  RC_ASSERT(!record.id.empty());
  RC_ASSERT(!record.type.empty());
}

}  // namespace
}  // namespace gatehouse::exporter

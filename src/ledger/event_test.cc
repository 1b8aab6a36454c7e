#include "ledger/event.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace gatehouse::ledger {
namespace {

Event full_event() {
  Event event;
  event.id = "01932f1c-0000-7000-8000-000000000001";
  event.time = WallTime(std::chrono::microseconds(1'700'000'000'123'456));
  event.type = "request.decided";
  event.node = "gw-1";
  event.actor = R"({"id":"key:alice"})";
  event.subject = R"({"model":"m"})";
  event.label = R"({"confidentiality":"internal"})";
  event.snapshot = "sha256:00";
  event.data = R"({"n":1})";
  return event;
}

TEST(Event, FixedFieldOrder) {
  EXPECT_EQ(serialize(full_event()).value(),
            R"({"id":"01932f1c-0000-7000-8000-000000000001","time":"2023-11-14T22:13:20.123456Z",)"
            R"("type":"request.decided","node":"gw-1","actor":{"id":"key:alice"},)"
            R"("subject":{"model":"m"},"label":{"confidentiality":"internal"},)"
            R"("snapshot":"sha256:00","data":{"n":1}})");
}

TEST(Event, EmptyPartsAreLeftOutAndTextIsEscaped) {
  Event event;
  event.id = "i";
  event.type = "a\"b\n";
  const std::string text = serialize(event).value();
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json.at("type"), "a\"b\n");
  EXPECT_EQ(json.size(), 3u);
}

TEST(Event, LimitIsExact) {
  Event event = full_event();
  const std::size_t base = serialize(event)->size();
  event.node.append(max_entry_bytes - base, 'x');
  EXPECT_EQ(serialize(event)->size(), max_entry_bytes);
  event.node += 'x';
  const auto refused = serialize(event);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::resource_exhausted);
}

TEST(Event, NeedsIdAndType) {
  Event event = full_event();
  event.id.clear();
  EXPECT_FALSE(serialize(event));
  event = full_event();
  event.type.clear();
  EXPECT_FALSE(serialize(event));
}

}  // namespace
}  // namespace gatehouse::ledger

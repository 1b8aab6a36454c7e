#include "ledger/query.h"

#include <gtest/gtest.h>

#include "base/id.h"
#include "ledger/event.h"
#include "ledger/test_log.h"

namespace gatehouse::ledger {
namespace {

// 2,000 events, one a second, with ids of that time; a few out of order, as threads make them.
class Query : public ::testing::Test {
 protected:
  void SetUp() override {
    ManualClock clock(WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 23)));
    SeededRandom random(1);
    const SystemClock system;
    std::vector<std::string> entries;
    for (int i = 0; i < 2000; ++i) {
      Event event;
      event.id = make_uuid7(clock, random);
      event.time = clock.wall();
      event.type = i % 10 == 0 ? "key.created" : "request.decided";
      event.node = "gw-1";
      event.actor = R"({"id":"user:)" + std::to_string(i % 7) + R"(","teams":["blue"]})";
      event.data = R"({"n":)" + std::to_string(i) + "}";
      ids_.push_back(event.id);
      entries.push_back(serialize(event).value());
      clock.advance(std::chrono::seconds(1));
    }
    for (std::size_t i = 0; i + 40 < entries.size(); i += 100) {
      std::swap(entries[i], entries[i + 37]);
      std::swap(ids_[i], ids_[i + 37]);
    }
    std::swap(entries[5], entries[1990]);  // very late: only a full scan finds it
    std::swap(ids_[5], ids_[1990]);
    auto ledger = Ledger::open(options_in(directory_.path()), test_key(), system).value();
    for (auto& entry : entries) ledger->append(std::move(entry), [](auto) {});
    ASSERT_TRUE(ledger->close());
  }

  std::vector<std::uint64_t> found(const EntryFilter& filter) {
    std::vector<std::uint64_t> indices;
    EXPECT_TRUE(scan(directory_.path(), 0, filter, [&](const FoundEntry& entry) {
      indices.push_back(entry.index);
      return true;
    }));
    return indices;
  }

  TemporaryDirectory directory_;
  std::vector<std::string> ids_;
};

TEST_F(Query, FindsEveryEntryByIdAndIndex) {
  for (std::size_t i = 0; i < ids_.size(); i += 13) {
    const auto by_id = find_entry(directory_.path(), ids_[i]);
    ASSERT_TRUE(by_id) << by_id.error().describe();
    EXPECT_EQ(by_id->index, i);
    EXPECT_EQ(find_entry(directory_.path(), std::to_string(i))->entry, by_id->entry);
  }
  EXPECT_EQ(find_entry(directory_.path(), ids_[5])->index, 5u);
  EXPECT_EQ(find_entry(directory_.path(), ids_[1990])->index, 1990u);
  EXPECT_EQ(find_entry(directory_.path(), "no-such-id").error().code, ErrorCode::not_found);
  EXPECT_EQ(find_entry(directory_.path(), "2000").error().code, ErrorCode::not_found);
  EXPECT_EQ(log_end(directory_.path()).value(), 2000u);
}

TEST_F(Query, Filters) {
  EXPECT_EQ(found({}).size(), 2000u);
  EXPECT_EQ(found({.type = "key.created"}).size(), 200u);
  EXPECT_EQ(found({.type = "key."}).size(), 200u);
  EXPECT_EQ(found({.type = "key"}).size(), 0u);
  EXPECT_EQ(found({.actor = "user:3"}).size(), 286u);
  EXPECT_EQ(found({.actor = "blue"}).size(), 2000u);
  EXPECT_EQ(found({.actor = "use"}).size(), 0u);
  EXPECT_EQ(found({.contains = R"("n":1234})"}).size(), 1u);
  const auto minute =
      found({.since = "2026-11-23T00:01:00.000000Z", .until = "2026-11-23T00:02:00.000000Z"});
  EXPECT_EQ(minute.size(), 60u);
  EXPECT_EQ(found({.type = "key.created", .since = "2026-11-23T00:01:00.000000Z"}).size(), 194u);
}

// A file that cannot be read any more shows that nobody reads it.
void spoil(const std::filesystem::path& file) {
  std::ofstream(file, std::ios::binary) << "no bundle";
}

TEST_F(Query, ATimeSpanReadsOnlyWhatItNeeds) {
  const EntryFilter late{.since = "2026-11-23T00:30:00.000000Z"};
  const EntryFilter early{.until = "2026-11-23T00:02:00.000000Z"};
  const auto since = first_since(directory_.path(), late.since);
  ASSERT_TRUE(since) << since.error().describe();
  EXPECT_EQ(*since, 1280u) << "the bundle in which 00:25 is";
  EXPECT_EQ(first_since(directory_.path(), ""), 0u);
  EXPECT_EQ(first_since(directory_.path(), "2026-11-23T00:00:10.000000Z"), 0u);
  EXPECT_EQ(first_since(directory_.path(), "2027-01-01T00:00:00.000000Z"), 1792u);
  const auto all = found(late);
  EXPECT_EQ(all.size(), 200u);

  spoil(directory_.path() / "tile/entries/000");
  std::vector<std::uint64_t> near_end;
  ASSERT_TRUE(scan(directory_.path(), *since, late, [&](const FoundEntry& entry) {
    near_end.push_back(entry.index);
    return true;
  }));
  EXPECT_EQ(near_end.size(), 199u) << "all but the one that stands half an hour away, at 5";
}

TEST_F(Query, NothingIsReadLongAfterTheEndOfASpan) {
  spoil(directory_.path() / "tile/entries/005");
  EXPECT_EQ(found({.until = "2026-11-23T00:02:00.000000Z"}).size(), 119u)
      << "all but the one that stands half an hour away, at 1990";
}

TEST(QueryTime, Bounds) {
  const WallTime now(std::chrono::sys_days(std::chrono::year(2026) / 11 / 23));
  EXPECT_EQ(parse_time_bound("1h", now).value(), "2026-11-22T23:00:00.000000Z");
  EXPECT_EQ(parse_time_bound("7d", now).value(), "2026-11-16T00:00:00.000000Z");
  EXPECT_EQ(parse_time_bound("2026-11-23", now).value(), "2026-11-23T00:00:00.000000Z");
  EXPECT_EQ(parse_time_bound("2026-11-23T10:20Z", now).value(), "2026-11-23T10:20:00.000000Z");
  EXPECT_EQ(parse_time_bound("2026-11-23T10:20:30Z", now).value(), "2026-11-23T10:20:30.000000Z");
  EXPECT_EQ(parse_time_bound("2026-11-23T10:20:30.5Z", now).value(), "2026-11-23T10:20:30.500000Z");
  for (const char* bad : {"", "h", "1w", "-1h", "2026", "2026-13-01", "2026-11-32", "2026-11-23Z",
                          "2026-11-23T10:20", "2026-11-23T25:00Z", "2026-11-23 10:20Z",
                          "2026-11-23T10:20:30.Z", "99999999999999999999d"}) {
    EXPECT_FALSE(parse_time_bound(bad, now)) << bad;
  }
}

TEST(QueryFilter, OddEntriesDoNotMatchAndDoNotCrash) {
  const std::string deep(60'000, '[');
  for (const std::string& entry :
       {std::string("not json key.created"), std::string("[\"key.created\"]"), deep,
        R"({"type":5,"actor":"key.created"})" + std::string(), std::string("{}key.created")}) {
    EXPECT_FALSE(matches({.type = "key.created"}, entry));
  }
  const std::string nested =
      R"({"actor":)" + std::string(5000, '[') + R"("x")" + std::string(5000, ']') + "}";
  EXPECT_FALSE(matches({.actor = "x"}, nested));
  EXPECT_TRUE(matches({.actor = "a\"b"}, R"({"actor":{"id":"a\"b"}})"));
}

}  // namespace
}  // namespace gatehouse::ledger

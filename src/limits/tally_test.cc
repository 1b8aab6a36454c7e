// The fold over the ledger: what the live counters say, the entries they gave rise to say again.
#include "limits/tally.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/json.h"

namespace gatehouse::limits {
namespace {

using std::chrono::seconds;

const WallTime start{std::chrono::microseconds(1'790'000'000'000'000)};
const std::string family = "purse|money|60s";
const crypto::Digest key = crypto::derive_key(bytes_of("a secret of tests"), "tally");

struct Charge {
  std::string key;
  std::int64_t amount = 0;
};

Subject subject_of(const std::vector<ActorName>& actors) {
  Subject subject;
  subject.actors = actors;
  return subject;
}

std::string entry(std::string_view id, WallTime time, std::string_view type,
                  std::string_view decision, std::string_view what,
                  const std::vector<Charge>& charges) {
  std::string json;
  JsonWriter writer(json);
  writer.begin_object().key("id").string(id).key("time").string(format_time(time));
  writer.key("type").string(type).key("data").begin_object();
  if (!decision.empty()) writer.key("decision").string(decision);
  writer.key("limits").begin_array();
  for (const auto& charge : charges) {
    writer.begin_object().key("limit").string("purse").key("key").string(charge.key);
    writer.key("unit").string("money").key("window").string("60s");
    writer.key(what).number(charge.amount).end_object();
  }
  writer.end_array().end_object().end_object();
  return json;
}
std::string decided(std::string_view id, WallTime time, const std::vector<Charge>& charges) {
  return entry(id, time, "request.decided", "", "reserved", charges);
}
std::string completed(std::string_view decision, WallTime time,
                      const std::vector<Charge>& charges) {
  return entry("outcome", time, "request.completed", decision, "charged", charges);
}
std::string started(WallTime time) {
  return R"({"id":"s","time":")" + format_time(time) +
         R"(","type":"snapshot.activated","data":{"reason":"start","contents":{"limits":[1]}}})";
}
std::string reset(WallTime time, std::string_view which) {
  return R"({"id":"r","time":")" + format_time(time) +
         R"(","type":"budget.reset","data":{"limit":"purse")" +
         (which.empty() ? "" : R"(,"key":")" + std::string(which) + '"') + "}}";
}

TEST(Tally, SettlesWhatWasReserved) {
  Tally tally;
  ASSERT_TRUE(tally.apply(0, decided("d1", start, {{"a", 100}, {"b", 100}})));
  EXPECT_EQ(tally.used(family, "a", start), 100);
  ASSERT_TRUE(tally.apply(1, completed("d1", start + seconds(5), {{"a", 30}, {"b", 30}})));
  EXPECT_EQ(tally.used(family, "a", start + seconds(5)), 30);
  EXPECT_EQ(tally.used(family, "b", start + seconds(5)), 30);
  EXPECT_EQ(tally.pending(), 0u);
  EXPECT_EQ(tally.used(family, "a", start + seconds(62)), 0);
}

TEST(Tally, ACallWhoseOutcomeNeverCameStaysAtItsWorst) {
  Tally tally;
  ASSERT_TRUE(tally.apply(0, decided("d1", start, {{"a", 100}})));
  ASSERT_TRUE(tally.apply(1, started(start + seconds(3))));
  EXPECT_EQ(tally.pending(), 0u);
  EXPECT_EQ(tally.used(family, "a", start + seconds(5)), 100);
}

TEST(Tally, TakesWhatIsChargedAtOnce) {
  Tally tally;
  ASSERT_TRUE(tally.apply(0, entry("d1", start, "tool.decided", "", "charged", {{"a", 1}})));
  ASSERT_TRUE(tally.apply(1, completed("unknown", start, {{"a", 2}})));
  EXPECT_EQ(tally.used(family, "a", start), 3);
}

TEST(Tally, SkipsEntriesItHas) {
  Tally tally;
  const auto one = decided("d1", start, {{"a", 100}});
  ASSERT_TRUE(tally.apply(0, one));
  ASSERT_TRUE(tally.apply(0, one));
  EXPECT_EQ(tally.used(family, "a", start), 100);
  EXPECT_EQ(tally.next_index(), 1u);
}

TEST(Tally, AResetForgetsAndWhatIsSettledLaterGivesNothingBack) {
  Tally tally;
  ASSERT_TRUE(tally.apply(0, decided("d1", start, {{"a", 100}, {"b", 100}})));
  ASSERT_TRUE(tally.apply(1, reset(start, "a")));
  ASSERT_TRUE(tally.apply(2, decided("d2", start, {{"a", 50}})));
  ASSERT_TRUE(tally.apply(3, completed("d1", start, {{"a", 10}, {"b", 10}})));
  EXPECT_EQ(tally.used(family, "a", start), 50);
  EXPECT_EQ(tally.used(family, "b", start), 10);
  ASSERT_TRUE(tally.apply(4, reset(start, "")));
  EXPECT_EQ(tally.used(family, "b", start), 0);
}

TEST(Tally, WhatIsNoneOfOursIsRefusedAndChangesNothing) {
  Tally tally;
  const std::string good = decided("d1", start, {{"a", 100}});
  auto altered = [&](std::string_view from, std::string_view to) {
    std::string bad = good;
    bad.replace(bad.find(from), from.size(), to);
    return bad;
  };
  for (const auto& bad :
       {altered("money", "gold"), altered("60s", "soon"), altered(":100", ":-1"),
        altered(":100", ":9007199254740993"), altered("reserved", "wished"),
        altered("purse", "pur|se"), altered("purse", ""), good.substr(0, good.size() - 1)}) {
    const auto applied = tally.apply(0, bad);
    ASSERT_FALSE(applied) << bad;
    EXPECT_EQ(applied.error().code, ErrorCode::data_loss) << bad;
    EXPECT_EQ(tally.next_index(), 0u);
    EXPECT_EQ(tally.counters(), 0u);
  }
}

TEST(Tally, TextThatOnlyLooksLikeOneIsNone) {
  Tally tally;
  const std::string text = json_string(R"("limits":[{"limit":"purse"}])");
  ASSERT_TRUE(tally.apply(0, R"({"id":"x","time":")" + format_time(start) +
                                 R"(","type":"request.refused","data":{"reason":)" + text + "}}"));
  EXPECT_EQ(tally.counters(), 0u);
}

TEST(Tally, ComesBackFromItsFile) {
  Tally tally;
  ASSERT_TRUE(tally.apply(0, decided("d1", start, {{"a", 100}})));
  ASSERT_TRUE(tally.apply(1, decided("d2", start + seconds(10), {{"a", 40}, {"c", 7}})));
  const auto now = start + seconds(11);
  auto again = Tally::open(key, tally.seal(key, now));
  ASSERT_TRUE(again) << again.error().describe();
  EXPECT_EQ(again->next_index(), 2u);
  EXPECT_EQ(again->used(family, "a", now), 140);
  ASSERT_TRUE(again->apply(2, completed("d1", now, {{"a", 1}})));
  EXPECT_EQ(again->used(family, "a", now), 41);
  EXPECT_EQ(again->used(family, "a", start + seconds(62)), 40);
}

TEST(Tally, AFileSomebodyWroteInIsNotBelieved) {
  Tally tally;
  ASSERT_TRUE(tally.apply(0, decided("d1", start, {{"a", 100}})));
  std::string sealed = tally.seal(key, start);
  sealed.replace(sealed.find("\t100"), 4, "\t000");
  EXPECT_FALSE(Tally::open(key, sealed));
  EXPECT_FALSE(Tally::open(key, ""));
  EXPECT_FALSE(Tally::open(key, tally.seal(key, start).substr(0, 80)));
}

TEST(Tally, FillsABook) {
  Tally tally;
  ASSERT_TRUE(tally.apply(0, decided("d1", start, {{"principal=user:ada", 100}})));
  Book book;
  tally.fill(book, start + seconds(1));
  const auto rules = book.compile({{.name = "purse",
                                    .unit = Unit::money,
                                    .amount = 120,
                                    .window = {Window::Kind::sliding, seconds(60)},
                                    .per = {Per::principal}}},
                                  start);
  const std::vector<ActorName> ada{"user:ada"};
  Amounts amounts;
  amounts[Unit::money] = 21;
  EXPECT_FALSE(book.reserve(*rules, subject_of(ada), amounts, start + seconds(1)));
  amounts[Unit::money] = 20;
  EXPECT_TRUE(book.reserve(*rules, subject_of(ada), amounts, start + seconds(1)));
}

// However a history is cut by restarts that lost everything but the ledger (and perhaps found a
// file), the fold says what the live counters said, and for calls that were under way their worst.
RC_GTEST_PROP(TallyLaws, AfterARestartTheBudgetIsAsBefore, ()) {
  const auto steps = *rc::gen::inRange(1, 60);
  std::vector<std::string> ledger;
  Book live;
  const Limit limit{.name = "purse",
                    .unit = Unit::money,
                    .amount = 1'000,
                    .window = {Window::Kind::sliding, seconds(60)},
                    .per = {Per::principal}};
  auto rules = live.compile({limit}, start);
  std::vector<std::pair<std::string, Reservation>> running;
  WallTime now = start;
  std::string file;
  for (int step = 0; step < steps; ++step) {
    now += std::chrono::milliseconds(*rc::gen::inRange(0, 4'000));
    const std::vector<ActorName> actors{"user:" + std::to_string(*rc::gen::inRange(0, 3))};
    const auto what = *rc::gen::inRange(0, 5);
    if (what <= 1) {
      Amounts worst;
      worst[Unit::money] = *rc::gen::inRange(1, 400);
      auto held = live.reserve(*rules, subject_of(actors), worst, now);
      if (!held) continue;
      const auto id = "d" + std::to_string(step);
      ledger.push_back(decided(id, now, {{held->holds[0].counter->key, worst[Unit::money]}}));
      running.emplace_back(id, *std::move(held));
    } else if (what == 2 && !running.empty()) {
      auto [id, held] = std::move(running.back());
      running.pop_back();
      Amounts used;
      used[Unit::money] = *rc::gen::inRange<std::int64_t>(0, held.holds[0].amount + 1);
      live.settle(held, used);
      ledger.push_back(completed(id, now, {{held.holds[0].counter->key, used[Unit::money]}}));
    } else if (what == 3) {
      auto tally = file.empty() ? Tally() : Tally::open(key, file).value();
      for (std::size_t at = tally.next_index(); at < ledger.size(); ++at)
        RC_ASSERT(tally.apply(at, ledger[at]).has_value());
      file = tally.seal(key, now);
    }
  }
  auto tally = file.empty() ? Tally() : Tally::open(key, file).value();
  for (std::size_t at = tally.next_index(); at < ledger.size(); ++at)
    RC_ASSERT(tally.apply(at, ledger[at]).has_value());
  Book restarted;
  tally.fill(restarted, now);
  const auto before = live.list(now);
  const auto after = restarted.list(now);
  RC_ASSERT(before.size() == after.size());
  for (std::size_t at = 0; at < before.size(); ++at) {
    RC_ASSERT(before[at].key == after[at].key);
    RC_ASSERT(before[at].used == after[at].used);
    RC_ASSERT(before[at].empty_at == after[at].empty_at);
  }
}

}  // namespace
}  // namespace gatehouse::limits

// The book of counters: what limits are for whom, all or nothing, and no more than the amount
// whoever asks at once.
#include "limits/book.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <random>
#include <thread>

#include "base/text.h"

namespace gatehouse::limits {
namespace {

using std::chrono::seconds;

const WallTime start{std::chrono::microseconds(1'790'000'000'000'000)};

Limit limit(std::string name, Unit unit, std::int64_t amount, std::vector<Per> per = {}) {
  return {.name = std::move(name),
          .unit = unit,
          .amount = amount,
          .window = {Window::Kind::sliding, seconds(60)},
          .match = {},
          .per = std::move(per)};
}

// A call with owners of its views.
struct Call {
  std::vector<ActorName> actors{"user:ada"};
  std::vector<std::string> groups{};
  std::string team{};
  std::string model{"gpt"};
  std::string route{"chat_completions"};
  std::string session{};
  std::vector<std::string> policy{};
  std::vector<LifetimeBudget> delegated{};

  Subject subject() const {
    return {.actors = actors,
            .groups = groups,
            .team = team,
            .model = model,
            .route = route,
            .session = session,
            .tool = {},
            .policy_limits = policy,
            .delegated = delegated};
  }
};

Amounts requests(std::int64_t count) {
  Amounts amounts;
  amounts[Unit::requests] = count;
  return amounts;
}
Amounts money(std::int64_t micros) {
  Amounts amounts;
  amounts[Unit::money] = micros;
  return amounts;
}

bool passes(Book& book, const Rules& rules, const Call& call, const Amounts& amounts = requests(1),
            WallTime now = start) {
  return book.reserve(rules, call.subject(), amounts, now).has_value();
}

TEST(Book, SharesAnAmountBetweenAll) {
  Book book;
  const auto rules = book.compile({limit("all", Unit::requests, 2)}, start);
  EXPECT_TRUE(passes(book, *rules, {.actors = {"user:ada"}}));
  EXPECT_TRUE(passes(book, *rules, {.actors = {"user:bob"}}));
  const auto refused = book.reserve(*rules, Call{}.subject(), requests(1), start);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().name, "all");
  EXPECT_EQ(refused.error().used, 2);
  EXPECT_EQ(refused.error().fits_at.value() - start, seconds(61));
}

TEST(Book, CountsApartByWhatItIsTold) {
  Book book;
  const auto rules =
      book.compile({limit("each", Unit::requests, 1, {Per::principal, Per::model})}, start);
  EXPECT_TRUE(passes(book, *rules, {.actors = {"user:ada"}, .model = "a"}));
  EXPECT_TRUE(passes(book, *rules, {.actors = {"user:ada"}, .model = "b"}));
  EXPECT_TRUE(passes(book, *rules, {.actors = {"user:bob"}, .model = "a"}));
  EXPECT_FALSE(passes(book, *rules, {.actors = {"user:ada"}, .model = "a"}));
}

TEST(Book, ValuesCannotPassForOthers) {
  Book book;
  const auto rules =
      book.compile({limit("each", Unit::requests, 1, {Per::team, Per::model})}, start);
  EXPECT_TRUE(passes(book, *rules, {.team = "a,model=b", .model = "c"}));
  EXPECT_TRUE(passes(book, *rules, {.team = "a", .model = "b,model=c"}));
  EXPECT_TRUE(passes(book, *rules, {.team = std::string(300, 'a'), .model = "c"}));
  EXPECT_TRUE(passes(book, *rules, {.team = std::string(301, 'a'), .model = "c"}));
}

TEST(Book, KeysAreTextOfBoundedLength) {
  Book book;
  const auto rules = book.compile(
      {limit("each", Unit::requests, 1, {Per::principal, Per::team, Per::model, Per::session})},
      start);
  const std::string wild(200, ',');
  EXPECT_TRUE(passes(book, *rules, {.actors = {"user:\xff\xfe"}}));
  EXPECT_TRUE(passes(book, *rules, {.actors = {"user:" + wild}, .team = wild, .model = wild}));
  for (const auto& view : book.list(start)) {
    EXPECT_LE(view.key.size(), 512u);
    EXPECT_TRUE(is_utf8(view.key));
  }
}

TEST(Book, IsOnlyForWhatItMatches) {
  Book book;
  auto one = limit("some", Unit::requests, 1);
  one.match.principals = {"agent:*"};
  one.match.models = {"gpt-4*", "o3"};
  one.match.groups = {"contractors"};
  const auto rules = book.compile({one}, start);
  const Call matching{
      .actors = {"agent:helper"}, .groups = {"staff", "contractors"}, .model = "gpt-4o"};
  EXPECT_TRUE(passes(book, *rules, matching));
  EXPECT_FALSE(passes(book, *rules, matching));
  for (int times = 0; times < 3; ++times) {
    EXPECT_TRUE(
        passes(book, *rules, {.actors = {"user:agent"}, .groups = {"contractors"}, .model = "o3"}));
    EXPECT_TRUE(passes(book, *rules, {.actors = {"agent:helper"}, .groups = {}, .model = "o3"}));
    EXPECT_TRUE(passes(
        book, *rules, {.actors = {"agent:helper"}, .groups = {"contractors"}, .model = "o3-mini"}));
  }
}

TEST(Book, ChargesEveryAncestorOfADelegation) {
  Book book;
  const auto rules = book.compile({limit("each", Unit::requests, 2, {Per::principal})}, start);
  EXPECT_TRUE(passes(book, *rules, {.actors = {"agent:sub", "agent:helper", "user:ada"}}));
  EXPECT_TRUE(passes(book, *rules, {.actors = {"agent:other", "user:ada"}}));
  // Ada has used hers; her agents have some left and still cannot go on for her.
  EXPECT_FALSE(passes(book, *rules, {.actors = {"agent:sub", "agent:helper", "user:ada"}}));
  EXPECT_FALSE(passes(book, *rules, {.actors = {"user:ada"}}));
  EXPECT_TRUE(passes(book, *rules, {.actors = {"agent:sub", "agent:helper", "user:bob"}}));
  // The refused call has charged nobody: helper had one left before and none now.
  EXPECT_FALSE(passes(book, *rules, {.actors = {"agent:helper", "user:eve"}}));
}

TEST(Book, AnAmountThatIsForAnAncestorIsChargedOnce) {
  Book book;
  auto one = limit("ada", Unit::requests, 2);
  one.match.principals = {"user:ada", "agent:*"};
  const auto rules = book.compile({one}, start);
  EXPECT_TRUE(passes(book, *rules, {.actors = {"agent:sub", "agent:helper", "user:ada"}}));
  EXPECT_TRUE(passes(book, *rules, {.actors = {"agent:sub", "agent:helper", "user:ada"}}));
  EXPECT_FALSE(passes(book, *rules, {.actors = {"user:ada"}}));
  EXPECT_TRUE(passes(book, *rules, {.actors = {"user:bob"}}));
}

TEST(Book, CallsOutsideOfConversationsCountAsOneOfTheirCaller) {
  Book book;
  const auto rules = book.compile({limit("talk", Unit::requests, 1, {Per::session})}, start);
  EXPECT_TRUE(passes(book, *rules, {.session = "s1"}));
  EXPECT_TRUE(passes(book, *rules, {.session = "s2"}));
  EXPECT_TRUE(passes(book, *rules, {.actors = {"user:ada"}}));
  EXPECT_FALSE(passes(book, *rules, {.actors = {"user:ada"}}));
  EXPECT_TRUE(passes(book, *rules, {.actors = {"user:bob"}}));
}

TEST(Book, AppliesSomeOnlyWherePolicyWantsThem) {
  Book book;
  auto one = limit("careful", Unit::requests, 1);
  one.by_policy = true;
  const auto rules = book.compile({one}, start);
  EXPECT_TRUE(passes(book, *rules, {}));
  EXPECT_TRUE(passes(book, *rules, {.policy = {"careful"}}));
  EXPECT_FALSE(passes(book, *rules, {.policy = {"other", "careful"}}));
  EXPECT_TRUE(passes(book, *rules, {}));
}

TEST(Book, ATokensBudgetIsForItsWholeLife) {
  Book book;
  const auto rules = book.compile({}, start);
  const Call call{.delegated = {{"token-1", 100}, {"parent", 150}}};
  EXPECT_TRUE(passes(book, *rules, call, money(60)));
  EXPECT_FALSE(passes(book, *rules, call, money(60)));
  const Call sibling{.delegated = {{"token-2", 100}, {"parent", 150}}};
  EXPECT_TRUE(passes(book, *rules, sibling, money(90)));
  const auto refused =
      book.reserve(*rules, sibling.subject(), money(5), start + seconds(1'000'000));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().name, delegation_name);
  EXPECT_FALSE(refused.error().fits_at);
}

TEST(Book, SettlesWhatWasUsed) {
  Book book;
  const auto rules = book.compile({limit("purse", Unit::money, 100)}, start);
  auto held = book.reserve(*rules, Call{}.subject(), money(100), start);
  ASSERT_TRUE(held);
  EXPECT_FALSE(passes(book, *rules, {}, money(1)));
  book.settle(*held, money(30));
  EXPECT_EQ(book.standing(*held, Unit::money, start)->left, 70);
  EXPECT_TRUE(passes(book, *rules, {}, money(70)));
  EXPECT_FALSE(passes(book, *rules, {}, money(1)));
  book.settle(*held, money(0));  // a second time changes nothing
  EXPECT_FALSE(passes(book, *rules, {}, money(1)));
  EXPECT_EQ(book.overruns(), 0u);
}

TEST(Book, ChargesWhatAnAnswerUsedBeyondItsWorstCase) {
  Book book;
  const auto rules = book.compile({limit("purse", Unit::money, 100)}, start);
  auto held = book.reserve(*rules, Call{}.subject(), money(10), start);
  ASSERT_TRUE(held);
  book.settle(*held, money(95));
  EXPECT_EQ(book.overruns(), 1u);
  EXPECT_FALSE(passes(book, *rules, {}, money(6)));
  EXPECT_TRUE(passes(book, *rules, {}, money(5)));
}

TEST(Book, OfSeveralReasonsTheOneThatLastsLongestIsSaid) {
  Book book;
  auto month = limit("month", Unit::requests, 1);
  month.window = {Window::Kind::month, {}};
  const auto rules = book.compile({limit("minute", Unit::requests, 1), month}, start);
  EXPECT_TRUE(passes(book, *rules, {}));
  EXPECT_EQ(book.reserve(*rules, Call{}.subject(), requests(1), start).error().name, "month");
}

TEST(Book, AReloadKeepsWhatWasCounted) {
  Book book;
  auto rules = book.compile({limit("all", Unit::requests, 2)}, start);
  EXPECT_TRUE(passes(book, *rules, {}));
  EXPECT_TRUE(passes(book, *rules, {}));
  rules = book.compile({limit("all", Unit::requests, 3)}, start);
  EXPECT_TRUE(passes(book, *rules, {}));
  EXPECT_FALSE(passes(book, *rules, {}));
}

TEST(Book, AResetEmptiesWhatIsNamed) {
  Book book;
  const auto rules = book.compile({limit("each", Unit::requests, 1, {Per::principal})}, start);
  EXPECT_TRUE(passes(book, *rules, {.actors = {"user:ada"}}));
  EXPECT_TRUE(passes(book, *rules, {.actors = {"user:bob"}}));
  EXPECT_EQ(book.reset("each", "principal=user:ada", start), 1u);
  EXPECT_TRUE(passes(book, *rules, {.actors = {"user:ada"}}));
  EXPECT_FALSE(passes(book, *rules, {.actors = {"user:bob"}}));
  EXPECT_EQ(book.reset("each", std::nullopt, start), 2u);
  EXPECT_TRUE(passes(book, *rules, {.actors = {"user:bob"}}));
}

TEST(Book, ForgetsEmptyCountersAndRefusesBeyondItsRoom) {
  Book book(64);  // one for each shard
  const auto rules = book.compile({limit("each", Unit::requests, 1, {Per::session})}, start);
  int let_in = 0;
  for (int at = 0; at < 1'000; ++at)
    let_in += passes(book, *rules, {.session = std::to_string(at)}) ? 1 : 0;
  EXPECT_LE(let_in, 64);
  EXPECT_GT(let_in, 32);
  EXPECT_EQ(book.tidy(start), 0u);
  EXPECT_EQ(book.tidy(start + seconds(120)), static_cast<std::size_t>(let_in));
  EXPECT_TRUE(passes(book, *rules, {.session = "new"}, requests(1), start + seconds(120)));
}

// Ten thousand callers, each asking until it is refused, on several threads, against one budget.
TEST(Book, TenThousandCallersNeverOvershootOneBudget) {
  constexpr int threads = 8;
  constexpr int callers = 10'000;
  constexpr std::int64_t amount = 7'777;
  Book book;
  const auto rules = book.compile({limit("purse", Unit::money, amount * 10)}, start);
  std::latch go(threads);
  std::atomic<std::int64_t> served = 0;
  std::atomic<std::int64_t> in_flight = 0;
  std::atomic<bool> overshot = false;
  std::vector<std::thread> running;
  for (int thread = 0; thread < threads; ++thread) {
    running.emplace_back([&, thread] {
      std::mt19937 random(static_cast<unsigned>(thread));
      go.arrive_and_wait();
      for (int caller = thread; caller < callers; caller += threads) {
        const std::int64_t worst = 10 + random() % 90;
        auto held = book.reserve(*rules, Call{}.subject(), money(worst), start);
        if (!held) continue;
        const std::int64_t used = random() % (worst + 1);
        if (in_flight.fetch_add(worst) + worst + served.load() > amount * 10) overshot = true;
        served.fetch_add(used);
        in_flight.fetch_sub(worst);
        book.settle(*held, money(used));
      }
    });
  }
  for (auto& thread : running) thread.join();
  EXPECT_LE(served.load(), amount * 10);
  EXPECT_EQ(book.list(start).at(0).used, served.load());
  EXPECT_EQ(book.overruns(), 0u);
}

TEST(Book, ConcurrentFirstCallsGetExactlyTheAmount) {
  constexpr int threads = 8;
  for (int round = 0; round < 20; ++round) {
    Book book;
    const auto rules = book.compile({limit("first", Unit::requests, 100, {Per::principal}),
                                     limit("also", Unit::requests, 1'000, {Per::model})},
                                    start);
    std::latch go(threads);
    std::atomic<int> served = 0;
    std::vector<std::thread> running;
    for (int thread = 0; thread < threads; ++thread) {
      running.emplace_back([&] {
        go.arrive_and_wait();
        for (int at = 0; at < 50; ++at) served += passes(book, *rules, {}) ? 1 : 0;
      });
    }
    for (auto& thread : running) thread.join();
    EXPECT_EQ(served.load(), 100);
  }
}

// Calls, settlements, listing, resets and tidying at once; for the thread sanitizer, and what is
// counted at the end is what was used after the last reset.
TEST(Book, EverythingAtOnce) {
  Book book;
  const auto rules = book.compile({limit("all", Unit::requests, 1'000'000),
                                   limit("each", Unit::requests, 50, {Per::principal})},
                                  start);
  std::atomic<bool> stop = false;
  std::vector<std::thread> running;
  for (int thread = 0; thread < 4; ++thread) {
    running.emplace_back([&, thread] {
      for (int at = 0; at < 3'000; ++at) {
        const Call call{.actors = {"user:" + std::to_string((at + thread) % 97)}};
        const auto now = start + std::chrono::milliseconds(at * 100);
        auto held = book.reserve(*rules, call.subject(), requests(1), now);
        if (held && at % 3 == 0) book.settle(*held, requests(0));
      }
    });
  }
  std::thread keeper([&] {
    for (int at = 0; !stop; ++at) {
      (void)book.list(start + seconds(at % 300));
      book.tidy(start + seconds(at % 300));
      if (at % 7 == 0) book.reset("each", "principal=user:1", start + seconds(at % 300));
    }
  });
  for (auto& thread : running) thread.join();
  stop = true;
  keeper.join();
  EXPECT_GT(book.counters(), 0u);
}

}  // namespace
}  // namespace gatehouse::limits

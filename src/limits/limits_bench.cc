// What an admission costs: reserve and settle, with one limit and with several, on one thread and
// on several that share a counter.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "limits/book.h"
#include "limits/tally.h"

namespace {

using namespace gatehouse;
using namespace gatehouse::limits;

const WallTime start{std::chrono::microseconds(1'790'000'000'000'000)};

Limit limit(std::string name, Unit unit, std::vector<Per> per) {
  return {.name = std::move(name),
          .unit = unit,
          .amount = most_amount,
          .window = {Window::Kind::sliding, std::chrono::seconds(60)},
          .per = std::move(per)};
}

std::vector<Limit> limits_of(std::int64_t count) {
  if (count == 0) return {};
  if (count == 1) return {limit("all", Unit::requests, {})};
  return {limit("each", Unit::requests, {Per::principal}), limit("team", Unit::money, {Per::team}),
          limit("model", Unit::tokens, {Per::model}), limit("talk", Unit::tokens, {Per::session})};
}

struct Shared {
  Book book;
  std::shared_ptr<const Rules> rules;
};

void admit(benchmark::State& state) {
  static Shared* shared = nullptr;
  if (state.thread_index() == 0) {
    shared = new Shared();
    shared->rules = shared->book.compile(limits_of(state.range(0)), start);
  }
  const std::vector<ActorName> actors{"agent:helper", "user:ada"};
  Subject subject;
  subject.actors = actors;
  subject.team = "red";
  subject.model = "gpt-4o";
  subject.route = "chat.completions";
  subject.session = "5f2c9b1e";
  Amounts worst;
  worst.of = {1, 4'000, 12'000, 0};
  Amounts used;
  used.of = {1, 900, 3'000, 0};
  std::int64_t micros = 0;
  for (auto _ : state) {
    auto held = shared->book.reserve(*shared->rules, subject, worst,
                                     start + std::chrono::microseconds(micros += 100));
    if (!held) state.SkipWithError("refused");
    shared->book.settle(*held, used);
  }
  if (state.thread_index() == 0) delete shared;
}
BENCHMARK(admit)->Arg(0)->Arg(1)->Arg(4);
BENCHMARK(admit)->Arg(1)->Arg(4)->Threads(2)->Threads(8)->UseRealTime();

// An admission among very many counters.
void admit_one_of_many(benchmark::State& state) {
  Book book;
  const auto rules = book.compile({limit("each", Unit::requests, {Per::principal})}, start);
  std::vector<std::vector<ActorName>> callers;
  for (std::int64_t at = 0; at < state.range(0); ++at)
    callers.push_back({"user:" + std::to_string(at)});
  Amounts one;
  one.of = {1, 0, 0, 0};
  std::size_t at = 0;
  for (auto _ : state) {
    Subject subject;
    subject.actors = callers[at = (at + 7'919) % callers.size()];
    auto held = book.reserve(*rules, subject, one, start);
    benchmark::DoNotOptimize(held);
  }
}
BENCHMARK(admit_one_of_many)->Arg(1'000)->Arg(100'000);

// What the fold takes for an entry: one that is about limits, and one that is not.
void fold_entry(benchmark::State& state) {
  const std::string padding(700, 'x');
  const std::string about =
      R"({"id":"d","time":"2026-11-26T10:00:00.000000Z","type":"request.decided","data":{"filler":")" +
      padding +
      R"(","limits":[{"limit":"team","key":"team=red","unit":"money","window":"60s","charged":12}]}})";
  const std::string other =
      R"({"id":"d","time":"2026-11-26T10:00:00.000000Z","type":"request.decided","data":{"filler":")" +
      padding + R"("}})";
  Tally tally;
  std::uint64_t index = 0;
  for (auto _ : state) {
    if (!tally.apply(index, state.range(0) == 1 ? about : other)) state.SkipWithError("refused");
    ++index;
  }
}
BENCHMARK(fold_entry)->Arg(0)->Arg(1);

}  // namespace

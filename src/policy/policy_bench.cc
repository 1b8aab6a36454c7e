// One decision with the default set: what the walk of a request pays for policy.
#include <benchmark/benchmark.h>

#include "policy/builtin.h"
#include "policy/context.h"

namespace gatehouse::policy {
namespace {

Request make_request(std::int64_t credentials, std::int64_t personal) {
  Request request;
  request.principal = {.type = "User",
                       .id = "ada",
                       .attributes = {{"team", std::string("research")},
                                      {"role", std::string("engineer")},
                                      {"key_prefix", std::string("gh_3f9c2a")},
                                      {"cost_center", std::string("42")},
                                      {"clearance_level", std::int64_t{1}}},
                       .parents = {}};
  request.action = "infer";
  request.resource = {.type = "Model",
                      .id = "gpt-4o",
                      .attributes = {{"name", std::string("gpt-4o")},
                                     {"provider", std::string("openai")},
                                     {"trust", std::string("external")},
                                     {"registered", true},
                                     {"clearance", std::int64_t{0}},
                                     {"clearance_level", std::int64_t{0}}},
                      .parents = {{"Provider", "openai"}}};
  request.context = {
      {"dialect", std::string("openai")},
      {"route", std::string("chat.completions")},
      {"stream", true},
      {"purpose", std::string("support")},
      {"hour", std::int64_t{14}},
      {"weekday", std::int64_t{2}},
      {"peer", std::string("192.0.2.17")},
      {"label", Record{{"confidentiality", std::int64_t{1}},
                       {"categories", std::vector<std::string>{"personal.email"}},
                       {"integrity", std::int64_t{1}}}},
      {"findings", findings_record({static_cast<std::uint64_t>(credentials),
                                    static_cast<std::uint64_t>(personal)})},
      {"risk", risk_record({})},
      {"uninspectable", false},
      {"tools", std::vector<std::string>{"search", "send_email", "read_file"}},
      {"delegation",
       delegation_record(
           {.depth = 0, .actors = {"user:ada"}, .root_kind = "user", .root_id = "ada"})}};
  return request;
}

std::shared_ptr<const PolicySet> default_set(benchmark::State& state) {
  auto set = PolicySet::builtin();
  if (set) return *set;
  state.SkipWithError(set.error().describe().c_str());
  return nullptr;
}

void decide(benchmark::State& state, std::int64_t credentials, std::int64_t personal) {
  const auto set = default_set(state);
  if (!set) return;
  const Request request = make_request(credentials, personal);
  for (auto _ : state) benchmark::DoNotOptimize(set->decide(request));
}

void BM_DecidePermit(benchmark::State& state) {
  decide(state, 0, 0);
}
BENCHMARK(BM_DecidePermit);

void BM_DecideRedact(benchmark::State& state) {
  decide(state, 0, 3);
}
BENCHMARK(BM_DecideRedact);

void BM_DecideForbid(benchmark::State& state) {
  decide(state, 1, 0);
}
BENCHMARK(BM_DecideForbid);

// The request built anew each time, as the gateway does.
void BM_BuildAndDecide(benchmark::State& state) {
  const auto set = default_set(state);
  if (!set) return;
  for (auto _ : state) benchmark::DoNotOptimize(set->decide(make_request(0, 0)));
}
BENCHMARK(BM_BuildAndDecide);

// As many policies beside the default ones as a grown deployment has.
void BM_DecideAmongMany(benchmark::State& state) {
  std::string text;
  for (int i = 0; i < state.range(0); ++i) {
    text +=
        "forbid (principal, action == Gatehouse::Action::\"infer\", resource) when { principal "
        "has team && principal.team == \"team-" +
        std::to_string(i) + "\" && context.label.confidentiality > 2 };\n";
  }
  std::vector<std::pair<std::string, std::string>> files = {{"90-many.cedar", text}};
  for (const BuiltinFile& file : builtin_files())
    if (!file.name.starts_with("tests/")) files.emplace_back(file.name, file.text);
  const auto set = PolicySet::parse(files);
  if (!set) return state.SkipWithError(set.error().describe().c_str());
  const Request request = make_request(0, 0);
  for (auto _ : state) benchmark::DoNotOptimize((*set)->decide(request));
}
BENCHMARK(BM_DecideAmongMany)->Arg(10)->Arg(100);

void BM_Load(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(PolicySet::builtin());
}
BENCHMARK(BM_Load);

}  // namespace
}  // namespace gatehouse::policy

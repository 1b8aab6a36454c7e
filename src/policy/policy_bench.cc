// One decision with the default set: what the walk of a request pays for policy.
#include <benchmark/benchmark.h>

#include <functional>

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

// What a grown deployment has beside the default policies: for teams, groups and models.
std::string many_policies(std::int64_t count) {
  std::string text;
  const auto forbid = [&](std::string_view principal, std::string_view resource,
                          const std::string& condition) {
    text += "forbid (" + std::string(principal) + ", action == Gatehouse::Action::\"infer\", " +
            std::string(resource) + ") when { " + condition + " };\n";
  };
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string number = std::to_string(i);
    const std::string condition = "context.label.confidentiality > 2";
    switch (i % 4) {
      case 0:
        forbid("principal", "resource",
               "principal has team && principal.team == \"team-" + number + "\" && " + condition);
        break;
      case 1:
        forbid("principal in Gatehouse::Group::\"group-" + number + "\"", "resource", condition);
        break;
      case 2:
        forbid("principal", "resource == Gatehouse::Model::\"model-" + number + "\"", condition);
        break;
      default:
        forbid("principal == Gatehouse::Agent::\"agent-" + number + "\"", "resource",
               "context.delegation.depth > 3");
    }
  }
  return text;
}

std::shared_ptr<const PolicySet> grown_set(benchmark::State& state, std::string text) {
  std::vector<std::pair<std::string, std::string>> files = {{"90-many.cedar", std::move(text)}};
  for (const BuiltinFile& file : builtin_files())
    if (file.name.ends_with(".cedar") || file.name == schema_file)
      files.emplace_back(file.name, file.text);
  const auto set = PolicySet::parse(files);
  if (set) return *set;
  state.SkipWithError(set.error().describe().c_str());
  return nullptr;
}

// A principal ten hops away from whom it acts for.
Request delegated_request() {
  Request request = make_request(0, 0);
  request.principal.type = "Agent";
  request.principal.parents = {{"Group", "group-1"}, {"Group", "research"}};
  Delegation delegation{.depth = 10, .actors = {}, .root_kind = "user", .root_id = "ada"};
  for (int hop = 0; hop < 10; ++hop)
    delegation.actors.push_back("agent:helper-" + std::to_string(hop));
  delegation.actors.emplace_back("user:ada");
  for (auto& [name, value] : request.context)
    if (name == "delegation") value = delegation_record(delegation);
  return request;
}

void BM_DecideAmongMany(benchmark::State& state) {
  const auto set = grown_set(state, many_policies(state.range(0)));
  if (!set) return;
  const Request request = delegated_request();
  for (auto _ : state) benchmark::DoNotOptimize(set->decide(request));
}
BENCHMARK(BM_DecideAmongMany)->Arg(10)->Arg(100)->Arg(1000);

std::string forbids_for(std::int64_t count, const std::function<std::string(int)>& condition) {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += "forbid (principal, action == Gatehouse::Action::\"infer\", resource) when { " +
            condition(i) + " };\n";
  return text;
}

void decide_among(benchmark::State& state, const std::function<std::string(int)>& condition) {
  const auto set = grown_set(state, forbids_for(state.range(0), condition));
  if (!set) return;
  const Request request = delegated_request();
  for (auto _ : state) benchmark::DoNotOptimize(set->decide(request));
}

// Policies whose scopes are all alike: what they ask for first tells them apart.
void BM_DecideAmongManyAlike(benchmark::State& state) {
  decide_among(state,
               [](int i) { return "context.purpose == \"purpose-" + std::to_string(i) + "\""; });
}
BENCHMARK(BM_DecideAmongManyAlike)->Arg(100)->Arg(1000);

// Policies nothing tells apart: each is evaluated.
void BM_DecideAmongManyUnsliced(benchmark::State& state) {
  decide_among(state, [](int i) { return "context.hour > " + std::to_string(24 + i); });
}
BENCHMARK(BM_DecideAmongManyUnsliced)->Arg(100)->Arg(1000);

void BM_Load(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(PolicySet::builtin());
}
BENCHMARK(BM_Load);

}  // namespace
}  // namespace gatehouse::policy

// See metrics.h.
#include "gateway/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "base/text.h"
#include "gateway/principal_facts.h"

namespace gatehouse::gateway {
namespace {

// One for each, and the last one: no path of ours.
constexpr std::size_t route_count = static_cast<std::size_t>(Route::directory) + 2;

constexpr std::size_t outcome_count = static_cast<std::size_t>(Problem::internal) + 2;

std::string_view route_name(std::size_t route) {
  return route + 1 == route_count ? "unknown" : to_string(static_cast<Route>(route));
}

std::string_view outcome_name(std::size_t outcome) {
  return outcome == 0 ? "permitted" : name_of(static_cast<Problem>(outcome - 1));
}

const prometheus::Histogram::BucketBoundaries& latency_buckets() {
  static const prometheus::Histogram::BucketBoundaries seconds{
      1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3,
      5e-3, 1e-2, 2e-2, 5e-2, 0.1,  0.2,  0.5,  1,    2,    5,    10};
  return seconds;
}

// What a shadow policy would have made of the decision; nothing where it was not for policies to
// decide: the model is unknown, or outside of what was delegated.
std::optional<std::string_view> shadow_effect(const Exchange& exchange,
                                              const policy::Decision::Shadow& shadow) {
  const policy::Decision& decision = exchange.decision;
  if (shadow.permit == decision.permit) return "obligation";
  if (!shadow.permit) return "forbid";
  const bool by_policies =
      (!exchange.problem || *exchange.problem == Problem::blocked) &&
      std::ranges::find(decision.determining, scope_policy) == decision.determining.end();
  return by_policies ? std::optional<std::string_view>("permit") : std::nullopt;
}

// By policy. Ids are the operator's own, and there are not endlessly many time series all the same.
class ShadowCounters {
 public:
  static constexpr std::size_t most_policies = 256;  // in the life of the process
  static constexpr std::size_t longest_id = 128;

  explicit ShadowCounters(prometheus::Family<prometheus::Counter>& family) : family_(family) {}

  void count(const Exchange& exchange) {
    for (const auto& shadow : exchange.decision.shadow)
      if (const auto effect = shadow_effect(exchange, shadow))
        family_.Add({{"policy", label_of(shadow.policy)}, {"effect", std::string(*effect)}})
            .Increment();
  }

 private:
  std::string label_of(const std::string& policy) {
    std::string id(utf8_prefix(policy, longest_id));
    const std::lock_guard lock(mutex_);
    if (known_.size() < most_policies) known_.insert(id);
    return known_.contains(id) ? id : "(others)";
  }

  prometheus::Family<prometheus::Counter>& family_;
  std::mutex mutex_;
  std::set<std::string, std::less<>> known_;
};

}  // namespace

struct Metrics::Impl {
  struct Gauge {
    prometheus::Gauge* gauge;
    std::function<double()> read;
  };
  struct ReadCounter {
    prometheus::Counter* counter;
    std::function<double()> read;
  };

  std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();
  prometheus::Counter* requests[route_count][outcome_count] = {};
  prometheus::Histogram* stages[stage_count] = {};
  prometheus::Counter* findings[2][inspect::category_count] = {};  // request, answer
  prometheus::Counter* redacted = nullptr;
  prometheus::Counter* restored = nullptr;
  prometheus::Counter* client_left = nullptr;
  prometheus::Counter* ledger_failures = nullptr;
  prometheus::Counter* vault_failures = nullptr;
  prometheus::Counter* output_failures = nullptr;
  prometheus::Counter* reloads[2] = {};  // refused, accepted
  prometheus::Family<prometheus::Counter>* refused_messages = nullptr;
  prometheus::Family<prometheus::Counter>* guards = nullptr;
  prometheus::Family<prometheus::Counter>* limit_refusals = nullptr;
  prometheus::Counter* limit_worst_cases = nullptr;
  std::optional<ShadowCounters> shadows;
  std::vector<Gauge> gauges;
  std::vector<ReadCounter> counters;
  std::mutex reading;  // of counters: of two readers one would add what the other has added

  prometheus::Family<prometheus::Counter>& counter(const std::string& name,
                                                   const std::string& help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(*registry);
  }
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {
  auto& requests = impl_->counter("gatehouse_requests_total", "Governed calls by their outcome");
  for (std::size_t route = 0; route < route_count; ++route) {
    for (std::size_t outcome = 0; outcome < outcome_count; ++outcome) {
      impl_->requests[route][outcome] =
          &requests.Add({{"route", std::string(route_name(route))},
                         {"outcome", std::string(outcome_name(outcome))}});
    }
  }
  auto& stages = prometheus::BuildHistogram()
                     .Name("gatehouse_stage_seconds")
                     .Help("Time spent in each stage of the walk; forward is the upstream's time")
                     .Register(*impl_->registry);
  for (std::size_t stage = 0; stage < stage_count; ++stage) {
    impl_->stages[stage] = &stages.Add(
        {{"stage", std::string(to_string(static_cast<Stage>(stage)))}}, latency_buckets());
  }
  auto& findings = impl_->counter("gatehouse_findings_total", "What inspection found");
  for (std::size_t category = 0; category < inspect::category_count; ++category) {
    const std::string name(inspect::to_string(static_cast<inspect::Category>(category)));
    impl_->findings[0][category] = &findings.Add({{"category", name}, {"direction", "request"}});
    impl_->findings[1][category] = &findings.Add({{"category", name}, {"direction", "answer"}});
  }
  impl_->redacted =
      &impl_->counter("gatehouse_redacted_total", "Values replaced by placeholders").Add({});
  impl_->restored =
      &impl_->counter("gatehouse_restored_total", "Placeholders put back in answers").Add({});
  impl_->client_left =
      &impl_->counter("gatehouse_client_disconnects_total", "Callers who left before the end")
           .Add({});
  impl_->ledger_failures =
      &impl_->counter("gatehouse_ledger_failures_total", "Entries the ledger refused").Add({});
  impl_->vault_failures =
      &impl_->counter("gatehouse_vault_failures_total", "Records the vault refused").Add({});
  impl_->output_failures =
      &impl_->counter("gatehouse_provenance_failures_total", "Answers that could not be noted")
           .Add({});
  auto& reloads = impl_->counter("gatehouse_reloads_total", "Reloads of the configuration");
  impl_->reloads[0] = &reloads.Add({{"result", "refused"}});
  impl_->reloads[1] = &reloads.Add({{"result", "accepted"}});
  impl_->refused_messages = &impl_->counter("gatehouse_refused_messages_total",
                                            "Messages refused before they became requests");
  impl_->guards = &impl_->counter("gatehouse_guard_verdicts_total", "What guard models said");
  impl_->limit_refusals =
      &impl_->counter("gatehouse_limit_refusals_total", "Calls a limit had no room for");
  impl_->limit_worst_cases =
      &impl_
           ->counter("gatehouse_limit_worst_case_total",
                     "Calls charged with their worst case because their usage is not known")
           .Add({});
  impl_->shadows.emplace(impl_->counter("gatehouse_policy_shadow_total",
                                        "Decisions a policy in shadow would have changed"));
}

Metrics::~Metrics() = default;

void Metrics::count_guard(const GuardReport& report) {
  const auto& verdict = report.verdict;
  const std::string_view result = verdict.failed()  ? guard::to_string(verdict.failure)
                                  : verdict.flagged ? "flagged"
                                                    : "harmless";
  impl_->guards
      ->Add({{"guard", report.name},
             {"direction", std::string(guard::to_string(report.direction))},
             {"result", std::string(result)}})
      .Increment();
}

void Metrics::count_limit_refusal(const std::string& limit) {
  impl_->limit_refusals->Add({{"limit", limit}}).Increment();
}

void Metrics::count_limit_worst_case() {
  impl_->limit_worst_cases->Increment();
}

void Metrics::count_request(const Exchange& exchange) {
  const auto route = exchange.route ? static_cast<std::size_t>(*exchange.route) : route_count - 1;
  const auto outcome = exchange.problem ? static_cast<std::size_t>(*exchange.problem) + 1 : 0;
  impl_->requests[route][outcome]->Increment();
  for (std::size_t stage = 0; stage < stage_count; ++stage) {
    if (exchange.spent[stage].count() == 0) continue;
    impl_->stages[stage]->Observe(std::chrono::duration<double>(exchange.spent[stage]).count());
  }
  auto add = [](prometheus::Counter* counter, std::uint64_t count) {
    if (count > 0) counter->Increment(static_cast<double>(count));
  };
  for (std::size_t category = 0; category < inspect::category_count; ++category) {
    add(impl_->findings[0][category], exchange.findings.by_category[category]);
    add(impl_->findings[1][category], exchange.answer_findings.by_category[category]);
  }
  add(impl_->redacted, exchange.redacted);
  add(impl_->restored, exchange.restored);
  add(impl_->client_left, exchange.client_left ? 1 : 0);
  if (!exchange.decision.shadow.empty()) impl_->shadows->count(exchange);
}

void Metrics::count_refused_message(int status) {
  impl_->refused_messages->Add({{"status", std::to_string(status)}}).Increment();
}

void Metrics::count_ledger_failure() {
  impl_->ledger_failures->Increment();
}

void Metrics::count_vault_failure() {
  impl_->vault_failures->Increment();
}

void Metrics::count_output_failure() {
  impl_->output_failures->Increment();
}

void Metrics::count_reload(bool accepted) {
  impl_->reloads[accepted ? 1 : 0]->Increment();
}

void Metrics::add_gauge(const std::string& name, const std::string& help,
                        std::function<double()> read) {
  auto& gauge = prometheus::BuildGauge().Name(name).Help(help).Register(*impl_->registry).Add({});
  impl_->gauges.push_back({&gauge, std::move(read)});
}

void Metrics::add_reading(Kind kind, const std::string& name, const std::string& help,
                          const Labels& labels, std::function<double()> read) {
  if (kind == Kind::gauge) {
    auto& gauge = prometheus::BuildGauge().Name(name).Help(help).Register(*impl_->registry);
    impl_->gauges.push_back({&gauge.Add(labels), std::move(read)});
  } else {
    impl_->counters.push_back({&impl_->counter(name, help).Add(labels), std::move(read)});
  }
}

std::string Metrics::text() {
  for (auto& gauge : impl_->gauges) gauge.gauge->Set(gauge.read());
  const std::lock_guard lock(impl_->reading);
  for (auto& counter : impl_->counters) {
    const double grown = counter.read() - counter.counter->Value();
    if (grown > 0) counter.counter->Increment(grown);
  }
  return prometheus::TextSerializer().Serialize(impl_->registry->Collect());
}

}  // namespace gatehouse::gateway

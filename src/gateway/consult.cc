// Consult: guard models are asked about the text of a call that policy permits. What they see is
// what the provider would see: data that policy wants replaced is replaced for them too. Each has
// its own rule for what a failure means; all they say is in the event.
#include "gateway/stages.h"

namespace gatehouse::gateway {
namespace {

// All that the model reads: which role a text has is the caller's choice.
bool is_shown(const Channel& channel) {
  return channel.source != Source::none &&
         (channel.role == TextRole::text || channel.role == TextRole::json);
}

// In order, a line apart.
std::string text_for_guards(Exchange& exchange) {
  inspect::Placeholders placeholders;
  inspect::FilterPlan plan;
  plan.redact = exchange.plan.redact;
  plan.placeholders = &placeholders;
  plan.watch = false;
  std::string text;
  for (const auto& channel : exchange.channels) {
    if (!is_shown(channel)) continue;
    if (!text.empty()) text += '\n';
    if (plan.redact.any()) {
      text += inspect::filter_text(*exchange.scanner, plan, inspect::TextForm::plain, channel.text)
                  .text;
    } else {
      text += channel.text;
    }
  }
  return text;
}

std::string reason_of(const GuardReport& report) {
  const auto& verdict = report.verdict;
  if (verdict.failed()) {
    return "The guard model \"" + report.name + "\" gave no verdict (" +
           std::string(guard::to_string(verdict.failure)) +
           "), and its rule is to let nothing through then.";
  }
  std::string reason = "Blocked: the guard model \"" + report.name + "\" finds the " +
                       std::string(guard::to_string(report.direction)) + " harmful";
  for (std::size_t at = 0; at < verdict.categories.size(); ++at)
    reason += (at == 0 ? " (" : ", ") + verdict.categories[at];
  return reason + (verdict.categories.empty() ? "." : ").");
}

// Asks one after the other, until one denies.
net::Task<Verdict> ask_all(Worker& worker, net::ServerStream& client, Exchange& exchange,
                           const std::vector<std::string>& names, guard::Question question) {
  for (const auto& name : names) {
    const guard::Config* config = exchange.snapshot->config->find_guard(name);
    if (config == nullptr)  // the snapshot was checked for it
      co_return refuse(Problem::internal, "The guard \"" + name + "\" is not configured.");
    GuardReport report{name, question.direction, {}, false};
    report.verdict = co_await worker.guards.ask(*config, question, &client.disconnected(),
                                                exchange.snapshot->guard_model(name));
    report.denies = report.verdict.failed() ? !config->allow_on_error : report.verdict.flagged;
    worker.metrics.count_guard(report);
    exchange.guard_reports.push_back(report);
    if (!report.denies) continue;
    exchange.client_left = client.disconnected().cancelled();
    co_return refuse(question.direction == guard::Direction::request ? Problem::blocked
                                                                     : Problem::answer_refused,
                     reason_of(report));
  }
  co_return Verdict{};
}

}  // namespace

net::Task<Verdict> consult(Worker& worker, net::ServerStream& client, Exchange& exchange) {
  const auto& plan = exchange.plan;
  if (plan.guards.empty() && plan.answer_guards.empty()) co_return Verdict{};
  const StageTimer timer(worker, exchange, Stage::consult);
  exchange.asked = text_for_guards(exchange);
  if (exchange.asked.empty()) co_return Verdict{};
  auto asked = co_await ask_all(worker, client, exchange, plan.guards,
                                {guard::Direction::request, exchange.asked, ""});
  if (!asked) exchange.decision.permit = false;
  co_return asked;
}

net::Task<Verdict> consult_about_answer(Worker& worker, net::ServerStream& client,
                                        Exchange& exchange, const std::string& answer) {
  if (exchange.plan.answer_guards.empty() || answer.empty()) co_return Verdict{};
  const StageTimer timer(worker, exchange, Stage::consult);
  co_return co_await ask_all(worker, client, exchange, exchange.plan.answer_guards,
                             {guard::Direction::answer, answer, exchange.asked});
}

}  // namespace gatehouse::gateway

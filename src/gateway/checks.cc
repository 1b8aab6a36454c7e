// See checks.h. What cannot be decided, and what should be taken out and cannot be, is refused.
#include "gateway/checks.h"

#include <algorithm>

#include "gateway/snapshot.h"
#include "gateway/tool_calls.h"
#include "schema/schema.h"

namespace gatehouse::gateway {
namespace {

using validate::Judgement;

constexpr std::string_view marker = "[REMOVED]";

// A check of the plan with its settings.
struct Wanted {
  std::string_view name;
  const CheckConfig* config = nullptr;
  CheckAction action = CheckAction::block;
};

const CheckConfig& canary_check() {
  static const CheckConfig config = [] {
    CheckConfig made;
    made.name = "canary";
    made.options.kind = validate::CheckKind::canary;
    made.hold = Hold::sentence;
    made.check = *validate::make_check(made.options);
    return made;
  }();
  return config;
}

// The snapshot was checked for every name; one that is missing all the same has no config.
std::vector<Wanted> wanted_checks(const Exchange& exchange) {
  std::vector<Wanted> wanted;
  const auto& configured = exchange.snapshot->config->checks;
  for (const auto& planned : exchange.plan.checks) {
    const auto found = configured.find(planned.name);
    wanted.push_back(
        {planned.name, found == configured.end() ? nullptr : &found->second, planned.action});
  }
  if (exchange.plan.canary) wanted.push_back({"canary", &canary_check(), *exchange.plan.canary});
  return wanted;
}

// From the end on, so that positions stay.
std::string without_spans(std::string text, std::vector<inspect::Span> spans) {
  std::ranges::sort(spans, {}, &inspect::Span::begin);
  std::size_t later = text.size() + 1;
  for (auto span = spans.rbegin(); span != spans.rend(); ++span) {
    const auto end = std::min(span->end, later);
    if (end <= span->begin) continue;
    text.replace(span->begin, end - span->begin, marker);
    later = span->begin;
  }
  return text;
}

std::string& text_in(validate::Answer& answer, const validate::Place& place) {
  auto& choice = answer.choices[place.choice];
  return place.tool ? choice.tool_calls[*place.tool].arguments : choice.text;
}

// False where arguments that were JSON would be none any more.
bool take_out(validate::Answer& answer, const validate::Outcome& outcome) {
  for (const auto& place : validate::places_of(answer)) {
    std::vector<inspect::Span> spans;
    for (const auto& placed : outcome.spans)
      if (placed.place == place) spans.push_back(placed.span);
    auto& text = text_in(answer, place);
    if (outcome.spans.empty()) spans.push_back({0, text.size()});
    if (spans.empty()) continue;
    auto replaced = without_spans(text, std::move(spans));
    if (place.tool && !schema::parse_json(replaced)) return false;
    text = std::move(replaced);
  }
  return true;
}

// What repair made of a text may be plainer than the text was: it is filtered once more.
void put_in(validate::Answer& answer, const validate::Outcome& outcome, inspect::Scanner& scanner,
            const inspect::FilterPlan& filter, std::string_view own_words) {
  auto plan = filter;
  plan.restore = false;
  for (const auto& replacement : outcome.replacements) {
    plan.spare = replacement.place.tool ? own_words : std::string_view();
    text_in(answer, replacement.place) =
        plan.redact.any()
            ? inspect::filter_text(scanner, plan, inspect::TextForm::json, replacement.text).text
            : replacement.text;
  }
}

class Run {
 public:
  Run(Exchange& exchange, inspect::Scanner& scanner, const inspect::FilterPlan& filter,
      const validate::Answer& answer, Moment moment)
      : exchange_(exchange), scanner_(scanner), filter_(filter), moment_(moment) {
    verdict_.answer = answer;
  }

  CheckVerdict all() {
    for (const auto& wanted : wanted_checks(exchange_)) one(wanted);
    return std::move(verdict_);
  }

 private:
  void one(const Wanted& wanted) {
    if (wanted.config == nullptr) return refuse(wanted, "is not configured");
    // What is only reported is reported of the whole answer.
    const bool early = wanted.config->hold == Hold::sentence && wanted.action != CheckAction::flag;
    if (moment_ == Moment::beginning && !early) return;
    const auto outcome = wanted.config->check->run(verdict_.answer, exchange_.facts, {&scanner_});
    record(wanted, outcome);
    if (outcome.judgement == Judgement::passed) return;
    if (outcome.judgement == Judgement::repaired && wanted.action != CheckAction::flag)
      return put_in(verdict_.answer, outcome, scanner_, filter_, own_words_of(exchange_));
    if (outcome.judgement != Judgement::repaired) settle(wanted, outcome);
  }

  void settle(const Wanted& wanted, const validate::Outcome& outcome) {
    switch (wanted.action) {
      case CheckAction::flag:
        // That it could not be decided is what is said, then.
        return;
      case CheckAction::redact:
        if (outcome.judgement == Judgement::undecided || wanted.config->hold == Hold::none ||
            !take_out(verdict_.answer, outcome))
          refuse(wanted, outcome.detail);
        return;
      case CheckAction::retry:
        if (exchange_.attempt <= wanted.config->retries) verdict_.ask_again = true;
        return refuse(wanted, outcome.detail);
      case CheckAction::block:
        blocked_ = true;
        return refuse(wanted, outcome.detail);
    }
  }

  void refuse(const Wanted& wanted, const std::string& detail) {
    if (blocked_) verdict_.ask_again = false;
    if (verdict_.refusal) return;
    verdict_.refusal = "The answer does not pass the check \"" + std::string(wanted.name) +
                       "\" that policy demands" + (detail.empty() ? "." : ": " + detail + ".");
  }

  void record(const Wanted& wanted, const validate::Outcome& outcome) {
    const bool refuses =
        outcome.judgement == Judgement::failed || outcome.judgement == Judgement::undecided;
    // Of a beginning only what goes wrong is said; at the end everything is asked again.
    if (moment_ == Moment::beginning && !refuses) return;
    CheckRecord record{std::string(wanted.name),
                       wanted.config->options.kind,
                       outcome.judgement,
                       outcome.score,
                       wanted.action,
                       exchange_.attempt};
    const auto known = std::ranges::find_if(exchange_.check_records, [&](const CheckRecord& one) {
      return one.name == record.name && one.attempt == record.attempt;
    });
    if (known == exchange_.check_records.end()) {
      exchange_.check_records.push_back(std::move(record));
    } else if (known->judgement < record.judgement) {
      *known = std::move(record);
    }
  }

  Exchange& exchange_;
  inspect::Scanner& scanner_;
  const inspect::FilterPlan& filter_;
  Moment moment_;
  CheckVerdict verdict_;
  bool blocked_ = false;  // by a check that asks nobody again
};

}  // namespace

bool has_checks(const Exchange& exchange) {
  return (!exchange.plan.checks.empty() || exchange.plan.canary ||
          !exchange.plan.answer_guards.empty()) &&
         is_conversation(*exchange.route);
}

Hold hold_of(const Exchange& exchange) {
  Hold hold = exchange.plan.answer_guards.empty() ? Hold::none : Hold::answer;
  for (const auto& wanted : wanted_checks(exchange))
    if (wanted.config != nullptr && wanted.action != CheckAction::flag)
      hold = std::max(hold, wanted.config->hold);
  return hold;
}

CheckVerdict run_checks(Exchange& exchange, inspect::Scanner& scanner,
                        const inspect::FilterPlan& filter, const validate::Answer& answer,
                        Moment moment) {
  return Run(exchange, scanner, filter, answer, moment).all();
}

}  // namespace gatehouse::gateway

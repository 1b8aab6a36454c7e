// See admit.h.
#include "gateway/admit.h"

#include <algorithm>
#include <chrono>

#include "base/clock.h"

namespace gatehouse::gateway {
namespace {

using limits::Amounts;
using limits::Unit;
using std::chrono::ceil;
using std::chrono::seconds;

// What a provider puts around the text of a call, and what this gateway does.
constexpr std::int64_t tokens_around_text = 1'024;
// For files and images that are only named in a call whose model has no most_input_tokens.
constexpr std::int64_t tokens_of_named_media = 65'536;
// A client that waits longer than this is not helped by a repetition of its SDK.
constexpr seconds longest_retry{60};

std::string_view attribute_of(const identity::Principal& principal, std::string_view name) {
  const auto found = std::ranges::find(
      principal.attributes, name, [](const auto& pair) { return std::string_view(pair.first); });
  return found == principal.attributes.end() ? std::string_view() : found->second;
}

limits::ActorName name_of(identity::PrincipalKind kind, std::string_view id) {
  limits::ActorName name(identity::to_string(kind));
  name += ':';
  name += id;
  return name;
}

// Whoever acts, whom it acts for, and the budgets of its token.
struct Asker {
  std::vector<limits::ActorName> actors;
  std::vector<limits::LifetimeBudget> delegated;

  explicit Asker(const identity::Principal& principal) {
    actors.push_back(name_of(principal.kind, principal.id));
    for (const auto& actor : principal.chain) actors.push_back(name_of(actor.kind, actor.id));
    add_budgets(principal.scope, principal.key_prefix);
  }

 private:
  template <class Scope>
  void add_budgets(const Scope& scope, std::string_view token) {
    if constexpr (requires { scope.budgets; }) {
      for (const auto& budget : scope.budgets) delegated.push_back({budget.id, budget.micros});
    }
    if (delegated.empty() && scope.budget_micros)
      delegated.push_back({token, *scope.budget_micros});
  }
};

bool counts_tokens(const Exchange& exchange) {
  return exchange.route != Route::count_tokens && exchange.route != Route::list_models;
}

// A byte is at least as much as a token of text, whatever the tokenizer.
std::int64_t most_input_tokens(const Exchange& exchange, const ModelPrice* price) {
  auto most = static_cast<std::int64_t>(exchange.body.size()) + tokens_around_text;
  if (exchange.uninspectable) most += tokens_of_named_media;
  if (price == nullptr || !price->input_tokens) return most;
  return exchange.uninspectable ? *price->input_tokens : std::min(most, *price->input_tokens);
}

std::optional<std::int64_t> most_output_tokens(const Exchange& exchange, const ModelPrice* price) {
  if (exchange.route == Route::embeddings) return 0;
  std::optional<std::int64_t> most = price ? price->output_tokens : std::nullopt;
  if (exchange.most_output_tokens) {
    const auto asked = static_cast<std::int64_t>(
        std::min<std::uint64_t>(*exchange.most_output_tokens, limits::most_amount));
    most = most ? std::min(*most, asked) : asked;
  }
  if (!most) return std::nullopt;
  const auto choices =
      static_cast<std::int64_t>(std::clamp<std::uint64_t>(exchange.choices, 1, 1'024));
  return std::min(*most, limits::most_amount / choices) * choices;
}

// What one attempt can use at most. What is not known is more than any limit allows.
Amounts worst_of(const Exchange& exchange, const ModelPrice* price) {
  Amounts worst;
  worst[Unit::requests] = 1;
  if (!counts_tokens(exchange)) return worst;
  const std::int64_t input = most_input_tokens(exchange, price);
  const auto output = most_output_tokens(exchange, price);
  worst[Unit::tokens] =
      output ? std::min(input + *output, limits::most_amount) : limits::most_amount;
  worst[Unit::money] = limits::most_amount;
  if (price == nullptr || !output) return worst;
  limits::Price dearest = price->price;
  dearest.input = std::max(dearest.input, dearest.cache_read);
  if (exchange.body.find("cache_control") != std::string::npos)
    dearest.input = std::max(dearest.input, dearest.cache_write);
  worst[Unit::money] = limits::cost_of(
      dearest, {.input = input, .output = *output, .cache_read = 0, .cache_write = 0});
  return worst;
}

// How often the provider may be asked for this one call: checks can want another answer.
std::int64_t most_attempts(const Exchange& exchange) {
  std::int64_t retries = 0;
  for (const auto& planned : exchange.plan.checks) {
    if (planned.action != CheckAction::retry) continue;
    const auto found = exchange.snapshot->config->checks.find(planned.name);
    if (found == exchange.snapshot->config->checks.end()) continue;
    retries = std::max(retries, static_cast<std::int64_t>(found->second.retries));
  }
  return retries + 1;
}

Amounts times(const Amounts& once, std::int64_t attempts) {
  Amounts all = once;
  for (const Unit unit : {Unit::tokens, Unit::money})
    all[unit] = std::min(once[unit], limits::most_amount / attempts) * attempts;
  return all;
}

std::string amount_text(Unit unit, std::int64_t amount) {
  if (unit == Unit::money) return limits::format_money(amount);
  std::string text = std::to_string(amount) + ' ';
  text += unit == Unit::tool_calls ? "tool calls" : limits::to_string(unit);
  return text;
}

// Unknown is as if it were too much; the caller hears which of the two it is.
std::string unknown_message(const Exchange* exchange, const limits::Refusal& refusal) {
  if (exchange == nullptr || refusal.asked < limits::most_amount) return {};
  const auto* price = exchange->snapshot->config->budgets.price_of(exchange->model_name);
  const std::string what = "The limit \"" + refusal.name + "\" is in " +
                           std::string(limits::to_string(refusal.unit)) + ", and ";
  if (refusal.unit == Unit::money && price == nullptr)
    return what + "no price is known for the model \"" + exchange->model_name +
           "\"; its operators set one under prices: in gatehouse.yaml.";
  if (!most_output_tokens(*exchange, price))
    return what +
           "how long the answer can become is not known. Send max_completion_tokens (or "
           "max_tokens).";
  return {};
}

std::string refusal_message(const Exchange* exchange, const limits::Refusal& refusal,
                            std::optional<seconds> wait) {
  if (auto unknown = unknown_message(exchange, refusal); !unknown.empty()) return unknown;
  if (refusal.no_room)
    return "The limit \"" + refusal.name +
           "\" counts more things apart than this gateway can keep.";
  std::string message = "The limit \"" + refusal.name + "\" of " +
                        amount_text(refusal.unit, refusal.most) + " (" +
                        limits::to_string(refusal.window) + ") does not have room for this call: ";
  message += amount_text(refusal.unit, refusal.used) + " are used or held, this call may need " +
             amount_text(refusal.unit, refusal.asked) + '.';
  if (!refusal.fits_at && refusal.asked > refusal.most)
    return message + " That is more than the whole limit: ask for less (max_completion_tokens).";
  if (wait) message += " Room is there in " + std::to_string(wait->count()) + " s.";
  return message;
}

// Of a window that slides, waiting helps; a budget that is used up is another matter.
ApiError refusal_error(const Exchange* exchange, Admission& admission, WallTime now) {
  const limits::Refusal& refusal = *admission.refusal;
  const bool slides = refusal.window.kind == limits::Window::Kind::sliding && refusal.fits_at;
  admission.problem = slides ? Problem::rate_limited : Problem::budget_exhausted;
  std::optional<seconds> wait;
  if (refusal.fits_at) wait = std::max(ceil<seconds>(*refusal.fits_at - now), seconds(1));
  ApiError error{admission.problem, refusal_message(exchange, refusal, wait),
                 slides && wait && *wait <= longest_retry};
  if (slides) error.retry_after = wait;
  return error;
}

void write_items(JsonWriter& writer, const Admission& admission, std::string_view what) {
  for (const auto& hold : admission.reservation.holds) {
    writer.begin_object().key("limit").string(hold.name).key("key").string(hold.counter->key);
    writer.key("unit").string(limits::to_string(hold.unit));
    writer.key("window").string(limits::to_string(hold.counter->meter.window()));
    writer.key(what).number(hold.amount).end_object();
  }
}

void write_holds(JsonWriter& writer, const Admission& admission, std::string_view what) {
  if (admission.reservation.holds.empty()) return;
  writer.key("limits").begin_array();
  write_items(writer, admission, what);
  writer.end_array();
}

std::string reset_duration(WallTime from, WallTime until) {
  const auto left = std::max(ceil<std::chrono::milliseconds>(until - from), {});
  if (left < seconds(1)) return std::to_string(left.count()) + "ms";
  const auto whole = ceil<seconds>(left).count();
  constexpr std::int64_t hour = 3'600;
  constexpr std::int64_t minute = 60;
  std::string text;
  if (whole >= hour) text += std::to_string(whole / hour) + 'h';
  if (whole >= minute) text += std::to_string(whole % hour / minute) + 'm';
  return text + std::to_string(whole % minute) + 's';
}

std::string reset_time(WallTime time) {
  return format_time(time).substr(0, 19) + 'Z';
}

void set_standing(const Exchange& exchange, net::ResponseHead& head, std::string_view unit,
                  const limits::Standing& standing, WallTime now) {
  const bool anthropic = exchange.dialect->kind() == DialectKind::anthropic;
  const auto name = [&](std::string_view what) {
    return anthropic ? "anthropic-ratelimit-" + std::string(unit) + '-' + std::string(what)
                     : "x-ratelimit-" + std::string(what) + '-' + std::string(unit);
  };
  head.fields.set(name("limit"), std::to_string(standing.most));
  head.fields.set(name("remaining"), std::to_string(standing.left));
  if (!standing.full_at) return;
  head.fields.set(name("reset"), anthropic ? reset_time(*standing.full_at)
                                           : reset_duration(now, *standing.full_at));
}

}  // namespace

Verdict admit(Worker& worker, Exchange& exchange) {
  (void)name_session(worker, exchange);  // one that is wrong is refused where it is used
  const Asker asker(exchange.principal);
  const auto& rules = exchange.snapshot->limits;
  if ((!rules || rules->empty()) && asker.delegated.empty()) return {};
  const StageTimer timer(worker, exchange, Stage::decide);
  auto admission = std::make_shared<Admission>();
  const auto* price = exchange.snapshot->config->budgets.price_of(exchange.model_name);
  if (price != nullptr) admission->price = price->price;
  admission->once = worst_of(exchange, price);
  admission->final = exchange.route == Route::list_models;
  const limits::Subject subject{.actors = asker.actors,
                                .groups = exchange.principal.groups,
                                .team = attribute_of(exchange.principal, "team"),
                                .model = exchange.model_name,
                                .route = to_string(*exchange.route),
                                .session = exchange.session_id,
                                .tool = {},
                                .policy_limits = exchange.plan.limits,
                                .delegated = asker.delegated};
  const auto now = worker.control.clock().wall();
  static const limits::Rules none;
  auto reserved = worker.control.budgets().book().reserve(
      rules ? *rules : none, subject, times(admission->once, most_attempts(exchange)), now);
  if (reserved) {
    if (reserved->holds.empty()) return {};
    admission->reservation = *std::move(reserved);
    exchange.admission = std::move(admission);
    return {};
  }
  admission->refusal = std::move(reserved).error();
  auto error = refusal_error(&exchange, *admission, now);
  worker.metrics.count_limit_refusal(admission->refusal->name);
  exchange.admission = std::move(admission);
  exchange.decision.permit = false;
  return std::unexpected(std::move(error));
}

void release(Worker& worker, Exchange& exchange) {
  if (!exchange.admission || exchange.admission->refusal) return;
  worker.control.budgets().book().settle(exchange.admission->reservation, {});
  exchange.admission.reset();
}

void note_sent(Exchange& exchange) {
  if (exchange.admission) ++exchange.admission->sent;
}

void note_usage(Exchange& exchange, const Usage& usage, bool whole) {
  if (!exchange.admission) return;
  Admission& admission = *exchange.admission;
  const bool embeds = exchange.route == Route::embeddings;
  const bool failed = exchange.status >= 400;  // providers do not charge for what they refuse
  if (!whole || admission.noted == admission.sent) return;
  const bool known = usage.input_tokens && (usage.output_tokens || embeds);
  if (!known && !failed && counts_tokens(exchange)) return;
  ++admission.noted;
  if (!known || !counts_tokens(exchange)) return;
  const auto count = [](const std::optional<std::uint64_t>& tokens) {
    return static_cast<std::int64_t>(
        std::min<std::uint64_t>(tokens.value_or(0), limits::most_amount / 8));
  };
  const limits::Tokens tokens{.input = count(usage.input_tokens),
                              .output = count(usage.output_tokens),
                              .cache_read = count(usage.cache_read_tokens),
                              .cache_write = count(usage.cache_write_tokens)};
  admission.known[Unit::tokens] += tokens.total();
  admission.known[Unit::money] += limits::cost_of(admission.price, tokens);
}

void settle_limits(Worker& worker, Exchange& exchange) {
  if (!exchange.admission || exchange.admission->reservation.settled) return;
  Admission& admission = *exchange.admission;
  if (admission.refusal || admission.final) return;
  Amounts used = admission.known;
  const auto unknown = static_cast<std::int64_t>(admission.sent - admission.noted);
  for (const Unit unit : {Unit::tokens, Unit::money})
    if (unknown > 0) used[unit] += times(admission.once, unknown)[unit];
  used[Unit::requests] = admission.sent > 0 ? 1 : 0;
  if (unknown > 0) worker.metrics.count_limit_worst_case();
  worker.control.budgets().book().settle(admission.reservation, used);
}

void write_reserved(JsonWriter& writer, const Admission& admission) {
  write_holds(writer, admission, admission.final ? "charged" : "reserved");
  if (!admission.refusal) return;
  const auto& refusal = *admission.refusal;
  writer.key("limit_exceeded").begin_object().key("limit").string(refusal.name);
  writer.key("key").string(refusal.key).key("unit").string(limits::to_string(refusal.unit));
  writer.key("window").string(limits::to_string(refusal.window));
  writer.key("amount").number(refusal.most).key("used").number(refusal.used);
  writer.key("asked").number(refusal.asked).key("problem").string(name_of(admission.problem));
  writer.end_object();
}

void write_charged(JsonWriter& writer, const Admission& admission) {
  write_holds(writer, admission, "charged");
}

void write_charged(JsonWriter& writer, const Exchange& exchange) {
  // What is final stands with the decision already.
  const bool settles = exchange.admission && !exchange.admission->final;
  if (!settles && exchange.tool_admissions.empty()) return;
  writer.key("limits").begin_array();
  if (settles) write_items(writer, *exchange.admission, "charged");
  for (const auto& admission : exchange.tool_admissions) write_items(writer, *admission, "charged");
  writer.end_array();
}

void add_limit_headers(const Worker& worker, const Exchange& exchange, net::ResponseHead& head) {
  if (!exchange.admission) return;
  const Admission& admission = *exchange.admission;
  const auto now = worker.control.clock().wall();
  if (admission.refusal) {
    const auto& refusal = *admission.refusal;
    head.fields.set("Gatehouse-Limit", refusal.name);
    if (refusal.unit != Unit::requests && refusal.unit != Unit::tokens) return;
    limits::Standing standing{refusal.most, std::max<std::int64_t>(refusal.most - refusal.used, 0),
                              refusal.fits_at};
    set_standing(exchange, head, limits::to_string(refusal.unit), standing, now);
    return;
  }
  for (const Unit unit : {Unit::requests, Unit::tokens}) {
    const auto standing =
        worker.control.budgets().book().standing(admission.reservation, unit, now);
    if (standing) set_standing(exchange, head, limits::to_string(unit), *standing, now);
  }
}

std::expected<std::shared_ptr<Admission>, RefusedToolCall> admit_tool_call(
    Worker& worker, const Snapshot& snapshot, const ToolCallToAdmit& call) {
  auto admission = std::make_shared<Admission>();
  admission->final = true;
  admission->once[Unit::tool_calls] = call.counted ? 0 : 1;
  if (call.is_request) admission->once[Unit::requests] = 1;
  if (!snapshot.limits || snapshot.limits->empty()) return admission;
  const Asker asker(*call.principal);
  const limits::Subject subject{.actors = asker.actors,
                                .groups = call.principal->groups,
                                .team = attribute_of(*call.principal, "team"),
                                .model = call.model,
                                .route = call.route,
                                .session = call.session,
                                .tool = call.tool,
                                .policy_limits = call.policy_limits,
                                .delegated = {}};
  const auto now = worker.control.clock().wall();
  auto reserved =
      worker.control.budgets().book().reserve(*snapshot.limits, subject, admission->once, now);
  if (reserved) {
    admission->reservation = *std::move(reserved);
    return admission;
  }
  admission->refusal = std::move(reserved).error();
  worker.metrics.count_limit_refusal(admission->refusal->name);
  return std::unexpected(
      RefusedToolCall{refusal_error(nullptr, *admission, now), std::move(admission)});
}

void release_tool_calls(Worker& worker, Exchange& exchange) {
  for (const auto& admission : exchange.tool_admissions)
    worker.control.budgets().book().settle(admission->reservation, {});
  exchange.tool_admissions.clear();
}

std::vector<std::string> limits_of(const std::vector<policy::Obligation>& obligations) {
  std::vector<std::string> values;
  for (const auto& [name, value] : obligations)
    if (name == "limit") values.push_back(value);
  return values;
}

std::optional<Problem> refused_by_limit(std::string_view problem_name) {
  for (const Problem problem : {Problem::rate_limited, Problem::budget_exhausted})
    if (name_of(problem) == problem_name) return problem;
  return std::nullopt;
}

}  // namespace gatehouse::gateway

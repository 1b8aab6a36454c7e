// Screen: the answer on its way back. Whole answers are screened in one piece; streams event by
// event, each channel through its own filter. The end of a stream is held until the outcome is
// recorded. What cannot be screened does not pass.
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <coroutine>
#include <set>

#include "base/log.h"
#include "base/text.h"
#include "gateway/admit.h"
#include "gateway/checked_stream.h"
#include "gateway/checks.h"
#include "gateway/keep.h"
#include "gateway/outputs.h"
#include "gateway/stages.h"
#include "gateway/tool_calls.h"

namespace gatehouse::gateway {
namespace {

bool media_type_is(const net::ResponseHead& head, std::string_view type) {
  const auto value = head.fields.find("content-type").value_or("");
  return equals_ignoring_case(trim(value.substr(0, value.find(';'))), type);
}

// What would make a client talk to somebody else, or believe that we said it.
bool is_forwarded_back(std::string_view name) {
  constexpr std::array<std::string_view, 6> not_forwarded{
      "set-cookie",     "alt-svc",  "strict-transport-security",
      "content-length", "location", "refresh"};
  constexpr std::string_view ours = "gatehouse-";
  return !equals_ignoring_case(name.substr(0, ours.size()), ours) &&
         std::ranges::none_of(not_forwarded, [&](std::string_view other) {
           return equals_ignoring_case(name, other);
         });
}

// The upstream's head for the client, with the gateway's own fields.
net::ResponseHead client_head(const Exchange& exchange, const net::ResponseHead& upstream) {
  net::ResponseHead head;
  head.status = upstream.status;
  for (const auto& field : upstream.fields.all())
    if (is_forwarded_back(field.name)) head.fields.add(field.name, field.value);
  for (const auto& [name, value] : exchange.plan.headers) head.fields.set(name, value);
  head.fields.set("Gatehouse-Entry", exchange.id);
  if (exchange.snapshot->config->audit == AuditMode::relaxed)
    head.fields.set("Gatehouse-Audit", "relaxed");
  if (!head.fields.contains(exchange.dialect->request_id_header()))
    head.fields.set(std::string(exchange.dialect->request_id_header()), exchange.id);
  return head;
}

// Validation is of what a model said; token counts and embeddings are not.
bool validates(const Exchange& exchange) {
  return exchange.plan.validate_json && is_conversation(*exchange.route);
}

AnswerPlan answer_plan(Worker& worker, Exchange& exchange) {
  AnswerPlan plan;
  exchange.masks.avoid(exchange.placeholders);
  plan.walker = &worker.walker;
  plan.scanner = exchange.scanner.get();
  plan.filter.redact = exchange.plan.redact_answer;
  plan.filter.restore = !exchange.placeholders.empty();
  plan.filter.placeholders = &exchange.placeholders;
  plan.filter.masks = &exchange.masks;
  plan.own_words = own_words_of(exchange);
  plan.content_is_json = exchange.json_answer || validates(exchange);
  plan.keep_content = collects_outputs(worker, exchange) || validates(exchange);
  plan.swallow_usage = exchange.stream && !exchange.wants_stream_usage &&
                       exchange.provider->inject_usage && exchange.route == Route::chat_completions;
  plan.max_event_bytes = exchange.snapshot->config->event_bytes;
  return plan;
}

// Whom a kept stream is about is seen where its pieces are put together.
AnswerPlan stream_plan(Worker& worker, Exchange& exchange) {
  auto plan = answer_plan(worker, exchange);
  if (exchange.outputs && !validates(exchange)) plan.most_content_bytes = most_output_bytes;
  if (exchange.keeping && !validates(exchange)) {
    plan.keep_content = true;
    plan.most_content_bytes = exchange.snapshot->config->answer_bytes;
  }
  return plan;
}

void add(std::optional<std::uint64_t>& total, const std::optional<std::uint64_t>& more) {
  if (more) total = total.value_or(0) + *more;
}

void take_facts(Exchange& exchange, const AnswerFacts& facts) {
  exchange.answer_findings = facts.findings;
  exchange.restored = facts.restored;
  exchange.usage = exchange.earlier_usage;  // every attempt is paid for
  add(exchange.usage.input_tokens, facts.usage.input_tokens);
  add(exchange.usage.output_tokens, facts.usage.output_tokens);
  add(exchange.usage.cache_read_tokens, facts.usage.cache_read_tokens);
  add(exchange.usage.cache_write_tokens, facts.usage.cache_write_tokens);
  exchange.finish_reason = facts.finish_reason;
  if (exchange.outputs) collect_outputs(exchange, facts);
  if (exchange.keeping && exchange.stream)
    for (const auto& content : facts.contents) exchange.keeping->streamed += content.text + '\n';
}

bool is_valid_json(const std::string& text) {
  simdjson::dom::parser parser;
  simdjson::dom::element ignored;
  return !text.empty() && parser.parse(text).get(ignored) == simdjson::SUCCESS;
}

// Every choice is valid JSON; one that ends in tool calls has its answer in their arguments.
bool all_valid(const AnswerFacts& facts) {
  return !facts.contents.empty() &&
         std::ranges::all_of(facts.contents, [](const AnswerFacts::Content& content) {
           return content.calls_tools || is_valid_json(content.text);
         });
}

ApiError not_json() {
  return {Problem::answer_refused,
          "Policy demands an answer that is valid JSON, and the model's is not. Ask the model for "
          "JSON (response_format).",
          false};
}

ApiError check_failed(std::string why) {
  return {Problem::answer_refused, std::move(why), false};
}

ApiError broken_upstream(Exchange& exchange, const Error& error) {
  log_warning(
      "upstream broke off",
      {{"provider", exchange.provider->name}, {"entry", exchange.id}, {"error", error.describe()}});
  if (error.code == ErrorCode::deadline_exceeded)
    return {Problem::upstream_timeout, "The provider stopped sending before its answer ended."};
  if (error.code == ErrorCode::resource_exhausted)
    return {Problem::answer_refused, "The provider's answer is larger than this gateway allows."};
  return {Problem::upstream_failed, "The provider's answer broke off before its end."};
}

ApiError unreadable(const Error& error) {
  return {Problem::answer_refused,
          "The provider's answer cannot be inspected, so it is not passed on: " + error.describe()};
}

// Text that is no JSON, from a proxy on the way or a provider in trouble.
void screen_plain(const AnswerPlan& plan, std::string& body, AnswerFacts& facts) {
  auto filtered = inspect::filter_text(*plan.scanner, plan.filter, inspect::TextForm::plain, body);
  facts.findings.add(filtered.findings);
  facts.restored += filtered.restored;
  body = std::move(filtered.text);
}

Verdict screen_body(Exchange& exchange, const AnswerPlan& plan, int status, std::string& body) {
  AnswerFacts facts;
  const bool is_error = status >= 400;
  auto screened = exchange.dialect->screen(plan, body, facts);
  if (!screened && is_error) {
    facts = {};
    screen_plain(plan, body, facts);
  }
  take_facts(exchange, facts);
  note_usage(exchange, facts.usage, true);
  if (is_error) return {};
  if (!screened) return std::unexpected(unreadable(screened.error()));
  if (validates(exchange) && !all_valid(facts)) return std::unexpected(not_json());
  return {};
}

net::Task<Verdict> screen_by_size(Worker& worker, Exchange& exchange, int status,
                                  std::string& body) {
  auto plan = answer_plan(worker, exchange);
  if (!is_large(body)) co_return screen_body(exchange, plan, status, body);
  JsonWalker walker;
  inspect::Scanner scanner(exchange.snapshot->rules, exchange.snapshot->watched);
  plan.walker = &walker;
  plan.scanner = &scanner;
  Verdict screened;
  GH_STAGE(co_await beside_the_loop(worker,
                                    [&] { screened = screen_body(exchange, plan, status, body); }));
  co_return screened;
}

// Puts the texts that passed in the place of those that came.
void put_back(const validate::Answer& checked, AnswerBook& book, const DocumentTexts& texts,
              std::string& body) {
  std::vector<Splice> edits;
  std::set<TextKey> done;
  for (const auto& piece : texts.pieces) {
    const auto text = validate::text_at(checked, book.place_of(piece.key));
    if (text == book.text_of(piece.key)) continue;
    const bool first = done.insert(piece.key).second;
    edits.push_back(replace_piece(piece, first || piece.raw ? text : std::string_view()));
  }
  if (!edits.empty()) body = apply_splices(body, std::move(edits));
}

struct CheckedBody {
  Verdict verdict;
  std::string text;  // all of the answer's, for guards
};

CheckedBody check_body(Exchange& exchange, JsonWalker& walker, inspect::Scanner& scanner,
                       const inspect::FilterPlan& filter, std::string& body) {
  CheckedBody result;
  const auto texts = read_answer(walker, exchange.dialect->kind(), body);
  if (!texts) {
    result.verdict = std::unexpected(unreadable(texts.error()));
    return result;
  }
  AnswerBook book;
  book.add(*texts);
  const auto checked = run_checks(exchange, scanner, filter, book.answer(), Moment::end);
  exchange.ask_again = checked.refusal && checked.ask_again;
  if (checked.refusal) {
    result.verdict = std::unexpected(check_failed(*checked.refusal));
    return result;
  }
  for (const auto& place : validate::places_of(checked.answer))
    result.text += std::string(validate::text_at(checked.answer, place)) + "\n";
  put_back(checked.answer, book, *texts, body);
  if (exchange.outputs) collect_outputs(exchange, checked.answer);
  return result;
}

// Checks and guards of a whole answer; large ones beside the loop.
net::Task<Verdict> check_by_size(Worker& worker, net::ServerStream& client, Exchange& exchange,
                                 int status, std::string& body) {
  if (!has_checks(exchange) || status >= 400) co_return Verdict{};
  auto plan = answer_plan(worker, exchange);
  CheckedBody checked;
  if (!is_large(body)) {
    checked = check_body(exchange, worker.walker, *exchange.scanner, plan.filter, body);
  } else {
    GH_STAGE(co_await beside_the_loop(worker, [&] {
      JsonWalker walker;
      inspect::Scanner scanner(exchange.snapshot->rules, exchange.snapshot->watched);
      checked = check_body(exchange, walker, scanner, plan.filter, body);
    }));
  }
  if (!checked.verdict) co_return std::move(checked.verdict);
  co_return co_await consult_about_answer(worker, client, exchange, checked.text);
}

// The names of checks that failed and whose action is only to say so.
std::string failed_flags(const Exchange& exchange) {
  std::string names;
  for (const auto& check : exchange.check_records) {
    const bool failed = check.judgement == validate::Judgement::failed ||
                        check.judgement == validate::Judgement::undecided;
    if (check.action == CheckAction::flag && failed && check.attempt == exchange.attempt)
      names += (names.empty() ? "" : ", ") + check.name;
  }
  return names;
}

net::Task<Verdict> screen_whole(Worker& worker, net::ServerStream& client, Exchange& exchange,
                                Upstream upstream) {
  auto body = co_await upstream->read_all(exchange.snapshot->config->answer_bytes);
  if (!body) {
    exchange.client_left = client.disconnected().cancelled();
    if (exchange.client_left) co_return refuse(Problem::upstream_failed, "the client left");
    co_return std::unexpected(broken_upstream(exchange, body.error()));
  }
  const auto& head = upstream->head();
  exchange.status = head.status;
  {
    const StageTimer timer(worker, exchange, Stage::screen);
    GH_STAGE(co_await screen_by_size(worker, exchange, head.status, *body));
    auto checked = co_await check_by_size(worker, client, exchange, head.status, *body);
    if (exchange.ask_again) co_return Verdict{};
    GH_STAGE(checked);
    if (head.status < 300) GH_STAGE(co_await govern_body(worker, exchange, *body));
  }
  note_answer(worker, exchange, *body);
  GH_STAGE(co_await record_outcome(worker, exchange));
  auto answer = client_head(exchange, head);
  add_limit_headers(worker, exchange, answer);
  if (auto flags = failed_flags(exchange); !flags.empty())
    answer.fields.set("Gatehouse-Failed-Checks", std::move(flags));
  if (auto approvals = approvals_waited_for(exchange); !approvals.empty())
    answer.fields.set("Gatehouse-Approval", std::move(approvals));
  if (auto sent = co_await client.respond(std::move(answer), std::move(*body)); !sent)
    exchange.client_left = true;
  co_return Verdict{};
}

// Reads what the upstream still has to say after its answer: the end of its message.
net::Task<void> read_rest(net::ClientStream& upstream) {
  constexpr std::size_t enough = 64 << 10;
  std::string ignored;
  while (ignored.size() < enough) {
    const auto more = co_await upstream.read_some(ignored);
    if (!more || !*more) co_return;
  }
}

// Lets a task run beside the one that goes on; whoever owns it ends it.
void start(net::Task<void>& task) {
  task.await_suspend(std::noop_coroutine()).resume();
}

// One streamed answer on its way; the parts of screen_streamed that share state.
class StreamedAnswer {
 public:
  StreamedAnswer(Worker& worker, net::ServerStream& client, Exchange& exchange, Upstream upstream)
      : worker_(worker),
        client_(client),
        exchange_(exchange),
        upstream_(std::move(upstream)),
        validates_(validates(exchange)),
        screen_(exchange.dialect->open_stream(stream_plan(worker, exchange))) {
    if (exchange.snapshot->governs_tools)
      tools_ = std::make_unique<ToolStream>(exchange, worker.walker,
                                            exchange.snapshot->config->event_bytes,
                                            exchange.snapshot->config->answer_bytes);
    if (!has_checks(exchange)) return;
    checks_ = std::make_unique<CheckedStream>(
        exchange, worker.walker, *exchange.scanner, answer_plan(worker, exchange).filter,
        exchange.snapshot->config->event_bytes, exchange.snapshot->config->answer_bytes);
  }

  net::Task<Verdict> run() {
    exchange_.status = upstream_->head().status;
    auto head = client_head(exchange_, upstream_->head());
    add_limit_headers(worker_, exchange_, head);
    client_.begin(std::move(head));
    auto problem = co_await relay();
    screen_->close();
    take_facts(exchange_, screen_->facts());
    note_usage(exchange_, screen_->facts().usage,
               screen_->complete() && !screen_->facts().provider_error);
    if (exchange_.ask_again) co_return Verdict{};
    if (client_.disconnected().cancelled()) exchange_.client_left = true;
    if (exchange_.client_left) {
      problem.reset();
      held_.clear();
    }
    note_texts();
    if (problem && !client_.responded())
      co_return std::unexpected(std::move(*problem));  // nothing sent yet: a plain error answer
    if (problem) {
      exchange_.problem = problem->problem;
      held_ += exchange_.dialect->error_event(*problem, exchange_.id);
    } else if (screen_->facts().provider_error) {
      exchange_.problem = Problem::upstream_failed;
    }
    // The connection to the provider can be used again when the end of its message comes while the
    // outcome is recorded; nobody waits for it.
    auto rest = read_rest(*upstream_);
    if (screen_->ended() && !problem) start(rest);
    note_answer(worker_, exchange_, held_);
    GH_STAGE(co_await record_outcome(worker_, exchange_));
    co_await send_end();
    co_return Verdict{};
  }

 private:
  // Until the upstream's end or the dialect's last event; leaves in held_ what must wait for the
  // record.
  net::Task<std::optional<ApiError>> relay() {
    std::string arrived;
    while (!screen_->ended()) {
      arrived.clear();
      auto more = co_await upstream_->read_some(arrived);
      if (!more) co_return cut(more.error());
      if (auto screened = take(arrived); !screened) co_return unreadable(screened.error());
      if (checks_ && !checks_->refusal().empty()) co_return refused_by_check();
      if (validates_ && held_.size() > exchange_.snapshot->config->answer_bytes) {
        held_.clear();
        co_return ApiError{Problem::answer_refused,
                           "The answer is longer than limits.answer_bytes, and it cannot leave "
                           "before all of it was validated.",
                           false};
      }
      if (!*more) break;
      // The last events wait for the record, and so does everything policy wants to see whole.
      if (screen_->ended() || validates_ || held_.empty()) continue;
      if (!co_await send_held()) co_return std::nullopt;
    }
    if (auto finished = finish(); !finished) co_return unreadable(finished.error());
    if (checks_ && !checks_->refusal().empty()) co_return refused_by_check();
    if (!screen_->complete() && !screen_->facts().provider_error) {
      if (validates_) held_.clear();
      co_return ApiError{Problem::upstream_failed,
                         "The provider's stream ended before its answer did."};
    }
    if (validates_ && !screen_->facts().provider_error && !all_valid(screen_->facts())) {
      held_.clear();
      co_return not_json();
    }
    if (auto refused = co_await pass_checks()) co_return refused;
    co_return co_await decide_tools();
  }

  // The calls of the answer are whole.
  net::Task<std::optional<ApiError>> decide_tools() {
    if (!tools_) co_return std::nullopt;
    const StageTimer timer(worker_, exchange_, Stage::screen);
    TurnVerdict verdict;
    if (tools_->has_calls()) {
      auto decided =
          co_await decide_calls(worker_, exchange_, tools_->answer(), tools_->has_lookups());
      if (!decided) co_return std::move(decided).error();
      verdict = std::move(*decided);
    }
    tools_->finish(exchange_, verdict, held_);
    co_return std::nullopt;
  }

  // The answer is whole.
  net::Task<std::optional<ApiError>> pass_checks() {
    if (!checks_) co_return std::nullopt;
    {
      const StageTimer timer(worker_, exchange_, Stage::screen);
      std::string passed;
      if (!checks_->finish(passed)) co_return refused_by_check();
      if (auto let = let_out(passed); !let) co_return unreadable(let.error());
    }
    auto asked = co_await consult_about_answer(worker_, client_, exchange_, checks_->whole_text());
    if (asked) co_return std::nullopt;
    held_.clear();
    co_return std::move(asked).error();
  }

  // What was let go and not sent yet has passed, but an answer that ends in an error needs none of
  // it. Asked again is only where the client has seen nothing.
  std::optional<ApiError> refused_by_check() {
    held_.clear();
    exchange_.ask_again = checks_->ask_again() && !client_.responded();
    return check_failed(checks_->refusal());
  }

  // Behind checks: what the client got and what it still will.
  void note_texts() {
    if (!checks_ || !exchange_.outputs) return;
    if (!held_.empty()) checks_->note_sent();
    collect_outputs(exchange_, checks_->sent());
  }

  // False when the client has left. Only what was written counts as the answer.
  net::Task<bool> send_held() {
    sent_ = held_;
    const auto sent = co_await client_.write(std::exchange(held_, {}));
    if (sent) {
      note_answer(worker_, exchange_, sent_);
      if (checks_) checks_->note_sent();
    } else {
      exchange_.client_left = true;
    }
    co_return sent.has_value();
  }

  // The upstream broke off: what its filters still hold belongs to the client, then the error.
  std::optional<ApiError> cut(const Error& error) {
    if (client_.disconnected().cancelled()) {
      exchange_.client_left = true;
      return std::nullopt;
    }
    // A cut in the middle of an event leaves a piece that is no event; its error is this one.
    (void)finish();
    if (validates_) held_.clear();
    return broken_upstream(exchange_, error);
  }

  Result<void> take(std::string_view arrived) {
    const StageTimer timer(worker_, exchange_, Stage::screen);
    std::string events;
    auto screened = screen_->feed(arrived, events);
    return screened ? check_events(std::move(events)) : screened;
  }
  Result<void> finish() {
    const StageTimer timer(worker_, exchange_, Stage::screen);
    std::string events;
    auto finished = screen_->finish(events);
    return finished ? check_events(std::move(events)) : finished;
  }

  Result<void> check_events(std::string events) {
    if (!checks_) return let_out(events);
    std::string passed;
    (void)checks_->feed(events, passed);
    return let_out(passed);
  }

  // Events that have passed everything but the decision about calls of tools.
  Result<void> let_out(std::string_view events) {
    if (tools_) return tools_->feed(events, held_);
    held_ += events;
    return {};
  }

  net::Task<void> send_end() {
    if (exchange_.client_left) {
      client_.abort();
      co_return;
    }
    if (!held_.empty()) {
      if (auto sent = co_await client_.write(std::move(held_)); !sent) {
        exchange_.client_left = true;
        co_return;
      }
    }
    if (auto ended = co_await client_.end(); !ended) exchange_.client_left = true;
  }

  Worker& worker_;
  net::ServerStream& client_;
  Exchange& exchange_;
  Upstream upstream_;
  bool validates_;
  std::unique_ptr<AnswerStream> screen_;
  std::unique_ptr<CheckedStream> checks_;  // none where nothing is checked
  std::unique_ptr<ToolStream> tools_;      // none where policy does not speak of tools
  std::string held_;                       // for the client, not sent yet
  std::string sent_;                       // the last piece
};

net::Task<Verdict> screen_once(Worker& worker, net::ServerStream& client, Exchange& exchange,
                               Upstream upstream) {
  const auto& head = upstream->head();
  if (head.status >= 300 && head.status < 400) {
    co_return refuse(Problem::upstream_failed,
                     "The provider \"" + exchange.provider->name + "\" answered with a redirect (" +
                         std::to_string(head.status) +
                         "). It is not followed, and not passed on: a client would send what was "
                         "replaced to somebody else.");
  }
  const auto encoding = head.fields.find("content-encoding").value_or("identity");
  if (!equals_ignoring_case(trim(encoding), "identity")) {
    co_return refuse(Problem::answer_refused,
                     "The provider sent a compressed answer although none was asked for; it "
                     "cannot be inspected.");
  }
  if (!media_type_is(head, "text/event-stream")) {
    co_return co_await screen_whole(worker, client, exchange, std::move(upstream));
  }
  StreamedAnswer answer(worker, client, exchange, std::move(upstream));
  co_return co_await answer.run();
}

}  // namespace

net::Task<Verdict> screen(Worker& worker, net::ServerStream& client, Exchange& exchange,
                          Upstream upstream) {
  while (true) {
    auto screened = co_await screen_once(worker, client, exchange, std::move(upstream));
    if (!exchange.ask_again) co_return screened;
    exchange.ask_again = false;
    exchange.earlier_usage = exchange.usage;
    ++exchange.attempt;
    auto next = co_await forward(worker, client, exchange);
    if (!next) co_return std::unexpected(std::move(next).error());
    upstream = std::move(*next);
  }
}

}  // namespace gatehouse::gateway

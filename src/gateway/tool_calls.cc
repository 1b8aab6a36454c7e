// See tool_calls.h.
#include "gateway/tool_calls.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/log.h"
#include "base/text.h"
#include "gateway/admit.h"
#include "gateway/mcp_desk.h"
#include "gateway/tool_answer.h"
#include "gateway/tool_approval.h"

namespace gatehouse::gateway {
namespace {

bool answers_with_calls(const Exchange& exchange) {
  return exchange.route == Route::chat_completions || exchange.route == Route::messages ||
         exchange.route == Route::responses;
}

void read_turn(Exchange& exchange) {
  auto said = read_conversation(exchange.body);
  // A body that is no JSON has been refused already; then there is nothing to compare with.
  exchange.tool_turn =
      std::make_shared<ToolTurn>(said ? std::move(*said) : std::vector<Utterance>(),
                                 exchange.snapshot->config->tools, exchange.time);
}

ToolQuestion question_of(const Exchange& exchange, const ToolRecord& record) {
  ToolQuestion question;
  question.principal = &exchange.principal;
  question.tool = record.call.name;
  if (record.declaration != nullptr) {
    question.server = record.declaration->server;
    // Of a tool that is called "SERVER__NAME" the name is what is behind.
    const std::string prefix = record.declaration->server + "__";
    if (!question.server.empty() && question.tool.starts_with(prefix))
      question.tool.remove_prefix(prefix.size());
  }
  question.declaration = record.declaration;
  question.time = exchange.time;
  question.peer = exchange.peer;
  question.purpose = exchange.head->fields.find("gatehouse-purpose").value_or("");
  question.surface = ToolSurface::chat;
  question.label = &record.label;
  question.risk = exchange.risk;
  question.arguments = &record.arguments;
  return question;
}

policy::FindingCounts findings_in(const Exchange& exchange, const std::string& arguments) {
  FindingTotals totals;
  totals.add(
      inspect::filter_text(*exchange.scanner, {}, inspect::TextForm::json, arguments).findings);
  return totals.by_category;
}

std::string listed(const std::set<std::string, std::less<>>& names) {
  constexpr std::size_t most = 5;
  std::string text;
  std::size_t count = 0;
  for (const auto& name : names) {
    if (count++ == most) return text + ", …";
    text += (text.empty() ? "" : ", ") + std::string(utf8_prefix(name, 64));
  }
  return text;
}

std::string reasons(const ToolRecord& record) {
  std::string text;
  for (const auto& advice : record.decision.advice) text += " " + advice;
  if (!record.arguments.untrusted.empty())
    text += " Only untrusted content names: " + listed(record.arguments.untrusted) + ".";
  if (!record.arguments.derived.empty() && record.arguments.integrity != Integrity::trusted)
    text += " Found nowhere, made after untrusted content was read: " +
            listed(record.arguments.derived) + ".";
  if (!record.problem.empty()) text += " Besides: " + record.problem + ".";
  if (!record.decision.errors.empty()) text += " A policy could not be evaluated.";
  return text;
}

std::string notice_of(const Exchange& exchange, const ToolRecord& record) {
  const bool held = record.ruling.effect == ToolEffect::hold;
  std::string text = "Gatehouse " + std::string(held ? "holds" : "refused") + " the call of \"" +
                     std::string(utf8_prefix(record.call.name, 128)) + "\"";
  for (std::size_t at = 0; at < record.decision.determining.size(); ++at)
    text += (at == 0 ? " (policy " : ", ") + record.decision.determining[at];
  text += record.decision.determining.empty() ? "." : ").";
  text += reasons(record);
  if (held)
    text += " A person must approve it: approval " + record.approval +
            ". Once it is approved, make the same call again.";
  return text + " No call of this turn was made. Entry " + exchange.id +
         " of the ledger has the decision.";
}

// Asks policy; the approval, where one is needed, is not looked for yet.
void decide_call(Exchange& exchange, ToolRecord& record) {
  auto question = question_of(exchange, record);
  question.findings = findings_in(exchange, record.call.arguments);
  record.decision = exchange.decisions->decide(policy_request(question));
  record.ruling = settle_tool(question, record.decision);
}

// Calls that may all leave are charged; one that a limit has no room for stops the turn.
void admit_calls(Worker& worker, Exchange& exchange, std::span<ToolRecord> records) {
  release_tool_calls(worker, exchange);  // of an attempt whose answer was not taken
  const auto may_leave = [](const ToolRecord& one) {
    return one.ruling.effect == ToolEffect::permit;
  };
  if (!std::ranges::all_of(records, may_leave)) return;
  for (auto& record : records) {
    const auto question = question_of(exchange, record);
    std::string tool(question.server);
    if (!tool.empty()) tool += '/';
    tool += question.tool;
    const auto limits = limits_of(record.decision.obligations);
    auto admitted = admit_tool_call(worker, *exchange.snapshot,
                                    {.principal = &exchange.principal,
                                     .tool = tool,
                                     .model = exchange.model_name,
                                     .route = to_string(*exchange.route),
                                     .session = exchange.session_id,
                                     .policy_limits = limits,
                                     .is_request = false});
    if (admitted) {
      exchange.tool_admissions.push_back(*std::move(admitted));
      continue;
    }
    record.ruling.effect = ToolEffect::refuse;
    record.decision.permit = false;
    record.decision.advice = {std::move(admitted).error().error.message};
    release_tool_calls(worker, exchange);
    return;
  }
}

}  // namespace

bool speaks_of_tools(const policy::PolicySet& policies) {
  // "<bytes>:<name>:<bytes>:<text>", one after the other.
  std::string_view rest = policies.source();
  const auto take = [&rest]() -> std::string_view {
    const auto colon = rest.find(':');
    if (colon == std::string_view::npos) return {};
    const auto size = parse_uint(rest.substr(0, colon)).value_or(0);
    const auto text = rest.substr(colon + 1, size);
    rest.remove_prefix(std::min(rest.size(), colon + 1 + size));
    if (rest.starts_with(':')) rest.remove_prefix(1);
    return text;
  };
  while (!rest.empty()) {
    const auto before = rest.size();
    const auto name = take();
    const auto text = take();
    if (name.ends_with(".cedar") && text.find("call_tool") != std::string_view::npos) return true;
    if (rest.size() >= before) return true;  // of no known shape: then they are asked
  }
  return false;
}

void read_flow(Exchange& exchange) {
  if (!answers_with_calls(exchange) || !may_use_tools(exchange.body)) return;
  read_turn(exchange);
  exchange.label = join(exchange.label, exchange.tool_turn->flow.label());
}

bool TurnVerdict::stops(std::uint64_t choice) const {
  return std::ranges::any_of(stopped, [&](const Stopped& one) { return one.choice == choice; });
}

std::string TurnVerdict::text() const {
  std::string text;
  for (const auto& one : stopped) text += (text.empty() ? "" : "\n") + one.notice;
  return text;
}

std::string TurnVerdict::text_of(std::uint64_t choice) const {
  std::string text;
  for (const auto& one : stopped)
    if (one.choice == choice) text += (text.empty() ? "" : "\n") + one.notice;
  return text;
}

std::string TurnVerdict::approvals() const {
  std::string ids;
  for (const auto& one : stopped)
    if (!one.approval.empty()) ids += (ids.empty() ? "" : " ") + one.approval;
  return ids;
}

std::string TurnVerdict::json(const Exchange& exchange) const {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().key("entry").string(exchange.id).key("calls").begin_array();
  for (const auto& one : stopped) {
    writer.begin_object().key("tool").string(one.tool);
    writer.key("decision").string(one.held ? "held" : "refused");
    if (!one.approval.empty()) writer.key("approval").string(one.approval);
    writer.end_object();
  }
  writer.end_array().end_object();
  return out;
}

namespace {

std::string without_blanks(std::string_view text) {
  std::string kept;
  for (const char c : text)
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') kept += c;
  return kept;
}

// Asks the desk about one held call. Blocks on the disk.
Result<void> settle_hold(approval::Desk& desk, const Exchange& exchange, ToolRecord& record) {
  const auto reason = reasons(record);
  GH_ASSIGN(const auto answer,
            ask_for_approval(
                desk, exchange,
                {.server = record.declaration ? std::string_view(record.declaration->server) : "",
                 .tool = record.call.name,
                 .arguments = record.call.arguments,
                 .session = exchange.session_id,
                 .reason = reason},
                record.ruling));
  record.approval = answer.id;
  if (answer.verdict == approval::Verdict::approved) record.ruling.effect = ToolEffect::permit;
  if (answer.verdict == approval::Verdict::denied) {
    record.ruling.effect = ToolEffect::refuse;
    record.problem = "a person has denied it";
  }
  return {};
}

// For when they come over MCP (decided_calls.h).
void remember_calls(Worker& worker, const Exchange& exchange, std::span<const ToolRecord> records) {
  if (exchange.session_id.empty()) return;
  for (const auto& record : records) {
    const auto question = question_of(exchange, record);
    worker.control.mcp().decided().note(
        exchange.session_id, question.server, question.tool, record.call.arguments,
        {record.arguments, !record.approval.empty()}, exchange.time);
  }
}

}  // namespace

net::Task<std::expected<TurnVerdict, ApiError>> decide_calls(Worker& worker, Exchange& exchange,
                                                             const validate::Answer& answer,
                                                             bool has_lookups) {
  TurnVerdict verdict;
  if (!exchange.tool_turn) read_turn(exchange);
  auto& turn = *exchange.tool_turn;
  if (has_lookups) {
    turn.flow.add_unseen();
    exchange.label = join(exchange.label, turn.flow.label());
  }
  const auto first = turn.records.size();
  for (const auto& choice : answer.choices) {
    std::int64_t index = 0;
    for (const auto& call : choice.tool_calls) {
      auto& record = turn.records.emplace_back(turn.flow.look_at(
          {choice.index, index++, {}, call.name, call.arguments}, exchange.label));
      decide_call(exchange, record);
    }
  }
  const auto made = std::span(turn.records).subspan(first);
  // An approval is used up only by a turn that leaves: one that is refused anyway asks for none.
  const bool refused = std::ranges::any_of(
      made, [](const ToolRecord& one) { return one.ruling.effect == ToolEffect::refuse; });
  const bool held = std::ranges::any_of(
      made, [](const ToolRecord& one) { return one.ruling.effect == ToolEffect::hold; });
  if (held && !refused) {
    Result<void> asked;
    auto& desk = worker.control.approvals();
    auto waited = co_await beside_the_loop(worker, [&] {
      for (auto& one : made)
        if (asked && one.ruling.effect == ToolEffect::hold)
          asked = settle_hold(desk, exchange, one);
    });
    if (!waited) co_return std::unexpected(std::move(waited).error());
    if (!asked) {
      log_warning("an approval could not be asked for",
                  {{"entry", exchange.id}, {"error", asked.error().describe()}});
      co_return std::unexpected(
          ApiError{Problem::answer_refused,
                   "A call of a tool needs a person's approval, which cannot be asked for now: " +
                       asked.error().message,
                   true});
    }
  }
  admit_calls(worker, exchange, made);
  for (const auto& record : made) {
    if (record.ruling.effect == ToolEffect::permit) continue;
    verdict.stopped.push_back({record.call.choice, notice_of(exchange, record), record.approval,
                               record.ruling.effect == ToolEffect::hold, record.call.name});
  }
  if (verdict.stopped.empty()) remember_calls(worker, exchange, made);
  co_return verdict;
}

net::Task<Verdict> govern_body(Worker& worker, Exchange& exchange, std::string& body) {
  if (!exchange.snapshot->governs_tools || !answers_with_calls(exchange)) co_return Verdict{};
  const auto texts = read_answer(worker.walker, exchange.dialect->kind(), body);
  if (!texts)
    co_return refuse(Problem::answer_refused,
                     "The provider's answer cannot be read, so it is not passed on: " +
                         texts.error().describe());
  if (!has_calls(*texts)) co_return Verdict{};
  AnswerBook book;
  book.add(*texts);
  auto verdict = co_await decide_calls(worker, exchange, book.answer(), texts->has_lookups);
  if (!verdict) co_return std::unexpected(std::move(verdict).error());
  if (verdict->stopped.empty()) co_return Verdict{};
  auto replaced = answer_without_calls(exchange, *verdict, body);
  if (!replaced)
    co_return refuse(
        Problem::answer_refused,
        "The answer has calls of tools that may not leave, and it cannot be changed: " +
            replaced.error().message);
  body = std::move(*replaced);
  co_return Verdict{};
}

std::string approvals_waited_for(const Exchange& exchange) {
  std::string ids;
  if (!exchange.tool_turn) return ids;
  for (const auto& record : exchange.tool_turn->records)
    if (record.ruling.effect == ToolEffect::hold && !record.approval.empty())
      ids += (ids.empty() ? "" : " ") + record.approval;
  return ids;
}

ToolStream::ToolStream(const Exchange& exchange, JsonWalker& walker, std::size_t max_event_bytes,
                       std::size_t max_held_bytes)
    : exchange_(exchange),
      walker_(walker),
      // What filters held back may have come on top of an event.
      framer_(2 * max_event_bytes + 2 * inspect::TextFilter::max_holdback_bytes),
      max_held_bytes_(max_held_bytes) {}

Result<void> ToolStream::feed(std::string_view events, std::string& out) {
  framer_.feed(events);
  while (true) {
    GH_ASSIGN(auto event, framer_.next());
    if (!event) return {};
    GH_TRY(take(std::move(*event), out));
  }
}

Result<void> ToolStream::take(SseEvent event, std::string& out) {
  // A key may be written with escapes; everything else that has no such word has no call.
  const auto may_call = [](std::string_view data) {
    constexpr std::array<std::string_view, 5> words{"tool", "function", "_call", "_request", "\\u"};
    return std::ranges::any_of(words, [&](std::string_view word) { return data.contains(word); });
  };
  const bool readable = event.has_data && !event.data.starts_with("[DONE]");
  if (readable && (holding_ || may_call(event.data))) {
    GH_ASSIGN(const auto texts, read_event(walker_, exchange_.dialect->kind(), event.data));
    has_lookups_ = has_lookups_ || texts.has_lookups;
    if (gateway::has_calls(texts)) {
      holding_ = true;
      book_.add(texts);
      GH_TRY(take_copies(texts));
    }
  }
  if (!holding_) {
    out += event.raw;
    return {};
  }
  held_bytes_ += event.raw.size();
  if (held_bytes_ > max_held_bytes_)
    return fail(ErrorCode::resource_exhausted, "the calls of tools are longer than is allowed");
  held_.push_back(std::move(event));
  return {};
}

// The arguments of a call come in pieces, or whole where it begins, and then whole once more with
// the item and with the answer. Clients run one of these: they must be the same.
Result<void> ToolStream::take_copies(const DocumentTexts& texts) {
  for (const auto& piece : texts.pieces) {
    if (!piece.copy || piece.key.tool < 0 || piece.text.empty()) continue;
    auto& known = book_.text_of(piece.key);
    // What is no string may begin with less than it becomes.
    const bool is_first = copied_.insert(piece.key).second;
    if (known.empty() || (is_first && piece.raw)) {
      known = piece.text;
    } else if (without_blanks(known) != without_blanks(piece.text)) {
      return fail(ErrorCode::invalid_argument, "a call of a tool has two different arguments");
    }
  }
  return {};
}

void ToolStream::finish(const Exchange& exchange, const TurnVerdict& verdict, std::string& out) {
  if (auto rest = framer_.rest()) held_.push_back(std::move(*rest));
  if (verdict.stopped.empty()) {
    for (const auto& event : held_) out += event.raw;
  } else {
    stream_without_calls(exchange, verdict, held_, out);
  }
  held_.clear();
}

}  // namespace gatehouse::gateway

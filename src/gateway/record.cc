// Record: what was decided and what came of it, into the ledger. Content never enters: an event has
// sha256(salt ‖ content), the salt derived from the deployment secret, the id of the decision and
// which content it is.
// In strict mode a stage waits until its event is durable. In relaxed mode it only waits to be
// taken into the writer's queue.
#include <algorithm>
#include <chrono>
#include <span>

#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "gateway/actor.h"
#include "gateway/admit.h"
#include "gateway/decision_event.h"
#include "gateway/guard_reports.h"
#include "gateway/keep.h"
#include "gateway/outputs.h"
#include "gateway/stages.h"
#include "gateway/tool_calls.h"
#include "gateway/walk.h"
#include "ledger/event.h"

namespace gatehouse::gateway {
namespace {

constexpr std::size_t most_rules = 100;
constexpr std::chrono::seconds error_log_interval{1};

std::string_view bounded(std::string_view text) {
  return utf8_prefix(text, longest_text);
}

void write_findings(JsonWriter& writer, const inspect::RuleSet& rules,
                    const FindingTotals& findings) {
  writer.begin_array();
  for (const auto& [rule, count] :
       std::span(findings.by_rule).first(std::min(findings.by_rule.size(), most_rules))) {
    const auto& info = rules.rules()[rule];
    writer.begin_object().key("rule").string(info.id);
    writer.key("category").string(inspect::to_string(info.category));
    writer.key("count").number(count).key("p").number(info.p_value).end_object();
  }
  // What policies were told stays known: how many of each category there are in all.
  if (findings.by_rule.size() > most_rules) {
    writer.begin_object().key("more").number(findings.by_rule.size() - most_rules);
    for (std::size_t at = 0; at < inspect::category_count; ++at)
      writer.key(inspect::to_string(static_cast<inspect::Category>(at)))
          .number(findings.by_category[at]);
    writer.end_object();
  }
  writer.end_array();
}

// Only what says something; replay takes what is missing for 1.
void write_risk(JsonWriter& writer, const policy::RiskValues& risk) {
  if (risk.jailbreak > policy::most_telling_p && risk.injection > policy::most_telling_p) return;
  writer.key("risk").begin_object();
  if (risk.jailbreak <= policy::most_telling_p)
    writer.key("jailbreak").begin_object().key("p").number(risk.jailbreak).end_object();
  if (risk.injection <= policy::most_telling_p)
    writer.key("injection").begin_object().key("p").number(risk.injection).end_object();
  writer.end_object();
}

// What callers call things, without what the rules find in it: "[KIND]" stands there instead.
std::string cleaned(inspect::Scanner& scanner, std::string_view text) {
  std::string kept;
  std::size_t at = 0;
  for (const auto& finding : scanner.scan(text)) {
    kept += text.substr(at, finding.span.begin - at);
    kept += '[' + scanner.rules().rules()[finding.rule].kind + ']';
    at = finding.span.end;
  }
  kept += text.substr(at);
  return kept;
}

std::string actor_json(const Exchange& exchange) {
  std::string json;
  JsonWriter writer(json);
  writer.begin_object();
  if (!exchange.principal.id.empty()) write_actor(writer, exchange.principal);
  writer.key("peer").string(exchange.peer).end_object();
  return json;
}

std::string subject_json(const Exchange& exchange) {
  std::string json;
  JsonWriter writer(json);
  writer.begin_object();
  if (exchange.route) {
    writer.key("route").string(to_string(*exchange.route));
  } else {
    writer.key("path").string(bounded(cleaned(*exchange.scanner, exchange.head->path())));
  }
  writer.key("dialect").string(to_string(exchange.dialect->kind()));
  if (!exchange.model && !exchange.model_name.empty()) {
    writer.key("model").string(bounded(cleaned(*exchange.scanner, exchange.model_name)));
  }
  if (exchange.model) {
    writer.key("model").string(bounded(exchange.model_name));
    writer.key("provider").string(exchange.model->provider);
    writer.key("upstream_model").string(exchange.model->upstream_name);
    writer.key("trust").string(exchange.model->trust);
  }
  writer.end_object();
  return json;
}

crypto::Digest content_salt(const Worker& worker, const Exchange& exchange,
                            std::string_view which) {
  return gateway::content_salt(worker.control.keys(), exchange.id, which);
}

void write_content(JsonWriter& writer, const Worker& worker, const Exchange& exchange) {
  const bool kept = exchange.keeping && exchange.keeping->request_kept;
  // What is kept has the vault's salt, so that an erase leaves no way to confirm it.
  const auto digest = crypto::sha256(
      kept ? exchange.keeping->request.salt.bytes() : content_salt(worker, exchange, "request"),
      bytes_of(exchange.body));
  writer.begin_object().key("sha256").string(to_hex(digest));
  writer.key("bytes").number(exchange.body.size());
  if (kept) writer.key("kept").boolean(true);
  writer.end_object();
}

// Texts from outside as the event has them, and which of them policies saw otherwise: in these
// replay cannot go by the event alone.
class Outside {
 public:
  explicit Outside(const Exchange& exchange) : exchange_(exchange) {}

  void note(std::string_view what, std::string_view seen, std::string_view written) {
    if (seen != written) altered_.push_back(what);
  }
  std::string clean(std::string_view text) const {
    // Whatever is in a name of a tool was found in the body.
    if (exchange_.findings.by_rule.empty()) return std::string(text);
    return cleaned(*exchange_.scanner, text);
  }
  void write_tools(JsonWriter& writer) {
    std::size_t room = longest_tools;
    bool whole = exchange_.tools.size() <= most_tools;
    writer.begin_array();
    for (const auto& tool :
         std::span(exchange_.tools).first(std::min(exchange_.tools.size(), most_tools))) {
      const std::string name = clean(tool);
      if (name.size() > room || name.size() > longest_text) {
        whole = false;
        break;
      }
      whole = whole && name == tool;
      room -= name.size();
      writer.string(name);
    }
    writer.end_array();
    if (!whole) altered_.emplace_back("tools");
  }
  void write_altered(JsonWriter& writer) const {
    if (altered_.empty()) return;
    writer.key("altered").begin_array();
    for (const auto what : altered_) writer.string(what);
    writer.end_array();
  }

 private:
  const Exchange& exchange_;
  std::vector<std::string_view> altered_;
};

std::string decision_json(const Worker& worker, const Exchange& exchange) {
  std::string json;
  JsonWriter writer(json);
  Outside outside(exchange);
  writer.begin_object();
  write_decision(writer, exchange.decision, exchange.problem);
  writer.key("findings");
  write_findings(writer, *exchange.snapshot->rules, exchange.findings);
  write_risk(writer, exchange.risk);
  write_guards(writer, exchange.guard_reports);
  if (exchange.admission) write_reserved(writer, *exchange.admission);
  writer.key("stream").boolean(exchange.stream);
  writer.key("uninspectable").boolean(exchange.uninspectable);
  if (!exchange.marks.empty()) {
    writer.key("marks").begin_array();
    for (const auto mark : exchange.marks) writer.string(mark);
    writer.end_array();
  }
  if (!exchange.tools.empty()) {
    writer.key("tools");
    outside.write_tools(writer);
  }
  if (const auto purpose = exchange.head->fields.find("gatehouse-purpose")) {
    const std::string kept = cleaned(*exchange.scanner, *purpose);
    writer.key("purpose").string(bounded(kept));
    outside.note("purpose", *purpose, to_utf8(bounded(kept)));
  }
  if (!exchange.model && !exchange.model_name.empty())
    outside.note("model", exchange.model_name,
                 bounded(cleaned(*exchange.scanner, exchange.model_name)));
  if (!fits_event(exchange.principal)) outside.note("actor", "all", "cut");
  outside.write_altered(writer);
  writer.key("content");
  write_content(writer, worker, exchange);
  writer.end_object();
  return json;
}

void write_check_records(JsonWriter& writer, const Exchange& exchange) {
  constexpr std::size_t most = 64;
  if (exchange.attempt > 1) writer.key("attempts").number(exchange.attempt);
  if (exchange.check_records.empty()) return;
  writer.key("checks").begin_array();
  for (const auto& check :
       std::span(exchange.check_records).first(std::min(exchange.check_records.size(), most))) {
    writer.begin_object().key("name").string(check.name);
    writer.key("type").string(validate::to_string(check.kind));
    writer.key("result").string(validate::to_string(check.judgement));
    writer.key("score").number(check.score).key("action").string(to_string(check.action));
    if (exchange.attempt > 1) writer.key("attempt").number(check.attempt);
    writer.end_object();
  }
  writer.end_array();
}

std::string outcome_json(Exchange& exchange) {
  std::string json;
  JsonWriter writer(json);
  writer.begin_object().key("decision").string(exchange.id);
  if (exchange.status != 0) writer.key("status").number(exchange.status);
  if (exchange.problem) writer.key("problem").string(name_of(*exchange.problem));
  if (!exchange.finish_reason.empty())
    writer.key("finish_reason").string(bounded(exchange.finish_reason));
  if (exchange.client_left) writer.key("client_left").boolean(true);
  if (exchange.answer_bytes > 0) {
    writer.key("content").begin_object();
    const bool kept = exchange.keeping && exchange.keeping->answer_kept;
    auto& digest = kept ? exchange.keeping->answer_digest : exchange.answer_digest;
    writer.key("sha256").string(to_hex(digest.finish()));
    writer.key("bytes").number(exchange.answer_bytes);
    if (kept) writer.key("kept").boolean(true);
    writer.end_object();
  }
  writer.key("redacted").number(exchange.redacted);
  writer.key("restored").number(exchange.restored);
  if (exchange.usage.input_tokens) writer.key("input_tokens").number(*exchange.usage.input_tokens);
  if (exchange.usage.output_tokens)
    writer.key("output_tokens").number(*exchange.usage.output_tokens);
  if (exchange.usage.cache_read_tokens)
    writer.key("cache_read_tokens").number(*exchange.usage.cache_read_tokens);
  if (exchange.usage.cache_write_tokens)
    writer.key("cache_write_tokens").number(*exchange.usage.cache_write_tokens);
  write_charged(writer, exchange);
  writer.key("findings");
  write_findings(writer, *exchange.snapshot->rules, exchange.answer_findings);
  write_guards(writer, std::span(exchange.guard_reports).subspan(exchange.guards_recorded));
  write_check_records(writer, exchange);
  write_outputs(writer, exchange);
  writer.end_object();
  return json;
}

ledger::Event new_event(const Worker& worker, Exchange& exchange, std::string_view type) {
  ledger::Event event;
  event.time = worker.control.clock().wall();
  event.type = type;
  event.node = exchange.snapshot->config->node;
  // The same for the decision and its outcome.
  if (exchange.actor_json.empty()) exchange.actor_json = actor_json(exchange);
  if (exchange.subject_json.empty()) exchange.subject_json = subject_json(exchange);
  event.actor = exchange.actor_json;
  event.subject = exchange.subject_json;
  event.snapshot = exchange.snapshot->digest;
  return event;
}

// Every call ends here while the ledger is down: said once a second, counted every time.
ApiError ledger_error(Worker& worker, const Error& error) {
  const auto now = worker.control.clock().steady();
  if (now - worker.ledger_error_logged >= error_log_interval) {
    worker.ledger_error_logged = now;
    log_error("the ledger refused an entry", {{"error", error.describe()}});
  }
  return {Problem::ledger_unavailable,
          "The audit ledger cannot be written, so nothing is let through. Try again later; if it "
          "lasts, tell the operators of this gateway."};
}

// What callers may ask a receipt for.
struct CallEntry {
  std::optional<EntryKey> id;
  std::optional<EntryKey> decision;  // of an outcome

  void note(RecentEntries& recent, std::uint64_t index) const {
    if (id && decision) {
      recent.note_outcome(*decision, *id, index);
    } else if (id) {
      recent.note(*id, index);
    }
  }
};

// Into the queue of the writer; nobody waits for it.
Result<void> append_in_background(Worker& worker, std::string entry, const CallEntry& call = {}) {
  auto settled = [&worker, call](const Result<std::uint64_t>& index) {
    if (index) {
      call.note(worker.receipts.recent(), *index);
    } else {
      worker.metrics.count_ledger_failure();
    }
  };
  return worker.control.ledger().append(std::move(entry), std::move(settled),
                                        ledger::Urgency::background);
}

net::Task<Result<void>> append_durably(Worker& worker, std::string entry, CallEntry call) {
  auto durable = std::make_shared<net::Completion<Result<std::uint64_t>>>(worker.loop);
  auto settled = [durable](Result<std::uint64_t> index) {
    durable->complete_unwoken(std::move(index));
  };
  GH_CO_TRY(worker.control.ledger().append(std::move(entry), std::move(settled)));
  const auto index = co_await durable->wait();
  if (!index) co_return std::unexpected(index.error());
  call.note(worker.receipts.recent(), *index);
  co_return Result<void>{};
}

net::Task<Verdict> append(Worker& worker, const Exchange& exchange, ledger::Event event) {
  auto entry = ledger::serialize(event);
  if (!entry) {  // its parts are bounded: a bug, which stops this call and no other
    log_error("an event could not be written", {{"error", entry.error().describe()}});
    co_return refuse(Problem::internal, "This call cannot be recorded, so it is not let through.");
  }
  const CallEntry call{.id = entry_key(event.id),
                       .decision = event.id == exchange.id ? std::nullopt : entry_key(exchange.id)};
  Result<void> taken;
  // Of a budget nothing may be used that a restart does not know about.
  const bool relaxed = exchange.snapshot->config->audit == AuditMode::relaxed;
  if (relaxed && (!exchange.admission || !event.type.ends_with(".decided"))) {
    taken = append_in_background(worker, std::move(*entry), call);
  } else {
    taken = co_await append_durably(worker, std::move(*entry), call);
  }
  if (!taken) co_return std::unexpected(ledger_error(worker, taken.error()));
  co_return Verdict{};
}

void write_names(JsonWriter& writer, std::string_view key, const std::vector<std::string>& names) {
  if (names.empty()) return;
  writer.key(key).begin_array();
  for (const auto& name : names) writer.string(bounded(name));
  writer.end_array();
}

// Where the values of the arguments came from; never the values.
void write_arguments(JsonWriter& writer, const Exchange& exchange, const ToolRecord& record) {
  constexpr std::size_t most = 64;
  writer.key("arguments").begin_object();
  writer.key("integrity").string(to_string(record.arguments.integrity));
  writer.key("confidentiality").string(to_string(record.arguments.confidentiality));
  writer.key("values").begin_array();
  for (const auto& trace : std::span(record.traces).first(std::min(record.traces.size(), most))) {
    // The name of an argument may be anything the model wrote.
    const std::string path = without_findings(*exchange.scanner, trace.path);
    writer.begin_object().key("path").string(utf8_prefix(path, 128));
    writer.key("from").string(flow::to_string(trace.standing));
    writer.key("match").string(flow::to_string(trace.match)).end_object();
  }
  writer.end_array();
  if (record.traces.size() > most) writer.key("more").number(record.traces.size() - most);
  writer.end_object();
}

std::string tool_json(const Exchange& exchange, const ToolRecord& record) {
  std::string json;
  JsonWriter writer(json);
  const auto* declared = record.declaration;
  writer.begin_object().key("request").string(exchange.id).key("surface").string("chat");
  writer.key("tool").string(bounded(without_findings(*exchange.scanner, record.call.name)));
  if (declared != nullptr && !declared->server.empty())
    writer.key("server").string(declared->server);
  writer.key("declared").boolean(declared != nullptr);
  writer.key("choice").number(record.call.choice).key("call").number(record.call.index);
  writer.key("decision").string(to_string(record.ruling.effect));
  write_names(writer, "policies", record.decision.determining);
  write_names(writer, "errors", record.decision.errors);
  if (!record.problem.empty()) writer.key("problem").string(bounded(record.problem));
  if (!record.approval.empty()) writer.key("approval").string(record.approval);
  write_arguments(writer, exchange, record);
  writer.end_object();
  return json;
}

// They stand before the outcome, so that they are durable when it is.
Verdict append_tool_calls(Worker& worker, Exchange& exchange) {
  if (!exchange.tool_turn) return {};
  auto& turn = *exchange.tool_turn;
  for (; turn.recorded < turn.records.size(); ++turn.recorded) {
    const auto& record = turn.records[turn.recorded];
    auto event = new_event(worker, exchange, "tool.decided");
    event.id = make_uuid7(worker.control.clock(), worker.control.random());
    append_json(event.label, record.label);
    event.data = tool_json(exchange, record);
    auto entry = ledger::serialize(event);
    if (!entry) {
      log_error("an event could not be written", {{"error", entry.error().describe()}});
      return refuse(Problem::internal, "This call cannot be recorded, so it is not let through.");
    }
    if (const auto taken = append_in_background(worker, std::move(*entry)); !taken)
      return std::unexpected(ledger_error(worker, taken.error()));
  }
  return {};
}

}  // namespace

net::Task<Verdict> append_event(Worker& worker, const Exchange& exchange, ledger::Event event) {
  co_return co_await append(worker, exchange, std::move(event));
}

std::string describe_actor(const Exchange& exchange) {
  return actor_json(exchange);
}

void write_findings_json(JsonWriter& writer, const Exchange& exchange,
                         const FindingTotals& findings) {
  write_findings(writer, *exchange.snapshot->rules, findings);
}

std::string without_findings(inspect::Scanner& scanner, std::string_view text) {
  return cleaned(scanner, text);
}

net::Task<Verdict> record_decision(Worker& worker, Exchange& exchange) {
  const StageTimer timer(worker, exchange, Stage::record);
  GH_STAGE(co_await keep_request(worker, exchange));
  auto event = new_event(worker, exchange, "request.decided");
  event.id = exchange.id;
  append_json(event.label, exchange.label);
  event.data = decision_json(worker, exchange);
  exchange.guards_recorded = exchange.guard_reports.size();
  exchange.decision_recorded = true;
  co_return co_await append(worker, exchange, std::move(event));
}

net::Task<Verdict> record_refusal(Worker& worker, Exchange& exchange, const ApiError& error) {
  if (exchange.outcome_recorded) co_return Verdict{};
  // A refusal by the decision itself stands in the ledger already.
  if (exchange.decision_recorded && !exchange.decision.permit) co_return Verdict{};
  if (exchange.decision_recorded) co_return co_await record_outcome(worker, exchange);
  auto event = new_event(worker, exchange, "request.refused");
  event.id = exchange.id;
  JsonWriter writer(event.data);
  writer.begin_object().key("problem").string(name_of(error.problem));
  writer.key("status").number(exchange.status);
  writer.key("reason").string(bounded(error.message)).end_object();
  co_return co_await append(worker, exchange, std::move(event));
}

net::Task<Verdict> record_outcome(Worker& worker, Exchange& exchange) {
  const StageTimer timer(worker, exchange, Stage::outcome);
  GH_STAGE(append_tool_calls(worker, exchange));
  GH_STAGE(co_await keep_answer(worker, exchange));
  GH_STAGE(co_await note_outputs(worker, exchange));
  settle_limits(worker, exchange);
  auto event = new_event(worker, exchange, "request.completed");
  event.id = make_uuid7(worker.control.clock(), worker.control.random());
  event.data = outcome_json(exchange);
  if (is_models_answer(exchange)) append_json(event.label, label_of_answer(exchange));
  exchange.outcome_recorded = true;
  auto recorded = co_await append(worker, exchange, std::move(event));
  co_await settle_outputs(worker, exchange);
  co_return recorded;
}

void note_answer(const Worker& worker, Exchange& exchange, std::string_view bytes) {
  if (bytes.empty()) return;
  if (exchange.answer_bytes == 0)
    exchange.answer_digest.update(content_salt(worker, exchange, "answer"));
  exchange.answer_digest.update(bytes_of(bytes));
  if (exchange.keeping) keep_answer_bytes(exchange, bytes);
  exchange.answer_bytes += bytes.size();
}

void note_refused_message(Worker& worker, const net::Refusal& refusal) {
  worker.metrics.count_refused_message(refusal.status);
  ledger::Event event;
  event.id = make_uuid7(worker.control.clock(), worker.control.random());
  event.time = worker.control.clock().wall();
  event.type = "message.refused";
  event.node = worker.snapshot->config->node;
  JsonWriter actor(event.actor);
  actor.begin_object().key("peer").string(refusal.peer).end_object();
  JsonWriter data(event.data);
  data.begin_object().key("status").number(refusal.status);
  data.key("reason").string(bounded(refusal.reason)).end_object();
  event.snapshot = worker.snapshot->digest;
  if (auto entry = ledger::serialize(event)) {
    const auto taken = append_in_background(worker, std::move(*entry));
    if (!taken) worker.metrics.count_ledger_failure();
  }
}

}  // namespace gatehouse::gateway

// Transform: the obligations on the request. Personal data becomes placeholders, the model gets the
// name its provider knows, and nothing else changes: the rest of the bytes leave as they came.
#include <mutex>
#include <optional>

#include "base/text.h"
#include "gateway/canary_insert.h"
#include "gateway/checks.h"
#include "gateway/stages.h"
#include "validate/canary.h"

namespace gatehouse::gateway {
namespace {

constexpr std::size_t longest_conversation_name = 256;

// Applies the redaction to one channel; adds a splice when the text changed.
void redact_channel(Exchange& exchange, const Channel& channel, const inspect::FilterPlan& plan,
                    std::vector<Splice>& edits) {
  const bool json = channel.role == TextRole::json || channel.role == TextRole::raw_json;
  const auto form = json ? inspect::TextForm::json : inspect::TextForm::plain;
  auto filtered = inspect::filter_text(*exchange.scanner, plan, form, channel.text);
  if (!filtered.changed) return;
  for (const auto& finding : filtered.findings)
    exchange.redacted += plan.redact.test(static_cast<std::size_t>(finding.category)) ? 1 : 0;
  Splice splice{channel.inside.begin, channel.inside.end, {}};
  if (channel.role == TextRole::raw_json) {
    splice.text = std::move(filtered.text);
  } else if (channel.is_number) {
    append_json_string(splice.text, filtered.text);
  } else {
    append_json_escaped(splice.text, filtered.text);
  }
  edits.push_back(std::move(splice));
}

// True when a text that may not be changed has something that must not leave.
bool must_not_leave(Exchange& exchange, const Channel& channel) {
  for (const auto& finding : exchange.scanner->scan(channel.text)) {
    const bool personal = finding.category == inspect::Category::personal;
    if (personal && channel.role == TextRole::signed_) continue;
    if (exchange.plan.redact.test(static_cast<std::size_t>(finding.category))) return true;
  }
  return false;
}

bool is_fixed(const Channel& channel) {
  return channel.role == TextRole::fixed || channel.role == TextRole::signed_;
}

// Placeholders in the client's own text are never handed out. Those in signed thinking are ours:
// the model repeats what it was shown.
void reserve_placeholders(Exchange& exchange) {
  for (const auto& channel : exchange.channels) {
    if (channel.role == TextRole::signed_ || channel.role == TextRole::opaque) continue;
    if (channel.text.find_first_of("[\\") != std::string_view::npos)
      exchange.placeholders.reserve(channel.text);
  }
}

// Turns that the provider keeps have placeholders that are only known where they are kept here too.
void separate_from_stored_turns(const Worker& worker, Exchange& exchange) {
  if (!exchange.continues_stored) return;
  std::uint32_t drawn = 0;
  worker.control.random().fill(std::as_writable_bytes(std::span(&drawn, 1)));
  constexpr std::uint32_t least = 100'000'000;  // of nine digits, which is the most there are
  constexpr std::uint32_t numbers = 800'000'000;
  exchange.placeholders.begin_at(least + drawn % numbers);
}

Verdict redact(Exchange& exchange, std::vector<Splice>& edits) {
  const bool redacts = exchange.plan.redact.any() && !exchange.channels_with_findings.empty();
  // What a conversation reserves holds for its later calls too, so also where nothing is replaced.
  if (redacts || !exchange.session_id.empty()) reserve_placeholders(exchange);
  if (!redacts) return {};
  inspect::FilterPlan plan;
  plan.redact = exchange.plan.redact;
  plan.placeholders = &exchange.placeholders;
  for (const auto at : exchange.channels_with_findings) {
    const auto& channel = exchange.channels[at];
    if (!is_fixed(channel)) {
      redact_channel(exchange, channel, plan, edits);
    } else if (must_not_leave(exchange, channel)) {
      return refuse(Problem::blocked,
                    "Data that policy wants replaced stands where it cannot be replaced: in the "
                    "name of a JSON member, in the query of the URL or in signed thinking. Move it "
                    "into a value.");
    }
  }
  return {};
}

net::Task<Verdict> redact_by_size(Worker& worker, Exchange& exchange, std::vector<Splice>& edits) {
  if (!is_large(exchange.body)) co_return redact(exchange, edits);
  Verdict redacted;
  GH_STAGE(co_await beside_the_loop(worker, [&] { redacted = redact(exchange, edits); }));
  co_return redacted;
}

// Usage is wanted for the record even where the client did not ask; screen.cc takes it out again.
void ask_for_usage(const Exchange& exchange, std::vector<Splice>& edits) {
  if (exchange.route != Route::chat_completions || !exchange.stream ||
      exchange.wants_stream_usage || !exchange.provider->inject_usage)
    return;
  if (exchange.stream_usage_value) {
    edits.push_back({exchange.stream_usage_value->begin, exchange.stream_usage_value->end, "true"});
  } else if (exchange.stream_options_null) {
    edits.push_back({exchange.stream_options_null->begin, exchange.stream_options_null->end,
                     R"({"include_usage":true})"});
  } else if (exchange.stream_options_begin) {
    const auto at = *exchange.stream_options_begin + 1;
    const auto next = exchange.body.find_first_not_of(" \t\r\n", at);
    const bool empty = exchange.body[next] == '}';
    edits.push_back({at, at, empty ? R"("include_usage":true)" : R"("include_usage":true,)"});
  } else {
    const auto at = exchange.body.find('{') + 1;
    edits.push_back({at, at, R"("stream_options":{"include_usage":true},)"});
  }
}

std::string session_id(const Worker& worker, const Exchange& exchange, std::string_view name) {
  std::string whose(identity::to_string(exchange.principal.kind));
  whose += '\0';
  whose += exchange.principal.id;
  whose += '\0';
  whose += name;
  return to_hex(crypto::hmac_sha256(worker.control.keys().session_id, bytes_of(whose)));
}

// What the database does for a session, off the loop thread.
struct SessionAccess {
  ControlPlane& control;
  std::string id;

  struct Loaded {
    std::optional<std::string> sealed;  // as it was stored
    inspect::Placeholders placeholders;
  };

  Result<Loaded> load(WallTime now) const {
    auto& store = control.store();
    GH_TRY(store.drop_expired_sessions(now));
    GH_ASSIGN(auto sealed, store.session(id));
    if (!sealed) return Loaded{};
    GH_ASSIGN(const auto text,
              crypto::open_sealed(control.keys().session_seal, bytes_of(*sealed), bytes_of(id)));
    GH_ASSIGN(auto placeholders, inspect::Placeholders::parse(text));
    return Loaded{std::move(sealed), std::move(placeholders)};
  }

  // False when another call of the conversation has saved since this one loaded.
  Result<bool> save(const Loaded& before, const inspect::Placeholders& placeholders,
                    WallTime expires) const {
    GH_ASSIGN(const auto serialized, placeholders.serialize());
    const auto sealed = crypto::seal(control.keys().session_seal, bytes_of(serialized),
                                     bytes_of(id), control.random());
    const std::lock_guard lock(control.sessions_mutex());
    GH_ASSIGN(const auto now, control.store().session(id));
    if (now != before.sealed) return false;
    GH_TRY(control.store().put_session(id, sealed, expires));
    return true;
  }
};

ApiError session_error(const Error& error) {
  if (error.code == ErrorCode::resource_exhausted)
    return {Problem::too_large,
            "This conversation has more values that are replaced by placeholders than can be kept "
            "(16 MiB). Begin another: give Gatehouse-Conversation another name.",
            false};
  return {Problem::internal,
          "The conversation's placeholders cannot be read or kept: " + std::string(error.message)};
}

// Redacts with the placeholders of the conversation. Calls of one conversation may run at once:
// who saves second begins again with what the first one saved, so that a placeholder never stands
// for two values.
net::Task<Verdict> redact_in_session(Worker& worker, Exchange& exchange,
                                     std::vector<Splice>& edits) {
  constexpr int most_attempts = 100;
  const SessionAccess session{worker.control, exchange.session_id};
  const auto expires = exchange.time + exchange.snapshot->config->session_lifetime;
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    Result<SessionAccess::Loaded> loaded = SessionAccess::Loaded();
    auto ran = co_await worker.loop.run_blocking([&] { loaded = session.load(exchange.time); });
    if (!ran) co_return std::unexpected(session_error(ran.error()));
    if (!loaded) co_return std::unexpected(session_error(loaded.error()));
    exchange.placeholders = loaded->placeholders;
    exchange.redacted = 0;
    edits.clear();
    GH_STAGE(co_await redact_by_size(worker, exchange, edits));
    if (exchange.placeholders.size() == loaded->placeholders.size() &&
        exchange.placeholders.reserved() == loaded->placeholders.reserved())
      co_return Verdict{};
    Result<bool> saved = false;
    ran = co_await worker.loop.run_blocking(
        [&] { saved = session.save(*loaded, exchange.placeholders, expires); });
    if (!ran) co_return std::unexpected(session_error(ran.error()));
    if (!saved) co_return std::unexpected(session_error(saved.error()));
    if (*saved) co_return Verdict{};
  }
  co_return std::unexpected(session_error(
      {ErrorCode::unavailable, "too many calls of this conversation run at once", {}}));
}

Verdict prepare_checks(const Worker& worker, Exchange& exchange, JsonWalker& walker,
                       std::vector<Splice>& edits) {
  if (auto noted = note_facts(exchange); !noted)
    return refuse(Problem::bad_request, "The request cannot be read by the checks of its answer: " +
                                            noted.error().describe());
  if (!exchange.plan.canary) return {};
  const auto& conversation = exchange.session_id.empty() ? exchange.id : exchange.session_id;
  exchange.facts.canary = validate::make_canary(worker.control.keys().session_id, conversation);
  auto splice = canary_splice(walker, *exchange.route, exchange.body,
                              validate::canary_sentence(exchange.facts.canary));
  if (!splice) return refuse(Problem::bad_request, splice.error().describe());
  edits.push_back(*std::move(splice));
  return {};
}

// What the checks of the answer need to know of the request, and the canary.
net::Task<Verdict> prepare_checks_by_size(Worker& worker, Exchange& exchange,
                                          std::vector<Splice>& edits) {
  if (!has_checks(exchange)) co_return Verdict{};
  if (!is_large(exchange.body)) co_return prepare_checks(worker, exchange, worker.walker, edits);
  Verdict prepared;
  GH_STAGE(co_await beside_the_loop(worker, [&] {
    JsonWalker walker;
    prepared = prepare_checks(worker, exchange, walker, edits);
  }));
  co_return prepared;
}

}  // namespace

Verdict name_session(const Worker& worker, Exchange& exchange) {
  const auto name = exchange.head->fields.find("gatehouse-conversation");
  if (!name) return {};
  if (name->empty() || name->size() > longest_conversation_name) {
    return refuse(Problem::bad_request,
                  "Gatehouse-Conversation must have 1 to 256 bytes; leave it out for a call "
                  "that stands alone");
  }
  exchange.session_id = session_id(worker, exchange, *name);
  return {};
}

net::Task<Verdict> transform(Worker& worker, Exchange& exchange) {
  const StageTimer timer(worker, exchange, Stage::transform);
  GH_STAGE(name_session(worker, exchange));
  std::vector<Splice> edits;
  if (exchange.session_id.empty()) {
    separate_from_stored_turns(worker, exchange);
    GH_STAGE(co_await redact_by_size(worker, exchange, edits));
  } else {
    GH_STAGE(co_await redact_in_session(worker, exchange, edits));
  }
  GH_STAGE(co_await prepare_checks_by_size(worker, exchange, edits));
  ask_for_usage(exchange, edits);
  if (exchange.model->upstream_name != exchange.model_name) {
    Splice rename{exchange.model_inside.begin, exchange.model_inside.end, {}};
    append_json_escaped(rename.text, exchange.model->upstream_name);
    edits.push_back(std::move(rename));
  }
  if (!edits.empty()) exchange.body = apply_splices(exchange.body, std::move(edits));
  exchange.channels.clear();  // their positions no longer hold
  co_return Verdict{};
}

}  // namespace gatehouse::gateway

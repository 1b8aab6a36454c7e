// Transform: the obligations on the request. Personal data becomes placeholders, the model gets the
// name its provider knows, and nothing else changes: the rest of the bytes leave as they came.
#include "base/text.h"
#include "gateway/stages.h"

namespace gatehouse::gateway {
namespace {

constexpr std::size_t longest_conversation_name = 256;

// Applies the redaction to one channel; adds a splice when the text changed.
void redact_channel(Exchange& exchange, const Channel& channel, const inspect::FilterPlan& plan,
                    std::vector<Splice>& edits) {
  const auto form =
      channel.role == TextRole::json ? inspect::TextForm::json : inspect::TextForm::plain;
  auto filtered = inspect::filter_text(*exchange.scanner, plan, form, channel.text);
  if (!filtered.changed) return;
  for (const auto& finding : filtered.findings)
    exchange.redacted += plan.redact.test(static_cast<std::size_t>(finding.category)) ? 1 : 0;
  Splice splice{channel.inside.begin, channel.inside.end, {}};
  if (channel.is_number) {
    append_json_string(splice.text, filtered.text);
  } else {
    append_json_escaped(splice.text, filtered.text);
  }
  edits.push_back(std::move(splice));
}

// True when a text that may not be changed has something that must not leave.
bool must_not_leave(Exchange& exchange, const Channel& channel) {
  if (channel.role != TextRole::fixed) return false;
  for (const auto& finding : exchange.scanner->scan(channel.text))
    if (exchange.plan.redact.test(static_cast<std::size_t>(finding.category))) return true;
  return false;
}

Verdict redact(Exchange& exchange, std::vector<Splice>& edits) {
  if (exchange.plan.redact.none() || exchange.channels_with_findings.empty()) return {};
  for (const auto& channel : exchange.channels)
    if (channel.text.find('[') != std::string_view::npos)
      exchange.placeholders.reserve(channel.text);
  inspect::FilterPlan plan;
  plan.redact = exchange.plan.redact;
  plan.placeholders = &exchange.placeholders;
  for (const auto at : exchange.channels_with_findings) {
    const auto& channel = exchange.channels[at];
    if (must_not_leave(exchange, channel)) {
      return refuse(Problem::blocked,
                    "Data that policy wants replaced stands where it cannot be replaced: in the "
                    "name of a JSON member or in signed thinking. Move it into a value.");
    }
    if (channel.role != TextRole::fixed) redact_channel(exchange, channel, plan, edits);
  }
  return {};
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
  store::Store& store;
  const DeploymentKeys& keys;
  std::string id;

  Result<inspect::Placeholders> load(WallTime now) const {
    GH_TRY(store.drop_expired_sessions(now));
    GH_ASSIGN(const auto sealed, store.session(id));
    if (!sealed) return inspect::Placeholders();
    GH_ASSIGN(const auto text,
              crypto::open_sealed(keys.session_seal, bytes_of(*sealed), bytes_of(id)));
    return inspect::Placeholders::parse(text);
  }

  Result<void> save(const inspect::Placeholders& placeholders, Random& random,
                    WallTime expires) const {
    const auto sealed =
        crypto::seal(keys.session_seal, bytes_of(placeholders.serialize()), bytes_of(id), random);
    return store.put_session(id, sealed, expires);
  }
};

ApiError session_error(const Error& error) {
  return {Problem::internal,
          "The conversation's placeholders cannot be read or kept: " + std::string(error.message)};
}

net::Task<Verdict> load_session(Worker& worker, Exchange& exchange) {
  const auto name = exchange.head->fields.find("gatehouse-conversation");
  if (!name) co_return Verdict{};
  if (name->empty() || name->size() > longest_conversation_name) {
    co_return refuse(Problem::bad_request,
                     "Gatehouse-Conversation must have 1 to 256 bytes; leave it out for a call "
                     "that stands alone");
  }
  exchange.session_id = session_id(worker, exchange, *name);
  const SessionAccess session{worker.control.store(), worker.control.keys(), exchange.session_id};
  Result<inspect::Placeholders> loaded = inspect::Placeholders();
  auto ran = co_await worker.loop.run_blocking([&] { loaded = session.load(exchange.time); });
  if (!ran) co_return std::unexpected(session_error(ran.error()));
  if (!loaded) co_return std::unexpected(session_error(loaded.error()));
  exchange.placeholders = std::move(*loaded);
  co_return Verdict{};
}

net::Task<Verdict> save_session(Worker& worker, Exchange& exchange, std::size_t known_before) {
  if (exchange.session_id.empty() || exchange.placeholders.size() == known_before)
    co_return Verdict{};
  const SessionAccess session{worker.control.store(), worker.control.keys(), exchange.session_id};
  const auto expires = exchange.time + exchange.snapshot->config->session_lifetime;
  Result<void> saved;
  auto ran = co_await worker.loop.run_blocking(
      [&] { saved = session.save(exchange.placeholders, worker.control.random(), expires); });
  if (!ran) co_return std::unexpected(session_error(ran.error()));
  if (!saved) co_return std::unexpected(session_error(saved.error()));
  co_return Verdict{};
}

}  // namespace

net::Task<Verdict> transform(Worker& worker, Exchange& exchange) {
  const StageTimer timer(worker, exchange, Stage::transform);
  GH_STAGE(co_await load_session(worker, exchange));
  const auto known_before = exchange.placeholders.size();
  std::vector<Splice> edits;
  GH_STAGE(redact(exchange, edits));
  GH_STAGE(co_await save_session(worker, exchange, known_before));
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

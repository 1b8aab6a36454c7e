// The OpenAI dialect: /v1/chat/completions, /v1/embeddings, /v1/models. Formats: docs/dialects.md.
#include <algorithm>
#include <optional>

#include "base/json.h"
#include "base/text.h"
#include "gateway/answer.h"
#include "gateway/dialect.h"
#include "gateway/request_reader.h"
#include "gateway/stream.h"

namespace gatehouse::gateway {
namespace {

using inspect::TextForm;

bool is_arguments(Path path) {
  const auto key = last_key(path);
  return key == "arguments" && path.size() >= 2 &&
         (path[path.size() - 2].key == "function" || path[path.size() - 2].key == "function_call");
}

// Fields of answers that only name things; the gateway's decisions never depend on them.
bool is_structural(std::string_view key) {
  return key == "id" || key == "object" || key == "role" || key == "type" || key == "model" ||
         key == "finish_reason" || key == "system_fingerprint" || key == "service_tier" ||
         key == "obfuscation";
}

class OpenAiRequestReader final : public RequestReader {
 public:
  using RequestReader::RequestReader;

  void on_bool(Path path, bool value, JsonSpan span) override {
    if (path_is(path, {"stream"})) exchange_.stream = value;
    if (path_is(path, {"stream_options", "include_usage"})) {
      exchange_.wants_stream_usage = value;
      exchange_.stream_usage_value = span;
    }
  }
  void on_object(Path path, std::size_t begin) override {
    if (path_is(path, {"stream_options"})) exchange_.stream_options_begin = begin;
  }
  void on_null(Path path, JsonSpan span) override {
    if (path_is(path, {"stream_options"})) exchange_.stream_options_null = span;
  }
  void on_number(Path path, std::string_view text, JsonSpan span) override {
    // Token ids: text that was encoded before it came here.
    if (path_begins(path, {"input", "*"})) exchange_.uninspectable = true;
    RequestReader::on_number(path, text, span);
  }

 protected:
  TextRole role_of(Path path, std::string_view text) override {
    const auto key = last_key(path);
    if (path_is(path, {"response_format", "type"}) && text.starts_with("json"))
      exchange_.json_answer = true;
    if (is_arguments(path)) return TextRole::json;
    if (path.size() == 4 && path_begins(path, {"tools", "*"}) && key == "name")
      exchange_.tools.emplace_back(text);
    if (key == "url" && path.size() >= 2 && path[path.size() - 2].key == "image_url") {
      exchange_.uninspectable = true;
      return text.starts_with("data:") ? TextRole::opaque : TextRole::text;
    }
    if (key == "file_id") exchange_.uninspectable = true;
    if (key == "data" || key == "file_data") {
      if (!text.starts_with("data:")) return role_of_data(exchange_, text);
      exchange_.uninspectable = true;
      return TextRole::opaque;
    }
    return TextRole::text;
  }
};

// Whole answers: chat completions, embeddings, errors.
class OpenAiAnswerReader final : public JsonVisitor {
 public:
  OpenAiAnswerReader(const AnswerPlan& plan, AnswerFacts& facts) : plan_(plan), facts_(facts) {}

  void on_string(Path path, std::string_view text, JsonSpan inside) override {
    if (path_is(path, {"choices", "*", "finish_reason"})) facts_.finish_reason = text;
    if (text.empty() || path_is(path, {"data", "*", "embedding"})) return;
    if (path_is(path, {"choices", "*", "message", "audio", "data"})) return;
    if (is_structural(last_key(path))) return;
    const bool content = path_is(path, {"choices", "*", "message", "content"});
    if (content && plan_.keep_content && path[1].index == 0) facts_.validated_text = text;
    const bool json = is_arguments(path) || (content && plan_.content_is_json);
    filter_once(plan_, json ? TextForm::json : TextForm::plain, text, inside, edits, facts_);
  }
  void on_number(Path path, std::string_view text, JsonSpan) override {
    if (path_is(path, {"usage", "prompt_tokens"})) facts_.usage.input_tokens = as_count(text);
    if (path_is(path, {"usage", "completion_tokens"})) facts_.usage.output_tokens = as_count(text);
  }

  std::vector<Splice> edits;

 private:
  const AnswerPlan& plan_;
  AnswerFacts& facts_;
};

// One chunk of a streamed chat completion, read whole before anything is done with it: the index of
// a choice may stand after its delta.
class ChunkReader final : public JsonVisitor {
 public:
  struct Delta {
    std::size_t choice_position;
    std::optional<std::size_t> tool_position;
    std::string_view field;
    std::string_view text;
    JsonSpan inside;
    TextForm form;
  };
  struct Once {
    std::string_view text;
    JsonSpan inside;
  };

  void on_string(Path path, std::string_view text, JsonSpan inside) override {
    const auto key = last_key(path);
    if (path_begins(path, {"error"})) has_error = true;
    if (path_is(path, {"obfuscation"})) obfuscation = inside;
    if (path_is(path, {"choices", "*", "finish_reason"})) {
      finished.emplace_back(path[1].index, text);
      return;
    }
    if (path_begins(path, {"choices", "*", "delta"})) return on_delta(path, key, text, inside);
    if (!is_structural(key) && !text.empty()) once.push_back({text, inside});
  }
  void on_number(Path path, std::string_view text, JsonSpan) override {
    const auto count = as_count(text);
    if (!count) return;
    if (path_is(path, {"choices", "*", "index"})) set(choice_index, path[1].index, *count);
    if (path_is(path, {"choices", "*", "delta", "tool_calls", "*", "index"}))
      tool_index[{path[1].index, path[4].index}] = *count;
    if (path_is(path, {"usage", "prompt_tokens"})) usage.input_tokens = count;
    if (path_is(path, {"usage", "completion_tokens"})) usage.output_tokens = count;
  }
  void on_null(Path path, JsonSpan span) override {
    if (path_is(path, {"usage"})) null_usage = {path[0].key_begin, span.end};
  }
  void on_object(Path path, std::size_t) override {
    if (path_begins(path, {"choices", "*"})) has_choices = true;
    if (path_is(path, {"error"})) has_error = true;
    if (path_is(path, {"usage"})) has_usage = true;
  }

  std::uint64_t choice_at(std::size_t position) const {
    return position < choice_index.size() ? choice_index[position] : position;
  }
  std::int64_t tool_at(const Delta& delta) const {
    if (!delta.tool_position) return -1;
    const auto known = tool_index.find({delta.choice_position, *delta.tool_position});
    return static_cast<std::int64_t>(known == tool_index.end() ? *delta.tool_position
                                                               : known->second);
  }

  std::vector<Delta> deltas;
  std::vector<Once> once;
  std::vector<std::pair<std::size_t, std::string_view>> finished;  // (choice position, reason)
  std::vector<std::uint64_t> choice_index;
  std::map<std::pair<std::size_t, std::size_t>, std::uint64_t> tool_index;
  std::optional<JsonSpan> null_usage;   // the whole member
  std::optional<JsonSpan> obfuscation;  // its value: padding that must fit the text, or be empty
  Usage usage;
  bool has_choices = false;
  bool has_usage = false;
  bool has_error = false;
  bool has_other_delta = false;  // a role, a tool name: must leave even if the text is held

 private:
  void on_delta(Path path, std::string_view key, std::string_view text, JsonSpan inside) {
    if (is_structural(key) || key == "name") {
      has_other_delta = true;
      return;
    }
    Delta delta{path[1].index, std::nullopt, key, text, inside, TextForm::plain};
    if (path_begins(path, {"choices", "*", "delta", "tool_calls", "*"}))
      delta.tool_position = path[4].index;
    if (is_arguments(path)) delta.form = TextForm::json;
    deltas.push_back(delta);
  }
  static void set(std::vector<std::uint64_t>& values, std::size_t at, std::uint64_t value) {
    while (values.size() <= at) values.push_back(values.size());
    values[at] = value;
  }
};

// The members of a chunk that every chunk of the same stream repeats.
class EnvelopeReader final : public JsonVisitor {
 public:
  explicit EnvelopeReader(const std::string& chunk) : chunk_(chunk) {}
  void on_string(Path path, std::string_view, JsonSpan inside) override {
    if (path.size() == 1 && path[0].key != "obfuscation")
      keep(path, {inside.begin - 1, inside.end + 1});
  }
  void on_number(Path path, std::string_view, JsonSpan span) override {
    if (path.size() == 1) keep(path, span);
  }
  void on_null(Path path, JsonSpan span) override {
    if (path.size() == 1 && path[0].key != "usage") keep(path, span);
  }
  std::string members;  // `"id":"…","object":"…",` with the last comma

 private:
  void keep(Path path, JsonSpan span) {
    append_json_string(members, path[0].key);
    members += ':';
    members.append(chunk_, span.begin, span.end - span.begin);
    members += ',';
  }
  const std::string& chunk_;
};

class OpenAiStream final : public StreamScreen {
 public:
  using StreamScreen::StreamScreen;

 protected:
  Result<void> on_event(SseEvent& event, std::string& out) override {
    if (event.data.starts_with("[DONE]")) {
      flush_all(out);
      ended_ = true;
      out += event.raw;
      return {};
    }
    ChunkReader chunk;
    GH_TRY(plan_.walker->walk(event.data, chunk));
    note_usage(chunk);
    if (chunk.has_error) {
      facts_.provider_error = true;
      flush_all(out);
      emit_edited(event, once_edits(chunk), out);
      return {};
    }
    if (plan_.swallow_usage && chunk.has_usage && !chunk.has_choices) return {};
    if (chunk.has_choices) last_chunk_ = event.data;
    return emit_chunk(event, chunk, out);
  }

  void emit_rest(const ChannelKey& key, std::string_view text, std::string& out) override {
    EnvelopeReader envelope(last_chunk_);
    std::string copy = last_chunk_;
    if (!plan_.walker->walk(copy, envelope)) return;  // it was walked before: cannot happen
    std::string data = "{" + envelope.members +
                       "\"choices\":[{\"index\":" + std::to_string(key.choice) + ",\"delta\":{";
    const auto field = json_string(key.field) + ":" + json_string(text);
    if (key.tool < 0) {
      data += field;
    } else {
      const bool custom = key.field == "input";
      data += "\"tool_calls\":[{\"index\":" + std::to_string(key.tool) +
              (custom ? ",\"custom\":{" : ",\"function\":{") + field + "}}]";
    }
    data += "},\"finish_reason\":null}]}";
    append_event(out, {}, data);
  }

 private:
  void note_usage(const ChunkReader& chunk) {
    if (chunk.usage.input_tokens) facts_.usage.input_tokens = chunk.usage.input_tokens;
    if (chunk.usage.output_tokens) facts_.usage.output_tokens = chunk.usage.output_tokens;
  }

  std::vector<Splice> once_edits(const ChunkReader& chunk) {
    std::vector<Splice> edits;
    for (const auto& once : chunk.once)
      filter_once(plan_, TextForm::plain, once.text, once.inside, edits, facts_);
    return edits;
  }

  Result<void> emit_chunk(SseEvent& event, const ChunkReader& chunk, std::string& out) {
    auto edits = once_edits(chunk);
    struct Outgoing {
      ChannelKey key;
      const ChunkReader::Delta* delta;
      std::string text;
    };
    std::vector<Outgoing> outgoing;
    for (const auto& delta : chunk.deltas) {
      ChannelKey key{chunk.choice_at(delta.choice_position), chunk.tool_at(delta),
                     std::string(delta.field)};
      const bool json =
          delta.form == TextForm::json || (plan_.content_is_json && delta.field == "content");
      keep_content(key, delta.text);
      auto text = channels_.feed(key, json ? TextForm::json : TextForm::plain, delta.text);
      outgoing.push_back({std::move(key), &delta, std::move(text)});
    }
    for (const auto& [position, reason] : chunk.finished) {
      facts_.finish_reason = reason;
      complete_ = true;
      for (auto& [key, rest] : channels_.finish_choice(chunk.choice_at(position))) {
        const auto same = std::ranges::find(outgoing, key, &Outgoing::key);
        if (same != outgoing.end()) {
          same->text += rest;
        } else {
          emit_rest(key, rest, out);
        }
      }
    }
    bool any_text = outgoing.empty();
    bool changed = false;
    for (const auto& [key, delta, text] : outgoing) {
      any_text = any_text || !text.empty() || delta->text.empty();
      if (text == delta->text) continue;
      changed = true;
      edits.push_back(replace_string(delta->inside, text));
    }
    const bool held_whole =
        !any_text && chunk.finished.empty() && !chunk.has_other_delta && !chunk.has_usage;
    if (held_whole) return {};
    if (changed && chunk.obfuscation) edits.push_back(replace_string(*chunk.obfuscation, ""));
    if (plan_.swallow_usage && chunk.null_usage)
      edits.push_back(remove_member(event.data, chunk.null_usage->begin, chunk.null_usage->end));
    emit_edited(event, std::move(edits), out);
    return {};
  }

  void keep_content(const ChannelKey& key, std::string_view text) {
    if (plan_.keep_content && key.choice == 0 && key.tool < 0 && key.field == "content")
      facts_.validated_text += text;
  }

  std::string last_chunk_;
};

struct OpenAiError {
  std::string_view type;
  std::string_view code;
};

OpenAiError openai_error(Problem problem) {
  switch (problem) {
    case Problem::bad_request:
      return {"invalid_request_error", "bad_request"};
    case Problem::unauthenticated:
      return {"invalid_request_error", "invalid_api_key"};
    case Problem::blocked:
      return {"permission_error", "policy_blocked"};
    case Problem::unknown_model:
      return {"invalid_request_error", "model_not_found"};
    case Problem::unknown_path:
      return {"invalid_request_error", "unknown_url"};
    case Problem::method_not_allowed:
      return {"invalid_request_error", "method_not_supported"};
    case Problem::timeout:
      return {"invalid_request_error", "request_timeout"};
    case Problem::too_large:
      return {"invalid_request_error", "request_too_large"};
    case Problem::answer_refused:
      return {"server_error", "answer_refused"};
    case Problem::upstream_failed:
      return {"server_error", "upstream_failed"};
    case Problem::upstream_timeout:
      return {"server_error", "upstream_timeout"};
    case Problem::ledger_unavailable:
      return {"server_error", "ledger_unavailable"};
    case Problem::internal:
      return {"server_error", "internal_error"};
  }
  return {"server_error", "internal_error"};
}

class OpenAiDialect final : public Dialect {
 public:
  DialectKind kind() const override { return DialectKind::openai; }
  std::string_view request_id_header() const override { return "x-request-id"; }

  std::string error_body(const ApiError& error, std::string_view) const override {
    const auto [type, code] = openai_error(error.problem);
    std::string body;
    JsonWriter writer(body);
    writer.begin_object().key("error").begin_object();
    writer.key("message").string(error.message).key("type").string(type);
    writer.key("param").null().key("code").string(code);
    writer.end_object().end_object();
    return body;
  }

  std::string error_event(const ApiError& error, std::string_view request_id) const override {
    std::string event;
    append_event(event, {}, error_body(error, request_id));
    return event;
  }

  void authorize(net::RequestHead& head, std::string_view credential) const override {
    head.fields.set("Authorization", "Bearer " + std::string(credential));
  }

  Result<void> decode(JsonWalker& walker, Exchange& exchange) const override {
    OpenAiRequestReader reader(exchange);
    GH_TRY(walker.walk(exchange.body, reader));
    return reader.finish();
  }

  Result<void> screen(const AnswerPlan& plan, std::string& body,
                      AnswerFacts& facts) const override {
    OpenAiAnswerReader reader(plan, facts);
    GH_TRY(plan.walker->walk(body, reader));
    if (!reader.edits.empty()) body = apply_splices(body, std::move(reader.edits));
    return {};
  }

  std::unique_ptr<AnswerStream> open_stream(const AnswerPlan& plan) const override {
    return std::make_unique<OpenAiStream>(plan);
  }

  std::string models_body(const std::vector<const store::ModelRecord*>& models) const override {
    std::string body;
    JsonWriter writer(body);
    writer.begin_object().key("object").string("list").key("data").begin_array();
    for (const auto* model : models) {
      writer.begin_object().key("id").string(model->name).key("object").string("model");
      writer.key("created").number(unix_seconds(model->created));
      writer.key("owned_by").string(model->provider).end_object();
    }
    writer.end_array().end_object();
    return body;
  }

 private:
  static std::int64_t unix_seconds(std::string_view rfc3339) {
    const auto number = [&](std::size_t at, std::size_t size) {
      return static_cast<int>(parse_uint(rfc3339.substr(at, size)).value_or(0));
    };
    if (rfc3339.size() < 19) return 0;
    const auto day = std::chrono::year(number(0, 4)) /
                     std::chrono::month(static_cast<unsigned>(number(5, 2))) /
                     std::chrono::day(static_cast<unsigned>(number(8, 2)));
    const auto time = std::chrono::sys_days(day) + std::chrono::hours(number(11, 2)) +
                      std::chrono::minutes(number(14, 2)) + std::chrono::seconds(number(17, 2));
    return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
  }
};

}  // namespace

const Dialect& openai_dialect() {
  static const OpenAiDialect dialect;
  return dialect;
}

const Dialect& dialect_of(DialectKind kind) {
  return kind == DialectKind::openai ? openai_dialect() : anthropic_dialect();
}

}  // namespace gatehouse::gateway

// The Anthropic dialect: /v1/messages, /v1/messages/count_tokens, /v1/models.
// Formats: docs/dialects.md.
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

// Thinking is signed by the provider: it goes back as it came, placeholders and all, or its
// signature no longer verifies.
bool is_signed(std::string_view key) {
  return key == "thinking";
}

bool is_sealed(std::string_view key) {
  return key == "signature" || key == "encrypted_content" || key == "encrypted_index";
}

bool is_structural(std::string_view key) {
  return key == "id" || key == "type" || key == "role" || key == "model" || key == "stop_reason" ||
         key == "tool_use_id" || key == "service_tier";
}

class AnthropicRequestReader final : public RequestReader {
 public:
  using RequestReader::RequestReader;

  void on_bool(Path path, bool value, JsonSpan) override {
    if (path_is(path, {"stream"})) exchange_.stream = value;
  }

 protected:
  TextRole role_of(Path path, std::string_view text) override {
    const auto key = last_key(path);
    if (is_sealed(key)) return TextRole::opaque;
    if (is_signed(key)) return TextRole::fixed;
    if (path_is(path, {"tools", "*", "name"})) exchange_.tools.emplace_back(text);
    const bool in_source = path.size() >= 2 && path[path.size() - 2].key == "source";
    if ((in_source && key == "url") || key == "file_id") exchange_.uninspectable = true;
    if (key == "data") return role_of_data(exchange_, text);
    return TextRole::text;
  }
};

class AnthropicAnswerReader final : public JsonVisitor {
 public:
  AnthropicAnswerReader(const AnswerPlan& plan, AnswerFacts& facts) : plan_(plan), facts_(facts) {}

  void on_string(Path path, std::string_view text, JsonSpan inside) override {
    const auto key = last_key(path);
    if (path_is(path, {"stop_reason"})) facts_.finish_reason = text;
    const bool tool_input = path_begins(path, {"content", "*", "input"});
    if (!tool_input && (is_structural(key) || is_sealed(key) || is_signed(key) || key == "data"))
      return;
    if (text.empty()) return;
    const bool content = path_is(path, {"content", "*", "text"});
    if (content && plan_.keep_content) facts_.validated_text += text;
    filter_once(plan_, TextForm::plain, text, inside, edits, facts_);
  }
  void on_number(Path path, std::string_view text, JsonSpan) override {
    if (path_is(path, {"usage", "input_tokens"}) || path_is(path, {"input_tokens"}))
      facts_.usage.input_tokens = as_count(text);
    if (path_is(path, {"usage", "output_tokens"})) facts_.usage.output_tokens = as_count(text);
  }

  std::vector<Splice> edits;

 private:
  const AnswerPlan& plan_;
  AnswerFacts& facts_;
};

class EventReader final : public JsonVisitor {
 public:
  struct Text {
    std::string_view field;
    std::string_view text;
    JsonSpan inside;
  };

  void on_string(Path path, std::string_view text, JsonSpan inside) override {
    const auto key = last_key(path);
    if (path_is(path, {"type"})) type = text;
    if (path_is(path, {"delta", "stop_reason"})) stop_reason = text;
    if (path_is(path, {"delta", "text"}) || path_is(path, {"delta", "partial_json"})) {
      delta = Text{key, text, inside};
      return;
    }
    const bool tool_input = path_begins(path, {"content_block", "input"});
    if (!tool_input && (is_structural(key) || is_sealed(key) || is_signed(key) || key == "data"))
      return;
    if (!text.empty()) once.push_back({key, text, inside});
  }
  void on_number(Path path, std::string_view text, JsonSpan) override {
    const auto count = as_count(text);
    if (!count) return;
    if (path_is(path, {"index"})) index = *count;
    if (path_is(path, {"usage", "input_tokens"}) ||
        path_is(path, {"message", "usage", "input_tokens"}))
      usage.input_tokens = count;
    if (path_is(path, {"usage", "output_tokens"}) ||
        path_is(path, {"message", "usage", "output_tokens"}))
      usage.output_tokens = count;
  }

  std::string_view type;
  std::string_view stop_reason;
  std::uint64_t index = 0;
  std::optional<Text> delta;
  std::vector<Text> once;
  Usage usage;
};

class AnthropicStream final : public StreamScreen {
 public:
  using StreamScreen::StreamScreen;

 protected:
  Result<void> on_event(SseEvent& event, std::string& out) override {
    EventReader reader;
    GH_TRY(plan_.walker->walk(event.data, reader));
    if (reader.usage.input_tokens) facts_.usage.input_tokens = reader.usage.input_tokens;
    if (reader.usage.output_tokens) facts_.usage.output_tokens = reader.usage.output_tokens;
    if (!reader.stop_reason.empty()) facts_.finish_reason = reader.stop_reason;

    std::vector<Splice> edits;
    for (const auto& once : reader.once)
      filter_once(plan_, TextForm::plain, once.text, once.inside, edits, facts_);
    if (reader.type == "error") {
      facts_.provider_error = true;
      flush_all(out);
    } else if (reader.type == "content_block_stop") {
      for (const auto& [key, rest] : channels_.finish_choice(reader.index))
        emit_rest(key, rest, out);
    } else if (reader.type == "message_stop") {
      flush_all(out);
      ended_ = true;
    } else if (reader.delta && !on_delta(reader, edits)) {
      return {};
    }
    emit_edited(event, std::move(edits), out);
    return {};
  }

  void emit_rest(const ChannelKey& key, std::string_view text, std::string& out) override {
    const bool json = key.field == "partial_json";
    std::string data = "{\"type\":\"content_block_delta\",\"index\":" + std::to_string(key.choice) +
                       ",\"delta\":{\"type\":";
    data += json ? "\"input_json_delta\",\"partial_json\":" : "\"text_delta\",\"text\":";
    append_json_string(data, text);
    data += "}}";
    append_event(out, "content_block_delta", data);
  }

 private:
  // False when all of the delta is held back and the event has nothing else to say.
  bool on_delta(const EventReader& reader, std::vector<Splice>& edits) {
    const auto& delta = *reader.delta;
    const bool json = delta.field == "partial_json";
    if (plan_.keep_content && !json) facts_.validated_text += delta.text;
    const auto text = channels_.feed(
        {reader.index, -1, std::string(delta.field)},
        json || plan_.content_is_json ? TextForm::json : TextForm::plain, delta.text);
    if (text.empty() && !delta.text.empty()) return false;
    if (text != delta.text) edits.push_back(replace_string(delta.inside, text));
    return true;
  }
};

std::string_view anthropic_error_type(Problem problem) {
  switch (problem) {
    case Problem::bad_request:
    case Problem::method_not_allowed:
    case Problem::timeout:
      return "invalid_request_error";
    case Problem::unauthenticated:
      return "authentication_error";
    case Problem::blocked:
      return "permission_error";
    case Problem::unknown_model:
    case Problem::unknown_path:
      return "not_found_error";
    case Problem::too_large:
      return "request_too_large";
    case Problem::answer_refused:
    case Problem::upstream_failed:
    case Problem::internal:
      return "api_error";
    case Problem::upstream_timeout:
      return "timeout_error";
    case Problem::ledger_unavailable:
      return "overloaded_error";
  }
  return "api_error";
}

class AnthropicDialect final : public Dialect {
 public:
  DialectKind kind() const override { return DialectKind::anthropic; }
  std::string_view request_id_header() const override { return "request-id"; }

  std::string error_body(const ApiError& error, std::string_view request_id) const override {
    std::string body;
    JsonWriter writer(body);
    writer.begin_object().key("type").string("error").key("error").begin_object();
    writer.key("type").string(anthropic_error_type(error.problem));
    writer.key("message").string(error.message).end_object();
    writer.key("request_id").string(request_id).end_object();
    return body;
  }

  std::string error_event(const ApiError& error, std::string_view request_id) const override {
    std::string event;
    append_event(event, "error", error_body(error, request_id));
    return event;
  }

  void authorize(net::RequestHead& head, std::string_view credential) const override {
    head.fields.set("x-api-key", std::string(credential));
  }

  Result<void> decode(JsonWalker& walker, Exchange& exchange) const override {
    AnthropicRequestReader reader(exchange);
    GH_TRY(walker.walk(exchange.body, reader));
    return reader.finish();
  }

  Result<void> screen(const AnswerPlan& plan, std::string& body,
                      AnswerFacts& facts) const override {
    AnthropicAnswerReader reader(plan, facts);
    GH_TRY(plan.walker->walk(body, reader));
    if (!reader.edits.empty()) body = apply_splices(body, std::move(reader.edits));
    return {};
  }

  std::unique_ptr<AnswerStream> open_stream(const AnswerPlan& plan) const override {
    return std::make_unique<AnthropicStream>(plan);
  }

  std::string models_body(const std::vector<const store::ModelRecord*>& models) const override {
    std::string body;
    JsonWriter writer(body);
    writer.begin_object().key("data").begin_array();
    for (const auto* model : models) {
      writer.begin_object().key("type").string("model").key("id").string(model->name);
      writer.key("display_name").string(model->name);
      writer.key("created_at").string(model->created).end_object();
    }
    writer.end_array().key("has_more").boolean(false).key("first_id");
    models.empty() ? writer.null() : writer.string(models.front()->name);
    writer.key("last_id");
    models.empty() ? writer.null() : writer.string(models.back()->name);
    writer.end_object();
    return body;
  }
};

}  // namespace

const Dialect& anthropic_dialect() {
  static const AnthropicDialect dialect;
  return dialect;
}

}  // namespace gatehouse::gateway

// The OpenAI dialect: /v1/chat/completions, /v1/embeddings, /v1/models. Formats: docs/dialects.md.
#include <algorithm>
#include <array>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "gateway/answer.h"
#include "gateway/openai.h"
#include "gateway/request_reader.h"

namespace gatehouse::gateway {
namespace {

using inspect::TextForm;

bool is_text_part(std::string_view type) {
  return type == "text" || type == "refusal" || type == "input_text" || type == "output_text";
}

// Where a part of a message has its bytes, or the URL of them: messages[i].content[j].image_url,
// messages[i].content[j].input_audio.data and the like.
bool is_media(Path path) {
  constexpr std::array<std::string_view, 6> urls{"image_url", "video_url", "audio_url",
                                                 "file_url",  "data",      "file_data"};
  constexpr std::array<std::string_view, 7> holders{
      "image_url", "video_url", "audio_url", "file_url", "file", "input_audio", "input_video"};
  const auto key = last_key(path);
  if (path.size() == 5) return std::ranges::find(urls, key) != urls.end();
  return path.size() == 6 && (key == "url" || key == "data" || key == "file_data") &&
         std::ranges::find(holders, path[4].key) != holders.end();
}

class OpenAiRequestReader final : public RequestReader {
 public:
  using RequestReader::RequestReader;

  void on_string(Path path, std::string_view text, JsonSpan inside) override {
    note_usage_value(path, {inside.begin - 1, inside.end + 1});
    RequestReader::on_string(path, text, inside);
  }
  void on_bool(Path path, bool value, JsonSpan span) override {
    RequestReader::on_bool(path, value, span);
    if (note_usage_value(path, span)) exchange_.wants_stream_usage = value;
  }
  void on_object(Path path, std::size_t begin) override {
    if (path_is(path, {"stream_options"})) exchange_.stream_options_begin = begin;
    RequestReader::on_object(path, begin);
  }
  void on_container(Path path, JsonSpan span) override {
    note_usage_value(path, span);
    RequestReader::on_container(path, span);
  }
  void on_null(Path path, JsonSpan span) override {
    if (path_is(path, {"stream_options"})) exchange_.stream_options_null = span;
    note_usage_value(path, span);
  }
  void on_number(Path path, std::string_view text, JsonSpan span) override {
    note_usage_value(path, span);
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
    if (key == "file_id") exchange_.uninspectable = true;
    if (!path_begins(path, {"messages", "*", "content", "*"})) return TextRole::text;
    if (path.size() == 5 && key == "type" && !is_text_part(text)) exchange_.uninspectable = true;
    if (!is_media(path)) return TextRole::text;
    exchange_.uninspectable = true;
    return role_of_encoded(text);
  }

 private:
  // Whatever it is, it is replaced and not written a second time beside it.
  bool note_usage_value(Path path, JsonSpan span) {
    if (!path_is(path, {"stream_options", "include_usage"})) return false;
    exchange_.stream_usage_value = span;
    exchange_.wants_stream_usage = false;
    return true;
  }
};

// Whole answers: chat completions, embeddings, errors.
class OpenAiAnswerReader final : public JsonVisitor {
 public:
  OpenAiAnswerReader(const AnswerPlan& plan, AnswerFacts& facts) : plan_(plan), facts_(facts) {}

  void on_string(Path path, std::string_view text, JsonSpan inside) override {
    if (path_is(path, {"choices", "*", "finish_reason"})) note_finish(path, text);
    if (Logprobs::holds(path)) return logprobs_.on_string(path, text, inside);
    if (text.empty() || is_name(path)) return;
    const std::size_t before = edits.size();
    const bool content = path_is(path, {"choices", "*", "message", "content"});
    const bool keep = content && plan_.keep_content;
    const bool json = is_arguments(path) || (content && plan_.content_is_json);
    filter_once(plan_, json ? TextForm::json : TextForm::plain, text, inside, edits, facts_,
                keep ? &facts_.content_of(path[1].index).text : nullptr);
    if (edits.size() > before && path[0].key == "choices" && path.size() > 1)
      changed_choices_.insert(path[1].index);
  }
  void on_number(Path path, std::string_view text, JsonSpan) override {
    if (path_is(path, {"usage", "prompt_tokens"})) facts_.usage.input_tokens = as_count(text);
    if (path_is(path, {"usage", "completion_tokens"})) facts_.usage.output_tokens = as_count(text);
  }
  void on_object(Path path, std::size_t) override {
    if (plan_.keep_content && path_is(path, {"choices", "*"})) facts_.content_of(path[1].index);
  }
  void on_container(Path path, JsonSpan span) override { logprobs_.on_container(path, span); }
  void finish() { logprobs_.filter(plan_, changed_choices_, edits); }

  std::vector<Splice> edits;

 private:
  void note_finish(Path path, std::string_view reason) {
    facts_.finish_reason = reason;
    if (plan_.keep_content && (reason == "tool_calls" || reason == "function_call"))
      facts_.content_of(path[1].index).calls_tools = true;
  }

  const AnswerPlan& plan_;
  AnswerFacts& facts_;
  Logprobs logprobs_;
  std::set<std::size_t> changed_choices_;
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
    case Problem::unknown_entry:
      return {"invalid_request_error", "entry_not_found"};
    case Problem::receipt_pending:
      return {"invalid_request_error", "receipt_pending"};
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
    case Problem::vault_unavailable:
      return {"server_error", "vault_unavailable"};
    case Problem::rate_limited:
      return {"rate_limit_error", "rate_limit_exceeded"};
    case Problem::budget_exhausted:
      return {"insufficient_quota", "insufficient_quota"};
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
    reader.finish();
    if (!reader.edits.empty()) body = apply_splices(body, std::move(reader.edits));
    return {};
  }

  std::unique_ptr<AnswerStream> open_stream(const AnswerPlan& plan) const override {
    return open_openai_stream(plan);
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

bool is_arguments(Path path) {
  if (path.size() < 2 || last_key(path) != "arguments") return false;
  const auto holder = path[path.size() - 2].key;
  return holder == "function" || holder == "function_call";
}

bool is_name(Path path) {
  const auto key = last_key(path);
  if (path.size() == 1) {
    return key == "id" || key == "object" || key == "model" || key == "system_fingerprint" ||
           key == "service_tier" || key == "obfuscation";
  }
  if (path.size() == 3 && path[0].key == "data") return key == "object" || key == "embedding";
  if (path.size() < 3 || path[0].key != "choices" || !path[1].is_item) return false;
  if (path.size() == 3) return key == "finish_reason";
  if (path[2].key != "message" && path[2].key != "delta") return false;
  switch (path.size()) {
    case 4:
      return key == "role";
    case 5:
      return path[3].key == "audio" && (key == "id" || key == "data");
    case 6:
      return (path[3].key == "tool_calls" && (key == "id" || key == "type")) ||
             (path[3].key == "annotations" && key == "type");
    default:
      return false;
  }
}

bool Logprobs::holds(Path path) {
  return path_begins(path, {"choices", "*", "logprobs"});
}

void Logprobs::on_string(Path path, std::string_view text, JsonSpan inside) {
  if (path.size() == 3) {  // no shape that is known: it says nothing then
    all_.push_back({path[1].index, {inside.begin - 1, inside.end + 1}, std::string(text)});
  } else if (path.size() == 6 && last_key(path) == "token") {
    text_ += text;
  }
}

void Logprobs::on_container(Path path, JsonSpan span) {
  if (path_is(path, {"choices", "*", "logprobs"}))
    all_.push_back({path[1].index, span, std::exchange(text_, {})});
}

void Logprobs::filter(const AnswerPlan& plan, const std::set<std::size_t>& changed_choices,
                      std::vector<Splice>& edits) const {
  for (const auto& [choice, span, text] : all_) {
    std::vector<Splice> would_change;
    AnswerFacts uncounted;  // the text itself was counted where it stands
    if (!changed_choices.contains(choice))
      filter_once(plan, TextForm::plain, text, {}, would_change, uncounted);
    if (changed_choices.contains(choice) || !would_change.empty())
      edits.push_back({span.begin, span.end, "null"});
  }
}

const Dialect& openai_dialect() {
  static const OpenAiDialect dialect;
  return dialect;
}

const Dialect& dialect_of(DialectKind kind) {
  return kind == DialectKind::openai ? openai_dialect() : anthropic_dialect();
}

}  // namespace gatehouse::gateway

// The OpenAI Responses dialect: /v1/responses. Errors, credentials and the list of models are those
// of the OpenAI dialect. Formats: docs/dialects.md.
#include <algorithm>
#include <array>
#include <utility>

#include "base/json.h"
#include "gateway/answer.h"
#include "gateway/request_reader.h"
#include "gateway/responses.h"

namespace gatehouse::gateway {
namespace {

using inspect::TextForm;

bool is_text_part(std::string_view type) {
  constexpr std::array<std::string_view, 6> types{"input_text", "output_text",  "text",
                                                  "refusal",    "summary_text", "reasoning_text"};
  return is_one_of(types, type);
}

// Whose words an item is that has no role. What nobody knows is taken for somebody else's.
Source speaker_of_item(std::string_view type) {
  // What a code interpreter or an MCP server answered stands with its call.
  constexpr std::array<std::string_view, 4> of_model{"reasoning", "compaction", "web_search_call",
                                                     "code_interpreter_call"};
  const bool calls = is_call_item(type) && type != "mcp_call";
  return calls || is_one_of(of_model, type) ? Source::assistant : Source::data;
}

// Members that name turns the provider keeps.
bool is_stored_turns(Path path) {
  return path_is(path, {"previous_response_id"}) || path_is(path, {"conversation"}) ||
         path_is(path, {"conversation", "id"});
}

// Other members that point to content the request does not have: a stored prompt, a file.
bool is_reference(Path path) {
  const auto key = last_key(path);
  return path_is(path, {"prompt", "id"}) || key == "file_id" || key == "file_url" ||
         key == "image_url";
}

class ResponsesRequestReader final : public RequestReader {
 public:
  explicit ResponsesRequestReader(Exchange& exchange) : RequestReader(exchange, "input") {}

  void on_string(Path path, std::string_view text, JsonSpan inside) override {
    note_item(path, text);
    RequestReader::on_string(path, text, inside);
  }

 protected:
  TextRole role_of(Path path, std::string_view text) override {
    const auto key = last_key(path);
    if (path_is(path, {"text", "format", "type"}) && text.starts_with("json"))
      exchange_.json_answer = true;
    if (path_is(path, {"input", "*", "arguments"})) return TextRole::json;
    if (is_stored_turns(path)) exchange_.continues_stored = true;
    if (is_stored_turns(path) || is_reference(path)) exchange_.uninspectable = true;
    if (path_is(path, {"input", "*", "content", "*", "type"}) ||
        path_is(path, {"input", "*", "output", "*", "type"}))
      exchange_.uninspectable = exchange_.uninspectable || !is_text_part(text);
    if (path[0].key == "input" && is_encoded_member(key)) {
      exchange_.uninspectable = exchange_.uninspectable || key != "encrypted_content";
      return role_of_encoded(text);
    }
    return TextRole::text;
  }

 private:
  void note_item(Path path, std::string_view text) {
    if (path_is(path, {"input", "*", "type"}) && text != "message") {
      note_speaker(speaker_of_item(text));
      if (text == "item_reference") exchange_.uninspectable = true;
    }
    // A server the provider calls itself is a tool that policy can see.
    if (path_is(path, {"tools", "*", "server_label"}))
      exchange_.tools.push_back("mcp:" + std::string(text));
  }
};

// Whole answers, and errors.
class ResponsesAnswerReader final : public JsonVisitor {
 public:
  ResponsesAnswerReader(const AnswerPlan& plan, AnswerFacts& facts) : plan_(plan), facts_(facts) {}

  void on_string(Path path, std::string_view text, JsonSpan inside) override {
    if (path_is(path, {"status"}) && facts_.finish_reason.empty()) facts_.finish_reason = text;
    if (path_is(path, {"incomplete_details", "reason"})) facts_.finish_reason = text;
    if (path_is(path, {"output", "*", "type"})) note_item(path, text);
    if (TokenCopies::holds(path)) return copies_.on_string(path, text);
    if (text.empty() || is_response_name(path, 0)) return;
    if (is_encoded_member(last_key(path)) && looks_encoded(text)) return;
    const bool content = path_is(path, {"output", "*", "content", "*", "text"});
    const bool keep = content && plan_.keep_content;
    const bool json = is_response_arguments(path) || (content && plan_.content_is_json);
    filter_once(plan_, json ? TextForm::json : TextForm::plain, text, inside, edits, facts_,
                keep ? &facts_.content_of(path[1].index).text : nullptr);
  }
  void on_number(Path path, std::string_view text, JsonSpan) override {
    if (path_is(path, {"usage", "input_tokens"})) facts_.usage.input_tokens = as_count(text);
    if (path_is(path, {"usage", "output_tokens"})) facts_.usage.output_tokens = as_count(text);
  }
  void on_container(Path path, JsonSpan span) override { copies_.on_container(path, span); }

  void finish() {
    copies_.filter(plan_, !edits.empty(), edits);
    if (!plan_.keep_content) return;
    // An answer without a message is an empty one; beside calls of functions a text is not the
    // answer.
    if (facts_.contents.empty()) facts_.content_of(0);
    for (auto& content : facts_.contents) content.calls_tools = calls_tools_;
  }

  std::vector<Splice> edits;

 private:
  void note_item(Path path, std::string_view type) {
    if (type == "message" && plan_.keep_content) facts_.content_of(path[1].index);
    calls_tools_ = calls_tools_ || is_call_item(type);
  }

  const AnswerPlan& plan_;
  AnswerFacts& facts_;
  TokenCopies copies_;
  bool calls_tools_ = false;
};

class ResponsesDialect final : public Dialect {
 public:
  DialectKind kind() const override { return DialectKind::openai; }
  std::string_view request_id_header() const override {
    return openai_dialect().request_id_header();
  }
  std::string error_body(const ApiError& error, std::string_view request_id) const override {
    return openai_dialect().error_body(error, request_id);
  }
  // Clients raise what has an `error`; those that look at the type find what they expect as well.
  std::string error_event(const ApiError& error, std::string_view request_id) const override {
    std::string data = error_body(error, request_id);
    data.insert(1, R"("type":"error",)");
    std::string event;
    append_event(event, "error", data);
    return event;
  }
  void authorize(net::RequestHead& head, std::string_view credential) const override {
    openai_dialect().authorize(head, credential);
  }
  Result<void> decode(JsonWalker& walker, Exchange& exchange) const override {
    ResponsesRequestReader reader(exchange);
    GH_TRY(walker.walk(exchange.body, reader));
    return reader.finish();
  }
  Result<void> screen(const AnswerPlan& plan, std::string& body,
                      AnswerFacts& facts) const override {
    ResponsesAnswerReader reader(plan, facts);
    GH_TRY(plan.walker->walk(body, reader));
    reader.finish();
    if (!reader.edits.empty()) body = apply_splices(body, std::move(reader.edits));
    return {};
  }
  std::unique_ptr<AnswerStream> open_stream(const AnswerPlan& plan) const override {
    return open_responses_stream(plan);
  }
  std::string models_body(const std::vector<const store::ModelRecord*>& models) const override {
    return openai_dialect().models_body(models);
  }
};

}  // namespace

bool is_response_name(Path path, std::size_t envelope) {
  const auto inner = path.subspan(std::min(envelope, path.size()));
  const auto key = last_key(path);
  if (inner.size() == 1) {
    constexpr std::array<std::string_view, 9> names{"id",
                                                    "object",
                                                    "status",
                                                    "model",
                                                    "previous_response_id",
                                                    "service_tier",
                                                    "truncation",
                                                    "prompt_cache_key",
                                                    "safety_identifier"};
    return is_one_of(names, key);
  }
  if (inner.size() < 3 || inner[0].key != "output" || !inner[1].is_item) return false;
  const bool of_part = inner.size() == 5 && inner[2].key == "content" && inner[3].is_item;
  const bool of_item = inner.size() == 3;
  if (!of_item && !of_part) return false;
  constexpr std::array<std::string_view, 5> names{"id", "type", "role", "status", "call_id"};
  return is_one_of(names, key);
}

bool is_provider_call(std::string_view type) {
  constexpr std::array<std::string_view, 4> types{"file_search_call", "web_search_call",
                                                  "image_generation_call", "code_interpreter_call"};
  return is_one_of(types, type);
}

bool is_call_item(std::string_view type) {
  return (type.ends_with("_call") || type == "mcp_approval_request") && !is_provider_call(type);
}

bool is_encoded_member(std::string_view key) {
  constexpr std::array<std::string_view, 6> keys{"encrypted_content", "file_data", "image_data",
                                                 "partial_image_b64", "result",    "data"};
  return is_one_of(keys, key);
}

bool is_response_arguments(Path path) {
  return last_key(path) == "arguments";
}

bool TokenCopies::holds(Path path) {
  return std::ranges::any_of(path, [](const Step& step) { return step.key == "logprobs"; });
}

void TokenCopies::on_string(Path path, std::string_view text) {
  // Alternatives to a token are no copy of the text.
  const bool alternative =
      std::ranges::any_of(path, [](const Step& step) { return step.key == "top_logprobs"; });
  if (!alternative && last_key(path) == "token") text_ += text;
}

void TokenCopies::on_container(Path path, JsonSpan span) {
  if (!path.back().is_item && last_key(path) == "logprobs")
    all_.push_back({span, std::exchange(text_, {})});
}

void TokenCopies::filter(const AnswerPlan& plan, bool text_changed,
                         std::vector<Splice>& edits) const {
  for (const auto& [span, text] : all_) {
    std::vector<Splice> would_change;
    AnswerFacts uncounted;  // the text itself was counted where it stands
    if (!text_changed) filter_once(plan, TextForm::plain, text, {}, would_change, uncounted);
    if (text_changed || !would_change.empty()) edits.push_back({span.begin, span.end, "[]"});
  }
}

std::uint64_t CountedTexts::add(std::uint64_t hash, std::string_view text) {
  constexpr std::uint64_t prime = 1'099'511'628'211u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * prime;
  return hash;
}

const Dialect& responses_dialect() {
  static const ResponsesDialect dialect;
  return dialect;
}

}  // namespace gatehouse::gateway

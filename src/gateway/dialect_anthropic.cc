// The Anthropic dialect: /v1/messages, /v1/messages/count_tokens, /v1/models.
// Formats: docs/dialects.md.
#include <algorithm>
#include <array>
#include <span>

#include "base/json.h"
#include "base/text.h"
#include "gateway/answer.h"
#include "gateway/anthropic.h"
#include "gateway/request_reader.h"

namespace gatehouse::gateway {
namespace {

using inspect::TextForm;

// Blocks and results whose strings are all there is to them.
bool is_text_block(std::string_view type) {
  constexpr std::array<std::string_view, 7> known{
      "text",          "thinking",   "redacted_thinking", "document",
      "search_result", "compaction", "tool_reference"};
  return std::ranges::find(known, type) != known.end() || type.ends_with("tool_use") ||
         type.ends_with("_result") || type.ends_with("_error");
}

// Whether `path` leads to a member of a content block or of its source: below messages[i] or system
// only through `content` and `source`. Never inside of tool input.
bool is_in_content(Path path) {
  const std::size_t shortest = path[0].key == "messages" ? 5 : path[0].key == "system" ? 3 : 0;
  if (shortest == 0 || path.size() < shortest) return false;
  return std::ranges::all_of(path.subspan(1, path.size() - 2), [](const Step& step) {
    return step.is_item || step.key == "content" || step.key == "source";
  });
}

// What the provider sealed and wants back as it was. Short values are looked at all the same.
bool is_sealed(Path path, std::string_view text) {
  return (path_is(path, {"messages", "*", "content", "*", "content", "*", "encrypted_content"}) ||
          path_is(path, {"messages", "*", "content", "*", "citations", "*", "encrypted_index"})) &&
         looks_encoded(text);
}

// What a string may be depends on the type of its block, which may stand after it: such members
// are noted while their block is open and settled at its end.
class AnthropicRequestReader final : public RequestReader {
 public:
  using RequestReader::RequestReader;

  void on_container(Path path, JsonSpan span) override {
    if (!members_.empty() && members_.back().depth == path.size() + 1) settle(path);
    RequestReader::on_container(path, span);
  }

 protected:
  bool is_whole_value(Path path) const override {
    return path_is(path, {"messages", "*", "content", "*", "input"});
  }

  TextRole role_of(Path path, std::string_view text) override {
    if (is_sealed(path, text)) return TextRole::opaque;
    const auto key = last_key(path);
    if (key == "file_id") exchange_.uninspectable = true;
    if (!is_in_content(path) || path.back().is_item) return TextRole::text;
    const bool of_block = path[path.size() - 2].is_item;
    if (of_block && key == "type") note_type(path, text, is_text_block(text));
    if (of_block && (key == "thinking" || key == "signature" || key == "data"))
      note_member(path, key, text);
    if (path[path.size() - 2].key == "source") {
      if (key == "type") note_type(path, text, text == "text" || text == "content");
      if (key == "url") exchange_.uninspectable = true;
      if (key == "data") note_member(path, key, text);
    }
    return TextRole::text;
  }

 private:
  struct Member {
    std::size_t depth;  // of its path
    std::string_view key;
    std::string_view text;
    std::size_t channel;  // where its channel will be
  };

  void note_type(Path path, std::string_view type, bool is_text) {
    if (!is_text) exchange_.uninspectable = true;
    members_.push_back({path.size(), "type", type, 0});
  }
  void note_member(Path path, std::string_view key, std::string_view text) {
    if (!text.empty()) members_.push_back({path.size(), key, text, exchange_.channels.size()});
  }

  // The block or source at `path` is complete.
  void settle(Path path) {
    const auto first = std::ranges::find(members_, path.size() + 1, &Member::depth);
    const std::span<const Member> members(first, members_.end());
    const auto type = type_of(members);
    const bool is_signed = std::ranges::find(members, "signature", &Member::key) != members.end();
    for (const auto& member : members)
      if (member.key != "type")
        exchange_.channels[member.channel].role = role_in(path, type, is_signed, member);
    members_.erase(first, members_.end());
  }

  // Of two types nobody knows which one the provider takes: then it is none.
  static std::string_view type_of(std::span<const Member> members) {
    std::string_view type;
    for (const auto& member : members) {
      if (member.key != "type") continue;
      if (!type.empty()) return {};
      type = member.text;
    }
    return type;
  }

  static TextRole role_in(Path path, std::string_view type, bool is_signed, const Member& member) {
    if (!path.back().is_item) {
      const bool encoded = type == "base64" && member.key == "data" && looks_encoded(member.text);
      return encoded ? TextRole::opaque : TextRole::text;
    }
    const bool of_message = path_is(path, {"messages", "*", "content", "*"});
    if (of_message && type == "thinking" && is_signed && member.key == "signature")
      return TextRole::opaque;
    if (of_message && type == "thinking" && is_signed && member.key == "thinking")
      return TextRole::signed_;
    if (of_message && type == "redacted_thinking" && member.key == "data") return TextRole::opaque;
    return TextRole::text;
  }

  std::vector<Member> members_;  // of what is still open, innermost last
};

class AnthropicAnswerReader final : public JsonVisitor {
 public:
  AnthropicAnswerReader(const AnswerPlan& plan, AnswerFacts& facts, const std::string& document)
      : plan_(plan), facts_(facts), document_(document) {
    if (plan.keep_content) facts.content_of(0);
  }

  void on_string(Path path, std::string_view text, JsonSpan inside) override {
    if (path_is(path, {"stop_reason"})) note_stop(text);
    if (path_is(path, {"content", "*", "type"})) block_type_ = text;
    if (text.empty() || is_below_input(path) || is_block_name(path)) return;
    if (path.size() == 3 && path_begins(path, {"content", "*"}) && may_be_sealed(path)) {
      open_.push_back({last_key(path), text, inside});
      return;
    }
    const bool content = path_is(path, {"content", "*", "text"});
    const bool keep = content && plan_.keep_content;
    const bool json = content && plan_.content_is_json;
    filter_once(plan_, json ? TextForm::json : TextForm::plain, text, inside, edits, facts_,
                keep ? &facts_.content_of(0).text : nullptr);
  }
  void on_number(Path path, std::string_view text, JsonSpan) override {
    if (path_is(path, {"usage", "input_tokens"}) || path_is(path, {"input_tokens"}))
      facts_.usage.input_tokens = as_count(text);
    if (path_is(path, {"usage", "output_tokens"})) facts_.usage.output_tokens = as_count(text);
    if (path_is(path, {"usage", "cache_read_input_tokens"}))
      facts_.usage.cache_read_tokens = as_count(text);
    if (path_is(path, {"usage", "cache_creation_input_tokens"}))
      facts_.usage.cache_write_tokens = as_count(text);
  }
  void on_container(Path path, JsonSpan span) override {
    if (path_is(path, {"content", "*", "input"}))
      filter_value(plan_, document_, span, edits, facts_);
    if (path_is(path, {"content", "*"})) settle();
  }

  std::vector<Splice> edits;

 private:
  struct Open {
    std::string_view key;
    std::string_view text;
    JsonSpan inside;
  };

  static bool is_below_input(Path path) {
    return path.size() > 3 && path_begins(path, {"content", "*", "input"});
  }
  static bool is_block_name(Path path) {
    const auto key = last_key(path);
    if (path.size() == 1) return is_message_name(key);
    if (path.size() == 2) return path[0].key == "usage" && key == "service_tier";
    return path[0].key == "content" && is_name_in_block(path.subspan(1));
  }
  static bool may_be_sealed(Path path) {
    const auto key = last_key(path);
    return key == "thinking" || key == "signature" || key == "data";
  }
  void note_stop(std::string_view reason) {
    facts_.finish_reason = reason;
    if (plan_.keep_content && reason == "tool_use") facts_.content_of(0).calls_tools = true;
  }
  // The block is complete, so its type is known.
  void settle() {
    for (const auto& open : open_)
      if (!is_sealed_in_answer(block_type_, open.key))
        filter_once(plan_, TextForm::plain, open.text, open.inside, edits, facts_);
    open_.clear();
    block_type_ = {};
  }

  const AnswerPlan& plan_;
  AnswerFacts& facts_;
  const std::string& document_;  // walking it may move its bytes
  std::string_view block_type_;
  std::vector<Open> open_;
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
    case Problem::unknown_entry:
    case Problem::receipt_pending:
      return "not_found_error";
    case Problem::too_large:
      return "request_too_large";
    case Problem::rate_limited:
    case Problem::budget_exhausted:
      return "rate_limit_error";
    case Problem::answer_refused:
    case Problem::upstream_failed:
    case Problem::internal:
      return "api_error";
    case Problem::upstream_timeout:
      return "timeout_error";
    case Problem::ledger_unavailable:
    case Problem::vault_unavailable:
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
    AnthropicAnswerReader reader(plan, facts, body);
    GH_TRY(plan.walker->walk(body, reader));
    if (!reader.edits.empty()) body = apply_splices(body, std::move(reader.edits));
    return {};
  }

  std::unique_ptr<AnswerStream> open_stream(const AnswerPlan& plan) const override {
    return open_anthropic_stream(plan);
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

bool is_message_name(std::string_view key) {
  return key == "id" || key == "type" || key == "role" || key == "model" || key == "stop_reason";
}

bool is_name_in_block(Path path) {
  const auto key = last_key(path);
  if (path.size() == 2) return key == "id" || key == "type" || key == "tool_use_id";
  if (path.size() != 4 || !path[2].is_item) return false;
  if (path[1].key == "content") return key == "type" || key == "encrypted_content";
  return path[1].key == "citations" && (key == "type" || key == "encrypted_index");
}

bool is_sealed_in_answer(std::string_view block_type, std::string_view key) {
  if (block_type == "thinking") return key == "thinking" || key == "signature";
  return block_type == "redacted_thinking" && key == "data";
}

const Dialect& anthropic_dialect() {
  static const AnthropicDialect dialect;
  return dialect;
}

}  // namespace gatehouse::gateway

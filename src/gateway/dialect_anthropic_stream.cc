// Streamed messages. An event is read whole, its texts are filtered whatever its type says, and
// only then it is asked what it ends. The text a block begins with is part of the block's channel.
#include <algorithm>

#include "base/json.h"
#include "gateway/answer.h"
#include "gateway/anthropic.h"
#include "gateway/stream.h"

namespace gatehouse::gateway {
namespace {

using inspect::TextForm;

constexpr std::string_view text_field = "text";
constexpr std::string_view json_field = "partial_json";

class EventReader final : public JsonVisitor {
 public:
  struct Text {
    std::string_view field;  // a constant for a delta; its own key for the others
    std::string_view text;
    JsonSpan inside;
    bool of_block = false;  // else of the delta
  };

  void on_string(Path path, std::string_view text, JsonSpan inside) override {
    if (path_is(path, {"type"})) type = text;
    if (path_is(path, {"delta", "type"})) delta_type = text;
    if (path_is(path, {"content_block", "type"})) block_type = text;
    if (path_is(path, {"delta", "stop_reason"}) || path_is(path, {"message", "stop_reason"}))
      stop_reason = text;
    if (path_is(path, {"delta", "text"}) || path_is(path, {"content_block", "text"})) {
      deltas.push_back({text_field, text, inside});
    } else if (path_is(path, {"delta", "partial_json"})) {
      deltas.push_back({json_field, text, inside});
    } else if (!text.empty() && !is_name(path) && !is_below_input(path)) {
      (is_sealable(path) ? sealable : once)
          .push_back({last_key(path), text, inside, path[0].key == "content_block"});
    }
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
    if (path_is(path, {"usage", "cache_read_input_tokens"}) ||
        path_is(path, {"message", "usage", "cache_read_input_tokens"}))
      usage.cache_read_tokens = count;
    if (path_is(path, {"usage", "cache_creation_input_tokens"}) ||
        path_is(path, {"message", "usage", "cache_creation_input_tokens"}))
      usage.cache_write_tokens = count;
  }
  void on_container(Path path, JsonSpan span) override {
    if (path_is(path, {"content_block", "input"})) inputs.push_back(span);
  }

  // Whether this member of the delta or the block is the provider's, by the type beside it.
  bool is_sealed(const Text& member) const {
    if (member.of_block) return is_sealed_in_answer(block_type, member.field);
    return (delta_type == "thinking_delta" && member.field == "thinking") ||
           (delta_type == "signature_delta" && member.field == "signature");
  }

  std::string_view type;
  std::string_view delta_type;
  std::string_view block_type;
  std::string_view stop_reason;
  std::uint64_t index = 0;
  std::vector<Text> deltas;
  std::vector<Text> sealable;
  std::vector<Text> once;
  std::vector<JsonSpan> inputs;
  Usage usage;

 private:
  static bool is_below_input(Path path) {
    return path.size() > 2 && path_begins(path, {"content_block", "input"});
  }
  static bool is_name(Path path) {
    const auto key = last_key(path);
    if (path.size() == 1) return key == "type";
    if (path[0].key == "message") {
      return (path.size() == 2 && is_message_name(key)) ||
             path_is(path, {"message", "usage", "service_tier"});
    }
    if (path[0].key == "content_block") return is_name_in_block(path);
    if (path[0].key != "delta") return path_is(path, {"usage", "service_tier"});
    return (path.size() == 2 && (key == "type" || key == "stop_reason")) ||
           path_is(path, {"delta", "citation", "type"}) ||
           path_is(path, {"delta", "citation", "encrypted_index"});
  }
  static bool is_sealable(Path path) {
    const auto key = last_key(path);
    return path.size() == 2 && (path[0].key == "delta" || path[0].key == "content_block") &&
           (key == "thinking" || key == "signature" || key == "data");
  }
};

class AnthropicStream final : public StreamScreen {
 public:
  using StreamScreen::StreamScreen;

 protected:
  Result<void> on_event(SseEvent& event, std::string& out) override {
    EventReader reader;
    GH_TRY(plan_.walker->walk(event.data, reader));
    note_facts(event, reader);
    auto edits = once_edits(event, reader);
    auto outgoing = feed_deltas(reader);
    end_channels(event, reader, outgoing, out);
    const bool held_whole = reader.type == "content_block_delta" && !outgoing.empty() &&
                            reader.once.empty() &&
                            std::ranges::all_of(outgoing, [](const Outgoing& delta) {
                              return delta.text.empty() && !delta.before.empty();
                            });
    if (held_whole) return {};
    add_edits(outgoing, edits);
    emit_edited(event, std::move(edits), out);
    return {};
  }

  std::optional<std::uint64_t> content_of(const ChannelKey& key) const override {
    return key.field == json_field ? std::nullopt : std::optional<std::uint64_t>(0);
  }

  void emit_rest(const ChannelKey& key, std::string_view text, std::string& out) override {
    const bool json = key.field == json_field;
    std::string data = "{\"type\":\"content_block_delta\",\"index\":" + std::to_string(key.choice) +
                       ",\"delta\":{\"type\":";
    data += json ? "\"input_json_delta\",\"partial_json\":" : "\"text_delta\",\"text\":";
    append_json_string(data, text);
    data += "}}";
    append_event(out, "content_block_delta", data);
  }

 private:
  static bool is_error(const SseEvent& event, const EventReader& reader) {
    return reader.type == "error" || event.name == "error";
  }

  void note_facts(const SseEvent& event, const EventReader& reader) {
    if (reader.usage.input_tokens) facts_.usage.input_tokens = reader.usage.input_tokens;
    if (reader.usage.output_tokens) facts_.usage.output_tokens = reader.usage.output_tokens;
    if (reader.usage.cache_read_tokens)
      facts_.usage.cache_read_tokens = reader.usage.cache_read_tokens;
    if (reader.usage.cache_write_tokens)
      facts_.usage.cache_write_tokens = reader.usage.cache_write_tokens;
    if (!reader.stop_reason.empty()) facts_.finish_reason = reader.stop_reason;
    if (is_error(event, reader)) facts_.provider_error = true;
    if (plan_.keep_content && reader.stop_reason == "tool_use")
      facts_.content_of(0).calls_tools = true;
    if (reader.type == "message_stop") ended_ = true;
  }

  std::vector<Splice> once_edits(const SseEvent& event, const EventReader& reader) {
    std::vector<Splice> edits;
    for (const auto& once : reader.once)
      filter_once(plan_, TextForm::plain, once.text, once.inside, edits, facts_);
    for (const auto& member : reader.sealable)
      if (!reader.is_sealed(member))
        filter_once(plan_, TextForm::plain, member.text, member.inside, edits, facts_);
    for (const auto span : reader.inputs) filter_value(plan_, event.data, span, edits, facts_);
    return edits;
  }

  std::vector<Outgoing> feed_deltas(const EventReader& reader) {
    std::vector<Outgoing> outgoing;
    for (const auto& delta : reader.deltas) {
      const bool json = delta.field == json_field;
      const ChannelKey key{reader.index, -1, delta.field};
      const auto form = json || plan_.content_is_json ? TextForm::json : TextForm::plain;
      outgoing.push_back({key, delta.text, delta.inside, channels_.feed(key, form, delta.text)});
      note_content(key, outgoing.back().text);
    }
    return outgoing;
  }

  void end_channels(const SseEvent& event, const EventReader& reader,
                    std::vector<Outgoing>& outgoing, std::string& out) {
    if (is_error(event, reader) || reader.type == "message_stop") {
      add_rest(channels_.finish_all(), outgoing, out);
    } else if (reader.type == "content_block_stop") {
      add_rest(channels_.finish_choice(reader.index), outgoing, out);
    }
  }
};

}  // namespace

std::unique_ptr<AnswerStream> open_anthropic_stream(const AnswerPlan& plan) {
  return std::make_unique<AnthropicStream>(plan);
}

}  // namespace gatehouse::gateway

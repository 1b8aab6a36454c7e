// Streamed chat completions. A chunk is read whole before anything is done with it: the index of a
// choice may stand after its delta, and an error beside it.
//
// Strings are of three kinds: deltas of the fields that accumulate, each a channel of its own;
// names (is_name); and everything else, which is filtered where it stands.
#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "base/json.h"
#include "gateway/answer.h"
#include "gateway/openai.h"
#include "gateway/stream.h"

namespace gatehouse::gateway {
namespace {

using inspect::TextForm;

constexpr std::size_t most_choices = 1'024;

// The fields of a delta that clients put together, and which channel they are.
struct Field {
  std::string_view name;
  TextForm form = TextForm::plain;
  bool in_tool_call = false;
};
constexpr std::array<Field, 4> text_fields{
    {{"content"}, {"refusal"}, {"reasoning_content"}, {"reasoning"}}};
constexpr Field tool_arguments{"arguments", TextForm::json, true};
constexpr Field tool_input{"input", TextForm::plain, true};
constexpr Field function_call{"function_call", TextForm::json};
constexpr Field transcript{"transcript"};

// `path` begins with choices[i].delta.
const Field* accumulating_field(Path path) {
  const auto key = last_key(path);
  if (path.size() == 4) {
    const auto* field = std::ranges::find(text_fields, key, &Field::name);
    return field == text_fields.end() ? nullptr : field;
  }
  if (path.size() == 5 && path[3].key == "function_call" && key == "arguments")
    return &function_call;
  if (path.size() == 5 && path[3].key == "audio" && key == "transcript") return &transcript;
  if (path.size() != 7 || path[3].key != "tool_calls" || !path[4].is_item) return nullptr;
  if (path[5].key == "function" && key == "arguments") return &tool_arguments;
  if (path[5].key == "custom" && key == "input") return &tool_input;
  return nullptr;
}

// The members that every chunk of a stream repeats.
constexpr std::array<std::string_view, 6> envelope_keys{
    "id", "object", "created", "model", "system_fingerprint", "service_tier"};

class ChunkReader final : public JsonVisitor {
 public:
  struct Delta {
    std::size_t choice_position;
    std::size_t tool_position;
    const Field* field;
    std::string_view text;
    JsonSpan inside;
  };
  struct Once {
    std::string_view text;
    JsonSpan inside;
    TextForm form;
  };

  void on_string(Path path, std::string_view text, JsonSpan inside) override {
    const JsonSpan token{inside.begin - 1, inside.end + 1};
    note_envelope(path, token);
    note_error(path, text.empty());
    if (path_is(path, {"obfuscation"})) obfuscation = inside;
    if (path_is(path, {"choices", "*", "finish_reason"}))
      finished.emplace_back(path[1].index, text);
    if (Logprobs::holds(path)) return logprobs.on_string(path, text, inside);
    const bool delta = path_begins(path, {"choices", "*", "delta"});
    if (const auto* field = delta ? accumulating_field(path) : nullptr) {
      deltas.push_back(
          {path[1].index, field->in_tool_call ? path[4].index : 0, field, text, inside});
      return;
    }
    has_other_delta = has_other_delta || delta;
    if (text.empty() || is_name(path)) return;
    once.push_back({text, inside, is_arguments(path) ? TextForm::json : TextForm::plain});
  }
  void on_number(Path path, std::string_view text, JsonSpan span) override {
    note_envelope(path, span);
    note_error(path, text == "0");
    const auto count = as_count(text);
    if (!count) return;
    if (path_is(path, {"choices", "*", "index"})) set_choice(path[1].index, *count);
    if (path_is(path, {"choices", "*", "delta", "tool_calls", "*", "index"}))
      tool_index[{path[1].index, path[4].index}] = *count;
    if (path_is(path, {"usage", "prompt_tokens"})) usage.input_tokens = count;
    if (path_is(path, {"usage", "completion_tokens"})) usage.output_tokens = count;
  }
  void on_bool(Path path, bool value, JsonSpan) override { note_error(path, !value); }
  void on_null(Path path, JsonSpan span) override {
    note_envelope(path, span);
    note_error(path, true);
    if (path_is(path, {"usage"})) null_usage = {path[0].key_begin, span.end};
  }
  void on_object(Path path, std::size_t) override {
    if (path_is(path, {"choices", "*"})) choice_count = path[1].index + 1;
    if (path_is(path, {"usage"})) has_usage = true;
  }
  void on_container(Path path, JsonSpan span) override {
    logprobs.on_container(path, span);
    note_error(path, true);
  }

  std::uint64_t choice_at(std::size_t position) const {
    return position < choice_index.size() ? choice_index[position] : position;
  }
  std::int64_t tool_at(const Delta& delta) const {
    if (!delta.field->in_tool_call) return -1;
    const auto known = tool_index.find({delta.choice_position, delta.tool_position});
    return static_cast<std::int64_t>(known == tool_index.end() ? delta.tool_position
                                                               : known->second);
  }

  std::vector<Delta> deltas;
  std::vector<Once> once;
  std::vector<std::pair<std::size_t, std::string_view>> finished;  // (choice position, reason)
  std::vector<std::uint64_t> choice_index;
  std::map<std::pair<std::size_t, std::size_t>, std::uint64_t> tool_index;
  Logprobs logprobs;
  std::array<JsonSpan, envelope_keys.size()> envelope{};  // values; empty where there was none
  std::optional<JsonSpan> null_usage;                     // the whole member
  std::optional<JsonSpan> obfuscation;  // its value: padding that must fit the text, or be empty
  Usage usage;
  std::size_t choice_count = 0;
  bool has_usage = false;
  bool has_error = false;
  bool has_other_delta = false;  // a role, a tool name: must leave even if the text is held

 private:
  // Clients take an `error` for one unless it is null, false, 0, "", {} or [].
  void note_error(Path path, bool says_nothing) {
    if (path[0].key == "error" && (path.size() > 1 || !says_nothing)) has_error = true;
  }
  void note_envelope(Path path, JsonSpan span) {
    if (path.size() != 1) return;
    const auto* key = std::ranges::find(envelope_keys, path[0].key);
    if (key != envelope_keys.end())
      envelope[static_cast<std::size_t>(key - envelope_keys.begin())] = span;
  }
  void set_choice(std::size_t position, std::uint64_t index) {
    while (choice_index.size() <= position) choice_index.push_back(choice_index.size());
    choice_index[position] = index;
  }
};

class OpenAiStream final : public StreamScreen {
 public:
  using StreamScreen::StreamScreen;

 protected:
  Result<void> on_event(SseEvent& event, std::string& out) override {
    constexpr std::string_view done = "[DONE]";
    if (event.data.starts_with(done)) {
      flush_all(out);
      ended_ = true;
      event.has_unknown = event.has_unknown || event.data.size() > done.size();
      event.data = done;  // clients look no further
      emit_edited(event, {}, out);
      return {};
    }
    ChunkReader chunk;
    GH_TRY(plan_.walker->walk(event.data, chunk));
    if (event.name == "error") chunk.has_error = true;
    facts_.provider_error = facts_.provider_error || chunk.has_error;
    note_usage(chunk);
    const bool only_usage = chunk.has_usage && chunk.choice_count == 0 && !chunk.has_error;
    if (plan_.swallow_usage && only_usage) return {};
    if (chunk.choice_count > 0) remember_envelope(event.data, chunk);
    GH_TRY(note_choices(chunk));
    emit_chunk(event, chunk, out);
    return {};
  }

  std::optional<std::uint64_t> content_of(const ChannelKey& key) const override {
    return key.field == "content" ? std::optional(key.choice) : std::nullopt;
  }

  void emit_rest(const ChannelKey& key, std::string_view text, std::string& out) override {
    std::string data = "{" + envelope_ + "\"choices\":[{\"index\":" + std::to_string(key.choice) +
                       ",\"delta\":{" + delta_of(key, json_string(text)) +
                       "},\"finish_reason\":null}]}";
    append_event(out, {}, data);
  }

 private:
  // The members of a delta that carries `text`, a JSON string, in the shape of its field.
  static std::string delta_of(const ChannelKey& key, const std::string& text) {
    if (key.field == function_call.name) return "\"function_call\":{\"arguments\":" + text + "}";
    if (key.field == transcript.name) return "\"audio\":{\"transcript\":" + text + "}";
    auto field = json_string(key.field) + ":" + text;
    if (key.tool < 0) return field;
    const bool custom = key.field == tool_input.name;
    return "\"tool_calls\":[{\"index\":" + std::to_string(key.tool) +
           (custom ? ",\"custom\":{" : ",\"function\":{") + field + "}}]";
  }

  void note_usage(const ChunkReader& chunk) {
    if (chunk.usage.input_tokens) facts_.usage.input_tokens = chunk.usage.input_tokens;
    if (chunk.usage.output_tokens) facts_.usage.output_tokens = chunk.usage.output_tokens;
  }

  void remember_envelope(std::string_view data, const ChunkReader& chunk) {
    envelope_.clear();
    for (std::size_t at = 0; at < envelope_keys.size(); ++at) {
      const auto span = chunk.envelope[at];
      if (span.end == 0) continue;
      append_json_string(envelope_, envelope_keys[at]);
      envelope_ += ':';
      envelope_ += data.substr(span.begin, span.end - span.begin);
      envelope_ += ',';
    }
  }

  // A stream is complete when every choice that was seen has finished.
  Result<void> note_choices(const ChunkReader& chunk) {
    for (std::size_t at = 0; at < chunk.choice_count; ++at) {
      const auto choice = chunk.choice_at(at);
      unfinished_ += finished_.emplace(choice, false).second ? 1 : 0;
      if (plan_.keep_content) facts_.content_of(choice);
    }
    if (finished_.size() > most_choices)
      return fail(ErrorCode::resource_exhausted, "the stream has too many choices");
    for (const auto& [position, reason] : chunk.finished) {
      const auto choice = chunk.choice_at(position);
      facts_.finish_reason = reason;
      auto& is_finished = finished_[choice];
      unfinished_ -= is_finished ? 0 : 1;
      is_finished = true;
      if (plan_.keep_content && (reason == "tool_calls" || reason == "function_call"))
        facts_.content_of(choice).calls_tools = true;
    }
    complete_ = !finished_.empty() && unfinished_ == 0;
    return {};
  }

  std::vector<Outgoing> feed_deltas(const ChunkReader& chunk) {
    std::vector<Outgoing> outgoing;
    for (const auto& delta : chunk.deltas) {
      const ChannelKey key{chunk.choice_at(delta.choice_position), chunk.tool_at(delta),
                           delta.field->name};
      const bool json = content_of(key) && plan_.content_is_json;
      const auto form = json ? TextForm::json : delta.field->form;
      outgoing.push_back({key, delta.text, delta.inside, channels_.feed(key, form, delta.text)});
      note_content(key, outgoing.back().text);
    }
    return outgoing;
  }

  void end_channels(const ChunkReader& chunk, std::vector<Outgoing>& outgoing, std::string& out) {
    if (chunk.has_error) return add_rest(channels_.finish_all(), outgoing, out);
    for (const auto& [position, reason] : chunk.finished)
      add_rest(channels_.finish_choice(chunk.choice_at(position)), outgoing, out);
  }

  void emit_chunk(const SseEvent& event, const ChunkReader& chunk, std::string& out) {
    std::vector<Splice> edits;
    for (const auto& once : chunk.once)
      filter_once(plan_, once.form, once.text, once.inside, edits, facts_);
    auto outgoing = feed_deltas(chunk);
    end_channels(chunk, outgoing, out);
    const bool any_text = outgoing.empty() || std::ranges::any_of(outgoing, [](const auto& delta) {
                            return !delta.text.empty() || delta.before.empty();
                          });
    const bool says_more =
        !chunk.finished.empty() || chunk.has_other_delta || chunk.has_usage || chunk.has_error;
    if (!any_text && !says_more) return;  // held whole
    const bool changed = add_edits(outgoing, edits);
    if (changed && chunk.obfuscation) edits.push_back(replace_string(*chunk.obfuscation, ""));
    std::set<std::size_t> changed_choices;
    for (std::size_t at = 0; at < outgoing.size(); ++at)
      if (outgoing[at].text != outgoing[at].before)
        changed_choices.insert(chunk.deltas[at].choice_position);
    chunk.logprobs.filter(plan_, changed_choices, edits);
    if (plan_.swallow_usage && chunk.null_usage)
      edits.push_back(remove_member(event.data, chunk.null_usage->begin, chunk.null_usage->end));
    emit_edited(event, std::move(edits), out);
  }

  std::string envelope_;  // `"id":"…","object":"…",` with the last comma
  std::map<std::uint64_t, bool> finished_;
  std::size_t unfinished_ = 0;
};

}  // namespace

std::unique_ptr<AnswerStream> open_openai_stream(const AnswerPlan& plan) {
  return std::make_unique<OpenAiStream>(plan);
}

}  // namespace gatehouse::gateway

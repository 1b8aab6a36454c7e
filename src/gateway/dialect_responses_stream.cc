// Streamed responses. An event is read whole before anything is done with it: which item and which
// part a text belongs to may stand behind the text.
//
// Strings are of four kinds: pieces of a text that clients put together, each text a channel of its
// own; names; encoded bytes; and everything else, which is filtered where it stands. To the last
// belong the copies of a text at its end, with its item and with the whole answer: a filter makes
// of a whole text what it makes of its pieces, so that all copies stay the same.
//
// Invariants
//   1. Sequence numbers rise. An event that was put in takes the next number, and those behind it
//      move on only as far as they must.
//   2. A text that has ended does not go on: what a filter held back at its end would be cut.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "base/json.h"
#include "gateway/answer.h"
#include "gateway/responses.h"
#include "gateway/stream.h"

namespace gatehouse::gateway {
namespace {

using inspect::TextForm;

constexpr std::size_t most_texts = 4'096;
constexpr std::string_view delta_suffix = ".delta";
constexpr std::string_view done_suffix = ".done";

constexpr std::string_view output_text = "response.output_text";
constexpr std::string_view refusal = "response.refusal";
constexpr std::string_view reasoning_text = "response.reasoning_text";
constexpr std::string_view summary_text = "response.reasoning_summary_text";
constexpr std::string_view function_arguments = "response.function_call_arguments";
constexpr std::string_view mcp_arguments = "response.mcp_call_arguments";
constexpr std::string_view custom_input = "response.custom_tool_call_input";
constexpr std::string_view audio = "response.audio";
constexpr std::string_view code = "response.code_interpreter_call_code";

bool is_json(std::string_view text_name) {
  return text_name == function_arguments || text_name == mcp_arguments;
}

// The text that a member of a part or of an item begins, by the type beside it.
struct Beginning {
  std::string_view type;
  std::string_view member;
  std::string_view text_name;
};
constexpr std::array<Beginning, 8> beginnings{{
    {"output_text", "text", output_text},
    {"refusal", "refusal", refusal},
    {"reasoning_text", "text", reasoning_text},
    {"summary_text", "text", summary_text},
    {"function_call", "arguments", function_arguments},
    {"mcp_call", "arguments", mcp_arguments},
    {"custom_tool_call", "input", custom_input},
    {"code_interpreter_call", "code", code},
}};

class ResponsesEvent final : public JsonVisitor {
 public:
  struct Text {
    std::string_view key;
    std::string_view text;
    JsonSpan inside;
    TextForm form = TextForm::plain;
    bool is_content = false;  // of a message
    bool begins = false;      // in the part or the item of an event that adds it
  };

  void on_string(Path path, std::string_view text, JsonSpan inside) override {
    if (path_is(path, {"type"})) type = text;
    if (path_is(path, {"item_id"})) item_id = text;
    if (path_is(path, {"part", "type"}) || path_is(path, {"item", "type"})) added_type = text;
    if (path_is(path, {"response", "status"}) && status.empty()) status = text;
    if (path_is(path, {"response", "incomplete_details", "reason"})) reason = text;
    if (path_is(path, {"obfuscation"})) {
      obfuscation = inside;
      return;
    }
    if (TokenCopies::holds(path)) return copies.on_string(path, text);
    if (path_is(path, {"delta"})) {
      delta = Text{"delta", text, inside};
      return;
    }
    if (text.empty() || is_name(path)) return;
    if (is_encoded_member(last_key(path)) && looks_encoded(text)) return;
    texts.push_back(text_at(path, text, inside));
  }
  void on_number(Path path, std::string_view text, JsonSpan span) override {
    const auto count = as_count(text);
    if (!count) return;
    if (path_is(path, {"sequence_number"})) sequence = {*count, span};
    if (path_is(path, {"output_index"})) {
      place.item = *count;
    } else if (path.size() == 1 && last_key(path).ends_with("_index") &&
               (part_key.empty() || last_key(path) == "content_index")) {
      place.part = *count;
      part_key = last_key(path);
    }
    if (path_is(path, {"response", "usage", "input_tokens"})) usage.input_tokens = count;
    if (path_is(path, {"response", "usage", "output_tokens"})) usage.output_tokens = count;
  }
  void on_container(Path path, JsonSpan span) override { copies.on_container(path, span); }

  bool ends_answer() const {
    return type == "response.completed" || type == "response.incomplete" ||
           type == "response.failed";
  }
  bool adds() const {
    return type == "response.output_item.added" || type == "response.content_part.added" ||
           type == "response.reasoning_summary_part.added";
  }
  bool has_delta() const { return delta && type.ends_with(delta_suffix); }

  struct Sequence {
    std::uint64_t number = 0;
    JsonSpan span;
  };

  std::string_view type;
  std::string_view item_id;
  std::string_view added_type;
  std::string_view status;
  std::string_view reason;
  // What numbers the parts: content_index, summary_index, command_index; empty: the text is of the
  // item itself.
  std::string_view part_key;
  OutputPlace place;
  std::optional<Text> delta;
  std::vector<Text> texts;
  std::optional<Sequence> sequence;
  std::optional<JsonSpan> obfuscation;  // padding that must fit the text, or be empty
  TokenCopies copies;
  Usage usage;

 private:
  static bool is_name(Path path) {
    const auto key = last_key(path);
    if (path.size() == 1) return key == "type" || key == "item_id";
    if (path[0].key == "response") return is_response_name(path, 1);
    if (path[0].key != "item" && path[0].key != "part") return false;
    const bool of_part = path.size() == 4 && path[1].key == "content" && path[2].is_item;
    if (path.size() != 2 && !of_part) return false;
    return key == "id" || key == "type" || key == "role" || key == "status" || key == "call_id";
  }

  static Text text_at(Path path, std::string_view text, JsonSpan inside) {
    Text one{last_key(path), text, inside};
    const bool of_message = path_is(path, {"response", "output", "*", "content", "*", "text"}) ||
                            path_is(path, {"item", "content", "*", "text"}) ||
                            path_is(path, {"part", "text"}) || path_is(path, {"text"});
    one.is_content = of_message;
    one.begins = path.size() == 2 && (path[0].key == "part" || path[0].key == "item");
    if (is_response_arguments(path)) one.form = TextForm::json;
    return one;
  }
};

class ResponsesStream final : public StreamScreen {
 public:
  using StreamScreen::StreamScreen;

 protected:
  Result<void> on_event(SseEvent& event, std::string& out) override {
    if (event.data == "[DONE]") {  // some servers end so, as chat completions do
      flush_all(out);
      ended_ = true;
      emit_edited(event, {}, out);
      return {};
    }
    ResponsesEvent read;
    GH_TRY(plan_.walker->walk(event.data, read));
    if (read.place.item >= most_output_index || read.place.part >= most_output_index)
      return fail(ErrorCode::resource_exhausted, "the answer has too many items");
    note_facts(event, read);
    std::vector<Outgoing> outgoing;
    std::vector<Splice> edits;
    GH_TRY(feed_deltas(read, outgoing));
    end_texts(event, read, outgoing, out);
    filter_copies(read, edits);
    if (is_held_whole(read, outgoing)) return {};
    add_edits(outgoing, edits);
    read.copies.filter(plan_, !edits.empty(), edits);
    if (!edits.empty() && read.obfuscation) edits.push_back(replace_string(*read.obfuscation, ""));
    number(read, edits);
    emit_edited(event, std::move(edits), out);
    return {};
  }

  std::optional<std::uint64_t> content_of(const ChannelKey& key) const override {
    if (key.field != output_text) return std::nullopt;
    return key.choice / most_output_index;
  }

  void emit_rest(const ChannelKey& key, std::string_view text, std::string& out) override {
    const auto known = texts_.find(key);
    const std::string type = std::string(key.field) + std::string(delta_suffix);
    std::string data;
    JsonWriter writer(data);
    writer.begin_object().key("type").string(type);
    writer.key("item_id").string(known == texts_.end() ? "" : known->second.item_id);
    writer.key("output_index").number(static_cast<std::int64_t>(key.choice / most_output_index));
    if (known != texts_.end() && !known->second.part_key.empty())
      writer.key(known->second.part_key)
          .number(static_cast<std::int64_t>(key.choice % most_output_index));
    writer.key("delta").string(text);
    if (key.field == output_text) writer.key("logprobs").begin_array().end_array();
    if (last_sequence_)
      writer.key("sequence_number").number(static_cast<std::int64_t>(++*last_sequence_));
    writer.end_object();
    append_event(out, type, data);
  }

 private:
  // What is known about a text that clients put together.
  struct Progress {
    std::string item_id;
    std::string_view part_key;  // a constant
    std::uint64_t hash = CountedTexts::nothing;
    bool ended = false;
  };

  void note_facts(const SseEvent& event, const ResponsesEvent& read) {
    if (read.usage.input_tokens) facts_.usage.input_tokens = read.usage.input_tokens;
    if (read.usage.output_tokens) facts_.usage.output_tokens = read.usage.output_tokens;
    if (read.type == "error" || event.name == "error" || read.type == "response.failed")
      facts_.provider_error = true;
    if (read.type == "response.output_item.added" && plan_.keep_content) {
      if (read.added_type == "message") facts_.content_of(read.place.item);
      calls_tools_ = calls_tools_ || is_call_item(read.added_type);
    }
    if (!read.ends_answer()) return;
    ended_ = true;
    facts_.finish_reason = read.reason.empty() ? read.status : read.reason;
    if (!plan_.keep_content) return;
    if (facts_.contents.empty()) facts_.content_of(0);
    for (auto& content : facts_.contents) content.calls_tools = calls_tools_;
  }

  std::string_view constant(std::string_view text_name) { return *names_.emplace(text_name).first; }

  Result<void> add_to_text(const ResponsesEvent& read, std::string_view text_name,
                           std::string_view text, JsonSpan inside,
                           std::vector<Outgoing>& outgoing) {
    const ChannelKey key{read.place.item * most_output_index + read.place.part, -1,
                         constant(text_name)};
    auto [known, is_new] = texts_.try_emplace(key);
    if (texts_.size() > most_texts)
      return fail(ErrorCode::resource_exhausted, "the stream has too many texts");
    auto& progress = known->second;
    if (progress.ended)
      return fail(ErrorCode::invalid_argument, "a text of the stream goes on after its end");
    if (is_new || progress.item_id.empty()) progress.item_id = read.item_id;
    progress.part_key = read.part_key.empty() ? std::string_view() : constant(read.part_key);
    progress.hash = CountedTexts::add(progress.hash, text);
    const bool json = is_json(key.field) || (content_of(key) && plan_.content_is_json);
    auto leaves = channels_.feed(key, json ? TextForm::json : TextForm::plain, text);
    note_content(key, leaves);
    outgoing.push_back({key, text, inside, std::move(leaves)});
    return {};
  }

  // What an event adds to texts that clients put together: its delta, or what an item or a part
  // begins with.
  Result<void> feed_deltas(const ResponsesEvent& read, std::vector<Outgoing>& outgoing) {
    if (read.has_delta()) {
      const auto text_name = read.type.substr(0, read.type.size() - delta_suffix.size());
      if (text_name == audio && looks_encoded(read.delta->text)) return {};
      return add_to_text(read, text_name, read.delta->text, read.delta->inside, outgoing);
    }
    if (!read.adds()) return {};
    for (const auto& text : read.texts)
      if (const auto* beginning = beginning_of(read, text))
        GH_TRY(add_to_text(read, beginning->text_name, text.text, text.inside, outgoing));
    return {};
  }

  static const Beginning* beginning_of(const ResponsesEvent& read,
                                       const ResponsesEvent::Text& text) {
    if (!text.begins || !read.adds()) return nullptr;
    const auto* found = std::ranges::find_if(beginnings, [&](const Beginning& one) {
      return one.type == read.added_type && one.member == text.key;
    });
    return found == beginnings.end() ? nullptr : found;
  }

  // Every other text, where it stands. A copy of what was counted is not counted again.
  void filter_copies(const ResponsesEvent& read, std::vector<Splice>& edits) {
    if (read.delta && !read.has_delta()) filter_copy(*read.delta, edits);
    for (const auto& text : read.texts)
      if (beginning_of(read, text) == nullptr) filter_copy(text, edits);
  }

  void filter_copy(const ResponsesEvent::Text& text, std::vector<Splice>& edits) {
    const bool json = text.form == TextForm::json || (text.is_content && plan_.content_is_json);
    AnswerFacts facts;
    filter_once(plan_, json ? TextForm::json : TextForm::plain, text.text, text.inside, edits,
                facts);
    if (facts.findings.by_rule.empty() && facts.restored == 0) return;
    if (!counted_.note(CountedTexts::add(CountedTexts::nothing, text.text))) return;
    facts_.restored += facts.restored;
    facts_.findings.add(facts.findings);
  }

  // Ends texts, and takes what their filters held into the event or before it.
  void end_texts(const SseEvent& event, const ResponsesEvent& read, std::vector<Outgoing>& outgoing,
                 std::string& out) {
    const auto first = read.place.item * most_output_index;
    if (read.ends_answer() || read.type == "error" || event.name == "error") {
      end_range(0, ~std::uint64_t{0}, outgoing, out);
    } else if (read.type == "response.output_item.done") {
      end_range(first, first + most_output_index - 1, outgoing, out);
    } else if (read.type.ends_with(done_suffix)) {
      end_range(first + read.place.part, first + read.place.part, outgoing, out);
    }
  }

  void end_range(std::uint64_t first, std::uint64_t last, std::vector<Outgoing>& outgoing,
                 std::string& out) {
    for (auto& [key, progress] : texts_) {
      if (key.choice < first || key.choice > last || progress.ended) continue;
      progress.ended = true;
      (void)counted_.note(progress.hash);
    }
    add_rest(channels_.finish_choices(first, last), outgoing, out);
  }

  // An event of which nothing may leave yet.
  static bool is_held_whole(const ResponsesEvent& read, const std::vector<Outgoing>& outgoing) {
    return read.has_delta() && outgoing.size() == 1 && outgoing[0].text.empty() &&
           !outgoing[0].before.empty() && read.texts.empty();
  }

  void number(const ResponsesEvent& read, std::vector<Splice>& edits) {
    if (!read.sequence) return;
    const auto lowest = last_sequence_ ? *last_sequence_ + 1 : 0;
    const auto number = std::max(read.sequence->number, lowest);
    last_sequence_ = number;
    if (number != read.sequence->number)
      edits.push_back({read.sequence->span.begin, read.sequence->span.end, std::to_string(number)});
  }

  std::map<ChannelKey, Progress> texts_;
  std::set<std::string, std::less<>> names_;  // of texts and of what numbers them
  CountedTexts counted_;
  std::optional<std::uint64_t> last_sequence_;  // of what has left
  bool calls_tools_ = false;
};

}  // namespace

std::unique_ptr<AnswerStream> open_responses_stream(const AnswerPlan& plan) {
  return std::make_unique<ResponsesStream>(plan);
}

}  // namespace gatehouse::gateway

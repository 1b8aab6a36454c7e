// See answer_texts.h. Reasoning is not among these texts: providers sign it, or do not show it.
#include "gateway/answer_texts.h"

#include <algorithm>

#include "gateway/answer.h"
#include "gateway/responses.h"

namespace gatehouse::gateway {
namespace {

// The index of a choice or of a call may stand after its text; until then there is its position.
class OpenAiTexts final : public JsonVisitor {
 public:
  OpenAiTexts(std::string_view holder, std::string_view document, DocumentTexts& texts)
      : holder_(holder), document_(document), texts_(texts) {}

  void on_string(Path path, std::string_view text, JsonSpan inside) override {
    if (!path_begins(path, {"choices", "*", holder_})) return;
    const auto choice = path[1].index;
    const bool content = path_is(path, {"choices", "*", holder_, "content"}) ||
                         path_is(path, {"choices", "*", holder_, "content", "*", "text"}) ||
                         path_is(path, {"choices", "*", holder_, "refusal"});
    if (content) return add({choice, -1}, text, inside);
    if (path_is(path, {"choices", "*", holder_, "function_call", "name"}))
      names_[{choice, 0}] += text;
    if (path_is(path, {"choices", "*", holder_, "function_call", "arguments"}))
      add({choice, 0}, text, inside);
    if (!path_begins(path, {"choices", "*", holder_, "tool_calls", "*"}) || path.size() != 7)
      return;
    const TextKey key{choice, static_cast<std::int64_t>(path[4].index)};
    if (!is_known_call(path[5].key)) return;
    if (path[6].key == "name") names_[key] += text;
    if (is_arguments(path)) add(key, text, inside);
  }
  // Arguments that are no string, and calls of a kind nobody knows: taken as they stand.
  void on_container(Path path, JsonSpan span) override {
    if (!path_begins(path, {"choices", "*", holder_})) return;
    if (path_is(path, {"choices", "*", holder_, "function_call", "arguments"}))
      return add_raw({path[1].index, 0}, span);
    if (path.size() < 6 || path[3].key != "tool_calls" || !path[4].is_item) return;
    const TextKey key{path[1].index, static_cast<std::int64_t>(path[4].index)};
    const bool known = is_known_call(path[5].key);
    if (path.size() == 6 && !known) {
      names_[key] += path[5].key;
      add_raw(key, span);
    }
    if (path.size() == 7 && known && is_arguments(path)) add_raw(key, span);
  }
  void on_number(Path path, std::string_view text, JsonSpan) override {
    const auto index = as_count(text);
    if (!index) return;
    if (path_is(path, {"choices", "*", "index"})) choice_index_[path[1].index] = *index;
    if (path_is(path, {"choices", "*", holder_, "tool_calls", "*", "index"}))
      tool_index_[{path[1].index, static_cast<std::int64_t>(path[4].index)}] = *index;
  }

  void finish() {
    for (auto& piece : texts_.pieces) piece.key = final(piece.key);
    for (auto& [key, name] : names_) texts_.tool_names[final(key)] = std::move(name);
  }

 private:
  static bool is_known_call(std::string_view holder) {
    return holder == "function" || holder == "custom";
  }
  static bool is_arguments(Path path) {
    return path[6].key == (path[5].key == "function" ? "arguments" : "input");
  }
  void add(const TextKey& key, std::string_view text, JsonSpan inside) {
    texts_.pieces.push_back({key, std::string(text), inside, false});
  }
  void add_raw(const TextKey& key, JsonSpan span) {
    const auto value = document_.substr(span.begin, span.end - span.begin);
    texts_.pieces.push_back({key, std::string(value), span, true});
  }
  TextKey final(TextKey key) const {
    if (const auto known = tool_index_.find(key); key.tool >= 0 && known != tool_index_.end())
      key.tool = static_cast<std::int64_t>(known->second);
    if (const auto known = choice_index_.find(key.choice); known != choice_index_.end())
      key.choice = known->second;
    return key;
  }

  std::string_view holder_;  // "message" or "delta"
  std::string_view document_;
  DocumentTexts& texts_;
  std::map<TextKey, std::string> names_;
  std::map<std::uint64_t, std::uint64_t> choice_index_;
  std::map<TextKey, std::uint64_t> tool_index_;
};

// The Responses API. A stream has a text in pieces and then, up to three times, whole.
class ResponsesTexts final : public JsonVisitor {
 public:
  ResponsesTexts(std::string_view document, DocumentTexts& texts)
      : document_(document), texts_(texts) {}

  void on_string(Path path, std::string_view text, JsonSpan inside) override {
    if (path_is(path, {"type"})) type_ = text;
    if (path_is(path, {"delta"})) delta_ = {{}, std::string(text), inside};
    if (path_is(path, {"text"}) || path_is(path, {"refusal"}) || path_is(path, {"part", "text"}) ||
        path_is(path, {"part", "refusal"}))
      of_part_.push_back({{}, std::string(text), inside});
    if (path_is(path, {"arguments"}) || path_is(path, {"input"}))
      of_item_.push_back({{}, std::string(text), inside});
    if (path_begins(path, {"item"})) in_item(path.subspan(1), item_, text, inside);
    if (path_begins(path, {"output", "*"}))
      in_item(path.subspan(2), items_[path[1].index], text, inside);
    if (path_begins(path, {"response", "output", "*"}))
      in_item(path.subspan(3), items_[path[2].index], text, inside);
  }
  void on_container(Path path, JsonSpan span) override {
    if (path_begins(path, {"item"})) of_item_container(path.subspan(1), item_, span);
    if (path_begins(path, {"output", "*"}))
      of_item_container(path.subspan(2), items_[path[1].index], span);
    if (path_begins(path, {"response", "output", "*"}))
      of_item_container(path.subspan(3), items_[path[2].index], span);
  }
  void on_number(Path path, std::string_view text, JsonSpan) override {
    if (path_is(path, {"output_index"})) index_ = as_count(text).value_or(0);
    if (path_is(path, {"content_index"})) part_ = as_count(text).value_or(0);
  }

  // Of a whole answer.
  void finish_answer() {
    for (auto& [index, item] : items_) add_item(index, item, false);
  }
  // Of an event.
  void finish_event() {
    const bool text = type_ == "response.output_text.delta" || type_ == "response.refusal.delta";
    if (text) add(text_key(index_, part_), std::move(delta_), false);
    if (calls_tool(type_, ".delta")) add(tool_key(index_), std::move(delta_), false);
    const bool begins = type_.ends_with(".added");
    if (begins || type_ == "response.output_text.done" || type_ == "response.refusal.done" ||
        type_ == "response.content_part.done")
      for (auto& piece : of_part_) add(text_key(index_, part_), std::move(piece), !begins);
    if (calls_tool(type_, ".done"))
      for (auto& piece : of_item_) add(tool_key(index_), std::move(piece), true);
    if (!item_.type.empty()) add_item(index_, item_, !begins);
    for (auto& [index, item] : items_) add_item(index, item, true);
  }

 private:
  struct Item {
    std::string type;
    std::string name;
    std::vector<std::pair<std::uint64_t, TextPiece>> parts;
    std::vector<TextPiece> arguments;
  };

  static TextKey text_key(std::uint64_t item, std::uint64_t part) {
    return {item * most_output_index + part, -1};
  }
  static TextKey tool_key(std::uint64_t item) { return {item * most_output_index, 0}; }
  // Events about the arguments of a call, whoever answers it.
  static bool calls_tool(std::string_view type, std::string_view suffix) {
    if (!type.ends_with(suffix)) return false;
    type.remove_suffix(suffix.size());
    return type == "response.function_call_arguments" || type == "response.mcp_call_arguments" ||
           type == "response.custom_tool_call_input";
  }
  // What a call wants done, where it is no string: of a shell, an editor, a computer.
  void of_item_container(Path path, Item& item, JsonSpan span) {
    if (path.size() != 1 || path[0].is_item) return;
    const auto key = path[0].key;
    const bool wants = key == "arguments" || key == "input" || key == "action" ||
                       key == "actions" || key == "operation";
    if (!wants) return;
    const auto value = document_.substr(span.begin, span.end - span.begin);
    item.arguments.push_back({{}, std::string(value), span, true});
  }

  static void in_item(Path path, Item& item, std::string_view text, JsonSpan inside) {
    if (path_is(path, {"type"})) item.type = text;
    if (path_is(path, {"name"})) item.name = text;
    if (path_is(path, {"arguments"}) || path_is(path, {"input"}))
      item.arguments.push_back({{}, std::string(text), inside});
    if (path_is(path, {"content", "*", "text"}) || path_is(path, {"content", "*", "refusal"}))
      item.parts.emplace_back(path[1].index, TextPiece{{}, std::string(text), inside});
  }

  void add_item(std::uint64_t index, Item& item, bool copy) {
    if (item.type == "message")
      for (auto& [part, piece] : item.parts) add(text_key(index, part), std::move(piece), copy);
    texts_.has_lookups =
        texts_.has_lookups || is_provider_call(item.type) || item.type == "mcp_call";
    if (!is_call_item(item.type)) return;
    for (auto& piece : item.arguments) add(tool_key(index), std::move(piece), copy);
    auto& names = copy ? texts_.copied_names : texts_.tool_names;
    names[tool_key(index)] = item.name.empty() ? item.type : item.name;
  }
  void add(const TextKey& key, TextPiece piece, bool copy) {
    piece.key = key;
    piece.copy = copy;
    texts_.pieces.push_back(std::move(piece));
  }

  std::string_view document_;
  DocumentTexts& texts_;
  std::string type_;
  std::uint64_t index_ = 0;
  std::uint64_t part_ = 0;
  TextPiece delta_;
  std::vector<TextPiece> of_part_;
  std::vector<TextPiece> of_item_;
  Item item_;
  std::map<std::uint64_t, Item> items_;
};

// What providers of OpenAI's dialect answer with, of either of its APIs: what stands in it says
// which, and one that had both would be looked at as both.
class EitherTexts final : public JsonVisitor {
 public:
  EitherTexts(std::string_view holder, std::string_view document, DocumentTexts& texts)
      : chat_(holder, document, texts), responses_(document, texts) {}

  void on_string(Path path, std::string_view text, JsonSpan inside) override {
    chat_.on_string(path, text, inside);
    responses_.on_string(path, text, inside);
  }
  void on_number(Path path, std::string_view text, JsonSpan span) override {
    chat_.on_number(path, text, span);
    responses_.on_number(path, text, span);
  }
  void on_container(Path path, JsonSpan span) override {
    chat_.on_container(path, span);
    responses_.on_container(path, span);
  }
  void finish_answer() {
    chat_.finish();
    responses_.finish_answer();
  }
  void finish_event() {
    chat_.finish();
    responses_.finish_event();
  }

 private:
  OpenAiTexts chat_;
  ResponsesTexts responses_;
};

// A block of what the provider looked up or ran while it answered.
bool is_lookup(std::string_view type) {
  return type.ends_with("_tool_result");
}

// A block that calls a tool is the tool call of its number; all text blocks are one text.
class AnthropicTexts final : public JsonVisitor {
 public:
  AnthropicTexts(std::string_view document, DocumentTexts& texts)
      : document_(document), texts_(texts) {}

  void on_string(Path path, std::string_view text, JsonSpan inside) override {
    if (path_is(path, {"content", "*", "text"})) add({0, -1}, text, inside, false);
    if (path_is(path, {"content", "*", "name"})) note_name(path[1].index, text);
    if (path_is(path, {"content", "*", "input"}))
      add({0, static_cast<std::int64_t>(path[1].index)}, text, inside, false);
    if (path_is(path, {"content", "*", "type"}) && is_lookup(text)) texts_.has_lookups = true;
  }
  void on_number(Path, std::string_view, JsonSpan) override {}
  void on_container(Path path, JsonSpan span) override {
    if (!path_is(path, {"content", "*", "input"})) return;
    add({0, static_cast<std::int64_t>(path[1].index)},
        document_.substr(span.begin, span.end - span.begin), span, true);
  }

 private:
  void note_name(std::size_t block, std::string_view name) {
    texts_.tool_names[{0, static_cast<std::int64_t>(block)}] = name;
  }
  void add(const TextKey& key, std::string_view text, JsonSpan inside, bool raw) {
    texts_.pieces.push_back({key, std::string(text), inside, raw});
  }

  std::string_view document_;
  DocumentTexts& texts_;
};

class AnthropicEventTexts final : public JsonVisitor {
 public:
  AnthropicEventTexts(std::string_view document, DocumentTexts& texts)
      : document_(document), texts_(texts) {}

  void on_string(Path path, std::string_view text, JsonSpan inside) override {
    if (path_is(path, {"delta", "text"}) || path_is(path, {"content_block", "text"}))
      texts_.pieces.push_back({{0, -1}, std::string(text), inside, false});
    if (path_is(path, {"delta", "partial_json"}))
      texts_.pieces.push_back({{0, 0}, std::string(text), inside, false});
    if (path_is(path, {"content_block", "input"}) && !text.empty())
      texts_.pieces.push_back({{0, 0}, std::string(text), inside, false});
    if (path_is(path, {"content_block", "name"})) name_ = text;
    if (path_is(path, {"content_block", "type"}) && is_lookup(text)) texts_.has_lookups = true;
  }
  void on_number(Path path, std::string_view text, JsonSpan) override {
    if (path_is(path, {"index"})) index_ = static_cast<std::int64_t>(as_count(text).value_or(0));
  }
  void on_container(Path path, JsonSpan span) override {
    if (!path_is(path, {"content_block", "input"})) return;
    const auto value = document_.substr(span.begin, span.end - span.begin);
    // An empty object stands where the pieces will come.
    const bool empty = value.find_first_not_of("{} \t\r\n") == std::string_view::npos;
    if (!empty) texts_.pieces.push_back({{0, 0}, std::string(value), span, true});
  }

  void finish() {
    for (auto& piece : texts_.pieces)
      if (piece.key.tool >= 0) piece.key.tool = index_;
    if (!name_.empty()) texts_.tool_names[{0, index_}] = name_;
  }

 private:
  std::string_view document_;
  DocumentTexts& texts_;
  std::int64_t index_ = 0;
  std::string name_;
};

}  // namespace

Result<DocumentTexts> read_answer(JsonWalker& walker, DialectKind dialect, std::string& document) {
  DocumentTexts texts;
  document.reserve(document.size() + 256);  // what the walk would do, before a view of it is taken
  if (dialect == DialectKind::openai) {
    EitherTexts reader("message", document, texts);
    GH_TRY(walker.walk(document, reader));
    reader.finish_answer();
    return texts;
  }
  AnthropicTexts reader(document, texts);
  GH_TRY(walker.walk(document, reader));
  return texts;
}

Result<DocumentTexts> read_event(JsonWalker& walker, DialectKind dialect, std::string& data) {
  DocumentTexts texts;
  data.reserve(data.size() + 256);
  if (dialect == DialectKind::openai) {
    EitherTexts reader("delta", data, texts);
    GH_TRY(walker.walk(data, reader));
    reader.finish_event();
    return texts;
  }
  AnthropicEventTexts reader(data, texts);
  GH_TRY(walker.walk(data, reader));
  reader.finish();
  return texts;
}

bool has_calls(const DocumentTexts& texts) {
  if (!texts.tool_names.empty() || !texts.copied_names.empty()) return true;
  return std::ranges::any_of(texts.pieces,
                             [](const TextPiece& piece) { return piece.key.tool >= 0; });
}

Splice replace_piece(const TextPiece& piece, std::string_view text) {
  if (piece.raw) return {piece.inside.begin, piece.inside.end, std::string(text)};
  return replace_string(piece.inside, text);
}

validate::Place AnswerBook::place_of(const TextKey& key) {
  const auto [choice, is_new] = choices_.try_emplace(key.choice, answer_.choices.size());
  if (is_new) answer_.choices.push_back({key.choice, {}, {}});
  if (key.tool < 0) return {choice->second, std::nullopt};
  auto& calls = answer_.choices[choice->second].tool_calls;
  const auto [tool, new_tool] = tools_.try_emplace(key, calls.size());
  if (new_tool) calls.emplace_back();
  return {choice->second, tool->second};
}

std::string& AnswerBook::text_of(const TextKey& key) {
  const auto place = place_of(key);
  auto& choice = answer_.choices[place.choice];
  return place.tool ? choice.tool_calls[*place.tool].arguments : choice.text;
}

void AnswerBook::add(const DocumentTexts& texts) {
  for (const auto& piece : texts.pieces)
    if (!piece.copy) text_of(piece.key) += piece.text;
  for (const auto& [key, name] : texts.tool_names) {
    const auto place = place_of(key);
    if (place.tool) answer_.choices[place.choice].tool_calls[*place.tool].name += name;
  }
  for (const auto& [key, name] : texts.copied_names) {
    const auto place = place_of(key);
    if (!place.tool) continue;
    auto& known = answer_.choices[place.choice].tool_calls[*place.tool].name;
    if (known.empty()) known = name;
  }
}

}  // namespace gatehouse::gateway

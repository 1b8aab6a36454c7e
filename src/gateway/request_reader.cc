// See request_reader.h. Everything that is a string is a channel unless its dialect knows better:
// a field nobody has heard of yet is inspected like any other.
#include "gateway/request_reader.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "gateway/answer.h"

namespace gatehouse::gateway {
namespace {

constexpr std::size_t shortest_interesting_key = 8;
constexpr std::size_t shortest_interesting_number = 9;

// Top-level members that the gateway reads. A provider that ignores case would read another one
// than we do, so only one spelling is taken.
constexpr std::array<std::string_view, 12> exact_members{"model",
                                                         "tools",
                                                         "functions",
                                                         "stream",
                                                         "messages",
                                                         "input",
                                                         "instructions",
                                                         "max_tokens",
                                                         "max_completion_tokens",
                                                         "max_output_tokens",
                                                         "n",
                                                         "best_of"};

// Members that say how much a client wants.
constexpr std::array<std::string_view, 3> token_wishes{"max_tokens", "max_completion_tokens",
                                                       "max_output_tokens"};
constexpr std::array<std::string_view, 2> choice_wishes{"n", "best_of"};

// Members that name files a provider keeps, and where tools find them.
bool names_files(Path path) {
  const auto key = last_key(path);
  if (key == "file_ids" || key == "vector_store_ids") return true;
  if (key == "container")
    return !path.back().is_item && (path.size() == 1 || path[0].key == "tools");
  return path_is(path, {"container", "id"});
}

// Who speaks in a message. Of a role nobody knows, or of two, the least is believed.
Source speaker_of(std::string_view role) {
  if (role == "system" || role == "developer") return Source::system;
  if (role == "user") return Source::user;
  if (role == "assistant") return Source::assistant;
  return Source::data;
}

// Blocks of a user's message that are not the user's words.
bool is_data_block(std::string_view type) {
  return type == "document" || type == "search_result" || type == "file" ||
         type.ends_with("_result");
}

// Of text outside of the turns. Documents are embedded that others wrote.
Source source_outside_of_turns(Path path, std::string_view turns) {
  if (path[0].key == "system" || path[0].key == "instructions") return Source::system;
  return path[0].key == "input" && turns != "input" ? Source::data : Source::user;
}

}  // namespace

void RequestReader::add(JsonSpan inside, std::string_view text, TextRole role, bool is_number) {
  // Text without escapes is already in the body as it is; the rest must outlive the parser.
  const bool plain = inside.end - inside.begin == text.size() &&
                     std::string_view(exchange_.body).substr(inside.begin, text.size()) == text;
  std::string_view kept = std::string_view(exchange_.body).substr(inside.begin, text.size());
  if (!plain) kept = exchange_.decoded.emplace_back(text);
  exchange_.channels.push_back({inside, kept, role, is_number});
}

// Whether the string at `path` is what a model reads, and not a name or a number of it.
bool RequestReader::is_content(Path path) const {
  const auto key = last_key(path);
  const bool in_turns = path[0].key == turns_;
  if (path[0].key == "prompt" || (path[0].key == "input" && !in_turns)) return true;
  if (path.size() == 1) return key == "system" || key == "instructions" || in_turns;
  if (path[0].key == "system") return key == "content" || key == "text" || key == "data";
  if (!in_turns || path.size() < 3) return false;
  if (path[2].key == "content") return key == "content" || key == "text" || key == "data";
  return turns_ == "input" && (path[2].key == "output" || path[2].key == "summary") &&
         (path.size() == 3 || key == "text");
}

void RequestReader::refuse(std::string problem) {
  if (problem_.empty()) problem_ = std::move(problem);
}

// True below a value that is inspected whole. Only the shortest path to it must be asked about.
bool RequestReader::is_covered(Path path) const {
  constexpr std::size_t depth_of_tool_input = 5;
  return path.size() > depth_of_tool_input && is_whole_value(path.first(depth_of_tool_input));
}

void RequestReader::on_string(Path path, std::string_view text, JsonSpan inside) {
  if (path_is(path, {"model"})) {
    ++models_seen_;
    exchange_.model_name = text;
    exchange_.model_inside = inside;
    return;
  }
  if (path_is(path, {"stream"})) refuse("\"stream\" must be true or false");
  if (is_data_url(text) || names_files(path)) exchange_.uninspectable = true;
  refuse_wish(path);
  note_tool(path, text);
  if (is_covered(path)) {
    if (text.find('[') != std::string_view::npos) add(inside, text, TextRole::covered, false);
    return;
  }
  note_who_speaks(path, text);
  const TextRole role = role_of(path, text);
  if (role == TextRole::opaque || text.empty()) return;
  add(inside, text, role, false);
  if (!is_content(path)) return;
  if (path[0].key == turns_ && path.size() > 1) {
    unsettled_.push_back(exchange_.channels.size() - 1);
  } else {
    exchange_.channels.back().source = source_outside_of_turns(path, turns_);
  }
}

void RequestReader::note_speaker(Source speaker) {
  speaker_ = speaker_ == Source::none || speaker_ == speaker ? speaker : Source::data;
}

void RequestReader::note_who_speaks(Path path, std::string_view text) {
  if (path_is(path, {turns_, "*", "role"})) {
    note_speaker(speaker_of(text));
  } else if (path_is(path, {turns_, "*", "content", "*", "type"})) {
    block_is_data_ = block_is_data_ || is_data_block(text);
  }
}

// The channels of content from `first` on that have no source yet get it.
void RequestReader::settle_source(std::size_t first, Source source) {
  while (!unsettled_.empty() && unsettled_.back() >= first) {
    exchange_.channels[unsettled_.back()].source = source;
    unsettled_.pop_back();
  }
}

void RequestReader::on_object(Path path, std::size_t) {
  if (path_is(path, {turns_, "*"})) {
    message_begin_ = exchange_.channels.size();
    speaker_ = Source::none;
  } else if (path_is(path, {turns_, "*", "content", "*"})) {
    block_begin_ = exchange_.channels.size();
    block_is_data_ = false;
  }
}

// How much a client asks for. Of two that say it the larger: who reads the body after us may take
// either.
void RequestReader::note_wish(Path path, std::string_view number) {
  if (path.size() != 1 || path[0].is_item) return;
  const auto key = path[0].key;
  const bool of_tokens = is_one_of(token_wishes, key);
  if (!of_tokens && !is_one_of(choice_wishes, key)) return;
  const auto count = as_count(number);
  if (!count) return refuse_wish(path);
  if (of_tokens) {
    exchange_.most_output_tokens = std::max(exchange_.most_output_tokens.value_or(0), *count);
  } else {
    exchange_.choices = std::max(exchange_.choices, *count);
  }
}

// Some providers take 1e6 or "50" for a number: what a limit would not count is not passed on.
void RequestReader::refuse_wish(Path path) {
  if (path.size() != 1 || path[0].is_item) return;
  const auto key = path[0].key;
  if (is_one_of(token_wishes, key) || is_one_of(choice_wishes, key))
    refuse("\"" + std::string(key) + "\" must be a whole number, written in digits");
}

void RequestReader::on_number(Path path, std::string_view text, JsonSpan span) {
  note_wish(path, text);
  if (path_is(path, {"stream"})) refuse("\"stream\" must be true or false");
  if (text.size() >= shortest_interesting_number && !is_covered(path))
    add(span, text, TextRole::text, true);
}

void RequestReader::on_bool(Path path, bool value, JsonSpan) {
  refuse_wish(path);
  if (path_is(path, {"stream"})) exchange_.stream = value;
}

void RequestReader::on_key(Path object, std::string_view key, JsonSpan inside) {
  if (object.empty()) {
    for (const auto exact : exact_members)
      if (key != exact && equals_ignoring_case(key, exact))
        refuse("the body has \"" + std::string(key) + "\"; write \"" + std::string(exact) + "\"");
  }
  if (key.size() < shortest_interesting_key) return;
  if (is_whole_value(object) || is_covered(object)) return;
  add(inside, key, TextRole::fixed, false);
}

void RequestReader::on_container(Path path, JsonSpan span) {
  if (block_is_data_ && path_is(path, {turns_, "*", "content", "*"}))
    settle_source(block_begin_, Source::data);
  if (path_is(path, {turns_, "*"}))
    settle_source(message_begin_, speaker_ == Source::none ? Source::data : speaker_);
  if (path_is(path, {"stream"})) refuse("\"stream\" must be true or false");
  refuse_wish(path);
  if (path_is(path, {"web_search_options"})) exchange_.tools.emplace_back("web_search");
  if (!is_whole_value(path)) return;
  const auto raw = std::string_view(exchange_.body).substr(span.begin, span.end - span.begin);
  exchange_.channels.push_back({span, raw, TextRole::raw_json, false});
}

// Every name that a reader of the body may take for a tool's: the names that stand twice or in two
// places, those of tools inside of a group, and the types of tools that the provider brings itself.
void RequestReader::note_tool(Path path, std::string_view text) {
  if (path_is(path, {"functions", "*", "name"}) || path_is(path, {"mcp_servers", "*", "name"})) {
    exchange_.tools.emplace_back(text);
    return;
  }
  const auto key = last_key(path);
  if (path[0].key != "tools" || (key != "name" && key != "type")) return;
  Path inner = path;
  while (inner.size() > 2 && inner[0].key == "tools" && inner[1].is_item) inner = inner.subspan(2);
  const bool of_tool = inner.size() == 1;
  const bool of_holder = inner.size() == 2 && !inner[0].is_item && !inner[1].is_item;
  const bool is_schema =
      of_holder && (inner[0].key == "parameters" || inner[0].key == "input_schema");
  const bool is_own = text == "function" || text == "custom" || text == "namespace";
  if (key == "name" ? (of_tool || of_holder) && !is_schema : of_tool && !is_own)
    exchange_.tools.emplace_back(text);
}

Result<void> RequestReader::finish() const {
  if (!problem_.empty()) return fail(ErrorCode::invalid_argument, problem_);
  if (models_seen_ == 0) {
    return fail(ErrorCode::invalid_argument,
                "the body has no \"model\" (a string at the top level); say which model to use");
  }
  if (models_seen_ > 1)
    return fail(ErrorCode::invalid_argument, "the body has \"model\" more than once");
  return {};
}

bool is_data_url(std::string_view text) {
  constexpr std::string_view scheme = "data:";
  constexpr std::size_t longest_type = 256;
  if (text.size() <= scheme.size() || !equals_ignoring_case(text.substr(0, scheme.size()), scheme))
    return false;
  const auto type = text.substr(scheme.size(), longest_type);
  const auto end = type.find_first_of(", \t\r\n\"");
  return end != std::string_view::npos && type[end] == ',';
}

TextRole role_of_encoded(std::string_view text) {
  if (is_data_url(text)) text.remove_prefix(text.find(',') + 1);
  return looks_encoded(text) ? TextRole::opaque : TextRole::text;
}

}  // namespace gatehouse::gateway

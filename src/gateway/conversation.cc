// See conversation.h. One reader for all dialects: the members of messages do not contradict each
// other between them, and a client that mixes them is read in the least trusting way.
#include "gateway/conversation.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <map>

#include "gateway/responses.h"

namespace gatehouse::gateway {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;
using simdjson::dom::object;

std::string_view text_of(element value) {
  std::string_view text;
  (void)value.get_string().get(text);
  return text;
}

Source source_of_role(std::string_view role) {
  if (role == "system" || role == "developer") return Source::system;
  if (role == "user") return Source::user;
  if (role == "assistant") return Source::assistant;
  return Source::data;
}

// All strings of a value, but what only names its kind.
void collect(element value, std::string& out) {
  switch (value.type()) {
    case element_type::STRING:
      if (!out.empty()) out += '\n';
      out += text_of(value);
      return;
    case element_type::ARRAY:
      for (const auto item : value.get_array().value_unsafe()) collect(item, out);
      return;
    case element_type::OBJECT:
      for (const auto [key, member] : value.get_object().value_unsafe())
        if (key != "type" && key != "cache_control") collect(member, out);
      return;
    default:
      return;
  }
}

std::string all_text(element value) {
  std::string text;
  collect(value, text);
  return text;
}

class Reader {
 public:
  void body(object document) {
    for (const auto [key, value] : document) {
      if (key == "system" || key == "instructions") say(Source::system, all_text(value));
      if (key == "messages" || key == "input") items(value);
      if (key == "prompt") say(Source::user, all_text(value));
      const bool kept = key == "previous_response_id" || key == "conversation" ||
                        (key == "prompt" && value.is_object());
      if (kept && names_what_is_kept(value)) add_result({}, {}, {});
    }
  }
  std::vector<Utterance> take() { return std::move(said_); }

 private:
  // What the provider keeps may have results of any tool.
  static bool names_what_is_kept(element value) {
    object members;
    if (value.get_object().get(members) != simdjson::SUCCESS) return value.is_string();
    for (const auto [key, member] : members)
      if (key == "id") return true;
    return false;
  }

  void say(Source source, std::string text) {
    if (!text.empty())
      said_.push_back({message_, Utterance::What::words, source, {}, {}, std::move(text)});
  }

  void items(element value) {
    if (value.is_string()) return say(Source::user, std::string(text_of(value)));
    if (!value.is_array()) return say(Source::data, all_text(value));
    for (const auto item : value.get_array().value_unsafe()) {
      object members;
      if (item.get_object().get(members) == simdjson::SUCCESS) {
        message(members);
      } else {
        say(Source::data, all_text(item));
      }
      ++message_;
    }
  }

  // A message of chat completions or messages, or an item of responses.
  void message(object members) {
    Source speaker = Source::none;
    std::string_view type;
    std::string call_id;
    std::string name;
    for (const auto [key, value] : members) {
      if (key == "role") {
        const Source source = source_of_role(text_of(value));
        speaker = speaker == Source::none || speaker == source ? source : Source::data;
      }
      if (key == "type") type = text_of(value);
      if (key == "tool_call_id" || key == "call_id") call_id = text_of(value);
      if (key == "name") name = text_of(value);
    }
    const bool is_item = !type.empty() && type != "message" && speaker == Source::none;
    if (is_item) return item(members, type, call_id, name);
    if (speaker == Source::none) speaker = Source::data;
    for (const auto [key, value] : members) {
      if (key == "content") content(value, speaker, call_id, name);
      if (key == "tool_calls" && value.is_array())
        for (const auto one : value.get_array().value_unsafe()) call_of(one);
      if (key == "function_call") called(value, {});
      const bool other = key == "refusal" || key == "reasoning_content" || key == "reasoning";
      if (other) say(Source::assistant, all_text(value));
    }
  }

  // {"id": …, "function": {"name": …, "arguments": …}} or {"id": …, "custom": {"name": …, "input":
  // …}}
  void call_of(element value) {
    object members;
    if (value.get_object().get(members) != simdjson::SUCCESS) return;
    std::string id;
    for (const auto [key, member] : members)
      if (key == "id") id = text_of(member);
    for (const auto [key, member] : members)
      if (key == "function" || key == "custom") called(member, id);
  }

  void called(element value, const std::string& id) {
    object members;
    if (value.get_object().get(members) != simdjson::SUCCESS) return;
    std::string name;
    std::string arguments;
    for (const auto [key, member] : members) {
      if (key == "name") name = text_of(member);
      if (key == "arguments" || key == "input")
        arguments = member.is_string() ? std::string(text_of(member)) : simdjson::minify(member);
    }
    add_call(std::move(name), id, std::move(arguments));
  }

  void add_call(std::string name, const std::string& id, std::string arguments) {
    // An id that is used twice answers to the last call, as clients have it.
    if (!id.empty()) tools_[id] = name;
    said_.push_back({message_, Utterance::What::call, Source::assistant, std::move(name), id,
                     std::move(arguments)});
  }

  void add_result(const std::string& call_id, std::string_view name, std::string text) {
    const auto called = tools_.find(call_id);
    std::string tool = called != tools_.end() ? called->second : std::string();
    // Of a call that was never made nothing is known, whatever its name.
    if (call_id.empty()) tool = name;
    said_.push_back({message_, Utterance::What::result, Source::data, std::move(tool), call_id,
                     std::move(text)});
  }

  // An item of the Responses API.
  void item(object members, std::string_view type, const std::string& call_id,
            const std::string& name) {
    if (is_call_item(type) && type != "mcp_call") {
      for (const auto [key, value] : members)
        if (key == "arguments" || key == "input" || key == "action" || key == "operation")
          return add_call(
              name.empty() ? std::string(type) : name, call_id,
              value.is_string() ? std::string(text_of(value)) : simdjson::minify(value));
      return;
    }
    if (type.ends_with("_output")) {
      for (const auto [key, value] : members)
        if (key == "output") add_result(call_id, {}, result_text(value));
      return;
    }
    std::string text;
    for (const auto [key, value] : members)
      if (key != "type") collect(value, text);
    say(type == "reasoning" ? Source::assistant : Source::data, std::move(text));
  }

  // One string stays as it is; parts of text are put together.
  static std::string result_text(element value) { return all_text(value); }

  void content(element value, Source speaker, const std::string& call_id, const std::string& name) {
    if (speaker == Source::data) return add_result(call_id, name, result_text(value));
    if (!value.is_array()) return say(speaker, all_text(value));
    for (const auto part : value.get_array().value_unsafe()) block(part, speaker);
  }

  // A part of a message's content.
  void block(element value, Source speaker) {
    object members;
    if (value.get_object().get(members) != simdjson::SUCCESS) return say(speaker, all_text(value));
    std::string_view type;
    std::string id;
    std::string of;
    std::string name;
    for (const auto [key, member] : members) {
      if (key == "type") type = text_of(member);
      if (key == "id") id = text_of(member);
      if (key == "tool_use_id") of = text_of(member);
      if (key == "name") name = text_of(member);
    }
    if (type == "tool_use" || type == "server_tool_use" || type == "mcp_tool_use") {
      for (const auto [key, member] : members)
        if (key == "input") add_call(name, id, simdjson::minify(member));
      return;
    }
    if (type.ends_with("_result")) {
      for (const auto [key, member] : members)
        if (key == "content") add_result(of, {}, result_text(member));
      if (type == "search_result") say(Source::data, all_text(value));
      return;
    }
    if (type == "text" || type == "input_text" || type == "output_text") {
      for (const auto [key, member] : members)
        if (key == "text") say(speaker, all_text(member));
      return;
    }
    // Files and documents are somebody else's words, whoever attached them.
    say(speaker == Source::assistant ? speaker : Source::data, all_text(value));
  }

  std::vector<Utterance> said_;
  std::map<std::string, std::string, std::less<>> tools_;  // by the id of their call
  std::size_t message_ = 0;
};

}  // namespace

bool may_use_tools(std::string_view body) {
  // A key may be written with escapes.
  constexpr std::array<std::string_view, 7> words{
      "tool", "function", "_call", "previous_response_id", "conversation", "\"prompt\"", "\\u"};
  return std::ranges::any_of(words, [&](std::string_view word) { return body.contains(word); });
}

Result<std::vector<Utterance>> read_conversation(std::string_view body) {
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  object members;
  if (parser.parse(body.data(), body.size()).get(document) != simdjson::SUCCESS ||
      document.get_object().get(members) != simdjson::SUCCESS)
    return fail(ErrorCode::invalid_argument, "the body is no JSON object");
  Reader reader;
  reader.body(members);
  return reader.take();
}

}  // namespace gatehouse::gateway

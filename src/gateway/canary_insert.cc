// See canary_insert.h. The first system prompt is the one every provider keeps: some take only one.
#include "gateway/canary_insert.h"

#include <map>
#include <optional>
#include <set>

namespace gatehouse::gateway {
namespace {

// Positions of what a system prompt can be: a string, or a list of blocks.
class SystemFinder final : public JsonVisitor {
 public:
  // `member`: of the body, whose text is a system prompt; none has one in chat completions.
  explicit SystemFinder(std::string_view member) : member_(member) {}

  void on_string(Path path, std::string_view text, JsonSpan inside) override {
    if (!member_.empty()) {
      if (path_is(path, {member_})) system_text = inside;
      return;
    }
    if (path_is(path, {"messages", "*", "role"}) && (text == "system" || text == "developer"))
      system_messages.insert(path[1].index);
    if (path_is(path, {"messages", "*", "content"})) texts[path[1].index] = inside;
  }
  void on_number(Path, std::string_view, JsonSpan) override {}
  void on_null(Path path, JsonSpan span) override {
    if (!member_.empty() && path_is(path, {member_})) system_null = span;
  }
  void on_container(Path path, JsonSpan span) override {
    if (!member_.empty() && path_is(path, {member_})) system_list = span;
    if (path_is(path, {"messages", "*", "content"})) lists[path[1].index] = span;
    if (path_is(path, {"messages"})) messages = span;
  }

  std::optional<JsonSpan> system_text;
  std::optional<JsonSpan> system_list;
  std::optional<JsonSpan> system_null;
  std::optional<JsonSpan> messages;
  std::set<std::size_t> system_messages;
  std::map<std::size_t, JsonSpan> texts;
  std::map<std::size_t, JsonSpan> lists;

 private:
  std::string_view member_;
};

std::string_view system_member(Route route) {
  if (route == Route::responses) return "instructions";
  return route == Route::messages ? "system" : "";
}

bool is_empty_list(std::string_view body, JsonSpan list) {
  const auto inside = body.substr(list.begin + 1, list.end - list.begin - 2);
  return inside.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

Splice behind_text(JsonSpan inside, std::string_view sentence) {
  std::string text = inside.end > inside.begin ? "\\n\\n" : "";
  append_json_escaped(text, sentence);
  return {inside.end, inside.end, std::move(text)};
}

Splice behind_blocks(std::string_view body, JsonSpan list, std::string_view sentence) {
  std::string text = is_empty_list(body, list) ? "" : ",";
  text += R"({"type":"text","text":)" + json_string(sentence) + "}";
  return {list.end - 1, list.end - 1, std::move(text)};
}

}  // namespace

Result<Splice> canary_splice(JsonWalker& walker, Route route, std::string& body,
                             std::string_view sentence) {
  const auto member = system_member(route);
  SystemFinder found(member);
  GH_TRY(walker.walk(body, found));
  if (found.system_text) return behind_text(*found.system_text, sentence);
  if (found.system_list) return behind_blocks(body, *found.system_list, sentence);
  if (found.system_null)
    return Splice{found.system_null->begin, found.system_null->end, json_string(sentence)};
  if (!member.empty()) {
    const auto at = body.find('{') + 1;
    return Splice{at, at, json_string(member) + ":" + json_string(sentence) + ","};
  }
  for (const auto message : found.system_messages) {
    if (const auto text = found.texts.find(message); text != found.texts.end())
      return behind_text(text->second, sentence);
    if (const auto list = found.lists.find(message); list != found.lists.end())
      return behind_blocks(body, list->second, sentence);
  }
  if (!found.messages) return fail(ErrorCode::invalid_argument, "the request has no messages");
  const auto at = found.messages->begin + 1;
  return Splice{at, at,
                R"({"role":"system","content":)" + json_string(sentence) + "}" +
                    (is_empty_list(body, *found.messages) ? "" : ",")};
}

}  // namespace gatehouse::gateway

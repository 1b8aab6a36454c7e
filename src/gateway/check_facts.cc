// What checks compare an answer with, read from the request's body before it is changed.
#include <algorithm>

#include "gateway/checks.h"
#include "schema/schema.h"

namespace gatehouse::gateway {
namespace {

using schema::Json;

// A text of the user this long is something to answer about, not the question.
constexpr std::size_t shortest_document = 400;

const Json& member(const Json& value, std::string_view key) {
  static const Json none;
  if (!value.is_object()) return none;
  const auto found = value.find(key);
  return found == value.end() ? none : *found;
}

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

// Every string below a value, one a line: the content of a tool's result in any shape.
void append_texts(const Json& value, std::string& out) {
  if (value.is_string()) out += value.get_ref<const std::string&>() + "\n";
  if (value.is_structured())
    for (const auto& part : value) append_texts(part, out);
}

void add_text(std::vector<std::string>& list, std::string text) {
  if (!text.empty()) list.push_back(std::move(text));
}

// Parts of a message: a string, or a list of blocks.
class MessageReader {
 public:
  explicit MessageReader(validate::RequestFacts& facts) : facts_(facts) {}

  void read(const Json& message) {
    const auto role = text_of(member(message, "role"));
    const auto& content = member(message, "content");
    if (role == "system" || role == "developer") return read_system(content);
    if (role == "tool" || role == "function") return add_source(content);
    if (text_of(member(message, "type")).ends_with("_output"))
      return add_source(member(message, "output"));
    if (role != "user") return;
    facts_.question.clear();
    if (content.is_string()) return read_user_text(content.get<std::string>());
    if (!content.is_array()) return;
    for (const auto& block : content) read_block(block);
  }

  // The input of the Responses API may be one text.
  void read_question(const Json& input) {
    if (input.is_string()) read_user_text(input.get<std::string>());
  }

  void read_system(const Json& content) {
    std::string text;
    if (content.is_string()) text = content.get<std::string>();
    if (content.is_array())
      for (const auto& block : content) text += text_of(member(block, "text")) + "\n";
    add_text(facts_.system_prompts, std::move(text));
  }

 private:
  void read_block(const Json& block) {
    const auto type = text_of(member(block, "type"));
    if (type == "text" || type == "input_text")
      return read_user_text(text_of(member(block, "text")));
    if (type.ends_with("_result")) return add_source(member(block, "content"));
    if (type == "document") add_source(member(member(block, "source"), "data"));
  }
  void read_user_text(std::string text) {
    if (text.size() >= shortest_document) {
      add_text(facts_.sources, std::move(text));
    } else {
      facts_.question += text + "\n";
    }
  }
  void add_source(const Json& content) {
    std::string text;
    append_texts(content, text);
    add_text(facts_.sources, std::move(text));
  }

  validate::RequestFacts& facts_;
};

void read_tool(const Json& tool, validate::RequestFacts& facts) {
  const auto& function = tool.contains("function") ? member(tool, "function") : tool;
  const auto& custom = member(tool, "custom");
  validate::OfferedTool offered;
  offered.name = text_of(member(custom.is_object() ? custom : function, "name"));
  offered.free_form = custom.is_object() || text_of(member(tool, "type")) == "custom";
  for (const auto* key : {"parameters", "input_schema"})
    if (const auto& parameters = member(function, key); parameters.is_object())
      offered.parameters = parameters.dump();
  // Anthropic's own tools are of type "custom" too, with a schema.
  if (!offered.parameters.empty()) offered.free_form = false;
  if (!offered.name.empty()) facts.tools.push_back(std::move(offered));
}

void read_format(const Json& format, validate::RequestFacts& facts) {
  const auto type = text_of(member(format, "type"));
  const auto& named = member(member(format, "json_schema"), "schema");
  const auto& schema = named.is_null() ? member(format, "schema") : named;
  if (type == "json_schema" && !schema.is_null()) facts.response_schema = schema.dump();
  if (type == "json_object") facts.response_schema = R"({"type":"object"})";
}

}  // namespace

Result<void> note_facts(Exchange& exchange) {
  GH_ASSIGN(const auto body, schema::parse_json(exchange.body));
  auto& facts = exchange.facts;
  MessageReader reader(facts);
  reader.read_system(member(body, "system"));
  reader.read_system(member(body, "instructions"));
  for (const auto* turns : {"messages", "input"})
    if (const auto& messages = member(body, turns); messages.is_array())
      for (const auto& message : messages) reader.read(message);
  reader.read_question(member(body, "input"));
  for (const auto* key : {"tools", "functions"})
    if (const auto& tools = member(body, key); tools.is_array())
      for (const auto& tool : tools)
        if (tool.is_object()) read_tool(tool, facts);
  read_format(member(body, "response_format"), facts);
  read_format(member(body, "output_format"), facts);
  read_format(member(member(body, "text"), "format"), facts);
  read_format(member(member(body, "output_config"), "format"), facts);
  return {};
}

}  // namespace gatehouse::gateway

// Reads request bodies of both dialects leniently where the providers are lenient (unknown members
// are ignored) and with their own error texts where they are not. Lives wherever it is called; owns
// nothing. Limits: 128 choices, 2,048 embedding inputs, 8 levels of tool schema.
#include "simulate/ask.h"

#include <nlohmann/json.hpp>

#include "simulate/tokens.h"

namespace gatehouse::simulate {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxChoices = 128;
constexpr std::size_t kMaxEmbeddingInputs = 2'048;
constexpr std::size_t kMaxDimensions = 4'096;
constexpr int kSchemaDepth = 8;

std::optional<Json> parse_object(std::string_view text) {
  if (nested_too_deeply(text)) return std::nullopt;
  Json parsed = Json::parse(text, nullptr, false);
  if (parsed.is_discarded() || !parsed.is_object()) return std::nullopt;
  return parsed;
}

const Json* member(const Json& object, std::string_view name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string string_member(const Json& object, std::string_view name) {
  const Json* value = member(object, name);
  return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

bool bool_member(const Json& object, std::string_view name, bool fallback) {
  const Json* value = member(object, name);
  return value != nullptr && value->is_boolean() ? value->get<bool>() : fallback;
}

std::optional<std::size_t> count_member(const Json& object, std::string_view name) {
  const Json* value = member(object, name);
  if (value == nullptr || !value->is_number_unsigned()) return std::nullopt;
  return value->get<std::size_t>();
}

void append_line(std::string& text, std::string_view more) {
  if (!text.empty()) text += '\n';
  text += more;
}

// The text parts of a `content` member: a string, or parts of which some are text.
std::string content_text(const Json* content) {
  if (content == nullptr) return "";
  if (content->is_string()) return content->get<std::string>();
  std::string text;
  if (content->is_array())
    for (const Json& part : *content)
      if (string_member(part, "type") == "text" || string_member(part, "type") == "input_text")
        append_line(text, string_member(part, "text"));
  return text;
}

// Anthropic: tool_result parts of a user message.
std::optional<std::string> tool_result_text(const Json* content) {
  if (content == nullptr || !content->is_array()) return std::nullopt;
  std::optional<std::string> text;
  for (const Json& part : *content) {
    if (string_member(part, "type") != "tool_result") continue;
    if (!text) text.emplace();
    append_line(*text, content_text(member(part, "content")));
  }
  return text;
}

void read_messages(const Json& messages, Ask& ask) {
  for (const Json& message : messages) {
    const std::string role = string_member(message, "role");
    const Json* content = member(message, "content");
    const std::string text = content_text(content);
    ask.prompt_tokens += count_tokens(text) + 3;
    ask.last_is_tool_result = false;
    if (role == "tool" || role == "function") {
      ask.last_is_tool_result = true;
      ask.last_tool_result = text;
    } else if (role == "user") {
      const auto result = tool_result_text(content);
      ask.last_is_tool_result = result.has_value();
      if (result) ask.last_tool_result = *result;
      if (!result || !text.empty()) ask.last_user_text = text;
    }
  }
}

// Items of the Responses API.
void read_items(const Json& input, Ask& ask) {
  if (input.is_string()) {
    ask.last_user_text = input.get<std::string>();
    ask.prompt_tokens += count_tokens(ask.last_user_text) + 3;
    return;
  }
  for (const Json& item : input) {
    if (!string_member(item, "type").ends_with("_output")) {
      read_messages(Json::array({item}), ask);
      continue;
    }
    ask.last_is_tool_result = true;
    ask.last_tool_result = content_text(member(item, "output"));
    ask.prompt_tokens += count_tokens(ask.last_tool_result) + 3;
  }
}

// A value that fits a JSON schema, with `text` wherever a string is free.
Json example_value(const Json& schema, const std::string& text, int depth) {
  if (const Json* allowed = member(schema, "enum");
      allowed && allowed->is_array() && !allowed->empty())
    return allowed->front();
  if (const Json* fixed = member(schema, "const")) return *fixed;
  std::string type = string_member(schema, "type");
  if (const Json* types = member(schema, "type"); types && types->is_array() && !types->empty())
    type = types->front().is_string() ? types->front().get<std::string>() : "";
  if (type == "integer" || type == "number") return 1;
  if (type == "boolean") return true;
  if (type == "null") return nullptr;
  if (type == "array") {
    const Json* items = member(schema, "items");
    if (items == nullptr || depth == 0) return Json::array();
    return Json::array({example_value(*items, text, depth - 1)});
  }
  const Json* properties = member(schema, "properties");
  if (type == "object" || properties != nullptr) {
    Json object = Json::object();
    if (properties != nullptr && properties->is_object() && depth > 0)
      for (const auto& [name, inner] : properties->items())
        object[name] = example_value(inner, text, depth - 1);
    return object;
  }
  return text;
}

std::string dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<OfferedTool> read_tool(const Json& tool, const std::string& text) {
  OfferedTool offered;
  if (const Json* function = member(tool, "function")) {  // OpenAI
    offered.name = string_member(*function, "name");
    const Json* schema = member(*function, "parameters");
    offered.arguments = schema ? dump(example_value(*schema, text, kSchemaDepth)) : "{}";
  } else if (const Json* custom = member(tool, "custom")) {
    offered.name = string_member(*custom, "name");
    offered.custom = true;
    offered.arguments = text;
  } else {  // Anthropic, and the Responses API
    offered.name = string_member(tool, "name");
    const Json* schema = member(tool, "input_schema");
    if (schema == nullptr) schema = member(tool, "parameters");
    offered.arguments = schema ? dump(example_value(*schema, text, kSchemaDepth)) : "{}";
  }
  if (offered.name.empty()) return std::nullopt;
  return offered;
}

void read_tools(const Json& body, Ask& ask) {
  const Json* choice = member(body, "tool_choice");
  const bool forbidden = choice != nullptr && ((choice->is_string() && *choice == "none") ||
                                               string_member(*choice, "type") == "none");
  ask.parallel_tools = bool_member(body, "parallel_tool_calls", true) &&
                       !(choice && bool_member(*choice, "disable_parallel_tool_use", false));
  const Json* tools = member(body, "tools");
  if (tools == nullptr || !tools->is_array()) return;
  ask.prompt_tokens += count_tokens(dump(*tools));
  if (forbidden) return;
  for (const Json& tool : *tools)
    if (auto offered = read_tool(tool, ask.last_user_text))
      ask.tools.push_back(std::move(*offered));
}

Fault missing(std::string_view name) {
  return {.status = 400,
          .type = "",
          .message = "Missing required parameter: '" + std::string(name) + "'.",
          .code = "missing_required_parameter",
          .param = std::string(name)};
}

Fault not_json(Dialect dialect) {
  return {.status = 400,
          .type = "",
          .message = dialect == Dialect::openai
                         ? "We could not parse the JSON body of your request."
                         : "The request body is not valid JSON.",
          .code = "",
          .param = ""};
}

void read_openai_options(const Json& body, Ask& ask) {
  ask.choices = count_member(body, "n").value_or(1);
  ask.max_tokens = count_member(body, "max_completion_tokens");
  if (!ask.max_tokens) ask.max_tokens = count_member(body, "max_tokens");
  if (const Json* options = member(body, "stream_options")) {
    ask.include_usage = bool_member(*options, "include_usage", false);
    ask.include_obfuscation = bool_member(*options, "include_obfuscation", true);
  }
}

void read_anthropic_options(const Json& body, Ask& ask) {
  ask.max_tokens = count_member(body, "max_tokens");
  if (const Json* thinking = member(body, "thinking"))
    ask.thinking = string_member(*thinking, "type") == "enabled";
  ask.prompt_tokens += count_tokens(content_text(member(body, "system")));
}

}  // namespace

Reading<Ask> read_ask(Dialect dialect, std::string_view text) {
  const std::optional<Json> parsed = parse_object(text);
  if (!parsed) return not_json(dialect);
  const Json& body = *parsed;
  Ask ask;
  ask.dialect = dialect;
  ask.model = string_member(body, "model");
  if (ask.model.empty()) return missing("model");
  const Json* messages = member(body, "messages");
  if (messages == nullptr || !messages->is_array() || messages->empty()) return missing("messages");
  ask.stream = bool_member(body, "stream", false);
  read_messages(*messages, ask);
  read_tools(body, ask);
  if (dialect == Dialect::openai)
    read_openai_options(body, ask);
  else
    read_anthropic_options(body, ask);
  if (ask.choices < 1 || ask.choices > kMaxChoices)
    return Fault{400, "", "Invalid 'n': expected a value from 1 to 128.", "invalid_value", "n"};
  ask.digest = fingerprint_hex(text);
  return ask;
}

Reading<Ask> read_responses_ask(std::string_view text) {
  const std::optional<Json> parsed = parse_object(text);
  if (!parsed) return not_json(Dialect::openai);
  const Json& body = *parsed;
  Ask ask;
  ask.responses = true;
  ask.model = string_member(body, "model");
  if (ask.model.empty()) return missing("model");
  const Json* input = member(body, "input");
  if (input == nullptr || !(input->is_string() || input->is_array())) return missing("input");
  ask.stream = bool_member(body, "stream", false);
  ask.prompt_tokens += count_tokens(string_member(body, "instructions"));
  read_items(*input, ask);
  read_tools(body, ask);
  ask.max_tokens = count_member(body, "max_output_tokens");
  if (const Json* options = member(body, "stream_options"))
    ask.include_obfuscation = bool_member(*options, "include_obfuscation", true);
  ask.digest = fingerprint_hex(text);
  return ask;
}

namespace {

// Strings as they are, arrays of token ids as their JSON text.
bool read_embedding_input(const Json& input, EmbeddingAsk& ask) {
  if (input.is_string()) {
    ask.inputs.push_back(input.get<std::string>());
  } else if (!input.is_array() || input.empty()) {
    return false;
  } else if (input.front().is_number_integer()) {
    ask.inputs.push_back(dump(input));
  } else {
    for (const Json& item : input)
      ask.inputs.push_back(item.is_string() ? item.get<std::string>() : dump(item));
  }
  return ask.inputs.size() <= kMaxEmbeddingInputs;
}

}  // namespace

Reading<EmbeddingAsk> read_embedding_ask(std::string_view text) {
  const std::optional<Json> parsed = parse_object(text);
  if (!parsed) return not_json(Dialect::openai);
  const Json& body = *parsed;
  EmbeddingAsk ask;
  ask.model = string_member(body, "model");
  if (ask.model.empty()) return missing("model");
  const Json* input = member(body, "input");
  if (input == nullptr) return missing("input");
  if (!read_embedding_input(*input, ask))
    return Fault{400, "", "'input' must be text, tokens, or a list of either.", "", "input"};
  ask.base64 = string_member(body, "encoding_format") == "base64";
  ask.dimensions = count_member(body, "dimensions").value_or(ask.dimensions);
  if (ask.dimensions < 1 || ask.dimensions > kMaxDimensions)
    return Fault{400, "", "Invalid 'dimensions'.", "invalid_value", "dimensions"};
  for (const std::string& one : ask.inputs) ask.prompt_tokens += count_tokens(one);
  return ask;
}

}  // namespace gatehouse::simulate

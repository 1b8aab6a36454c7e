// See message.h.
#include "mcp/message.h"

#include <algorithm>
#include <array>

namespace gatehouse::mcp {
namespace {

constexpr std::array<std::string_view, 4> legacy_versions{"2024-11-05", "2025-03-26", "2025-06-18",
                                                          newest_legacy_version};
constexpr std::size_t longest_id = 256;
constexpr std::size_t longest_method = 128;

std::unexpected<Error> no_message(std::string what) {
  return fail(ErrorCode::failed_precondition, std::move(what));
}

Result<std::string> read_id(const JsonView& id) {
  const bool fits = id.type() == JsonView::Type::string || id.type() == JsonView::Type::number;
  if (!fits) return no_message("\"id\" must be a string or a number");
  if (id.raw().size() > longest_id) return no_message("\"id\" is longer than 256 bytes");
  return std::string(id.raw());
}

Result<void> read_call(Message& message, const JsonView& method) {
  if (!method.is_string()) return no_message("\"method\" must be a string");
  message.method = method.text();
  if (message.method.empty() || message.method.size() > longest_method)
    return no_message("\"method\" must have 1 to 128 bytes");
  message.params = message.body.find("params");
  if (!message.params) return {};
  if (!message.params->is_object()) return no_message("\"params\" must be an object");
  message.meta = message.params->find("_meta");
  if (message.meta && !message.meta->is_object())
    return no_message("\"params._meta\" must be an object");
  message.name = message.params->find_text("name").value_or("");
  message.uri = message.params->find_text("uri").value_or("");
  return {};
}

}  // namespace

std::string_view to_string(Era era) {
  return era == Era::legacy ? "legacy" : "modern";
}

std::optional<Era> era_of(std::string_view version) {
  if (version == modern_version) return Era::modern;
  if (std::ranges::find(legacy_versions, version) != legacy_versions.end()) return Era::legacy;
  return std::nullopt;
}

std::string Message::meta_version() const {
  return meta ? meta->find_text(mcp::meta_version).value_or("") : "";
}

std::optional<std::string> Message::header_name() const {
  if (method == "tools/call" || method == "prompts/get") return name;
  if (method == "resources/read") return uri;
  return std::nullopt;
}

Result<Message> read_message(std::string_view text) {
  GH_ASSIGN(const JsonView body, JsonView::parse(text));
  if (body.is_array()) return no_message("batches are not served; send one message at a time");
  if (!body.is_object()) return no_message("a message is a JSON object");
  if (body.find_text("jsonrpc") != "2.0") return no_message("\"jsonrpc\" must be \"2.0\"");
  Message message{.kind = Message::Kind::request,
                  .body = body,
                  .id = {},
                  .method = {},
                  .params = {},
                  .meta = {},
                  .name = {},
                  .uri = {}};
  const auto id = body.find("id");
  const auto method = body.find("method");
  const auto result = body.find("result");
  const auto error = body.find("error");
  if ((method ? 1 : 0) + (result ? 1 : 0) + (error ? 1 : 0) != 1)
    return no_message("a message has one of \"method\", \"result\" and \"error\"");
  const bool no_id = !id || (error && id->type() == JsonView::Type::null);
  if (!no_id) {
    GH_ASSIGN(message.id, read_id(*id));
  }
  if (method) {
    message.kind = no_id ? Message::Kind::notification : Message::Kind::request;
    GH_TRY(read_call(message, *method));
    return message;
  }
  message.kind = result ? Message::Kind::result : Message::Kind::error;
  if (result && no_id) return no_message("a result needs an \"id\"");
  if (error && !error->is_object()) return no_message("\"error\" must be an object");
  return message;
}

bool same_id(std::string_view a, std::string_view b) {
  if (a == b) return true;
  if (a.size() < 2 || b.size() < 2 || a.front() != '"' || b.front() != '"') return false;
  const auto first = decode_json_string(a.substr(1, a.size() - 2));
  const auto second = decode_json_string(b.substr(1, b.size() - 2));
  return first && second && *first == *second;
}

std::string error_message(std::string_view id, int code, std::string_view text,
                          std::string_view data) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("jsonrpc").string("2.0").key("id").raw(id.empty() ? "null" : id);
  json.key("error").begin_object().key("code").number(code).key("message").string(text);
  if (!data.empty()) json.key("data").raw(data);
  json.end_object().end_object();
  return out;
}

std::string result_message(std::string_view id, std::string_view result) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("jsonrpc").string("2.0").key("id").raw(id);
  json.key("result").raw(result).end_object();
  return out;
}

bool is_tool_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  return !name.empty() && name.size() <= 128 && std::ranges::all_of(name, fits);
}

}  // namespace gatehouse::mcp

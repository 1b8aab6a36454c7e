// See headers.h.
#include "mcp/headers.h"

#include <algorithm>

#include "base/text.h"

namespace gatehouse::mcp {
namespace {

constexpr std::string_view sentinel_begin = "=?base64?";
constexpr std::string_view sentinel_end = "?=";
constexpr std::size_t most_parameters = 64;
constexpr std::size_t deepest = 8;

bool is_plain(std::string_view value) {
  if (value.empty() || value.front() == ' ' || value.back() == ' ') return false;
  if (value.starts_with(sentinel_begin) && value.ends_with(sentinel_end)) return false;
  return std::ranges::all_of(value, [](char c) { return c >= 0x20 && c < 0x7f; });
}

bool is_header_token(std::string_view name) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           marks.contains(c);
  });
}

void collect(const JsonView& schema, std::vector<std::string>& path,
             std::vector<ParameterHeader>& found) {
  const auto properties = schema.find("properties");
  if (!properties || path.size() == deepest) return;
  for (const auto& [key, token, value] : properties->members()) {
    if (found.size() == most_parameters) return;
    path.push_back(key);
    const auto header = value.find_text("x-mcp-header");
    if (header && is_header_token(*header)) found.push_back({*header, path});
    collect(value, path, found);
    path.pop_back();
  }
}

std::optional<std::string> expected_value(const Message& message,
                                          const ParameterHeader& parameter) {
  auto value = message.params ? message.params->find("arguments") : std::nullopt;
  for (const auto& step : parameter.path) {
    if (!value) return std::nullopt;
    value = value->find(step);
  }
  return value ? header_text(*value) : std::nullopt;
}

std::string differs(std::string_view header, std::string_view what) {
  return "Header mismatch: " + std::string(header) + " " + std::string(what);
}

// "" when the header says `expected`.
std::string compare(const net::Fields& fields, const std::string& header,
                    std::string_view expected) {
  std::size_t count = 0;
  for (const auto& field : fields.all()) count += equals_ignoring_case(field.name, header) ? 1 : 0;
  if (count == 0) return differs(header, "is missing");
  if (count > 1) return differs(header, "is there more than once");
  const auto value = decode_header_value(trim(*fields.find(header)));
  if (!value) return differs(header, "cannot be decoded");
  if (*value != expected) return differs(header, "does not say what the body says");
  return {};
}

}  // namespace

std::vector<ParameterHeader> parameter_headers(const JsonView& input_schema) {
  std::vector<ParameterHeader> found;
  std::vector<std::string> path;
  collect(input_schema, path, found);
  return found;
}

bool is_session_id(std::string_view id) {
  return !id.empty() && std::ranges::all_of(id, [](char c) { return c >= 0x21 && c <= 0x7e; });
}

std::string encode_header_value(std::string_view value) {
  if (is_plain(value)) return std::string(value);
  return std::string(sentinel_begin) + to_base64(bytes_of(value)) + std::string(sentinel_end);
}

Result<std::string> decode_header_value(std::string_view value) {
  if (!value.starts_with(sentinel_begin) || !value.ends_with(sentinel_end) ||
      value.size() < sentinel_begin.size() + sentinel_end.size())
    return std::string(value);
  value.remove_prefix(sentinel_begin.size());
  value.remove_suffix(sentinel_end.size());
  GH_ASSIGN(auto decoded, from_base64(value));
  if (!is_utf8(decoded)) return fail(ErrorCode::invalid_argument, "not UTF-8");
  return decoded;
}

std::optional<std::string> header_text(const JsonView& value) {
  switch (value.type()) {
    case JsonView::Type::string:
      return value.text();
    case JsonView::Type::boolean:
    case JsonView::Type::number:
      return std::string(value.raw());
    default:
      return std::nullopt;
  }
}

std::string header_mismatch(const net::Fields& fields, const Message& message,
                            const std::vector<ParameterHeader>& parameters) {
  if (auto wrong = compare(fields, "MCP-Protocol-Version", message.meta_version()); !wrong.empty())
    return wrong;
  if (auto wrong = compare(fields, "Mcp-Method", message.method); !wrong.empty()) return wrong;
  const auto name = message.header_name();
  if (name) {
    if (auto wrong = compare(fields, "Mcp-Name", *name); !wrong.empty()) return wrong;
  }
  for (const auto& parameter : parameters) {
    const std::string header = "Mcp-Param-" + parameter.header;
    const auto expected = expected_value(message, parameter);
    if (!expected && !fields.contains(header)) continue;
    if (!expected) return differs(header, "is there, and the body has no such value");
    if (auto wrong = compare(fields, header, *expected); !wrong.empty()) return wrong;
  }
  return {};
}

void set_headers(net::Fields& fields, const Message& message,
                 const std::vector<ParameterHeader>& parameters) {
  fields.set("MCP-Protocol-Version", std::string(modern_version));
  fields.set("Mcp-Method", encode_header_value(message.method));
  if (const auto name = message.header_name()) fields.set("Mcp-Name", encode_header_value(*name));
  for (const auto& parameter : parameters)
    if (const auto value = expected_value(message, parameter))
      fields.set("Mcp-Param-" + parameter.header, encode_header_value(*value));
}

}  // namespace gatehouse::mcp

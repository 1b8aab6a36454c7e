// The rules of HTTP headers of the modern era (2026-07-28, basic/transports): headers repeat what
// the body says, so that an intermediary may go by them; where they differ, nobody may.
//
// A value that is no plain visible ASCII stands as "=?base64?…?=".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "mcp/message.h"
#include "net/http.h"

namespace gatehouse::mcp {

// Mcp-Param-… for one member of a tool's arguments: "x-mcp-header" in its input schema.
struct ParameterHeader {
  std::string header;             // what follows "Mcp-Param-"
  std::vector<std::string> path;  // of the member below `arguments`
};

// Those of one input schema. A property is reached over "properties" alone; other annotations do
// not count. Bounded: at most 64, eight levels deep.
std::vector<ParameterHeader> parameter_headers(const JsonView& input_schema);

// Whether an Mcp-Session-Id is one: visible ASCII, 0x21 to 0x7E.
bool is_session_id(std::string_view id);

std::string encode_header_value(std::string_view value);
// Error: the sentinel is there and its inside is no canonical base64 of UTF-8.
Result<std::string> decode_header_value(std::string_view value);

// How a value stands in its header: strings as they are, true and false, integers in decimal.
// None for what has no header (absent, null, another type).
std::optional<std::string> header_text(const JsonView& value);

// What is wrong with a modern request, in words; "" when nothing is. `parameters` are those of the
// tool that tools/call names, as far as they are known.
std::string header_mismatch(const net::Fields& fields, const Message& message,
                            const std::vector<ParameterHeader>& parameters);

// Sets the modern headers for a message that is about to leave.
void set_headers(net::Fields& fields, const Message& message,
                 const std::vector<ParameterHeader>& parameters);

}  // namespace gatehouse::mcp

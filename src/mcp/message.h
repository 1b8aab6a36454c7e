// One message of the Model Context Protocol: JSON-RPC 2.0 as both eras use it. The reader is exact:
// what it does not understand for certain is refused, since the peer may understand it otherwise.
//
// Eras. Legacy: revisions up to 2025-11-25, with `initialize` and sessions. Modern: 2026-07-28,
// stateless; each request says its version and the client's capabilities in params._meta.
// Source: modelcontextprotocol.io/specification, revisions 2025-11-25 and 2026-07-28.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "mcp/json_view.h"

namespace gatehouse::mcp {

enum class Era : std::uint8_t { legacy, modern };
std::string_view to_string(Era era);

inline constexpr std::string_view modern_version = "2026-07-28";
inline constexpr std::string_view newest_legacy_version = "2025-11-25";
// What a legacy request without the version header speaks.
inline constexpr std::string_view assumed_version = "2025-03-26";
// The era of a revision; none: one this program does not know.
std::optional<Era> era_of(std::string_view version);

inline constexpr std::string_view meta_version = "io.modelcontextprotocol/protocolVersion";
inline constexpr std::string_view meta_capabilities = "io.modelcontextprotocol/clientCapabilities";
inline constexpr std::string_view meta_client = "io.modelcontextprotocol/clientInfo";

// Codes of JSON-RPC and of the protocol.
enum class Code : int {
  parse_error = -32700,
  invalid_request = -32600,
  method_not_found = -32601,
  invalid_params = -32602,
  internal_error = -32603,
  header_mismatch = -32020,
  missing_capability = -32021,
  unsupported_version = -32022,
  // Ours, outside of what JSON-RPC keeps for itself.
  refused_by_policy = -31403,
  unauthenticated = -31401,
  upstream_failed = -31502,
};

struct Message {
  enum class Kind : std::uint8_t { request, notification, result, error };
  Kind kind = Kind::request;
  JsonView body;
  std::string id;  // as it stands: a string with its quotes, or a number; "" where there is none
  std::string method;              // of a request or a notification
  std::optional<JsonView> params;  // an object
  std::optional<JsonView> meta;    // params._meta, an object
  std::string name;                // params.name, of tools/call and prompts/get
  std::string uri;                 // params.uri, of resources/*

  // The version in params._meta; "" where there is none.
  std::string meta_version() const;
  // What Mcp-Name must repeat: params.name or params.uri of the methods that have one.
  std::optional<std::string> header_name() const;
};

// `text` must outlive the message. Errors: invalid_argument (no JSON: -32700);
// failed_precondition (JSON, but no message: -32600).
Result<Message> read_message(std::string_view text);

// Whether two ids as they stand are the same: of strings, however they are escaped.
bool same_id(std::string_view a, std::string_view b);

// {"jsonrpc":"2.0","id":…,"error":{"code":…,"message":…,"data":…}}; `id` as it stands, "" for null;
// `data` JSON, "" for none.
std::string error_message(std::string_view id, int code, std::string_view text,
                          std::string_view data = {});
std::string result_message(std::string_view id, std::string_view result);

// Names of tools: 1 to 128 of A-Z a-z 0-9 _ - .
bool is_tool_name(std::string_view name);

}  // namespace gatehouse::mcp

// What a client sent: where it came from, which era it speaks, whether headers and body agree, and
// which message it is. Everything is settled here before anything is looked into.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "gateway/body_error.h"
#include "gateway/mcp_call.h"
#include "gateway/stages.h"
#include "mcp/headers.h"

namespace gatehouse::gateway {
namespace {

using mcp::Code;

// "localhost", "127.0.0.1", "::1"; a port may follow.
bool is_this_machine(std::string_view authority) {
  if (authority.starts_with('[')) {
    authority = authority.substr(0, authority.find(']') + 1);
  } else if (const auto colon = authority.rfind(':'); colon != std::string_view::npos) {
    authority = authority.substr(0, colon);
  }
  constexpr std::array<std::string_view, 4> names{"localhost", "127.0.0.1", "[::1]", "::1"};
  return std::ranges::any_of(
      names, [&](std::string_view name) { return equals_ignoring_case(name, authority); });
}

bool listens_on_loopback(const Config& config) {
  return config.listen.host == "127.0.0.1" || config.listen.host == "::1";
}

std::string_view authority_of(std::string_view url) {
  const auto begin = url.find("://");
  if (begin == std::string_view::npos) return {};
  const auto rest = url.substr(begin + 3);
  return rest.substr(0, rest.find('/'));
}

// Scheme and authority of a URL.
std::string_view origin_of(std::string_view url) {
  const auto begin = url.find("://");
  return begin == std::string_view::npos ? std::string_view()
                                         : url.substr(0, url.find('/', begin + 3));
}

bool is_allowed_origin(const Exchange& exchange, std::string_view origin) {
  const auto& config = *exchange.snapshot->config;
  if (std::ranges::find(config.mcp.allowed_origins, origin) != config.mcp.allowed_origins.end())
    return true;
  const auto own = origin_of(config.identity.resource);
  if (!own.empty() && origin == own) return true;
  return is_this_machine(authority_of(origin)) && listens_on_loopback(config);
}

std::string quoted_versions() {
  return "[\"" + std::string(mcp::modern_version) + "\"]";
}

std::unexpected<McpRefusal> unsupported(std::string_view requested) {
  return mcp_refuse(Problem::bad_request, 400, Code::unsupported_version,
                    "Unsupported protocol version",
                    R"({"supported":)" + quoted_versions() + R"(,"requested":)" +
                        json_string(utf8_prefix(requested, 64)) + "}");
}

// Required of every modern request; of notifications only what they have.
McpVerdict check_modern(const Exchange& exchange, McpCall& call) {
  const auto& message = *call.message;
  const bool request = message.kind == mcp::Message::Kind::request;
  const auto version = message.meta_version();
  const auto capabilities =
      message.meta ? message.meta->find(mcp::meta_capabilities) : std::nullopt;
  if (request && (version.empty() || !capabilities || !capabilities->is_object()))
    return mcp_refuse(Problem::bad_request, 400, Code::invalid_params,
                      "params._meta needs \"io.modelcontextprotocol/protocolVersion\" and "
                      "\"io.modelcontextprotocol/clientCapabilities\"");
  if (!request && version.empty()) return {};
  const auto parameters = call.listed ? call.listed->headers : std::vector<mcp::ParameterHeader>();
  if (auto wrong = mcp::header_mismatch(exchange.head->fields, message, parameters); !wrong.empty())
    return mcp_refuse(Problem::bad_request, 400, Code::header_mismatch, std::move(wrong));
  if (version != mcp::modern_version) return unsupported(version);
  return {};
}

// A session is needed for everything but the message that makes one, where sessions are made.
McpVerdict check_legacy(const Worker& worker, const Exchange& exchange, McpCall& call) {
  const auto version = exchange.head->fields.find("mcp-protocol-version");
  if (version && mcp::era_of(*version) != mcp::Era::legacy) return unsupported(*version);
  call.version = version.value_or(mcp::assumed_version);
  const auto id = exchange.head->fields.find("mcp-session-id");
  if (!id) return {};
  call.session = open_mcp_session(worker, exchange, call, *id);
  // The client makes a new one then. The same answer for one that is another's.
  if (!call.session)
    return mcp_refuse(Problem::bad_request, 404, Code::invalid_request, "Session not found");
  if (!version) call.version = call.session->version;
  return {};
}

mcp::Era era_of(const Exchange& exchange, const McpCall& call) {
  const auto header = exchange.head->fields.find("mcp-protocol-version");
  const bool in_body = call.message && call.message->meta && !call.message->meta_version().empty();
  if (in_body) return mcp::Era::modern;
  if (!header) return mcp::Era::legacy;
  // A revision nobody knows is not an old one.
  return mcp::era_of(*header) == mcp::Era::legacy ? mcp::Era::legacy : mcp::Era::modern;
}

bool accepts_json_body(const net::RequestHead& head) {
  const auto type = head.fields.find("content-type").value_or("");
  return equals_ignoring_case(trim(type.substr(0, type.find(';'))), "application/json") &&
         !head.fields.contains("content-encoding");
}

// Mcp-Param-… of tools nobody knows go on to the server; they are texts of the call.
void add_header_texts(Exchange& exchange) {
  constexpr std::string_view beginning = "mcp-param-";
  for (const auto& field : exchange.head->fields.all()) {
    if (!equals_ignoring_case(field.name.substr(0, beginning.size()), beginning)) continue;
    auto value = mcp::decode_header_value(field.value);
    const auto& text = exchange.decoded.emplace_back(value ? *value : field.value);
    exchange.channels.push_back({{}, text, TextRole::fixed, false});
  }
}

std::string key_of_session(const Exchange& exchange, const McpCall& call) {
  std::string key(identity::to_string(exchange.principal.kind));
  key += '\0' + exchange.principal.id + '\0';
  // A legacy session is its own, and a modern client is one session for as long as it is
  // remembered.
  return key + (call.session ? "s:" + call.session->name : std::string("p:"));
}

// What a client may ask and say. What a method brings back is inspected and decided as what it is,
// so one nobody knows is not passed on.
constexpr std::array<std::string_view, 15> served_requests{"initialize",
                                                           "ping",
                                                           "server/discover",
                                                           "tools/list",
                                                           "tools/call",
                                                           "resources/list",
                                                           "resources/read",
                                                           "prompts/list",
                                                           "resources/templates/list",
                                                           "prompts/get",
                                                           "logging/setLevel",
                                                           "resources/subscribe",
                                                           "completion/complete",
                                                           "resources/unsubscribe",
                                                           "subscriptions/listen"};
constexpr std::array<std::string_view, 4> served_notifications{
    "notifications/initialized", "notifications/cancelled", "notifications/progress",
    "notifications/roots/list_changed"};

bool is_served(const mcp::Message& message) {
  if (message.kind == mcp::Message::Kind::request)
    return std::ranges::find(served_requests, message.method) != served_requests.end();
  if (message.kind == mcp::Message::Kind::notification)
    return std::ranges::find(served_notifications, message.method) != served_notifications.end();
  return true;
}

// A result that is fetched later would be fetched outside of its call: undecided as that tool, and
// by whoever the server takes for its owner, which is this gateway for all callers.
McpVerdict check_method(const McpCall& call) {
  const auto& message = *call.message;
  const bool modern = call.era == mcp::Era::modern;
  const int unknown = message.kind == mcp::Message::Kind::notification ? 400 : modern ? 404 : 200;
  if (message.method.starts_with("tasks/") || message.method == "notifications/tasks/status")
    return mcp_refuse(Problem::bad_request, unknown, Code::method_not_found,
                      "Method not found: tasks are not served here. Call the tool without "
                      "\"task\"; its result comes with the answer.");
  if (!is_served(message))
    return mcp_refuse(Problem::bad_request, unknown, Code::method_not_found, "Method not found");
  if (message.params && message.params->find("task"))
    return mcp_refuse(Problem::bad_request, modern ? 400 : 200, Code::invalid_params,
                      "Tasks are not served here. Call the tool without \"task\"; its result "
                      "comes with the answer.");
  return {};
}

}  // namespace

McpVerdict check_mcp_origin(const Exchange& exchange) {
  const auto& fields = exchange.head->fields;
  const auto origin = fields.find("origin");
  const auto host = fields.find("host").value_or("");
  const auto& config = *exchange.snapshot->config;
  const bool strange_host = listens_on_loopback(config) && !is_this_machine(host) &&
                            host != authority_of(config.identity.resource);
  if (strange_host || (origin && !is_allowed_origin(exchange, *origin)))
    return mcp_refuse(Problem::blocked, 403, Code::invalid_request,
                      "This origin or host is not allowed here; mcp.allowed_origins lists those "
                      "that are.");
  return {};
}

net::Task<McpVerdict> read_mcp_request(Worker& worker, net::ServerStream& client,
                                       Exchange& exchange, McpCall& call) {
  const auto& head = *exchange.head;
  if (head.method == "POST") {
    if (!accepts_json_body(head))
      co_return mcp_refuse(Problem::bad_request, 415, Code::invalid_request,
                           "Send the message with Content-Type: application/json, uncompressed.");
    auto body = co_await client.read_body(exchange.snapshot->config->mcp.message_bytes);
    if (!body) co_return std::unexpected(mcp_refusal(body_error(body.error())));
    exchange.body = std::move(*body);
    // The walker may give the body more room, so nothing looks into it before.
    if (auto json = mcp::JsonView::parse(exchange.body); !json)
      co_return mcp_refuse(Problem::bad_request, 400, Code::parse_error,
                           "Parse error: " + json.error().describe());
    if (auto found = find_mcp_texts(worker.walker, exchange); !found)
      co_return mcp_refuse(Problem::bad_request, 400, Code::invalid_request,
                           found.error().describe());
    auto message = mcp::read_message(exchange.body);
    if (!message)
      co_return mcp_refuse(Problem::bad_request, 400, Code::invalid_request,
                           message.error().describe());
    call.message = std::move(*message);
  }
  add_header_texts(exchange);
  call.era = era_of(exchange, call);
  if (call.message) GH_MCP(check_method(call));
  if (call.message) GH_MCP(find_target(worker, exchange, call));
  if (call.era == mcp::Era::modern) {
    call.version = mcp::modern_version;
    if (head.method != "POST")
      co_return mcp_refuse(Problem::method_not_allowed, 405, Code::invalid_request,
                           "Only POST is served in this revision.");
    GH_MCP(check_modern(exchange, call));
  } else {
    GH_MCP(check_legacy(worker, exchange, call));
  }
  // Chat traffic and tool traffic of one conversation join by the name the client gives it.
  if (auto named = name_session(worker, exchange); !named)
    co_return std::unexpected(mcp_refusal(named.error()));
  call.session_key = exchange.session_id;
  if (call.session_key.empty())
    call.session_key = to_hex(crypto::hmac_sha256(worker.control.keys().session_id,
                                                  bytes_of(key_of_session(exchange, call))));
  co_return McpVerdict{};
}

}  // namespace gatehouse::gateway

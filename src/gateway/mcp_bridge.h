// Where client and server are not of one era, or the server is no HTTP server, or the client
// asks all servers at once: the gateway is a client of its own towards the server. Between the two
// stands a neutral call: method and params without what only one era has, answered with results as
// the modern era has them.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/mcp_upstream.h"

namespace gatehouse::gateway {

struct McpNeutral {
  std::string id;  // as it stands; of the client's request
  std::string method;
  std::string params;        // JSON object
  std::string capabilities;  // of the client, JSON object
};

// Sends it in the era the server speaks.
net::Task<McpSent> send_neutral(Worker& worker, net::ServerStream& client, Exchange& exchange,
                                McpCall& call, const McpServerConfig& server, McpNeutral neutral);

// The answer's one result, errors as a refusal: for what the gateway asks on its own account.
net::Task<std::expected<std::string, McpRefusal>> ask_neutral(
    Worker& worker, net::ServerStream& client, Exchange& exchange, McpCall& call,
    const McpServerConfig& server, std::string_view method, std::string params);

// What a server says of itself: a DiscoverResult (JSON), whatever it speaks.
net::Task<std::expected<std::string, McpRefusal>> describe_server(Worker& worker,
                                                                  net::ServerStream& client,
                                                                  Exchange& exchange, McpCall& call,
                                                                  const McpServerConfig& server);

// Whether a call can go to its server as it is.
net::Task<bool> speaks_the_same(Worker& worker, net::ServerStream& client, Exchange& exchange,
                                McpCall& call);

// The parts of a server that are served across the bridge, each without what would need a stream of
// its own (listChanged, subscribe).
inline constexpr std::array<std::string_view, 4> bridged_parts{"tools", "prompts", "resources",
                                                               "completions"};
std::string served_capabilities(const std::optional<mcp::JsonView>& stated);

// params without the members of _meta that say version, client and capabilities; `keep_meta` false
// where nothing else is in it.
std::string without_protocol_meta(const std::optional<mcp::JsonView>& params);
// JSON of an object with a member set.
std::string with_member(std::string_view object, std::string_view key, std::string_view json);

}  // namespace gatehouse::gateway

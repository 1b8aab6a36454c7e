// Servers of the Model Context Protocol, as the gateway meets them: a message goes out, the answer
// comes back message by message, over whichever transport. Loop thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/mcp_call.h"

namespace gatehouse::gateway {

// One message of an answer. Of an event that carries none (a comment, an id to resume from) there
// is only the event.
struct McpPiece {
  std::string message;  // JSON; empty: none
  std::string event;  // the server-sent event as it came, its blank line included; empty: made here
  std::string event_id;
};

// The answer to one message.
class McpReply {
 public:
  virtual ~McpReply() = default;
  int status = 200;
  bool streams = false;     // text/event-stream
  bool has_body = true;     // false: 202 and the like
  std::string session;      // the server's Mcp-Session-Id
  std::string retry_after;  // passed on
  // Nothing: the end. Errors: data_loss, deadline_exceeded, cancelled; invalid_argument where the
  // server's bytes are no messages.
  virtual net::Task<Result<std::optional<McpPiece>>> next() = 0;
};
using McpReplyPtr = std::unique_ptr<McpReply>;
using McpSent = std::expected<McpReplyPtr, McpRefusal>;

// What goes to a server over HTTP.
struct McpOutgoing {
  std::string method = "POST";
  std::string body;
  net::Fields fields;  // without credential, Accept-Encoding, Content-Type
};

// Sends it. `cancel` ends the request when the client goes; it must outlive the reply.
net::Task<McpSent> send_http(Worker& worker, const Exchange& exchange,
                             const McpServerConfig& server, McpOutgoing outgoing,
                             net::CancelSource* cancel);

// The credential the configuration has for it, into a head.
void set_mcp_credential(const McpServerConfig& server, net::Fields& fields);
// Folders that processes started here must not see.
std::vector<std::filesystem::path> mcp_hidden(const Config& config);

McpRefusal mcp_upstream_problem(const Exchange& exchange, std::string_view server,
                                const Error& error);

}  // namespace gatehouse::gateway

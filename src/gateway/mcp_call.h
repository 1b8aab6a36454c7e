// One call over the Model Context Protocol on its way through the gateway: what is known besides
// the Exchange. Lives in the coroutine of its request.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config_mcp.h"
#include "gateway/exchange.h"
#include "gateway/mcp_desk.h"
#include "gateway/problem.h"
#include "gateway/tool_question.h"
#include "gateway/worker.h"
#include "mcp/catalogue.h"
#include "mcp/message.h"
#include "net/server.h"
#include "net/task.h"

namespace gatehouse::gateway {

// Why a call ends here, as a client of this protocol is told.
struct McpRefusal {
  Problem problem = Problem::internal;
  int status = 500;  // of HTTP
  int code = static_cast<int>(mcp::Code::internal_error);
  std::string message;
  std::string data;                // JSON; empty: none
  bool as_result = false;          // a tool's result that is an error: the model reads it
  std::string result;              // JSON; stands in the place of that result
  std::vector<net::Field> fields;  // of the answer's head
};
using McpVerdict = std::expected<void, McpRefusal>;

McpRefusal mcp_refusal(const ApiError& error);
std::unexpected<McpRefusal> mcp_refuse(Problem problem, int status, mcp::Code code,
                                       std::string message, std::string data = {});

#define GH_MCP(expression)                                        \
  do {                                                            \
    if (auto gh_verdict = (expression); !gh_verdict) [[unlikely]] \
      co_return std::unexpected(std::move(gh_verdict).error());   \
  } while (false)

// What a session id of ours stands for. The id is this, sealed for the principal and the path: any
// node can open it, nobody else can use it.
struct McpSession {
  std::string version;       // agreed with the client
  std::string capabilities;  // of the client, JSON
  std::string client;        // its clientInfo, JSON
  // The session at each server: name -> its id; empty where the server made none.
  std::map<std::string, std::string, std::less<>> at;
  std::string name;  // random: the session, for what is remembered of it
};

struct McpCall {
  const McpServerConfig* server = nullptr;  // null: all of them, /mcp
  std::string path;                         // "/mcp/docs"
  const McpServerConfig* target = nullptr;  // the one this call goes to; null: all of them
  std::string subject_server;               // its name; "*": all
  mcp::Era era = mcp::Era::legacy;
  std::string version;                  // spoken by the client
  std::optional<mcp::Message> message;  // of a POST; looks into Exchange::body
  std::string outgoing;                 // the body that leaves, once obligations are met
  std::optional<McpSession> session;
  std::string session_key;  // by which is remembered what the session has seen

  // Of tools/call.
  std::string tool;           // as its server calls it
  std::string upstream_name;  // of a tool, a prompt or a resource, as its server calls it
  std::shared_ptr<const mcp::Catalogue::Listed> listed;
  mcp::Standing standing = mcp::Standing::unreviewed;
  bool declared_trusted = false;
  ToolRuling ruling;            // of policy
  bool left_in_answer = false;  // of this conversation (decided_calls.h)
  std::string approval;         // that it waits for, or that it used
  bool continued = false;       // sent again after its client was told what it waits for

  int error_code = 0;  // of the JSON-RPC error that was answered
  std::size_t hidden_tools = 0;
  bool replayed = false;  // it has answers to earlier calls, where a stream is resumed
  bool tainted = false;   // what it brought counts for its session
  Label answer_label;
  policy::RiskValues answer_risk;  // of what servers said
};

// mcp_walk.cc: whether a path is one of ours, and the way of a request for it.
bool is_mcp_path(std::string_view path);
net::Task<void> walk_mcp(Worker& worker, net::ServerStream& client, Exchange& exchange);

// mcp_request.cc: origin, era, headers, message.
McpVerdict check_mcp_origin(const Exchange& exchange);
net::Task<McpVerdict> read_mcp_request(Worker& worker, net::ServerStream& client,
                                       Exchange& exchange, McpCall& call);

// mcp_session.cc
std::string seal_mcp_session(const Worker& worker, const Exchange& exchange, const McpCall& call,
                             const McpSession& session);
std::optional<McpSession> open_mcp_session(const Worker& worker, const Exchange& exchange,
                                           const McpCall& call, std::string_view sealed);

// mcp_texts.cc: the channels of a message.
Result<void> find_mcp_texts(JsonWalker& walker, Exchange& exchange);
// Filters the texts of a message that came from a server; notes what was found.
Result<void> screen_mcp_texts(Worker& worker, Exchange& exchange, McpCall& call,
                              std::string& message);

// mcp_decide.cc: policy is asked; the plan follows.
McpVerdict decide_mcp(const Worker& worker, Exchange& exchange, McpCall& call);
// mcp_approval.cc: uses the approval of a call that policy holds, or asks for one.
net::Task<McpVerdict> await_approval(Worker& worker, Exchange& exchange, McpCall& call);
// A message without what only the gateway had asked for.
std::string without_continuation(std::string_view body);
// Charges a call that policy permits to the limits it is under.
McpVerdict admit_mcp(Worker& worker, Exchange& exchange, const McpCall& call);
// Whether this principal may see a tool of this server.
bool may_see_tool(const Worker& worker, const Exchange& exchange, const McpCall& call,
                  std::string_view server, std::string_view tool, bool reviewed);

// mcp_record.cc: events mcp.call.*
net::Task<McpVerdict> record_mcp_decision(Worker& worker, Exchange& exchange, McpCall& call);
net::Task<McpVerdict> record_mcp_refusal(Worker& worker, Exchange& exchange, McpCall& call,
                                         const McpRefusal& refusal);
net::Task<McpVerdict> record_mcp_outcome(Worker& worker, Exchange& exchange, McpCall& call);
// What a server said is from now on part of what the session has seen, on disk too. With the
// outcome at the latest; earlier where something of the answer leaves before.
net::Task<McpVerdict> taint_session(Worker& worker, Exchange& exchange, McpCall& call);

// mcp_hub.cc: calls that cannot go to their server as they came: to all servers at once, or to one
// that speaks otherwise than the client. Finds where a call on /mcp goes; names without it.
McpVerdict find_target(const Worker& worker, const Exchange& exchange, McpCall& call);
net::Task<McpVerdict> serve_bridged(Worker& worker, net::ServerStream& client, Exchange& exchange,
                                    McpCall& call);

// mcp_transform.cc: obligations on what leaves.
McpVerdict transform_mcp(Exchange& exchange, McpCall& call);

// mcp_tools.cc: what a list of tools does to the catalogue, and what of it this principal sees.
// `result` is the list as it came; gives the list as it leaves, `prefix` in front of names.
net::Task<Result<std::string>> filter_tool_list(Worker& worker, Exchange& exchange, McpCall& call,
                                                const McpServerConfig& server, std::string result,
                                                std::string_view prefix);

// mcp_relay.cc: the answer of a server, message by message, to the client.
class McpReply;
net::Task<McpVerdict> relay_mcp(Worker& worker, net::ServerStream& client, Exchange& exchange,
                                McpCall& call, std::unique_ptr<McpReply> reply);
net::ResponseHead mcp_head(const Exchange& exchange, int status, std::string_view content_type);
// The end of a call that needs nothing of a server: recorded, then sent.
net::Task<McpVerdict> respond_mcp(Worker& worker, net::ServerStream& client, Exchange& exchange,
                                  McpCall& call, net::ResponseHead head, std::string body);

}  // namespace gatehouse::gateway

// The way of a call over the Model Context Protocol. The stages are those of walk.cc, and so is
// what must hold: nothing reaches a server before the decision is recorded, nothing ends before the
// outcome is, and callers get errors in their own words.
#include "gateway/mcp_bridge.h"
#include "gateway/stages.h"
#include "mcp/headers.h"

namespace gatehouse::gateway {
namespace {

constexpr std::string_view root_path = "/mcp";

// What goes on of the caller's headers. Its credential never does.
net::Fields forwarded_fields(const Exchange& exchange, const McpCall& call) {
  constexpr std::array<std::string_view, 7> names{"accept",     "user-agent",    "traceparent",
                                                  "tracestate", "last-event-id", "mcp-method",
                                                  "mcp-name"};
  net::Fields fields;
  for (const auto& field : exchange.head->fields.all()) {
    const bool parameter = equals_ignoring_case(field.name.substr(0, 10), "mcp-param-");
    const bool known = std::ranges::any_of(
        names, [&](std::string_view name) { return equals_ignoring_case(name, field.name); });
    if (known || parameter || equals_ignoring_case(field.name, "mcp-protocol-version"))
      fields.add(field.name, field.value);
  }
  if (!call.session) return fields;
  const auto at = call.session->at.find(call.server->name);
  if (at != call.session->at.end()) fields.set("Mcp-Session-Id", at->second);
  return fields;
}

net::Task<McpSent> forward_same_era(Worker& worker, net::ServerStream& client, Exchange& exchange,
                                    McpCall& call) {
  McpOutgoing outgoing;
  outgoing.method = exchange.head->method;
  outgoing.fields = forwarded_fields(exchange, call);
  // What was replaced in the body is replaced in the headers that repeat it.
  if (exchange.redacted > 0 && call.listed && call.era == mcp::Era::modern) {
    if (const auto message = mcp::read_message(call.outgoing))
      mcp::set_headers(outgoing.fields, *message, call.listed->headers);
  }
  outgoing.body = call.outgoing;
  co_return co_await send_http(worker, exchange, *call.server, std::move(outgoing),
                               &client.disconnected());
}

McpVerdict find_server(const Exchange& exchange, McpCall& call) {
  const auto path = exchange.head->path();
  call.path = path;
  const auto& config = exchange.snapshot->config->mcp;
  call.subject_server = "*";
  if (path == root_path) return {};
  call.server = config.find(path.substr(root_path.size() + 1));
  if (call.server == nullptr)
    return mcp_refuse(Problem::unknown_path, 404, mcp::Code::invalid_request,
                      "There is no tool server of this name here.");
  call.target = call.server;
  call.subject_server = call.server->name;
  return {};
}

net::Task<McpVerdict> identify_mcp(Worker& worker, net::ServerStream& client, Exchange& exchange) {
  auto identified = co_await identify(worker, client, exchange);
  if (identified) co_return McpVerdict{};
  auto refusal = mcp_refusal(identified.error());
  if (refusal.status == 401 && !exchange.challenge.empty())
    refusal.fields.push_back({"WWW-Authenticate", exchange.challenge});
  if (!exchange.proof_nonce.empty()) refusal.fields.push_back({"DPoP-Nonce", exchange.proof_nonce});
  co_return std::unexpected(std::move(refusal));
}

McpVerdict check_method(const Exchange& exchange) {
  const auto& method = exchange.head->method;
  if (method == "POST" || method == "GET" || method == "DELETE") return {};
  auto refusal = mcp_refuse(Problem::method_not_allowed, 405, mcp::Code::invalid_request,
                            "Use POST, GET or DELETE.");
  refusal.error().fields.push_back({"Allow", "POST, GET, DELETE"});
  return refusal;
}

net::Task<McpVerdict> stages(Worker& worker, net::ServerStream& client, Exchange& exchange,
                             McpCall& call) {
  GH_MCP(check_mcp_origin(exchange));
  GH_MCP(co_await identify_mcp(worker, client, exchange));
  GH_MCP(find_server(exchange, call));
  GH_MCP(check_method(exchange));
  GH_MCP(co_await read_mcp_request(worker, client, exchange, call));
  if (auto inspected = co_await inspect_request(worker, exchange); !inspected)
    co_return std::unexpected(mcp_refusal(inspected.error()));
  auto decided = decide_mcp(worker, exchange, call);
  if (decided) decided = co_await await_approval(worker, exchange, call);
  if (decided) decided = admit_mcp(worker, exchange, call);
  if (!decided) {
    exchange.problem = decided.error().problem;
    exchange.status = decided.error().status;
  }
  GH_MCP(co_await record_mcp_decision(worker, exchange, call));
  GH_MCP(decided);
  // Beyond this point the decision stands in the ledger, and only an outcome may follow.
  GH_MCP(transform_mcp(exchange, call));
  if (!call.server || !co_await speaks_the_same(worker, client, exchange, call))
    co_return co_await serve_bridged(worker, client, exchange, call);
  auto reply = co_await forward_same_era(worker, client, exchange, call);
  if (!reply) co_return std::unexpected(std::move(reply).error());
  // A server that has only the newer era says so to the first message of the older one.
  const int status = (*reply)->status;
  if (call.message && call.message->method == "initialize" &&
      (status == 400 || status == 404 || status == 405)) {
    worker.control.mcp().note_refuses_legacy(call.server->name);
    co_return co_await serve_bridged(worker, client, exchange, call);
  }
  co_return co_await relay_mcp(worker, client, exchange, call, std::move(*reply));
}

// As in walk.cc.
net::Task<McpVerdict> governed(Worker& worker, net::ServerStream& client, Exchange& exchange,
                               McpCall& call) {
  std::exception_ptr thrown;
  try {
    co_return co_await stages(worker, client, exchange, call);
  } catch (...) {
    thrown = std::current_exception();
  }
  co_return std::unexpected(mcp_refusal(internal_error(exchange, thrown)));
}

std::string refusal_body(const Exchange& exchange, const McpCall& call, const McpRefusal& refusal) {
  const bool request = call.message && call.message->kind == mcp::Message::Kind::request;
  const std::string_view id = request ? std::string_view(call.message->id) : "";
  if (!refusal.as_result)
    return mcp::error_message(id, refusal.code, refusal.message, refusal.data);
  if (!refusal.result.empty()) return mcp::result_message(id, refusal.result);
  std::string result;
  JsonWriter json(result);
  json.begin_object();
  if (call.era == mcp::Era::modern) json.key("resultType").string("complete");
  json.key("content").begin_array().begin_object().key("type").string("text");
  json.key("text").string(refusal.message).end_object().end_array();
  json.key("isError").boolean(true);
  json.key("_meta").begin_object().key("gatehouse/entry").string(exchange.id).end_object();
  json.end_object();
  return mcp::result_message(id, result);
}

// Answers with the refusal, once it is recorded.
net::Task<void> answer_refusal(Worker& worker, net::ServerStream& client, Exchange& exchange,
                               McpCall& call, McpRefusal refusal) {
  if (!exchange.client_left) {
    exchange.problem = refusal.problem;
    exchange.status = refusal.status;
  }
  if (refusal.problem == Problem::ledger_unavailable) {
    worker.metrics.count_ledger_failure();
  } else if (auto recorded = co_await record_mcp_refusal(worker, exchange, call, refusal);
             !recorded) {
    worker.metrics.count_ledger_failure();
    refusal = std::move(recorded).error();
    exchange.problem = refusal.problem;
    exchange.status = refusal.status;
  }
  if (client.disconnected().cancelled() || client.responded()) {
    exchange.client_left = client.disconnected().cancelled();
    client.abort();
    co_return;
  }
  auto head = mcp_head(exchange, refusal.status, "application/json");
  for (const auto& [name, value] : refusal.fields) head.fields.add(name, value);
  auto body = refusal_body(exchange, call, refusal);
  if (!co_await client.respond(std::move(head), std::move(body))) exchange.client_left = true;
}

}  // namespace

bool is_mcp_path(std::string_view path) {
  return path == root_path || path.starts_with("/mcp/");
}

McpRefusal mcp_refusal(const ApiError& error) {
  McpRefusal refusal;
  refusal.problem = error.problem;
  refusal.status = status_of(error.problem);
  refusal.message = error.message;
  using mcp::Code;
  const auto code = error.problem == Problem::unauthenticated ? Code::unauthenticated
                    : error.problem == Problem::blocked       ? Code::refused_by_policy
                    : refusal.status < 500                    ? Code::invalid_request
                                                              : Code::internal_error;
  refusal.code = static_cast<int>(code);
  if (error.problem == Problem::ledger_unavailable) refusal.fields.push_back({"Retry-After", "1"});
  return refusal;
}

std::unexpected<McpRefusal> mcp_refuse(Problem problem, int status, mcp::Code code,
                                       std::string message, std::string data) {
  McpRefusal refusal;
  refusal.problem = problem;
  refusal.status = status;
  refusal.code = static_cast<int>(code);
  refusal.message = std::move(message);
  refusal.data = std::move(data);
  return std::unexpected(std::move(refusal));
}

net::Task<void> walk_mcp(Worker& worker, net::ServerStream& client, Exchange& exchange) {
  exchange.route = Route::mcp;
  McpCall call;
  auto verdict = co_await governed(worker, client, exchange, call);
  if (!verdict) co_await answer_refusal(worker, client, exchange, call, std::move(verdict).error());
}

}  // namespace gatehouse::gateway

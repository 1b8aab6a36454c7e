// Calls that cannot go to their server as they came: those on /mcp, which is all servers behind one
// endpoint, and those to a server that speaks otherwise than the client (mcp_bridge.h). On /mcp
// names of tools and prompts are "SERVER__NAME", addresses of resources "SERVER+ADDRESS".
#include <algorithm>
#include <array>

#include "base/log.h"
#include "base/text.h"
#include "gateway/mcp_bridge.h"
#include "gateway/stages.h"

namespace gatehouse::gateway {
namespace {

using mcp::Code;

constexpr std::string_view parting = "__";
constexpr std::size_t most_pages = 20;  // of one server's list

struct ListKind {
  std::string_view method;
  std::string_view member;  // of the result
  std::string_view name;    // of an item, that gets the server's in front
};
constexpr std::array<ListKind, 4> lists{
    {{"tools/list", "tools", "name"},
     {"prompts/list", "prompts", "name"},
     {"resources/list", "resources", "uri"},
     {"resources/templates/list", "resourceTemplates", "uriTemplate"}}};

const ListKind* list_of(std::string_view method) {
  const auto found = std::ranges::find(lists, method, &ListKind::method);
  return found == lists.end() ? nullptr : &*found;
}

std::string prefix_of(const McpServerConfig& server, const ListKind& kind) {
  return server.name + std::string(kind.name == "name" ? parting : "+");
}

// "docs__search" -> docs, "search"
const McpServerConfig* split_name(const McpConfig& config, std::string_view whole,
                                  std::string_view mark, std::string& rest) {
  const auto at = whole.find(mark);
  if (at == std::string_view::npos) return nullptr;
  const auto* server = config.find(whole.substr(0, at));
  if (server == nullptr || !server->in_all) return nullptr;
  rest = whole.substr(at + mark.size());
  return server;
}

std::vector<const McpServerConfig*> all_servers(const Exchange& exchange, const McpCall& call) {
  if (call.server) return {call.server};
  std::vector<const McpServerConfig*> servers;
  for (const auto& [name, server] : exchange.snapshot->config->mcp.servers)
    if (server.in_all) servers.push_back(&server);
  return servers;
}

std::string capabilities_of(const McpCall& call) {
  if (call.message && call.message->meta)
    if (const auto stated = call.message->meta->find(mcp::meta_capabilities))
      return std::string(stated->raw());
  // A client of the older era is not asked anything in the middle of a call.
  return "{}";
}

net::Task<McpVerdict> respond_result(Worker& worker, net::ServerStream& client, Exchange& exchange,
                                     McpCall& call, std::string result,
                                     std::vector<net::Field> fields = {}) {
  std::string body = mcp::result_message(call.message->id, result);
  if (auto screened = screen_mcp_texts(worker, exchange, call, body); !screened)
    co_return std::unexpected(
        mcp_upstream_problem(exchange, call.subject_server, screened.error()));
  auto head = mcp_head(exchange, 200, "application/json");
  for (auto& field : fields) head.fields.add(std::move(field.name), std::move(field.value));
  co_return co_await respond_mcp(worker, client, exchange, call, std::move(head), std::move(body));
}

net::Task<McpVerdict> respond_nothing(Worker& worker, net::ServerStream& client, Exchange& exchange,
                                      McpCall& call, int status) {
  co_return co_await respond_mcp(worker, client, exchange, call, mcp_head(exchange, status, ""),
                                 "");
}

std::unexpected<McpRefusal> unknown_method(const McpCall& call) {
  return mcp_refuse(Problem::bad_request, call.era == mcp::Era::modern ? 404 : 200,
                    Code::method_not_found, "Method not found");
}

// ---- what all servers can do ------------------------------------------------------------------

// Which of the parts that are served here any server has.
net::Task<std::expected<std::string, McpRefusal>> describe_all(Worker& worker,
                                                               net::ServerStream& client,
                                                               Exchange& exchange, McpCall& call) {
  const auto servers = all_servers(exchange, call);
  if (call.server) co_return co_await describe_server(worker, client, exchange, call, *call.server);
  std::set<std::string_view> parts;
  for (const auto* server : servers) {
    const auto described = co_await describe_server(worker, client, exchange, call, *server);
    if (!described) continue;  // the others still answer
    const auto view = mcp::JsonView::parse(*described);
    const auto capabilities = view ? view->find("capabilities") : std::nullopt;
    for (const auto part : bridged_parts)
      if (capabilities && capabilities->find(part)) parts.insert(part);
  }
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("resultType").string("complete");
  json.key("supportedVersions").begin_array().string(mcp::modern_version).end_array();
  json.key("capabilities").begin_object();
  for (const auto part : parts) json.key(part).begin_object().end_object();
  json.end_object().key("ttlMs").number(0).key("cacheScope").string("private");
  json.key("_meta").begin_object().key("io.modelcontextprotocol/serverInfo").begin_object();
  json.key("name").string("gatehouse").key("version").string("1").end_object().end_object();
  json.end_object();
  co_return out;
}

// The answer to `initialize` of a client of the older era.
std::string initialized_from(std::string_view described, std::string_view version) {
  const auto view = mcp::JsonView::parse(described);
  const auto meta = view ? view->find("_meta") : std::nullopt;
  const auto info = meta ? meta->find("io.modelcontextprotocol/serverInfo") : std::nullopt;
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("protocolVersion").string(version);
  json.key("capabilities")
      .raw(served_capabilities(view ? view->find("capabilities") : std::nullopt));
  json.key("serverInfo").raw(info ? info->raw() : R"({"name":"gatehouse","version":"1"})");
  if (const auto text = view ? view->find("instructions") : std::nullopt)
    json.key("instructions").raw(text->raw());
  json.end_object();
  return out;
}

net::Task<McpVerdict> initialize(Worker& worker, net::ServerStream& client, Exchange& exchange,
                                 McpCall& call) {
  const auto described = co_await describe_all(worker, client, exchange, call);
  if (!described) co_return std::unexpected(described.error());
  const auto asked = call.message->params
                         ? call.message->params->find_text("protocolVersion").value_or("")
                         : std::string();
  const bool known = mcp::era_of(asked) == mcp::Era::legacy;
  McpSession session;
  session.version = known ? asked : std::string(mcp::newest_legacy_version);
  session.name = exchange.id;
  call.version = session.version;
  std::vector<net::Field> fields;
  fields.push_back({"Mcp-Session-Id", seal_mcp_session(worker, exchange, call, session)});
  co_return co_await respond_result(worker, client, exchange, call,
                                    initialized_from(*described, session.version),
                                    std::move(fields));
}

// ---- lists --------------------------------------------------------------------------------------

// The items of one message, with the server's name in front of theirs.
void append_items(std::string& out, const mcp::JsonView& items, const ListKind& kind,
                  std::string_view prefix, bool renamed) {
  for (const auto& item : items.items()) {
    const auto name = item.find_text(kind.name);
    if (!name) continue;
    if (out.size() > 1) out += ',';
    out += renamed ? std::string(item.raw())
                   : with_member(item.raw(), kind.name, json_string(std::string(prefix) + *name));
  }
}

net::Task<McpVerdict> append_list(Worker& worker, net::ServerStream& client, Exchange& exchange,
                                  McpCall& call, const McpServerConfig& server,
                                  const ListKind& kind, std::string& out) {
  const auto prefix = prefix_of(server, kind);
  std::string cursor;
  for (std::size_t page = 0; page < most_pages; ++page) {
    auto answer =
        co_await ask_neutral(worker, client, exchange, call, server, kind.method,
                             cursor.empty() ? "{}" : R"({"cursor":)" + json_string(cursor) + "}");
    if (!answer) co_return std::unexpected(std::move(answer).error());
    const bool tools = kind.member == "tools";
    if (tools && mcp::read_message(*answer)->body.find("result")) {
      auto filtered =
          co_await filter_tool_list(worker, exchange, call, server, std::move(*answer), prefix);
      if (!filtered)
        co_return std::unexpected(mcp_upstream_problem(exchange, server.name, filtered.error()));
      *answer = std::move(*filtered);
    }
    const auto message = mcp::read_message(*answer);
    const auto result = message ? message->body.find("result") : std::nullopt;
    const auto items = result ? result->find(kind.member) : std::nullopt;
    if (items) append_items(out, *items, kind, prefix, tools);
    cursor = result ? result->find_text("nextCursor").value_or("") : "";
    if (cursor.empty()) break;
  }
  co_return McpVerdict{};
}

net::Task<McpVerdict> serve_list(Worker& worker, net::ServerStream& client, Exchange& exchange,
                                 McpCall& call, const ListKind& kind) {
  std::string items = "[";
  for (const auto* server : all_servers(exchange, call)) {
    auto listed = co_await append_list(worker, client, exchange, call, *server, kind, items);
    if (!listed)  // the others still answer
      log_warning("a tool server is left out of a list",
                  {{"server", server->name}, {"why", listed.error().message}});
  }
  items += ']';
  std::string result;
  JsonWriter json(result);
  json.begin_object().key(kind.member).raw(items);
  if (call.era == mcp::Era::modern)
    json.key("resultType")
        .string("complete")
        .key("ttlMs")
        .number(0)
        .key("cacheScope")
        .string("private");
  json.end_object();
  co_return co_await respond_result(worker, client, exchange, call, std::move(result));
}

// ---- calls of one server ------------------------------------------------------------------------

// Names without the server's in front, as the server knows them.
std::string neutral_params(const McpCall& call) {
  const auto message = mcp::read_message(call.outgoing);
  auto params = message ? without_protocol_meta(message->params) : "{}";
  if (call.server) return params;
  const auto& method = message->method;
  if (method == "tools/call" || method == "prompts/get")
    return with_member(params, "name", json_string(call.upstream_name));
  if (method == "resources/read")
    return with_member(params, "uri", json_string(call.upstream_name));
  const auto ref = message->params ? message->params->find("ref") : std::nullopt;
  if (!ref) return params;
  const std::string_view member = ref->find("name") ? "name" : "uri";
  return with_member(params, "ref",
                     with_member(ref->raw(), member, json_string(call.upstream_name)));
}

net::Task<McpVerdict> serve_call(Worker& worker, net::ServerStream& client, Exchange& exchange,
                                 McpCall& call) {
  if (!call.target) {
    auto refusal =
        mcp_refuse(Problem::bad_request, 200, Code::invalid_params,
                   "No server here has this. Names are SERVER__NAME, addresses SERVER+URI.");
    co_return refusal;
  }
  McpNeutral neutral{call.message->id, call.message->method, neutral_params(call),
                     capabilities_of(call)};
  auto reply =
      co_await send_neutral(worker, client, exchange, call, *call.target, std::move(neutral));
  if (!reply) co_return std::unexpected(std::move(reply).error());
  co_return co_await relay_mcp(worker, client, exchange, call, std::move(*reply));
}

bool is_call(std::string_view method) {
  return method == "tools/call" || method == "prompts/get" || method == "resources/read" ||
         method == "completion/complete";
}

}  // namespace

McpVerdict find_target(const Worker& worker, const Exchange& exchange, McpCall& call) {
  const auto& message = *call.message;
  const auto& config = exchange.snapshot->config->mcp;
  call.upstream_name = message.name.empty() ? message.uri : message.name;
  if (!call.server && is_call(message.method)) {
    std::string whole = call.upstream_name;
    const auto ref = message.params ? message.params->find("ref") : std::nullopt;
    if (message.method == "completion/complete" && ref)
      whole = ref->find_text("name").value_or(ref->find_text("uri").value_or(""));
    const bool address = message.method == "resources/read" || (ref && ref->find("uri"));
    call.target = split_name(config, whole, address ? "+" : parting, call.upstream_name);
    if (call.target) call.subject_server = call.target->name;
  }
  if (message.method != "tools/call") return {};
  call.tool = call.upstream_name;
  if (call.target)
    call.listed = worker.control.mcp().catalogue().listed(call.target->name, call.tool);
  return {};
}

net::Task<McpVerdict> serve_bridged(Worker& worker, net::ServerStream& client, Exchange& exchange,
                                    McpCall& call) {
  if (!call.message) {
    if (exchange.head->method == "DELETE")  // nothing is kept that could end
      co_return co_await respond_nothing(worker, client, exchange, call, 200);
    co_return mcp_refuse(Problem::method_not_allowed, 405, Code::invalid_request,
                         "This endpoint has no stream of its own.");
  }
  if (call.message->kind != mcp::Message::Kind::request)
    co_return co_await respond_nothing(worker, client, exchange, call, 202);
  const std::string method = call.message->method;
  const bool legacy = call.era == mcp::Era::legacy;
  if (legacy && method == "initialize")
    co_return co_await initialize(worker, client, exchange, call);
  if (legacy && (method == "ping" || method == "logging/setLevel"))
    co_return co_await respond_result(worker, client, exchange, call, "{}");
  if (!legacy && method == "server/discover") {
    auto described = co_await describe_all(worker, client, exchange, call);
    if (!described) co_return std::unexpected(std::move(described).error());
    co_return co_await respond_result(worker, client, exchange, call, std::move(*described));
  }
  const auto* list = list_of(method);
  if (list && !call.server) co_return co_await serve_list(worker, client, exchange, call, *list);
  if (list || is_call(method)) co_return co_await serve_call(worker, client, exchange, call);
  co_return unknown_method(call);
}

}  // namespace gatehouse::gateway

// See mcp_bridge.h.
//
// What a legacy server asks of its client in the middle of a call (sampling, elicitation, roots)
// is refused: the gateway declares none of these, so a server that keeps to the protocol does not
// ask. Sessions of the gateway at legacy servers belong to one principal each.
#include "gateway/mcp_bridge.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "mcp/headers.h"

namespace gatehouse::gateway {
namespace {

using mcp::Code;

std::string meta_of(const McpNeutral& neutral) {
  std::string meta;
  JsonWriter json(meta);
  json.begin_object().key(mcp::meta_version).string(mcp::modern_version);
  json.key(mcp::meta_capabilities).raw(neutral.capabilities.empty() ? "{}" : neutral.capabilities);
  json.key(mcp::meta_client).begin_object().key("name").string("gatehouse");
  json.key("version").string("1").end_object().end_object();
  return meta;
}

// The members of `more` behind those of `object`.
std::string merged(std::string_view object, std::string_view more) {
  const auto view = mcp::JsonView::parse(object);
  const bool empty = !view || view->members().empty();
  std::string out =
      empty ? "{" : std::string(trim(object).substr(0, trim(object).size() - 1)) + ",";
  return out.append(more.substr(1));
}

std::string call_text(const McpNeutral& neutral, std::string_view params) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("jsonrpc").string("2.0").key("id").raw(neutral.id);
  json.key("method").string(neutral.method).key("params").raw(params).end_object();
  return text;
}

bool is_cacheable(std::string_view method) {
  return method == "tools/list" || method == "prompts/list" || method == "resources/list" ||
         method == "resources/templates/list" || method == "resources/read" ||
         method == "server/discover";
}

// A result of the legacy era as the modern one has it.
std::string as_modern(std::string_view message, std::string_view method) {
  const auto read = mcp::read_message(message);
  const auto result = read ? read->body.find("result") : std::nullopt;
  if (!result || !result->is_object() || result->find("resultType")) return std::string(message);
  std::string more = R"({"resultType":"complete")";
  if (is_cacheable(method) && !result->find("ttlMs")) more += R"(,"ttlMs":0)";
  if (is_cacheable(method) && !result->find("cacheScope")) more += R"(,"cacheScope":"private")";
  return apply_splices(
      message, {{result->span().begin, result->span().end, merged(result->raw(), more + "}")}});
}

// Passes the messages of another reply on, results made modern, requests to the client taken out.
class ModernReply final : public McpReply {
 public:
  ModernReply(McpReplyPtr inner, std::string method)
      : inner_(std::move(inner)), method_(std::move(method)) {
    status = inner_->status;
    streams = inner_->streams;
    has_body = inner_->has_body;
    retry_after = inner_->retry_after;
  }
  net::Task<Result<std::optional<McpPiece>>> next() override {
    while (true) {
      GH_CO_ASSIGN(auto piece, co_await inner_->next());
      if (!piece) co_return std::optional<McpPiece>();
      if (piece->message.empty()) continue;  // ids to resume from: the modern era has none
      const auto read = mcp::read_message(piece->message);
      if (read && read->kind == mcp::Message::Kind::request) continue;
      McpPiece made;
      made.message = as_modern(piece->message, method_);
      co_return std::optional(std::move(made));
    }
  }

 private:
  McpReplyPtr inner_;
  std::string method_;
};

// One answer of a process: pieces come from its reader's thread.
class ProcessReply final : public McpReply {
 public:
  explicit ProcessReply(net::Loop& loop) : arrived_(std::make_shared<Queue>(loop)) {}
  ~ProcessReply() override {
    if (process_ && !done_) process_->cancel(ticket_);
  }

  Result<void> send(std::shared_ptr<mcp::StdioServer> process, const McpNeutral& neutral) {
    process_ = std::move(process);
    const auto view = mcp::JsonView::parse(neutral.params);
    const auto meta = view ? view->find("_meta") : std::nullopt;
    streams = meta && meta->find("progressToken");
    GH_ASSIGN(ticket_, process_->request(neutral.id, neutral.method, neutral.params,
                                         [queue = arrived_](mcp::StdioServer::Piece piece) {
                                           queue->put(std::move(piece));
                                         }));
    return {};
  }

  net::Task<Result<std::optional<McpPiece>>> next() override {
    if (done_) co_return std::optional<McpPiece>();
    auto piece = co_await arrived_->take();
    done_ = piece.last;
    GH_CO_ASSIGN(auto message, std::move(piece.message));
    McpPiece made;
    made.message = std::move(message);
    co_return std::optional(std::move(made));
  }

 private:
  // From any thread to the loop.
  struct Queue : std::enable_shared_from_this<Queue> {
    explicit Queue(net::Loop& owner) : loop(owner) {}
    void put(mcp::StdioServer::Piece piece) {
      loop.post([self = shared_from_this(), piece = std::move(piece)]() mutable {
        self->pieces.push_back(std::move(piece));
        if (auto waiting = std::exchange(self->waiting, nullptr)) waiting->complete_here(true);
      });
    }
    net::Task<mcp::StdioServer::Piece> take() {
      if (pieces.empty()) {
        waiting = std::make_shared<net::Completion<bool>>(loop);
        const auto held = waiting;
        (void)co_await held->wait();
      }
      auto piece = std::move(pieces.front());
      pieces.pop_front();
      co_return piece;
    }
    net::Loop& loop;
    std::deque<mcp::StdioServer::Piece> pieces;
    std::shared_ptr<net::Completion<bool>> waiting;
  };
  std::shared_ptr<Queue> arrived_;
  std::shared_ptr<mcp::StdioServer> process_;
  std::uint64_t ticket_ = 0;
  bool done_ = false;
};

net::Task<Result<std::string>> start(Worker& worker, std::shared_ptr<mcp::StdioServer> process) {
  Result<std::string> started = fail(ErrorCode::unavailable, "too busy to start a process");
  const auto ran = co_await worker.loop.run_blocking([&] { started = process->ensure_started(); });
  if (!ran) co_return std::unexpected(ran.error());
  co_return started;
}

net::Task<McpSent> send_to_process(Worker& worker, const Exchange& exchange,
                                   const McpServerConfig& server, const McpNeutral& neutral) {
  auto process = worker.control.mcp().process(server, mcp_hidden(*exchange.snapshot->config));
  if (auto started = co_await start(worker, process); !started)
    co_return std::unexpected(mcp_upstream_problem(exchange, server.name, started.error()));
  auto reply = std::make_unique<ProcessReply>(worker.loop);
  if (auto sent = reply->send(process, neutral); !sent)
    co_return std::unexpected(mcp_upstream_problem(exchange, server.name, sent.error()));
  co_return std::make_unique<ModernReply>(std::move(reply), neutral.method);
}

net::Task<McpSent> send_modern(Worker& worker, net::ServerStream& client, const Exchange& exchange,
                               const McpServerConfig& server, const McpNeutral& neutral) {
  McpOutgoing outgoing;
  const auto params = mcp::JsonView::parse(neutral.params);
  const auto meta = params ? params->find("_meta") : std::nullopt;
  const auto full = merged(meta ? meta->raw() : "{}", meta_of(neutral));
  outgoing.body = call_text(neutral, with_member(neutral.params, "_meta", full));
  outgoing.fields.set("Accept", "application/json, text/event-stream");
  const auto message = mcp::read_message(outgoing.body);
  if (!message)
    co_return std::unexpected(mcp_upstream_problem(exchange, server.name, message.error()));
  const auto listed = worker.control.mcp().catalogue().listed(server.name, message->name);
  const bool call = neutral.method == "tools/call" && listed;
  mcp::set_headers(outgoing.fields, *message,
                   call ? listed->headers : std::vector<mcp::ParameterHeader>());
  co_return co_await send_http(worker, exchange, server, std::move(outgoing),
                               &client.disconnected());
}

using LegacySession = McpDesk::OwnSession;

net::Fields legacy_fields(const LegacySession& session) {
  net::Fields fields;
  fields.set("Accept", "application/json, text/event-stream");
  if (!session.id.empty()) fields.set("Mcp-Session-Id", session.id);
  if (!session.version.empty()) fields.set("MCP-Protocol-Version", session.version);
  return fields;
}

// The first message of an answer that answers `id`.
net::Task<Result<std::string>> answer_to(McpReply& reply, std::string id) {
  while (true) {
    GH_CO_ASSIGN(auto piece, co_await reply.next());
    if (!piece)
      co_return fail(ErrorCode::invalid_argument,
                     "no answer (status " + std::to_string(reply.status) + ")");
    if (piece->message.empty()) continue;
    GH_CO_ASSIGN(const auto message, mcp::read_message(piece->message));
    if (mcp::same_id(message.id, id) && message.method.empty()) co_return piece->message;
  }
}

net::Task<std::expected<LegacySession, McpRefusal>> begin_session(Worker& worker,
                                                                  net::ServerStream& client,
                                                                  const Exchange& exchange,
                                                                  const McpServerConfig& server) {
  LegacySession session;
  McpOutgoing hello;
  hello.fields = legacy_fields(session);
  hello.body =
      R"({"jsonrpc":"2.0","id":"gatehouse","method":"initialize","params":{"protocolVersion":")" +
      std::string(mcp::newest_legacy_version) +
      R"(","capabilities":{},"clientInfo":{"name":"gatehouse","version":"1"}}})";
  auto reply =
      co_await send_http(worker, exchange, server, std::move(hello), &client.disconnected());
  if (!reply) co_return std::unexpected(std::move(reply).error());
  const auto answer = co_await answer_to(**reply, "\"gatehouse\"");
  const auto message =
      answer ? mcp::read_message(*answer) : Result<mcp::Message>(std::unexpected(answer.error()));
  const auto result = message ? message->body.find("result") : std::nullopt;
  if (!result)
    co_return std::unexpected(mcp_upstream_problem(
        exchange, server.name, {ErrorCode::invalid_argument, "it refuses \"initialize\"", {}}));
  session.id = (*reply)->session;
  session.version =
      result->find_text("protocolVersion").value_or(std::string(mcp::newest_legacy_version));
  session.initialized = result->raw();
  McpOutgoing ready;
  ready.fields = legacy_fields(session);
  ready.body = R"({"jsonrpc":"2.0","method":"notifications/initialized"})";
  auto told =
      co_await send_http(worker, exchange, server, std::move(ready), &client.disconnected());
  if (!told) co_return std::unexpected(std::move(told).error());
  (void)co_await (*told)->next();
  co_return session;
}

std::string session_name(const Exchange& exchange, const McpServerConfig& server) {
  return std::string(identity::to_string(exchange.principal.kind)) + '\0' + exchange.principal.id +
         '\0' + server.name;
}

net::Task<std::expected<LegacySession, McpRefusal>> session_at(Worker& worker,
                                                               net::ServerStream& client,
                                                               const Exchange& exchange,
                                                               const McpServerConfig& server) {
  const auto name = session_name(exchange, server);
  if (auto known = worker.control.mcp().own_session(name)) co_return std::move(*known);
  auto session = co_await begin_session(worker, client, exchange, server);
  if (!session) co_return std::unexpected(std::move(session).error());
  worker.control.mcp().keep_own_session(name, *session);
  co_return session;
}

net::Task<McpSent> send_legacy(Worker& worker, net::ServerStream& client, const Exchange& exchange,
                               const McpServerConfig& server, const McpNeutral& neutral) {
  for (int attempt = 0;; ++attempt) {
    auto session = co_await session_at(worker, client, exchange, server);
    if (!session) co_return std::unexpected(std::move(session).error());
    McpOutgoing outgoing;
    outgoing.fields = legacy_fields(*session);
    outgoing.body = call_text(neutral, neutral.params);
    auto reply =
        co_await send_http(worker, exchange, server, std::move(outgoing), &client.disconnected());
    if (!reply) co_return std::unexpected(std::move(reply).error());
    // The server has forgotten the session: a new one, once.
    if ((*reply)->status == 404 && attempt == 0) {
      worker.control.mcp().forget_own_session(session_name(exchange, server));
      continue;
    }
    co_return std::make_unique<ModernReply>(std::move(*reply), neutral.method);
  }
}

// Asks a server that may be of either era.
net::Task<std::expected<mcp::Era, McpRefusal>> find_era(Worker& worker, net::ServerStream& client,
                                                        const Exchange& exchange,
                                                        const McpServerConfig& server) {
  if (server.command || server.eras == McpEras::legacy) co_return mcp::Era::legacy;
  if (server.eras == McpEras::modern) co_return mcp::Era::modern;
  auto& desk = worker.control.mcp();
  if (const auto known = desk.era_of(server.name)) co_return *known;
  const McpNeutral question{"\"gatehouse\"", "server/discover", "{}", "{}"};
  auto reply = co_await send_modern(worker, client, exchange, server, question);
  if (!reply) co_return std::unexpected(std::move(reply).error());
  const auto answer = co_await answer_to(**reply, question.id);
  const auto message =
      answer ? mcp::read_message(*answer) : Result<mcp::Message>(std::unexpected(answer.error()));
  const auto result = message ? message->body.find("result") : std::nullopt;
  const bool modern = result && result->find("supportedVersions");
  const auto era = modern ? mcp::Era::modern : mcp::Era::legacy;
  desk.note_era(server.name, era);
  log_info("tool server", {{"server", server.name}, {"era", mcp::to_string(era)}});
  co_return era;
}

std::string discover_from(std::string_view initialized) {
  const auto view = mcp::JsonView::parse(initialized);
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("resultType").string("complete");
  json.key("supportedVersions").begin_array().string(mcp::modern_version).end_array();
  json.key("capabilities")
      .raw(served_capabilities(view ? view->find("capabilities") : std::nullopt));
  if (const auto text = view ? view->find("instructions") : std::nullopt)
    json.key("instructions").raw(text->raw());
  json.key("ttlMs").number(0).key("cacheScope").string("private");
  if (const auto info = view ? view->find("serverInfo") : std::nullopt)
    json.key("_meta")
        .begin_object()
        .key("io.modelcontextprotocol/serverInfo")
        .raw(info->raw())
        .end_object();
  json.end_object();
  return out;
}

}  // namespace

std::string served_capabilities(const std::optional<mcp::JsonView>& stated) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  for (const auto part : bridged_parts)
    if (stated && stated->find(part)) json.key(part).begin_object().end_object();
  json.end_object();
  return out;
}

std::string with_member(std::string_view object, std::string_view key, std::string_view json) {
  const auto view = mcp::JsonView::parse(object);
  if (!view || !view->is_object()) return std::string(object);
  const auto member = view->find(key);
  if (member)
    return apply_splices(object, {{member->span().begin, member->span().end, std::string(json)}});
  return merged(object, "{" + json_string(key) + ":" + std::string(json) + "}");
}

std::string without_protocol_meta(const std::optional<mcp::JsonView>& params) {
  if (!params) return "{}";
  const auto meta = params->find("_meta");
  if (!meta) return std::string(params->raw());
  std::string kept;
  JsonWriter json(kept);
  json.begin_object();
  for (const auto& member : meta->members())
    if (!member.key.starts_with("io.modelcontextprotocol/"))
      json.key(member.key).raw(member.value.raw());
  json.end_object();
  return with_member(params->raw(), "_meta", kept);
}

net::Task<McpSent> send_neutral(Worker& worker, net::ServerStream& client, Exchange& exchange,
                                McpCall&, const McpServerConfig& server, McpNeutral neutral) {
  if (server.command) co_return co_await send_to_process(worker, exchange, server, neutral);
  const auto era = co_await find_era(worker, client, exchange, server);
  if (!era) co_return std::unexpected(era.error());
  if (*era == mcp::Era::modern)
    co_return co_await send_modern(worker, client, exchange, server, neutral);
  co_return co_await send_legacy(worker, client, exchange, server, neutral);
}

net::Task<std::expected<std::string, McpRefusal>> ask_neutral(
    Worker& worker, net::ServerStream& client, Exchange& exchange, McpCall& call,
    const McpServerConfig& server, std::string_view method, std::string params) {
  McpNeutral neutral{"\"gatehouse\"", std::string(method), std::move(params), "{}"};
  auto reply = co_await send_neutral(worker, client, exchange, call, server, std::move(neutral));
  if (!reply) co_return std::unexpected(std::move(reply).error());
  const auto answer = co_await answer_to(**reply, "\"gatehouse\"");
  if (!answer)
    co_return std::unexpected(mcp_upstream_problem(exchange, server.name, answer.error()));
  co_return *answer;
}

net::Task<std::expected<std::string, McpRefusal>> describe_server(Worker& worker,
                                                                  net::ServerStream& client,
                                                                  Exchange& exchange, McpCall& call,
                                                                  const McpServerConfig& server) {
  if (server.command) {
    auto process = worker.control.mcp().process(server, mcp_hidden(*exchange.snapshot->config));
    const auto started = co_await start(worker, process);
    if (!started)
      co_return std::unexpected(mcp_upstream_problem(exchange, server.name, started.error()));
    co_return discover_from(*started);
  }
  const auto era = co_await find_era(worker, client, exchange, server);
  if (!era) co_return std::unexpected(era.error());
  if (*era == mcp::Era::legacy) {
    const auto session = co_await session_at(worker, client, exchange, server);
    if (!session) co_return std::unexpected(session.error());
    co_return discover_from(session->initialized);
  }
  auto answer =
      co_await ask_neutral(worker, client, exchange, call, server, "server/discover", "{}");
  if (!answer) co_return std::unexpected(std::move(answer).error());
  const auto message = mcp::read_message(*answer);
  const auto result = message ? message->body.find("result") : std::nullopt;
  if (!result)
    co_return std::unexpected(mcp_upstream_problem(
        exchange, server.name, {ErrorCode::invalid_argument, "it refuses server/discover", {}}));
  co_return std::string(result->raw());
}

net::Task<bool> speaks_the_same(Worker& worker, net::ServerStream& client, Exchange& exchange,
                                McpCall& call) {
  if (call.server->command) co_return false;
  if (call.server->eras != McpEras::automatic)
    co_return (call.server->eras == McpEras::modern) == (call.era == mcp::Era::modern);
  // A server that speaks both is spoken to as the client speaks; one that does not know the old
  // era refuses `initialize`, and is remembered for it.
  if (call.era == mcp::Era::legacy)
    co_return !worker.control.mcp().refuses_legacy(call.server->name);
  const auto era = co_await find_era(worker, client, exchange, *call.server);
  co_return !era || *era == mcp::Era::modern;
}

}  // namespace gatehouse::gateway

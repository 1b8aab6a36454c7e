// The answer of a server on its way to the client. Each message is screened before it leaves; the
// one that ends the call waits until the outcome is recorded. What nobody changed leaves as it
// came.
#include <algorithm>

#include "base/text.h"
#include "gateway/json_walk.h"
#include "gateway/mcp_upstream.h"
#include "gateway/sse.h"
#include "gateway/stages.h"

namespace gatehouse::gateway {
namespace {

// Lists and what is read may differ from caller to caller: nobody else may keep them.
void forbid_caching(const mcp::Message& message, std::vector<Splice>& edits) {
  const auto result = message.body.find("result");
  if (!result) return;
  if (const auto scope = result->find("cacheScope"))
    edits.push_back({scope->span().begin, scope->span().end, "\"private\""});
  if (const auto ttl = result->find("ttlMs"))
    edits.push_back({ttl->span().begin, ttl->span().end, "0"});
}

void remove_from(const mcp::JsonView& object, std::string_view name, std::string_view text,
                 std::vector<Splice>& edits) {
  for (const auto& member : object.members())
    if (member.key == name)
      edits.push_back(remove_member(text,
                                    static_cast<std::size_t>(member.key_token.data() - text.data()),
                                    member.value.span().end));
}

// Tasks are not served (mcp_request.cc), so a server is not said to have them.
void withhold_tasks(const mcp::Message& message, std::string_view text,
                    std::vector<Splice>& edits) {
  const auto result = message.body.find("result");
  const auto capabilities = result ? result->find("capabilities") : std::nullopt;
  if (!capabilities) return;
  remove_from(*capabilities, "tasks", text, edits);
  if (const auto extensions = capabilities->find("extensions"))
    remove_from(*extensions, "io.modelcontextprotocol/tasks", text, edits);
}

class Relay {
 public:
  Relay(Worker& worker, net::ServerStream& client, Exchange& exchange, McpCall& call,
        McpReplyPtr reply)
      : worker_(worker),
        client_(client),
        exchange_(exchange),
        call_(call),
        reply_(std::move(reply)) {}

  net::Task<McpVerdict> run() {
    exchange_.status = reply_->status;
    if (reply_->streams) co_return co_await stream();
    co_return co_await whole();
  }

 private:
  net::ResponseHead head(std::string_view content_type) const {
    auto head = mcp_head(exchange_, reply_->status, content_type);
    if (!reply_->retry_after.empty()) head.fields.add("Retry-After", reply_->retry_after);
    if (!reply_->session.empty() && call_.server) {
      McpSession session = call_.session.value_or(McpSession());
      session.version = call_.version;
      session.at[call_.server->name] = reply_->session;
      session.name = exchange_.id;
      head.fields.set("Mcp-Session-Id", seal_mcp_session(worker_, exchange_, call_, session));
    }
    if (reply_->streams) {
      head.fields.add("Cache-Control", "no-store");
      head.fields.add("X-Accel-Buffering", "no");
    }
    return head;
  }

  net::Task<McpVerdict> whole() {
    std::string body;
    while (true) {
      auto piece = co_await reply_->next();
      if (!piece) co_return std::unexpected(broken(piece.error()));
      if (!*piece) break;
      bool last = false;
      GH_MCP(co_await screen((*piece)->message, last));
      if (!body.empty()) body += '\n';
      body += (*piece)->message;
    }
    if (body.empty() && reply_->status >= 400 && call_.message &&
        call_.message->kind == mcp::Message::Kind::request) {
      // It said no in a way that no client of this protocol reads.
      body = mcp::error_message(call_.message->id, static_cast<int>(mcp::Code::upstream_failed),
                                "The server answered " + std::to_string(reply_->status) + ".");
    }
    auto answer = head(body.empty() ? "" : "application/json");
    co_return co_await respond_mcp(worker_, client_, exchange_, call_, std::move(answer),
                                   std::move(body));
  }

  net::Task<McpVerdict> stream() {
    client_.begin(head("text/event-stream"));
    // The head leaves with the first bytes, and a stream of notifications may have none for long.
    if (exchange_.head->method == "GET" && !co_await client_.write(":\n\n"))
      exchange_.client_left = true;
    auto problem = co_await relay_events();
    if (client_.disconnected().cancelled()) exchange_.client_left = true;
    if (!problem && !client_.responded() && !exchange_.client_left)
      co_return std::unexpected(std::move(problem).error());  // nothing sent yet: a plain answer
    if (!problem) {
      exchange_.problem = problem.error().problem;
      held_ = error_event(problem.error());
    }
    note_answer(worker_, exchange_, held_);
    GH_MCP(co_await record_mcp_outcome(worker_, exchange_, call_));
    if (exchange_.client_left) {
      client_.abort();
      co_return McpVerdict{};
    }
    if (!held_.empty()) (void)co_await client_.write(std::move(held_));
    if (auto ended = co_await client_.end(); !ended) exchange_.client_left = true;
    co_return McpVerdict{};
  }

  net::Task<McpVerdict> relay_events() {
    while (true) {
      auto piece = co_await reply_->next();
      if (!piece) co_return std::unexpected(broken(piece.error()));
      if (!*piece) co_return McpVerdict{};
      bool last = false;
      std::string event = (*piece)->event;
      if (!(*piece)->message.empty()) {
        const std::string before = (*piece)->message;
        GH_MCP(co_await screen((*piece)->message, last));
        if (event.empty() || (*piece)->message != before) event = event_of(**piece);
      }
      // The answer itself waits for its record, and nothing comes behind it.
      if (last) {
        held_ = std::move(event);
        co_return McpVerdict{};
      }
      note_answer(worker_, exchange_, event);
      GH_MCP(co_await taint_session(worker_, exchange_, call_));
      if (!co_await client_.write(std::move(event))) {
        exchange_.client_left = true;
        co_return McpVerdict{};
      }
    }
  }

  static std::string event_of(const McpPiece& piece) {
    std::string event;
    if (!piece.event_id.empty()) event += "id: " + piece.event_id + "\n";
    append_event(event, "message", piece.message);
    return event;
  }

  std::string error_event(const McpRefusal& refusal) const {
    std::string event;
    if (call_.message && call_.message->kind == mcp::Message::Kind::request)
      append_event(event, "message",
                   mcp::error_message(call_.message->id, refusal.code, refusal.message));
    return event;
  }

  McpRefusal broken(const Error& error) {
    if (client_.disconnected().cancelled()) exchange_.client_left = true;
    return mcp_upstream_problem(exchange_, call_.subject_server, error);
  }

  // `last`: it is the answer to the request.
  net::Task<McpVerdict> screen(std::string& text, bool& last) {
    auto message = mcp::read_message(text);
    if (!message) co_return std::unexpected(broken(message.error()));
    const bool answers =
        message->kind == mcp::Message::Kind::result || message->kind == mcp::Message::Kind::error;
    last = answers && call_.message && answers_ours(*message);
    if (answers && !last && !is_replay())
      co_return std::unexpected(
          broken({ErrorCode::invalid_argument, "it answers a request that was not made", {}}));
    call_.replayed = call_.replayed || (answers && !last);
    if (last && message->kind == mcp::Message::Kind::error) note_error(*message);
    if (last && asks_for_input(*message))
      co_return mcp_refuse(Problem::answer_refused, 200, mcp::Code::upstream_failed,
                           "The server asks for input, which a client of this revision cannot be "
                           "asked for in the middle of a call.");
    if (last && message->kind == mcp::Message::Kind::result &&
        call_.message->method == "tools/list") {
      auto listed =
          co_await filter_tool_list(worker_, exchange_, call_, *call_.target, std::move(text), "");
      if (!listed) co_return std::unexpected(broken(listed.error()));
      text = std::move(*listed);
      message = mcp::read_message(text);
      if (!message) co_return std::unexpected(broken(message.error()));
    }
    std::vector<Splice> edits;
    forbid_caching(*message, edits);
    if (last && describes_server()) withhold_tasks(*message, text, edits);
    if (!edits.empty()) text = apply_splices(text, std::move(edits));
    if (auto screened = screen_mcp_texts(worker_, exchange_, call_, text); !screened)
      co_return std::unexpected(broken(screened.error()));
    co_return McpVerdict{};
  }

  bool describes_server() const {
    return call_.message->method == "initialize" || call_.message->method == "server/discover";
  }

  // Of a client of the older era that is served by a server of the newer one.
  bool asks_for_input(const mcp::Message& message) const {
    const auto result = message.body.find("result");
    return call_.era == mcp::Era::legacy && result &&
           result->find_text("resultType") == "input_required";
  }

  // An error may come without an id: of a message that the server could not read, or did not want.
  bool answers_ours(const mcp::Message& message) const {
    if (message.kind == mcp::Message::Kind::error && message.id.empty()) return true;
    return mcp::same_id(message.id, call_.message->id);
  }

  // Answers to earlier requests come where a stream is resumed.
  bool is_replay() const { return exchange_.head->method == "GET"; }

  void note_error(const mcp::Message& message) {
    const auto error = message.body.find("error");
    const auto code = error ? error->find("code") : std::nullopt;
    if (code) call_.error_code = std::atoi(std::string(code->raw()).c_str());
  }

  Worker& worker_;
  net::ServerStream& client_;
  Exchange& exchange_;
  McpCall& call_;
  McpReplyPtr reply_;
  std::string held_;
};

}  // namespace

net::ResponseHead mcp_head(const Exchange& exchange, int status, std::string_view content_type) {
  net::ResponseHead head;
  head.status = status;
  if (!content_type.empty()) head.fields.add("Content-Type", std::string(content_type));
  head.fields.add("Gatehouse-Entry", exchange.id);
  if (exchange.snapshot->config->audit == AuditMode::relaxed)
    head.fields.add("Gatehouse-Audit", "relaxed");
  return head;
}

net::Task<McpVerdict> respond_mcp(Worker& worker, net::ServerStream& client, Exchange& exchange,
                                  McpCall& call, net::ResponseHead head, std::string body) {
  exchange.status = head.status;
  note_answer(worker, exchange, body);
  GH_MCP(co_await record_mcp_outcome(worker, exchange, call));
  if (!co_await client.respond(std::move(head), std::move(body))) exchange.client_left = true;
  co_return McpVerdict{};
}

net::Task<McpVerdict> relay_mcp(Worker& worker, net::ServerStream& client, Exchange& exchange,
                                McpCall& call, McpReplyPtr reply) {
  Relay relay(worker, client, exchange, call, std::move(reply));
  co_return co_await relay.run();
}

}  // namespace gatehouse::gateway

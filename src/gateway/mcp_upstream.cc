// See mcp_upstream.h: servers over Streamable HTTP.
#include "gateway/mcp_upstream.h"

#include "base/log.h"
#include "base/text.h"
#include "gateway/sse.h"
#include "mcp/headers.h"

namespace gatehouse::gateway {
namespace {

bool media_type_is(const net::ResponseHead& head, std::string_view expected) {
  const auto value = head.fields.find("content-type").value_or("");
  return equals_ignoring_case(trim(value.substr(0, value.find(';'))), expected);
}

// The value of the `id:` field of an event as it came; the last one holds.
std::string event_id_of(std::string_view raw) {
  std::string id;
  for (const auto line : split(raw, '\n'))
    if (line.starts_with("id:")) id = trim(line.substr(3));
  return id;
}

class HttpReply final : public McpReply {
 public:
  // `goes_on`: what was asked for is a stream, whatever it is sent as.
  HttpReply(std::unique_ptr<net::ClientStream> stream, std::size_t message_bytes, bool goes_on)
      : stream_(std::move(stream)), most_(message_bytes), framer_(message_bytes) {
    const auto& head = stream_->head();
    status = head.status;
    streams = media_type_is(head, "text/event-stream");
    is_json_ = media_type_is(head, "application/json");
    by_line_ = goes_on && is_json_ && status == 200;
    session = head.fields.find("mcp-session-id").value_or("");
    retry_after = head.fields.find("retry-after").value_or("");
    has_body = streams || is_json_;
    streams = streams || by_line_;
  }

  net::Task<Result<std::optional<McpPiece>>> next() override {
    if (by_line_) co_return co_await next_line();
    if (streams) co_return co_await next_event();
    co_return co_await next_document();
  }

 private:
  net::Task<Result<std::optional<McpPiece>>> next_event() {
    while (true) {
      GH_CO_ASSIGN(auto event, framer_.next());
      if (event) co_return piece_of(std::move(*event));
      if (ended_) co_return std::optional<McpPiece>();
      std::string arrived;
      GH_CO_ASSIGN(const bool more, co_await stream_->read_some(arrived));
      framer_.feed(arrived);
      ended_ = !more;
      if (!ended_) continue;
      if (auto rest = framer_.rest()) co_return piece_of(std::move(*rest));
    }
  }

  static std::optional<McpPiece> piece_of(SseEvent event) {
    McpPiece piece;
    piece.event_id = event_id_of(event.raw);
    if (event.has_data && !trim(event.data).empty()) piece.message = std::move(event.data);
    piece.event = std::move(event.raw);
    return piece;
  }

  // Some servers write such a stream as JSON, a message on each line.
  net::Task<Result<std::optional<McpPiece>>> next_line() {
    while (true) {
      const auto end = body_.find('\n', searched_);
      const bool last = end == std::string::npos;
      if (last && !ended_) {
        searched_ = body_.size();
        if (body_.size() > most_)
          co_return fail(ErrorCode::resource_exhausted, "a line larger than a message may be");
        GH_CO_ASSIGN(const bool more, co_await stream_->read_some(body_));
        ended_ = !more;
        continue;
      }
      McpPiece piece;
      piece.message = trim(std::string_view(body_).substr(0, end));
      body_.erase(0, last ? body_.size() : end + 1);
      searched_ = 0;
      if (!piece.message.empty()) co_return std::optional(std::move(piece));
      if (last) co_return std::optional<McpPiece>();
    }
  }

  // A body of another type is nothing a client of this protocol could read: it ends here.
  net::Task<Result<std::optional<McpPiece>>> next_document() {
    if (!read_) {
      read_ = true;
      GH_CO_ASSIGN(body_, co_await stream_->read_all(most_));
      if (!is_json_) body_.clear();
      rest_ = trim(body_);
      // One document; some servers write several, a line each.
      whole_ = !rest_.empty() && mcp::JsonView::parse(rest_).has_value();
    }
    if (rest_.empty()) co_return std::optional<McpPiece>();
    const auto line = whole_ ? rest_ : rest_.substr(0, rest_.find('\n'));
    rest_.remove_prefix(std::min(rest_.size(), line.size() + (whole_ ? 0 : 1)));
    McpPiece piece;
    piece.message = trim(line);
    co_return std::optional(std::move(piece));
  }

  std::unique_ptr<net::ClientStream> stream_;
  std::size_t most_;
  SseFramer framer_;
  bool is_json_ = false;
  bool by_line_ = false;
  bool ended_ = false;
  bool read_ = false;
  bool whole_ = false;
  std::string body_;
  std::size_t searched_ = 0;  // no line ends before it
  std::string_view rest_;
};

McpVerdict check_head(const net::ResponseHead& head, const std::string& server) {
  if (head.status >= 300 && head.status < 400)
    return mcp_refuse(
        Problem::upstream_failed, 502, mcp::Code::upstream_failed,
        "The server \"" + server + "\" answered with a redirect, which is not followed.");
  const auto encoding = head.fields.find("content-encoding").value_or("identity");
  if (!equals_ignoring_case(trim(encoding), "identity"))
    return mcp_refuse(
        Problem::answer_refused, 502, mcp::Code::upstream_failed,
        "The server \"" + server + "\" compressed its answer; it cannot be inspected.");
  const auto session = head.fields.find("mcp-session-id").value_or("");
  if (!session.empty() && !mcp::is_session_id(session))
    return mcp_refuse(Problem::upstream_failed, 502, mcp::Code::upstream_failed,
                      "The server \"" + server + "\" gave a session id that is not visible ASCII.");
  // What it wants of its client is between it and the operators: our credential, not the caller's.
  if (head.status == 401 || head.status == 403)
    return mcp_refuse(Problem::upstream_failed, 502, mcp::Code::upstream_failed,
                      "The server \"" + server +
                          "\" refused the credential this gateway has for it (" +
                          std::to_string(head.status) + "). Tell the operators of this gateway.");
  return {};
}

}  // namespace

void set_mcp_credential(const McpServerConfig& server, net::Fields& fields) {
  if (server.credential.empty()) return;
  const bool bearer = equals_ignoring_case(server.credential_header, "authorization") &&
                      !server.credential.reveal().contains(' ');
  fields.set(server.credential_header,
             (bearer ? "Bearer " : "") + std::string(server.credential.reveal()));
}

std::vector<std::filesystem::path> mcp_hidden(const Config& config) {
  return {std::filesystem::absolute(config.data),
          std::filesystem::absolute(config.last_signed_directory())};
}

McpRefusal mcp_upstream_problem(const Exchange& exchange, std::string_view server,
                                const Error& error) {
  const std::string name(server);
  log_warning("tool server failed",
              {{"server", name}, {"entry", exchange.id}, {"error", error.describe()}});
  if (error.code == ErrorCode::deadline_exceeded)
    return mcp_refuse(Problem::upstream_timeout, 504, mcp::Code::upstream_failed,
                      "The server \"" + name + "\" did not answer in time.")
        .error();
  if (error.code == ErrorCode::unavailable)
    return mcp_refuse(Problem::upstream_failed, 502, mcp::Code::upstream_failed,
                      "The server \"" + name + "\" cannot be reached; nothing was sent to it.")
        .error();
  if (error.code == ErrorCode::invalid_argument || error.code == ErrorCode::resource_exhausted ||
      error.code == ErrorCode::failed_precondition)
    return mcp_refuse(Problem::answer_refused, 502, mcp::Code::upstream_failed,
                      "The answer of the server \"" + name +
                          "\" cannot be inspected, so it is not passed on: " + error.describe())
        .error();
  return mcp_refuse(Problem::upstream_failed, 502, mcp::Code::upstream_failed,
                    "The server \"" + name + "\" broke off before it answered.")
      .error();
}

net::Task<McpSent> send_http(Worker& worker, const Exchange& exchange,
                             const McpServerConfig& server, McpOutgoing outgoing,
                             net::CancelSource* cancel) {
  net::RequestHead head;
  head.method = std::move(outgoing.method);
  head.target = server.target;
  head.fields = std::move(outgoing.fields);
  if (head.method == "POST") head.fields.set("Content-Type", "application/json");
  // A compressed answer could not be screened.
  head.fields.set("Accept-Encoding", "identity");
  const bool goes_on = head.fields.find("mcp-method") == "subscriptions/listen";
  set_mcp_credential(server, head.fields);
  auto answer = co_await worker.tool_servers.request(server.endpoint, head, outgoing.body, cancel);
  // Nothing was sent: the same again is safe.
  if (!answer && answer.error().code == ErrorCode::unavailable && !(cancel && cancel->cancelled()))
    answer = co_await worker.tool_servers.request(server.endpoint, head, outgoing.body, cancel);
  if (!answer)
    co_return std::unexpected(mcp_upstream_problem(exchange, server.name, answer.error()));
  if (auto fine = check_head((*answer)->head(), server.name); !fine)
    co_return std::unexpected(std::move(fine).error());
  co_return std::make_unique<HttpReply>(std::move(*answer),
                                        exchange.snapshot->config->mcp.message_bytes, goes_on);
}

}  // namespace gatehouse::gateway

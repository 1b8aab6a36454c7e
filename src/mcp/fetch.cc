// See fetch.h.
#include "mcp/fetch.h"

#include <future>
#include <optional>

#include "base/text.h"
#include "mcp/headers.h"
#include "mcp/message.h"
#include "net/loop.h"
#include "net/task.h"

namespace gatehouse::mcp {
namespace {

constexpr std::size_t largest_answer = 16u << 20;
constexpr std::chrono::seconds patience{15};

std::string list_params(Era era, std::string_view cursor) {
  std::string params;
  JsonWriter json(params);
  json.begin_object();
  if (!cursor.empty()) json.key("cursor").string(cursor);
  if (era == Era::modern) {
    json.key("_meta").begin_object().key(meta_version).string(modern_version);
    json.key(meta_capabilities).begin_object().end_object();
    json.key(meta_client).begin_object().key("name").string("gatehouse");
    json.key("version").string("1").end_object().end_object();
  }
  json.end_object();
  return params;
}

std::string call_text(std::string_view id, std::string_view method, std::string_view params) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("jsonrpc").string("2.0");
  if (!id.empty()) json.key("id").raw(id);
  json.key("method").string(method).key("params").raw(params).end_object();
  return text;
}

// The message that answers request 1, out of JSON or of events.
std::optional<std::string> answer_in(std::string_view body) {
  const auto answers = [](std::string_view text) {
    const auto message = read_message(text);
    return message && message->id == "1" && message->method.empty();
  };
  if (answers(body)) return std::string(body);
  for (auto line : split(body, '\n')) {
    line = trim(line);
    if (!line.starts_with("data:")) continue;
    if (const auto data = trim(line.substr(5)); answers(data)) return std::string(data);
  }
  return std::nullopt;
}

struct Answer {
  int status = 0;
  std::string session;
  std::optional<std::string> message;
};

class Asker {
 public:
  Asker(const ServerAddress& server, std::shared_ptr<net::TlsContext> tls)
      : server_(server), pool_(loop_, limits(), std::move(tls)) {}

  Result<std::vector<std::string>> ask() {
    loop_.spawn(run());
    loop_.run();
    return std::move(result_);
  }

 private:
  static net::ClientLimits limits() {
    net::ClientLimits limits;
    limits.first_byte_timeout = patience;
    limits.read_timeout = patience;
    return limits;
  }

  net::Task<void> run() {
    result_ = co_await pages(Era::modern);
    // A server of before does not know what it was asked.
    if (!result_ && result_.error().code == ErrorCode::invalid_argument) {
      auto begun = co_await begin_session();
      if (begun) {
        result_ = co_await pages(Era::legacy);
      } else {
        result_ = std::unexpected(std::move(begun).error());
      }
    }
    loop_.stop();
  }

  net::Task<Result<Answer>> send(Era era, std::string body) {
    net::RequestHead head;
    head.method = "POST";
    head.target = server_.target;
    head.fields = server_.fields;
    head.fields.set("Content-Type", "application/json");
    head.fields.set("Accept", "application/json, text/event-stream");
    head.fields.set("Accept-Encoding", "identity");
    if (era == Era::modern) {
      if (const auto message = read_message(body)) set_headers(head.fields, *message, {});
    } else if (!session_.empty()) {
      head.fields.set("Mcp-Session-Id", session_);
      head.fields.set("MCP-Protocol-Version", version_);
    }
    GH_CO_ASSIGN(auto stream, co_await pool_.request(server_.endpoint, head, body, nullptr));
    Answer answer;
    answer.status = stream->head().status;
    answer.session = stream->head().fields.find("mcp-session-id").value_or("");
    if (!answer.session.empty() && !is_session_id(answer.session))
      co_return fail(ErrorCode::data_loss, "the server's session id is not visible ASCII");
    std::string arrived;
    while (arrived.size() < largest_answer) {
      GH_CO_ASSIGN(const bool more, co_await stream->read_some(arrived));
      answer.message = answer_in(arrived);
      if (answer.message || !more) break;  // a stream may go on; the answer is there
    }
    co_return answer;
  }

  net::Task<Result<void>> begin_session() {
    const std::string params =
        R"({"protocolVersion":")" + std::string(newest_legacy_version) +
        R"(","capabilities":{},"clientInfo":{"name":"gatehouse","version":"1"}})";
    GH_CO_ASSIGN(const auto answer,
                 co_await send(Era::legacy, call_text("1", "initialize", params)));
    const auto message = answer.message
                             ? read_message(*answer.message)
                             : Result<Message>(fail(ErrorCode::invalid_argument, "none"));
    const auto result = message ? message->body.find("result") : std::nullopt;
    if (!result)
      co_return fail(ErrorCode::invalid_argument, "the server refused \"initialize\" (status " +
                                                      std::to_string(answer.status) + ")");
    session_ = answer.session;
    version_ = result->find_text("protocolVersion").value_or(std::string(newest_legacy_version));
    GH_CO_ASSIGN(const auto told,
                 co_await send(Era::legacy, call_text("", "notifications/initialized", "{}")));
    (void)told;
    co_return Result<void>{};
  }

  net::Task<Result<std::vector<std::string>>> pages(Era era) {
    std::vector<std::string> pages;
    std::string cursor;
    while (pages.size() < most_pages) {
      GH_CO_ASSIGN(const auto answer,
                   co_await send(era, call_text("1", "tools/list", list_params(era, cursor))));
      if (!answer.message)
        co_return fail(
            ErrorCode::invalid_argument,
            "the server did not answer tools/list (status " + std::to_string(answer.status) + ")");
      GH_CO_ASSIGN(const auto message, read_message(*answer.message));
      const auto result = message.body.find("result");
      if (!result) co_return fail(ErrorCode::invalid_argument, "the server refused tools/list");
      pages.emplace_back(result->raw());
      cursor = result->find_text("nextCursor").value_or("");
      if (cursor.empty()) break;
    }
    co_return pages;
  }

  const ServerAddress& server_;
  net::Loop loop_;
  net::ClientPool pool_;
  std::string session_;
  std::string version_;
  Result<std::vector<std::string>> result_ = fail(ErrorCode::internal, "not asked");
};

}  // namespace

Result<std::vector<std::string>> fetch_tools(const ServerAddress& server) {
  GH_ASSIGN(auto tls, net::TlsContext::client(server.ca));
  Asker asker(server, std::move(tls));
  return asker.ask();
}

Result<std::vector<std::string>> fetch_tools(StdioServer& server) {
  GH_TRY(server.ensure_started());
  std::vector<std::string> pages;
  std::string cursor;
  while (pages.size() < most_pages) {
    auto answered = std::make_shared<std::promise<StdioServer::Piece>>();
    auto answer = answered->get_future();
    GH_TRY(server.request("1", "tools/list", list_params(Era::legacy, cursor),
                          [answered](StdioServer::Piece piece) {
                            if (piece.last) answered->set_value(std::move(piece));
                          }));
    if (answer.wait_for(patience) != std::future_status::ready)
      return fail(ErrorCode::deadline_exceeded, "the process did not answer tools/list in time");
    auto piece = answer.get();
    GH_ASSIGN(const std::string text, std::move(piece.message));
    GH_ASSIGN(const auto message, read_message(text));
    const auto result = message.body.find("result");
    if (!result) return fail(ErrorCode::invalid_argument, "the process refused tools/list");
    pages.emplace_back(result->raw());
    cursor = result->find_text("nextCursor").value_or("");
    if (cursor.empty()) break;
  }
  return pages;
}

}  // namespace gatehouse::mcp

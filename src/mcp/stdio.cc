// See stdio.h. The process is started and waited for by its reader thread: the kernel ends a child
// whose parent thread has gone, and this thread lives as long as the server does.
//
// Invariants
//   1. A sink is called from the reader thread (or from whoever ends the process), never under
//      mutex_, and never again after its last piece.
//   2. What is written to the child is one whole line at a time, under write_mutex_.
#include "mcp/stdio.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <future>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "mcp/message.h"
#include "mcp/sandbox.h"

namespace gatehouse::mcp {
namespace {

constexpr std::chrono::seconds start_limit{10};

std::string call_line(std::string_view id, std::string_view method, std::string_view params) {
  std::string line;
  JsonWriter json(line);
  json.begin_object().key("jsonrpc").string("2.0");
  if (!id.empty()) json.key("id").raw(id);
  json.key("method").string(method);
  if (!params.empty()) json.key("params").raw(params);
  json.end_object();
  return line;
}

std::string hello() {
  return R"({"protocolVersion":")" + std::string(newest_legacy_version) +
         R"(","capabilities":{},"clientInfo":{"name":"gatehouse","version":"1"}})";
}

// A line has no line break inside; JSON may have them between its tokens.
std::string as_line(std::string text) {
  for (char& c : text)
    if (c == '\n' || c == '\r') c = ' ';  // inside of strings they are escaped
  return text + '\n';
}

Result<void> write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return fail(ErrorCode::unavailable, "the process does not take its input");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

// The message with `id` in the place of its own.
std::string with_id(const Message& message, std::string_view text, std::string_view id) {
  const auto span = message.body.find("id")->span();
  return apply_splices(text, {{span.begin, span.end, std::string(id)}});
}

// The params with our progress token in the place of the caller's, which goes to `token`.
std::string with_token(std::string_view params, std::uint64_t ours, std::string& token) {
  const auto view = JsonView::parse(params);
  const auto meta = view ? view->find("_meta") : std::nullopt;
  const auto theirs = meta ? meta->find("progressToken") : std::nullopt;
  if (!theirs) return std::string(params);
  token = theirs->raw();
  return apply_splices(params, {{theirs->span().begin, theirs->span().end, std::to_string(ours)}});
}

}  // namespace

StdioServer::StdioServer(std::string name, StdioOptions options)
    : name_(std::move(name)), options_(std::move(options)) {}

StdioServer::~StdioServer() {
  stopping_ = true;
  end_process();
  if (reader_.joinable()) reader_.join();
}

Result<std::string> StdioServer::ensure_started() {
  const std::lock_guard starting(start_mutex_);
  {
    const std::lock_guard lock(mutex_);
    if (running_) return initialized_;
  }
  if (reader_.joinable()) reader_.join();
  GH_TRY(start_process());
  auto answered = std::make_shared<std::promise<Piece>>();
  auto answer = answered->get_future();
  GH_TRY(request("0", "initialize", hello(), [answered](Piece piece) {
    if (piece.last) answered->set_value(std::move(piece));
  }));
  if (answer.wait_for(start_limit) != std::future_status::ready) {
    end_process();
    return fail(ErrorCode::deadline_exceeded, "the process did not answer \"initialize\" in time",
                name_);
  }
  auto piece = answer.get();
  if (!piece.message) return std::unexpected(std::move(piece.message).error());
  const auto message = read_message(*piece.message);
  const auto result = message ? message->body.find("result") : std::nullopt;
  if (!result) {
    end_process();
    return fail(ErrorCode::failed_precondition, "the process refused \"initialize\"", name_);
  }
  GH_TRY(notify("notifications/initialized", ""));
  const std::lock_guard lock(mutex_);
  initialized_ = result->raw();
  return initialized_;
}

Result<void> StdioServer::start_process() {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return fail(ErrorCode::resource_exhausted, "no descriptors for a process", name_);
  Descriptor ours(ends[0]);
  Descriptor theirs(ends[1]);
  auto started = std::make_shared<std::promise<Result<int>>>();
  auto result = started->get_future();
  {
    const std::lock_guard lock(mutex_);
    to_child_ = std::move(ours);
    running_ = true;
  }
  reader_ = std::thread([this, started, child_end = std::move(theirs)]() mutable {
    auto child = start_sandboxed(options_, child_end.get());
    child_end.close();
    const bool runs = child.has_value();
    if (runs) {
      const std::lock_guard lock(mutex_);
      child_ = *child;
    }
    started->set_value(std::move(child));
    if (runs) read_lines();
  });
  auto child = result.get();
  if (child) return {};
  const std::lock_guard lock(mutex_);
  running_ = false;
  return std::unexpected(std::move(child).error().within("tool server " + name_));
}

Result<void> StdioServer::send(const std::string& line) {
  const std::lock_guard writing(write_mutex_);
  int descriptor = -1;
  {
    const std::lock_guard lock(mutex_);
    if (!running_) return fail(ErrorCode::unavailable, "the process does not run", name_);
    descriptor = to_child_.get();
  }
  return write_all(descriptor, as_line(line));
}

Result<std::uint64_t> StdioServer::request(std::string_view id, std::string_view method,
                                           std::string_view params, Sink sink) {
  std::uint64_t ticket = 0;
  std::string line;
  {
    const std::lock_guard lock(mutex_);
    if (!running_) return fail(ErrorCode::unavailable, "the process does not run", name_);
    if (waiting_.size() >= options_.pending)
      return fail(ErrorCode::resource_exhausted, "too many requests wait for this server", name_);
    ticket = next_++;
    Waiting waiting{std::string(id), {}, std::move(sink)};
    line = call_line(std::to_string(ticket), method,
                     with_token(params, ticket, waiting.progress_token));
    waiting_.emplace(ticket, std::move(waiting));
  }
  if (auto sent = send(line); !sent) {
    const std::lock_guard lock(mutex_);
    waiting_.erase(ticket);
    return std::unexpected(std::move(sent).error());
  }
  return ticket;
}

void StdioServer::cancel(std::uint64_t ticket) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.erase(ticket) == 0) return;
  }
  (void)notify("notifications/cancelled",
               R"({"requestId":)" + std::to_string(ticket) + R"(,"reason":"the caller left"})");
}

Result<void> StdioServer::notify(std::string_view method, std::string_view params) {
  return send(call_line("", method, params));
}

void StdioServer::read_lines() {
  std::string buffer;
  int descriptor = -1;
  int child = -1;
  {
    const std::lock_guard lock(mutex_);
    descriptor = to_child_.get();
    child = child_;
  }
  std::array<char, 65'536> piece{};
  while (true) {
    const auto count = ::recv(descriptor, piece.data(), piece.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    buffer.append(piece.data(), static_cast<std::size_t>(count));
    std::size_t begin = 0;
    for (auto end = buffer.find('\n'); end != std::string::npos; end = buffer.find('\n', begin)) {
      take_line(trim(std::string_view(buffer).substr(begin, end - begin)));
      begin = end + 1;
    }
    buffer.erase(0, begin);
    if (buffer.size() > options_.line_bytes) {
      log_warning("a tool server wrote a line that is too long", {{"server", name_}});
      break;
    }
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  {
    const std::lock_guard writing(write_mutex_);
    const std::lock_guard lock(mutex_);
    running_ = false;
    child_ = -1;
    to_child_.close();
  }
  fail_all({ErrorCode::data_loss, "the process ended", name_});
}

void StdioServer::take_line(std::string_view line) {
  if (line.empty()) return;
  const auto message = read_message(line);
  if (!message) {
    log_warning("a tool server wrote what is no message", {{"server", name_}});
    return;
  }
  if (message->kind == Message::Kind::request) {
    // Nobody in particular is there to ask.
    const bool ping = message->method == "ping";
    (void)send(ping ? result_message(message->id, "{}")
                    : error_message(message->id, static_cast<int>(Code::method_not_found),
                                    "Nobody can be asked over this connection"));
    return;
  }
  const bool notification = message->kind == Message::Kind::notification;
  const auto token =
      notification && message->params ? message->params->find("progressToken") : std::nullopt;
  const auto ticket = parse_uint(notification ? (token ? token->raw() : "") : message->id);
  if (!ticket) return;  // of no caller in particular
  Sink sink;
  Piece piece{std::string(line), !notification};
  {
    const std::lock_guard lock(mutex_);
    const auto found = waiting_.find(*ticket);
    if (found == waiting_.end()) return;
    sink = found->second.sink;
    if (notification) {
      if (found->second.progress_token.empty()) return;
      piece.message = apply_splices(
          line, {{token->span().begin, token->span().end, found->second.progress_token}});
    } else {
      piece.message = with_id(*message, line, found->second.id);
      waiting_.erase(found);
    }
  }
  sink(std::move(piece));
}

void StdioServer::fail_all(const Error& error) {
  std::map<std::uint64_t, Waiting> waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting.swap(waiting_);
  }
  for (auto& [ticket, one] : waiting) one.sink({std::unexpected(error), true});
}

// The reader sees the end of its input and reaps the process.
void StdioServer::end_process() {
  const std::lock_guard lock(mutex_);
  if (!running_) return;
  ::shutdown(to_child_.get(), SHUT_RDWR);
  if (child_ > 0) ::kill(child_, SIGKILL);
}

}  // namespace gatehouse::mcp

// See log_server.h.
#include "api/log_server.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "crypto/crypto.h"

namespace gatehouse::api {
namespace {

using ledger::PublishedKind;

constexpr std::size_t etag_digits = 32;

// Entries name people: only whoever asked may keep them.
std::string_view cache_control(PublishedKind kind) {
  switch (kind) {
    case PublishedKind::checkpoint:
      return "no-cache";
    case PublishedKind::tile:
      return "public, max-age=31536000, immutable";
    case PublishedKind::entries:
      return "private, max-age=31536000, immutable";
  }
  return "no-store";
}

std::string_view content_type(PublishedKind kind) {
  return kind == PublishedKind::checkpoint ? "text/plain; charset=utf-8"
                                           : "application/octet-stream";
}

std::string etag_of(std::string_view body) {
  return '"' + to_hex(crypto::sha256(bytes_of(body))).substr(0, etag_digits) + '"';
}

// Whether If-None-Match names that tag (RFC 9110, 13.1.2: weak comparison).
bool is_known(const net::RequestHead& request, std::string_view etag) {
  const auto known = request.fields.find("if-none-match");
  if (!known) return false;
  return std::ranges::any_of(split(*known, ','), [&](std::string_view tag) {
    tag = trim(tag);
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    return tag == "*" || tag == etag;
  });
}

net::ResponseHead plain_head(int status, std::string_view caching) {
  net::ResponseHead head;
  head.status = status;
  head.fields.add("Content-Type", "text/plain; charset=utf-8");
  head.fields.add("Cache-Control", std::string(caching));
  return head;
}

}  // namespace

LogServer::LogServer(LogServerOptions options)
    : options_(std::move(options)), paths_(options_.directory.string()) {}

Result<std::unique_ptr<LogServer>> LogServer::start(LogServerOptions options) {
  std::unique_ptr<LogServer> log(new LogServer(std::move(options)));
  LogServer& self = *log;
  auto key = ledger::read_verifier_key(self.disk_, self.paths_.verifier_key);
  if (!key && key.error().code == ErrorCode::not_found)
    return fail(ErrorCode::not_found, "there is no log here", self.paths_.root);
  if (!key) return std::unexpected(std::move(key).error());
  self.key_ = std::move(*key);
  net::ServerLimits limits;
  limits.connections = self.options_.connections;
  limits.body_bytes = 0;
  self.server_ = std::make_unique<net::Server>(
      self.loop_, self.options_.listen, limits,
      [&self](net::ServerStream& client) { return self.answer(client); }, self.options_.tls);
  GH_TRY(self.server_->listen());
  self.thread_ = std::thread([&self] { self.loop_.run(); });
  return log;
}

LogServer::~LogServer() {
  loop_.stop();
  if (thread_.joinable()) thread_.join();
}

std::optional<ledger::PublishedName> LogServer::name_in(std::string_view target) const {
  if (!target.starts_with(options_.prefix)) return std::nullopt;
  target.remove_prefix(options_.prefix.size());
  if (!target.starts_with('/')) return std::nullopt;
  auto name = ledger::parse_published_name(target.substr(1));
  if (name && name->kind == PublishedKind::entries && !options_.entries) return std::nullopt;
  return name;
}

LogServer::Answer LogServer::answer_to(const net::RequestHead& request) {
  if (request.method != "GET" && request.method != "HEAD") {
    auto head = plain_head(405, "no-store");
    head.fields.add("Allow", "GET, HEAD");
    return {std::move(head), "only GET and HEAD\n"};
  }
  const auto name = name_in(request.target);
  if (!name) return {plain_head(404, "no-store"), "not a resource of this log\n"};
  auto bytes = ledger::read_published(disk_, paths_, key_, *name);
  if (!bytes && bytes.error().code == ErrorCode::not_found)
    return {plain_head(404, "no-store"), "not there, or not yet\n"};
  if (!bytes) {
    log_error("a part of the log cannot be read", {{"error", bytes.error().describe()}});
    return {plain_head(500, "no-store"), "this part of the log cannot be read\n"};
  }
  if (bytes_on_their_way_ + bytes->size() > options_.answer_bytes) {
    auto head = plain_head(503, "no-store");
    head.fields.add("Retry-After", "1");
    return {std::move(head), "too many answers are on their way\n"};
  }
  net::ResponseHead head;
  const std::string etag = etag_of(*bytes);
  head.fields.add("Cache-Control", std::string(cache_control(name->kind)));
  head.fields.add("ETag", etag);
  if (is_known(request, etag)) {
    head.status = 304;
    return {std::move(head), {}};
  }
  head.fields.add("Content-Type", std::string(content_type(name->kind)));
  head.fields.add("X-Content-Type-Options", "nosniff");
  return {std::move(head), std::move(*bytes)};
}

net::Task<void> LogServer::answer(net::ServerStream& client) {
  Answer made = answer_to(client.request());
  const std::size_t size = made.body.size();
  bytes_on_their_way_ += size;
  // Whoever asked may have gone; there is nothing left to do about it.
  (void)co_await client.respond(std::move(made.head), std::move(made.body));
  bytes_on_their_way_ -= size;
}

}  // namespace gatehouse::api

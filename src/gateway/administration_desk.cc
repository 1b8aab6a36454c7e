// See administration_desk.h.
#include "gateway/administration_desk.h"

#include <mutex>

#include "base/json.h"

namespace gatehouse::gateway {
namespace {

// A slow call (a server of tools that is asked, a vault that is wrapped anew) does not hold up a
// revocation, and administration never holds up the disk work of calls.
constexpr std::size_t threads = 3;
constexpr std::size_t most_waiting = 64;

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
      return 400;
    case ErrorCode::unauthenticated:
      return 401;
    case ErrorCode::permission_denied:
      return 403;
    case ErrorCode::not_found:
      return 404;
    case ErrorCode::already_exists:
    case ErrorCode::failed_precondition:
      return 409;
    case ErrorCode::resource_exhausted:
      return 429;
    case ErrorCode::unavailable:
      return 503;
    default:
      return 500;
  }
}

}  // namespace

AdministrationReply reply_of(const Error& error) {
  std::string body;
  JsonWriter writer(body);
  writer.begin_object().key("error").begin_object().key("code").string(to_string(error.code));
  writer.key("message").string(error.describe()).end_object().end_object();
  return {status_of(error.code), std::move(body)};
}

AdministrationDesk::AdministrationDesk()
    : pool_(std::make_unique<net::BlockingPool>(threads, most_waiting)) {}

void AdministrationDesk::open(Handler handler) {
  const std::unique_lock lock(mutex_);
  handler_ = std::move(handler);
}

void AdministrationDesk::close() {
  const std::unique_lock lock(mutex_);
  handler_ = {};
}

AdministrationReply AdministrationDesk::handle(std::string_view method, std::string_view path,
                                               std::string_view body, std::string_view actor,
                                               const std::vector<std::string>& roles) {
  const std::shared_lock lock(mutex_);
  if (handler_) return handler_(method, path, body, actor, roles);
  return reply_of({ErrorCode::unavailable, "administration is not served here now", ""});
}

net::Task<std::optional<AdministrationReply>> AdministrationDesk::carry_out(
    net::Loop& loop, std::string_view method, std::string_view path, std::string body,
    std::string actor, std::vector<std::string> roles) {
  // The caller's head may go while the work runs: it gets copies.
  auto done = std::make_shared<net::Completion<AdministrationReply>>(loop);
  const bool taken = pool_ && pool_->submit([this, done, method = std::string(method),
                                             path = std::string(path), body = std::move(body),
                                             actor = std::move(actor), roles = std::move(roles)] {
    done->complete(handle(method, path, body, actor, roles));
  });
  if (!taken) co_return std::nullopt;
  co_return co_await done->wait();
}

}  // namespace gatehouse::gateway

// The caller's side of administration: by the socket of this node, by another machine's gateway, or
// in this process where no gateway runs. Blocking; one call each.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "api/admin.h"
#include "base/clock.h"
#include "base/random.h"
#include "net/client.h"
#include "net/loop.h"
#include "net/tls.h"

namespace gatehouse::api {
namespace {

using nlohmann::json;

// Kept content goes back in base64.
constexpr std::size_t largest_answer = 2u << 30;

ErrorCode code_of(int status) {
  switch (status) {
    case 400:
    case 405:
    case 413:
      return ErrorCode::invalid_argument;
    case 401:
      return ErrorCode::unauthenticated;
    case 403:
      return ErrorCode::permission_denied;
    case 404:
      return ErrorCode::not_found;
    case 409:
      return ErrorCode::failed_precondition;
    case 429:
      return ErrorCode::resource_exhausted;
    case 503:
      return ErrorCode::unavailable;
    default:
      return ErrorCode::internal;
  }
}

Result<std::string> reply_or_error(AdminReply reply) {
  if (reply.status == 200) return std::move(reply.body);
  const auto parsed = json::parse(reply.body, nullptr, false);
  std::string message = "the gateway answered " + std::to_string(reply.status);
  const auto told = json::json_pointer("/error/message");
  if (parsed.is_object() && parsed.contains(told) && parsed[told].is_string())
    message = parsed[told].get<std::string>();
  return fail(code_of(reply.status), std::move(message));
}

struct Call {
  net::Endpoint endpoint;
  net::RequestHead head;
  std::string body;
};

net::Task<void> call_gateway(net::Loop& loop, net::ClientPool& pool, Call call,
                             Result<AdminReply>& result) {
  call.head.fields.add("Content-Type", "application/json");
  auto answer = co_await pool.request(call.endpoint, call.head, call.body, nullptr);
  if (!answer) {
    result = std::unexpected(answer.error());
  } else if (auto body = co_await (*answer)->read_all(largest_answer); !body) {
    result = std::unexpected(body.error());
  } else {
    result = AdminReply{(*answer)->head().status, std::move(*body)};
  }
  loop.stop();
}

Result<AdminReply> make_call(Call call, std::shared_ptr<net::TlsContext> tls) {
  net::Loop loop;
  net::ClientPool pool(loop, {}, std::move(tls));
  Result<AdminReply> reply = fail(ErrorCode::internal, "no reply");
  loop.spawn(call_gateway(loop, pool, std::move(call), reply));
  loop.run();
  return reply;
}

Call call_of(std::string_view method, std::string_view path, std::string body) {
  Call call;
  call.head.method = method;
  call.head.target = path;
  call.body = std::move(body);
  return call;
}

// A key may travel over a wire that others can read no more than it may stand in a message.
bool is_safe_endpoint(const net::Endpoint& endpoint) {
  return endpoint.unix_path.empty() &&
         (endpoint.tls || endpoint.host == "localhost" || endpoint.host == "::1" ||
          endpoint.host.starts_with("127."));
}

}  // namespace

Result<std::string> administer(const RemoteGateway& gateway, std::string_view method,
                               std::string_view path, std::string body) {
  auto call = call_of(method, path, std::move(body));
  auto endpoint = net::Endpoint::parse(gateway.server);
  if (!endpoint) return std::unexpected(std::move(endpoint).error().within("GATEHOUSE_SERVER"));
  if (!is_safe_endpoint(*endpoint))
    return fail(ErrorCode::invalid_argument,
                "expected a URL with https; http only to this machine (127.0.0.1, localhost)",
                "GATEHOUSE_SERVER");
  call.endpoint = std::move(*endpoint);
  const auto key = gateway.key.reveal();
  const bool printable =
      !key.empty() && std::ranges::all_of(key, [](char c) { return c > 0x20 && c < 0x7f; });
  if (!printable)
    return fail(ErrorCode::invalid_argument, "expected a key or a token", "GATEHOUSE_KEY");
  call.head.fields.add("Authorization", "Bearer " + std::string(key));
  call.head.fields.add("Gatehouse-Surface", "cli");
  GH_ASSIGN(auto tls, net::TlsContext::client(gateway.ca_file));
  GH_ASSIGN(auto reply, make_call(std::move(call), std::move(tls)));
  return reply_or_error(std::move(reply));
}

Result<std::string> administer(const gateway::Config& config, std::string_view method,
                               std::string_view path, std::string body, std::string_view actor) {
  if (std::filesystem::exists(config.admin_socket())) {
    auto call = call_of(method, path, body);
    call.endpoint.host = "localhost";
    call.endpoint.unix_path = config.admin_socket().string();
    call.head.fields.add("Gatehouse-Actor", std::string(actor));
    auto reply = make_call(std::move(call), nullptr);
    if (reply) return reply_or_error(std::move(*reply));
    // Nobody listens on it any more: the gateway is gone, so this process may do it.
    if (reply.error().code != ErrorCode::unavailable)
      return std::unexpected(std::move(reply).error().within("the running gateway"));
  }
  SystemClock clock;
  SystemRandom random;
  GH_ASSIGN(const auto control, gateway::ControlPlane::open(config, clock, random));
  Admin admin(*control, std::make_shared<const gateway::Config>(config), {}, {});
  return reply_or_error(admin.handle(method, path, body, actor));
}

}  // namespace gatehouse::api

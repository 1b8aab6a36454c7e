// Forward: the request goes to its provider, with the provider's credential and without the
// caller's. Retried once, and only where nothing was sent.
#include <algorithm>
#include <array>

#include "base/log.h"
#include "base/text.h"
#include "gateway/admit.h"
#include "gateway/stages.h"

namespace gatehouse::gateway {
namespace {

// What goes on of the caller's headers; a provider's configuration may add to it. Nothing else
// does: headers are not inspected.
constexpr std::array<std::string_view, 7> forwarded{
    "accept",      "user-agent", "idempotency-key", "x-request-id", "x-client-request-id",
    "traceparent", "tracestate"};
constexpr std::array<std::string_view, 3> forwarded_beginnings{"openai-", "anthropic-",
                                                               "x-stainless-"};

bool is_forwarded(std::string_view name, const ProviderConfig& provider) {
  const auto is_name = [&](std::string_view other) { return equals_ignoring_case(name, other); };
  return std::ranges::any_of(forwarded, is_name) ||
         std::ranges::any_of(forwarded_beginnings,
                             [&](std::string_view beginning) {
                               return equals_ignoring_case(name.substr(0, beginning.size()),
                                                           beginning);
                             }) ||
         std::ranges::any_of(provider.forward_headers, is_name);
}

net::RequestHead upstream_head(const Exchange& exchange) {
  net::RequestHead head;
  head.method = exchange.head->method;
  head.target = exchange.head->target;
  for (const auto& field : exchange.head->fields.all())
    if (is_forwarded(field.name, *exchange.provider)) head.fields.add(field.name, field.value);
  head.fields.set("Content-Type", "application/json");
  // A compressed answer could not be screened.
  head.fields.add("Accept-Encoding", "identity");
  if (!exchange.provider->credential.empty())
    exchange.dialect->authorize(head, exchange.provider->credential.reveal());
  return head;
}

ApiError upstream_error(const Exchange& exchange, const Error& error) {
  const auto& provider = exchange.provider->name;
  log_warning("upstream failed",
              {{"provider", provider}, {"entry", exchange.id}, {"error", error.describe()}});
  if (error.code == ErrorCode::deadline_exceeded) {
    return {Problem::upstream_timeout, "The provider \"" + provider + "\" did not answer in time."};
  }
  if (error.code == ErrorCode::unavailable) {
    return {Problem::upstream_failed,
            "The provider \"" + provider + "\" cannot be reached; nothing was sent to it."};
  }
  return {Problem::upstream_failed,
          "The provider \"" + provider + "\" broke off before it answered."};
}

}  // namespace

net::Task<std::expected<Upstream, ApiError>> forward(Worker& worker, net::ServerStream& client,
                                                     Exchange& exchange) {
  const StageTimer timer(worker, exchange, Stage::forward);
  const auto head = upstream_head(exchange);
  auto answer = co_await worker.upstreams.request(exchange.provider->endpoint, head, exchange.body,
                                                  &client.disconnected());
  if (!answer && answer.error().code == ErrorCode::unavailable &&
      !client.disconnected().cancelled()) {
    answer = co_await worker.upstreams.request(exchange.provider->endpoint, head, exchange.body,
                                               &client.disconnected());
  }
  if (answer || answer.error().code != ErrorCode::unavailable) note_sent(exchange);
  if (answer) co_return std::move(*answer);
  exchange.client_left = client.disconnected().cancelled();
  if (exchange.client_left) co_return refuse(Problem::upstream_failed, "the client left");
  co_return std::unexpected(upstream_error(exchange, answer.error()));
}

}  // namespace gatehouse::gateway

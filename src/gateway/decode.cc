// Decode: the body arrives and its channels are found.
#include "gateway/stages.h"

namespace gatehouse::gateway {
namespace {

ApiError body_error(const Error& error) {
  switch (error.code) {
    case ErrorCode::resource_exhausted:
      return {Problem::too_large, error.message};
    case ErrorCode::deadline_exceeded:
      return {Problem::timeout, "the body did not arrive in time"};
    default:
      return {Problem::bad_request, error.describe()};
  }
}

}  // namespace

net::Task<Verdict> decode(Worker& worker, net::ServerStream& client, Exchange& exchange) {
  auto body = co_await client.read_body(exchange.snapshot->config->server.body_bytes);
  if (!body) co_return std::unexpected(body_error(body.error()));
  exchange.body = std::move(*body);
  const StageTimer timer(worker, exchange, Stage::decode);
  if (auto decoded = exchange.dialect->decode(worker.walker, exchange); !decoded)
    co_return refuse(Problem::bad_request, decoded.error().describe());
  co_return Verdict{};
}

}  // namespace gatehouse::gateway

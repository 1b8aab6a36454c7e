// Identify: the caller's credential becomes a principal.
#include "base/text.h"
#include "gateway/stages.h"

namespace gatehouse::gateway {
namespace {

std::string_view presented_key(const net::RequestHead& head) {
  if (const auto key = head.fields.find("x-api-key")) return trim(*key);
  const auto authorization = head.fields.find("authorization").value_or("");
  constexpr std::string_view scheme = "bearer ";
  if (authorization.size() > scheme.size() &&
      equals_ignoring_case(authorization.substr(0, scheme.size()), scheme))
    return trim(authorization.substr(scheme.size()));
  return {};
}

}  // namespace

Verdict identify(const Worker& worker, Exchange& exchange) {
  const StageTimer timer(worker, exchange, Stage::identify);
  auto principal =
      exchange.snapshot->keys.authenticate(presented_key(*exchange.head), exchange.time);
  if (!principal) return refuse(Problem::unauthenticated, principal.error().message);
  exchange.principal = std::move(*principal);
  return {};
}

}  // namespace gatehouse::gateway

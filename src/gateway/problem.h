// What can be told to a caller when a call does not go through, independent of dialect. Each
// problem has one HTTP status and, per dialect, the error type and code that make the official SDKs
// raise the right exception and retry only what a retry can mend (facts: docs/errors.md).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse::gateway {

enum class Problem : std::uint8_t {
  bad_request,         // 400
  unauthenticated,     // 401
  blocked,             // 403: policy said no; x-should-retry: false
  unknown_model,       // 404
  unknown_path,        // 404
  unknown_entry,       // 404: no receipt for this caller
  receipt_pending,     // 404: no checkpoint covers the entry yet
  method_not_allowed,  // 405
  timeout,             // 408: the body did not come in time
  too_large,           // 413
  answer_refused,      // 502: the answer failed validation or cannot be inspected
  upstream_failed,     // 502
  upstream_timeout,    // 504
  ledger_unavailable,  // 503: nothing leaves unrecorded
  vault_unavailable,   // 503: what must be kept cannot be
  rate_limited,        // 429: a limit over a sliding window; waiting helps
  budget_exhausted,    // 429: a budget is used up; x-should-retry: false
  internal,            // 500
};

int status_of(Problem problem);
std::string_view name_of(Problem problem);  // for events and metrics: "blocked", …

struct ApiError {
  Problem problem = Problem::internal;
  std::string message;    // says what was wrong, where, and what to do
  bool may_retry = true;  // false: the client is told that a repetition mends nothing
  std::optional<std::chrono::seconds> retry_after{};  // when one may
};

}  // namespace gatehouse::gateway

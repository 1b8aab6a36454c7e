// See problem.h.
#include "gateway/problem.h"

namespace gatehouse::gateway {

int status_of(Problem problem) {
  switch (problem) {
    case Problem::bad_request:
      return 400;
    case Problem::unauthenticated:
      return 401;
    case Problem::blocked:
      return 403;
    case Problem::unknown_model:
    case Problem::unknown_path:
    case Problem::unknown_entry:
    case Problem::receipt_pending:
      return 404;
    case Problem::method_not_allowed:
      return 405;
    case Problem::timeout:
      return 408;
    case Problem::too_large:
      return 413;
    case Problem::answer_refused:
    case Problem::upstream_failed:
      return 502;
    case Problem::upstream_timeout:
      return 504;
    case Problem::ledger_unavailable:
    case Problem::vault_unavailable:
      return 503;
    case Problem::rate_limited:
    case Problem::budget_exhausted:
      return 429;
    case Problem::internal:
      return 500;
  }
  return 500;
}

std::string_view name_of(Problem problem) {
  switch (problem) {
    case Problem::bad_request:
      return "bad_request";
    case Problem::unauthenticated:
      return "unauthenticated";
    case Problem::blocked:
      return "blocked";
    case Problem::unknown_model:
      return "unknown_model";
    case Problem::unknown_path:
      return "unknown_path";
    case Problem::unknown_entry:
      return "unknown_entry";
    case Problem::receipt_pending:
      return "receipt_pending";
    case Problem::method_not_allowed:
      return "method_not_allowed";
    case Problem::timeout:
      return "timeout";
    case Problem::too_large:
      return "too_large";
    case Problem::answer_refused:
      return "answer_refused";
    case Problem::upstream_failed:
      return "upstream_failed";
    case Problem::upstream_timeout:
      return "upstream_timeout";
    case Problem::ledger_unavailable:
      return "ledger_unavailable";
    case Problem::vault_unavailable:
      return "vault_unavailable";
    case Problem::rate_limited:
      return "rate_limited";
    case Problem::budget_exhausted:
      return "budget_exhausted";
    case Problem::internal:
      return "internal";
  }
  return "internal";
}

}  // namespace gatehouse::gateway

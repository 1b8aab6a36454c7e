// Errors as values, and the one place where a broken program stops. Pure functions but for
// check_failed(), which writes one line to standard error and aborts.
#include "base/result.h"

#include <cstdio>
#include <cstdlib>

namespace gatehouse {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
      return "invalid_argument";
    case ErrorCode::not_found:
      return "not_found";
    case ErrorCode::already_exists:
      return "already_exists";
    case ErrorCode::permission_denied:
      return "permission_denied";
    case ErrorCode::unauthenticated:
      return "unauthenticated";
    case ErrorCode::failed_precondition:
      return "failed_precondition";
    case ErrorCode::resource_exhausted:
      return "resource_exhausted";
    case ErrorCode::deadline_exceeded:
      return "deadline_exceeded";
    case ErrorCode::cancelled:
      return "cancelled";
    case ErrorCode::unavailable:
      return "unavailable";
    case ErrorCode::data_loss:
      return "data_loss";
    case ErrorCode::internal:
      return "internal";
  }
  return "internal";
}

std::string Error::describe() const {
  return context.empty() ? message : context + ": " + message;
}

Error Error::within(std::string_view outer) && {
  context = context.empty() ? std::string(outer) : std::string(outer) + ": " + context;
  return std::move(*this);
}

void check_failed(std::string_view expression, std::string_view detail,
                  std::source_location where) {
  (void)std::fprintf(stderr, "%s:%u: %s: check failed: %.*s%s%.*s\n", where.file_name(),
                     static_cast<unsigned>(where.line()), where.function_name(),
                     static_cast<int>(expression.size()), expression.data(),
                     detail.empty() ? "" : ": ", static_cast<int>(detail.size()), detail.data());
  std::abort();
}

}  // namespace gatehouse

// See body_error.h.
#include "gateway/body_error.h"

namespace gatehouse::gateway {

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

}  // namespace gatehouse::gateway

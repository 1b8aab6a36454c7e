#include "base/os.h"

#include <cerrno>
#include <system_error>

namespace gatehouse {
namespace {

ErrorCode code_of(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::not_found;
    case EEXIST:
      return ErrorCode::already_exists;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::permission_denied;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EFBIG:
      return ErrorCode::resource_exhausted;
    case EISDIR:
    case EINVAL:
    case ENAMETOOLONG:
    case ELOOP:
      return ErrorCode::invalid_argument;
    case EIO:
      return ErrorCode::data_loss;
    default:
      return ErrorCode::unavailable;
  }
}

}  // namespace

Error os_error(int number, std::string_view action, std::string context) {
  std::string message = "cannot " + std::string(action) + ": ";
  message += std::generic_category().message(number);
  return Error{code_of(number), std::move(message), std::move(context)};
}

}  // namespace gatehouse

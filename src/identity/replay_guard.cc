// See replay_guard.h.
#include "identity/replay_guard.h"

namespace gatehouse::identity {

Result<void> ReplayGuard::take(std::string_view id, WallTime until, WallTime now) {
  const std::lock_guard lock(mutex_);
  while (!by_end_.empty() && by_end_.begin()->first < now) {
    seen_.erase(by_end_.begin()->second);
    by_end_.erase(by_end_.begin());
  }
  if (seen_.contains(id)) return fail(ErrorCode::already_exists, "it was used before");
  if (seen_.size() >= most_)
    return fail(ErrorCode::resource_exhausted, "too many were used lately; try again later");
  seen_.emplace(id);
  by_end_.emplace(until, id);
  return {};
}

}  // namespace gatehouse::identity

// Ids that count once: proofs (RFC 9449 section 11.1) and tokens for a single use. Bounded: when it
// is full of ids that could still be used again, nothing new is taken, so nothing is ever taken
// twice. Thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/result.h"

namespace gatehouse::identity {

class ReplayGuard {
 public:
  explicit ReplayGuard(std::size_t most = 100'000) : most_(most) {}

  // Errors: already_exists: seen before; resource_exhausted: full; both leave it as it was. The id
  // is forgotten at `until`, when its use has become impossible by itself.
  Result<void> take(std::string_view id, WallTime until, WallTime now);

 private:
  const std::size_t most_;
  std::mutex mutex_;
  std::set<std::string, std::less<>> seen_;
  std::multimap<WallTime, std::string> by_end_;
};

}  // namespace gatehouse::identity

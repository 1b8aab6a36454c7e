// Whether a credential that is good in itself still counts: what was revoked. Immutable, part of a
// snapshot; any thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "identity/principal.h"
#include "store/state.h"

namespace gatehouse::identity {

class Standing {
 public:
  static Result<Standing> build(const store::State& state);

  // Error (unauthenticated): the principal, somebody it acts for or one of the credential's ids is
  // revoked; says which.
  Result<void> check(const Principal& principal, const std::vector<std::string>& ids,
                     WallTime now) const;

 private:
  std::set<std::string, std::less<>> tokens_;
  std::set<std::string, std::less<>> principals_;  // "user:ada"
  // API keys by prefix: what was made from one ends with it.
  std::map<std::string, WallTime, std::less<>> keys_end_;
};

}  // namespace gatehouse::identity

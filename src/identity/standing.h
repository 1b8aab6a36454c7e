// Whether a credential that is good in itself still counts: what was revoked. Immutable, part of a
// snapshot; any thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "identity/directory.h"
#include "identity/principal.h"
#include "store/state.h"

namespace gatehouse::identity {

class Standing {
 public:
  // Who is not active in the directory is suspended, and so is whom it has deleted, under every
  // name their account had. What an operator suspended, the directory does not restore.
  static Result<Standing> build(const store::State& state, const Directory& directory);

  static Standing of(const std::vector<std::string>& tokens,
                     const std::vector<std::string>& principals);

  // Error (unauthenticated): the principal, somebody it acts for or one of the credential's ids is
  // revoked; says which.
  Result<void> check(const Principal& principal, const std::vector<std::string>& ids,
                     WallTime now) const;

  // When an API key ends by itself, where it does.
  std::optional<WallTime> end_of_key(std::string_view prefix) const {
    const auto end = keys_end_.find(prefix);
    return end == keys_end_.end() ? std::nullopt : std::optional(end->second);
  }
  // Ids of tokens, and prefixes of API keys that ended by a revocation; principals, "user:ada".
  const std::set<std::string, std::less<>>& tokens() const { return tokens_; }
  const std::set<std::string, std::less<>>& principals() const { return principals_; }
  friend bool operator==(const Standing&, const Standing&) = default;

 private:
  static Standing suspended_by(const Directory& directory);

  std::set<std::string, std::less<>> tokens_;
  std::set<std::string, std::less<>> principals_;  // "user:ada"
  // API keys by prefix: what was made from one ends with it.
  std::map<std::string, WallTime, std::less<>> keys_end_;
};

}  // namespace gatehouse::identity

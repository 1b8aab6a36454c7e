// See standing.h.
#include "identity/standing.h"

namespace gatehouse::identity {
namespace {

constexpr std::string_view token_prefix = "revoked/token/";
constexpr std::string_view principal_prefix = "revoked/principal/";

std::unexpected<Error> refuse(std::string message) {
  return fail(ErrorCode::unauthenticated, std::move(message));
}

std::string written(PrincipalKind kind, std::string_view id) {
  return std::string(to_string(kind)) + ':' + std::string(id);
}

}  // namespace

// A name that a suspended account gave up stays suspended: else who leaves would be renamed, and
// back. Only an account that is active under it frees it.
Standing Standing::suspended_by(const Directory& directory) {
  std::set<std::string_view> active;
  for (const auto& [id, account] : directory.accounts())
    if (account.active && !account.removed) active.insert(account.principal);
  Standing standing;
  for (const auto& [id, account] : directory.accounts()) {
    if (account.active && !account.removed) continue;
    standing.principals_.insert(account.principal);
    for (const auto& name : account.former)
      if (!active.contains(name)) standing.principals_.insert(name);
  }
  return standing;
}

Result<Standing> Standing::build(const store::State& state, const Directory& directory) {
  Standing standing = suspended_by(directory);
  for (const auto& [name, data] : state.records()) {
    if (name.starts_with(token_prefix)) standing.tokens_.insert(name.substr(token_prefix.size()));
    if (name.starts_with(principal_prefix))
      standing.principals_.insert(name.substr(principal_prefix.size()));
  }
  for (const auto& [id, key] : state.all_keys()) {
    if (!key.revoked.empty()) standing.tokens_.insert(key.prefix);
    if (key.expires.empty()) continue;
    GH_ASSIGN(standing.keys_end_[key.prefix], parse_time(key.expires));
  }
  return standing;
}

Standing Standing::of(const std::vector<std::string>& tokens,
                      const std::vector<std::string>& principals) {
  Standing standing;
  standing.tokens_.insert(tokens.begin(), tokens.end());
  standing.principals_.insert(principals.begin(), principals.end());
  return standing;
}

Result<void> Standing::check(const Principal& principal, const std::vector<std::string>& ids,
                             WallTime now) const {
  for (const auto& id : ids) {
    if (tokens_.contains(id)) return refuse("The token is revoked.");
    const auto end = keys_end_.find(id);
    if (end != keys_end_.end() && now >= end->second)
      return refuse("The API key this token was made from is no longer good.");
  }
  if (principals_.empty()) return {};
  if (principals_.contains(written(principal.kind, principal.id)))
    return refuse("The " + std::string(to_string(principal.kind)) + " is suspended.");
  for (const Actor& actor : principal.chain)
    if (principals_.contains(written(actor.kind, actor.id)))
      return refuse("Somebody this acts for is suspended.");
  return {};
}

}  // namespace gatehouse::identity

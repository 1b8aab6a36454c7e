// See credentials.h.
#include "identity/credentials.h"

#include <algorithm>

#include "base/text.h"

namespace gatehouse::identity {

bool looks_like_jwt(std::string_view credential) {
  return credential.starts_with("ey") && std::ranges::count(credential, '.') == 2;
}

Result<Verified> verify_jwt(std::string_view token, const IdentityConfig& config,
                            const IssuerKeys& keys, WallTime now, MissingKey& missing) {
  auto jws = parse_jws(token);
  if (!jws)
    return fail(ErrorCode::unauthenticated, "The token is malformed: " + jws.error().message + ".");
  const IssuerConfig* const issuer = issuer_of(*jws, config.issuers);
  if (issuer == nullptr)
    return fail(ErrorCode::unauthenticated, "The token is of an issuer that is not trusted here.");
  missing = {issuer->issuer, jws->kid};
  const auto set = keys.keys_of(issuer->issuer);
  if (!set)
    return fail(ErrorCode::not_found,
                "The keys of the token's issuer are not here, so no token of it can be accepted.");
  return verify_access_token(token, *jws, *issuer, *set, now);
}

}  // namespace gatehouse::identity

// Tokens of issuers that are trusted: JWT access tokens (RFC 9068, RFC 7519) and JWT-SVIDs
// (SPIFFE), from their claims to a Principal. Pure; any thread. Where the keys come from:
// issuer_keys.h.
//
// What must hold of a token, whatever else is configured: its algorithm is one of the issuer's
// list, its signature is by a key of the issuer, its issuer is exactly the configured one, its
// audience names this gateway, it has an expiry that has not passed.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/verifying_key.h"
#include "identity/jose.h"
#include "identity/principal.h"

namespace gatehouse::identity {

struct IssuerConfig {
  std::string issuer;                  // of a trust domain: "spiffe://example.org"
  std::string keys_url;                // empty: by discovery
  std::vector<std::string> audiences;  // one of them must be in the token
  std::string resource;                // or an address below this one, for that address alone
  std::vector<crypto::SignatureAlgorithm> algorithms;
  std::vector<std::string> types{"at+jwt"};  // lower case; "" is a token that says none
  PrincipalKind kind = PrincipalKind::user;
  // What a token is whose subject is the client itself (RFC 9068 section 5).
  PrincipalKind client_kind = PrincipalKind::service;
  std::string kind_claim;  // decides instead where the token has it; a value not listed is refused
  std::map<std::string, PrincipalKind, std::less<>> kinds;
  std::string id_claim = "sub";
  std::string id_prefix;  // so that two issuers' "ada" are two principals
  std::string groups_claim;
  std::vector<std::pair<std::string, std::string>> attributes;  // attribute, claim
  std::string trust_domain;              // set: JWT-SVIDs of this SPIFFE trust domain
  std::vector<std::string> agent_paths;  // of a trust domain: paths whose workloads are agents
  std::chrono::seconds skew{30};
};

// What showed who it is, verified, with what still has to be shown or looked up.
struct Verified {
  Principal principal;
  WallTime expires;
  std::vector<std::string> ids;         // by any of them it can be revoked
  std::string key_thumbprint;           // RFC 9449: a proof by this key must come with it
  std::string certificate_thumbprint;   // RFC 8705: the client's certificate must be this one
  std::vector<std::string> single_use;  // ids that count once
  std::string path;                     // the only one the token is for: "/mcp/docs"; empty: all
};

// The issuer of whom this token says it is; null: none of them.
const IssuerConfig* issuer_of(const CompactJws& jws, const std::vector<IssuerConfig>& issuers);

// Errors: not_found: no key of the set has the token's kid (newer keys may); unauthenticated: says
// why, without more of the token than its kid.
Result<Verified> verify_access_token(std::string_view token, const CompactJws& jws,
                                     const IssuerConfig& issuer, const JwkSet& keys, WallTime now);

// The checks of exp, nbf and iat that all tokens share.
Result<WallTime> check_times(const Json& claims, WallTime now, std::chrono::seconds skew);

// The claim of that name; where there is none, the members named by its parts between dots.
const Json* find_claim(const Json& claims, std::string_view name);

}  // namespace gatehouse::identity

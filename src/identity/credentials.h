// Who a presented token speaks for: the one place that knows all kinds of tokens. A Verifier is
// immutable and lives as long as its configuration; any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "identity/access_token.h"
#include "identity/issuer_keys.h"

namespace gatehouse::identity {

struct IdentityConfig {
  std::string resource;  // what tokens are for: this gateway's identifier (RFC 8707), a URL
  std::vector<std::string> audiences;  // accepted besides it
  std::vector<IssuerConfig> issuers;
  IssuerKeysOptions keys;
  std::vector<std::string> peers;  // URLs of the other nodes of this deployment
  std::chrono::milliseconds peers_stale_after{5'000};
  std::size_t cached_tokens = 10'000;  // a loop thread
  // X.509-SVIDs of these trust domains are accepted; the certificate's chain is TLS's business.
  std::vector<std::string> certificate_domains;
  std::vector<std::string> certificate_agent_paths;
  bool proof_nonce = false;                       // DPoP proofs have to have a nonce of ours
  std::chrono::seconds delegation_lifetime{900};  // where nobody asks for less
  std::chrono::seconds longest_delegation{12 * 3'600};
  // Which of the two ids of an account that a directory provisions is the id of the principal.
  bool directory_by_external_id = false;
};

// Has the shape of a compact JWS; decides nothing but which messages fit.
bool looks_like_jwt(std::string_view credential);

// What to ask the issuer for before a token can be judged.
struct MissingKey {
  std::string issuer;
  std::string kid;
};

// Errors: as verify_access_token. With not_found, `missing` says what may come.
Result<Verified> verify_jwt(std::string_view token, const IdentityConfig& config,
                            const IssuerKeys& keys, WallTime now, MissingKey& missing);

}  // namespace gatehouse::identity

// Demonstrating proof of possession: DPoP proofs (RFC 9449 section 4.3). Pure; any thread. That a
// proof is not used again is for who keeps a ReplayGuard.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace gatehouse::identity {

inline constexpr std::chrono::seconds proof_lifetime{60};

struct Proof {
  std::string thumbprint;  // of the key that made it (RFC 7638)
  std::string id;
  std::string nonce;
  WallTime useless_from;  // by its time alone
};

// `url`: of the request, without query. `token`: the access token it goes with; empty: none, as at
// a token endpoint. Error (unauthenticated): says which check failed.
Result<Proof> check_proof(std::string_view proof, std::string_view method, std::string_view url,
                          std::string_view token, WallTime now);

}  // namespace gatehouse::identity

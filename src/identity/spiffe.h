// SPIFFE ids: spiffe://trust-domain/path (SPIFFE-ID, section 2). Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "identity/principal.h"

namespace gatehouse::identity {

struct SpiffeId {
  std::string trust_domain;
  std::string path;  // with its slash; empty: the trust domain itself
};

// At most 2,048 bytes; a trust domain of [a-z0-9._-], a path of [A-Za-z0-9._-] segments of which
// none is empty, "." or "..". No port, no user, no query, no percent-encoding.
Result<SpiffeId> parse_spiffe_id(std::string_view text);

// Its workload as a principal: the id is the whole URI.
Principal workload(const SpiffeId& id, const std::vector<std::string>& agent_paths,
                   CredentialKind credential);

}  // namespace gatehouse::identity

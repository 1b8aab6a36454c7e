// What is served about identity before any policy runs: where tokens come from (RFC 9728), what a
// 401 says (RFC 6750 section 3, RFC 9728 section 5.1). Used by every room that protects a path.
#pragma once

#include <string>
#include <string_view>

#include "gateway/config.h"
#include "gateway/exchange.h"
#include "gateway/worker.h"
#include "identity/delegation.h"
#include "net/http.h"
#include "net/server.h"
#include "net/task.h"

namespace gatehouse::gateway {

inline constexpr std::string_view token_path = "/oauth2/token";
inline constexpr std::string_view keys_path = "/.well-known/jwks.json";
inline constexpr std::string_view resource_metadata_path = "/.well-known/oauth-protected-resource";

bool is_identity_path(std::string_view path);
net::Task<void> answer_identity(Worker& worker, net::ServerStream& client);

// identify.cc: who a credential speaks for, without what has to be shown with it each time.
using Credential = Result<std::shared_ptr<const identity::Verified>>;
net::Task<Credential> credential_of(Worker& worker, const Exchange& exchange,
                                    std::string_view text);

// token_exchange.cc: POST /oauth2/token (RFC 8693).
net::Task<void> exchange_token(Worker& worker, net::ServerStream& client);

// The URL a request was sent to, without its query: under the base of identity.resource where that
// is set, for a proxy may stand in front.
std::string url_of(const Config& config, const net::RequestHead& head);

// What roots of delegation tokens are signed with here.
identity::DelegationRoot delegation_root(const Config& config, const DeploymentKeys& keys);

// The resource identifier of a path of ours, "" for the gateway as a whole: under identity.resource
// where that is set, else under the address the request was sent to.
std::string resource_of(const Config& config, const net::RequestHead& head, std::string_view path);

// The document about it (RFC 9728 section 2), as JSON.
std::string protected_resource_metadata(const Config& config, const net::RequestHead& head,
                                        std::string_view path);

// Why a caller is not known, for the error codes of RFC 6750 and RFC 9449.
enum class Refused : std::uint8_t { no_credential, invalid_token, invalid_proof, use_nonce };

// The value of WWW-Authenticate. `path`: as for resource_of.
std::string challenge(const Config& config, const net::RequestHead& head, std::string_view path,
                      Refused why, std::string_view description);

}  // namespace gatehouse::gateway

// Identify: the caller's credential becomes a principal. An API key, a token of an issuer that is
// trusted, a delegation token, or the certificate of the connection. What a token says is
// remembered by the digest of the whole of it; what has to be shown each time (a proof, a
// certificate, that a token for one use was not used) is looked at each time.
#include "base/text.h"
#include "gateway/identity_endpoints.h"
#include "gateway/mcp_call.h"
#include "gateway/stages.h"
#include "identity/delegation.h"
#include "identity/directory.h"
#include "identity/proof.h"
#include "identity/spiffe.h"

namespace gatehouse::gateway {
namespace {

// What the caller shows.
struct Presented {
  std::string_view credential;
  bool proven = false;  // under the scheme DPoP
};

std::string_view after_scheme(std::string_view authorization, std::string_view scheme) {
  if (authorization.size() <= scheme.size() ||
      !equals_ignoring_case(authorization.substr(0, scheme.size()), scheme))
    return {};
  return trim(authorization.substr(scheme.size()));
}

Presented presented(const net::RequestHead& head) {
  if (const auto key = head.fields.find("x-api-key")) return {trim(*key)};
  const auto authorization = head.fields.find("authorization").value_or("");
  if (const auto token = after_scheme(authorization, "dpop "); !token.empty()) return {token, true};
  return {after_scheme(authorization, "bearer ")};
}

std::unexpected<ApiError> unknown_caller(Exchange& exchange, Refused why, std::string message) {
  // Servers of tools are resources of their own.
  const auto path = exchange.head->path();
  exchange.challenge = challenge(*exchange.snapshot->config, *exchange.head,
                                 is_mcp_path(path) ? path : "", why, message);
  return refuse(Problem::unauthenticated, std::move(message));
}

// ---- tokens ---------------------------------------------------------------------------------

using Judged = Credential;

Result<void> check_standing(const Worker& worker, const Exchange& exchange,
                            const identity::Principal& principal,
                            const std::vector<std::string>& ids) {
  GH_TRY(exchange.snapshot->standing.check(principal, ids, exchange.time));
  return worker.identities.peers().check(principal, ids, exchange.time);
}

Judged judge(const Worker& worker, const Exchange& exchange, std::string_view token,
             identity::MissingKey& missing) {
  const Config& config = *exchange.snapshot->config;
  auto verified = identity::looks_like_delegation(token)
                      ? identity::verify_delegation(
                            token, delegation_root(config, worker.control.keys()), exchange.time)
                      : identity::verify_jwt(token, config.identity, worker.identities.keys(),
                                             exchange.time, missing);
  if (!verified) return std::unexpected(std::move(verified).error());
  GH_TRY(check_standing(worker, exchange, verified->principal, verified->ids));
  return std::make_shared<const identity::Verified>(std::move(*verified));
}

// Asks the issuer for newer keys, where it may be asked now.
net::Task<bool> newer_keys(Worker& worker, const identity::MissingKey& missing) {
  auto tried = std::make_shared<net::Completion<bool>>(worker.loop);
  const bool asked = worker.identities.keys().ask_for(missing.issuer, missing.kid,
                                                      [tried] { tried->complete(true); });
  if (!asked) co_return false;
  co_return co_await tried->wait();
}

net::Task<Judged> token_of(Worker& worker, const Exchange& exchange, std::string_view token) {
  GH_CO_TRY(worker.identities.peers().fresh());
  const auto digest = crypto::sha256(bytes_of(token));
  const auto generation = worker.identities.generation();
  if (auto known = worker.tokens.find(digest, generation, exchange.time)) co_return known;
  identity::MissingKey missing;
  auto judged = judge(worker, exchange, token, missing);
  if (!judged && judged.error().code == ErrorCode::not_found) {
    const bool tried = co_await newer_keys(worker, missing);
    if (tried) judged = judge(worker, exchange, token, missing);
  }
  // The snapshot may have changed meanwhile; what it judged then is not put among what it judges.
  if (judged && worker.snapshot == exchange.snapshot)
    worker.tokens.put(digest, generation, *judged,
                      exchange.snapshot->config->identity.cached_tokens);
  co_return judged;
}

// ---- what is shown each time ----------------------------------------------------------------

Verdict check_certificate(const net::ServerStream& client, Exchange& exchange,
                          const identity::Verified& token) {
  if (token.certificate_thumbprint.empty()) return {};
  const auto* const certificate = client.certificate();
  if (certificate != nullptr &&
      to_base64url(bytes_of(certificate->sha256)) == token.certificate_thumbprint)
    return {};
  return unknown_caller(exchange, Refused::invalid_token,
                        "The token is bound to a client certificate that this connection does not "
                        "have.");
}

Verdict check_proof_of_key(Worker& worker, Exchange& exchange, const Presented& shown,
                           const identity::Verified& token) {
  if (token.key_thumbprint.empty() && !shown.proven) return {};
  if (token.key_thumbprint.empty())
    return unknown_caller(exchange, Refused::invalid_token,
                          "The token is not bound to a key; send it as Bearer.");
  if (!shown.proven)
    return unknown_caller(exchange, Refused::invalid_token,
                          "The token is bound to a key; send it as DPoP, with a proof.");
  const Config& config = *exchange.snapshot->config;
  const auto header = exchange.head->fields.find("dpop");
  if (!header)
    return unknown_caller(exchange, Refused::invalid_proof,
                          "The token is bound to a key, and no proof (DPoP) came with it.");
  const auto proof =
      identity::check_proof(trim(*header), exchange.head->method, url_of(config, *exchange.head),
                            shown.credential, exchange.time);
  if (!proof) return unknown_caller(exchange, Refused::invalid_proof, proof.error().message);
  if (proof->thumbprint != token.key_thumbprint)
    return unknown_caller(exchange, Refused::invalid_proof,
                          "The proof (DPoP) is by another key than the token's.");
  if (config.identity.proof_nonce && !worker.identities.knows_nonce(proof->nonce, exchange.time)) {
    exchange.proof_nonce = worker.identities.nonce(exchange.time);
    return unknown_caller(exchange, Refused::use_nonce,
                          "The proof (DPoP) needs the nonce of the header DPoP-Nonce.");
  }
  if (auto fresh = worker.identities.used_proofs().take(proof->thumbprint + '/' + proof->id,
                                                        proof->useless_from, exchange.time);
      !fresh)
    return unknown_caller(exchange, Refused::invalid_proof,
                          "The proof (DPoP) is refused: " + fresh.error().message + ".");
  return {};
}

// Which of them were used before this process began, nobody here knows.
Verdict take_single_use(Worker& worker, Exchange& exchange, const identity::Verified& token) {
  for (const auto& id : token.single_use) {
    if (identity::issued_before(id, worker.identities.started()))
      return unknown_caller(exchange, Refused::invalid_token,
                            "The token is for one use and older than this gateway's start, so it "
                            "may have been used.");
    if (auto first = worker.identities.used_tokens().take(id, token.expires, exchange.time); !first)
      return unknown_caller(exchange, Refused::invalid_token,
                            "The token is for one use: " + first.error().message + ".");
  }
  return {};
}

// ---- certificates ---------------------------------------------------------------------------

// X509-SVID, section 5: what a leaf has to be. That its chain is good, TLS has verified.
Result<identity::Principal> workload_of(const net::PeerCertificate& certificate,
                                        const identity::IdentityConfig& config, WallTime now) {
  const auto no = [](std::string why) {
    return fail(ErrorCode::unauthenticated, "The client certificate is refused: " + why + ".");
  };
  if (now >= certificate.expires) return no("it has expired");
  if (certificate.uris.size() != 1) return no("an X.509-SVID has exactly one URI");
  if (certificate.authority || certificate.signs_certificates || !certificate.may_sign)
    return no("it is not one of a workload: digitalSignature and nothing of an authority");
  const auto id = identity::parse_spiffe_id(certificate.uris.front());
  if (!id) return no(id.error().message);
  if (id->path.empty()) return no("the SPIFFE id names no workload");
  if (std::ranges::find(config.certificate_domains, id->trust_domain) ==
      config.certificate_domains.end())
    return no("its trust domain is not accepted here");
  auto principal = identity::workload(*id, config.certificate_agent_paths,
                                      identity::CredentialKind::certificate);
  principal.key_prefix = "x509_" + to_hex(bytes_of(certificate.sha256)).substr(0, 16);
  principal.described = true;
  return principal;
}

Verdict by_certificate(const Worker& worker, const net::PeerCertificate& certificate,
                       Exchange& exchange) {
  if (auto fresh = worker.identities.peers().fresh(); !fresh)
    return unknown_caller(exchange, Refused::invalid_token, fresh.error().message);
  auto principal = workload_of(certificate, exchange.snapshot->config->identity, exchange.time);
  if (!principal)
    return unknown_caller(exchange, Refused::invalid_token, principal.error().message);
  exchange.principal = std::move(*principal);
  const std::vector<std::string> ids{to_hex(bytes_of(certificate.sha256))};
  if (auto stands = check_standing(worker, exchange, exchange.principal, ids); !stands) {
    return unknown_caller(exchange, Refused::invalid_token, stands.error().message);
  }
  return {};
}

Verdict by_key(const Worker& worker, std::string_view key, Exchange& exchange) {
  const Snapshot& snapshot = *exchange.snapshot;
  auto principal = snapshot.keys.authenticate(key, exchange.time);
  if (!principal)
    return unknown_caller(exchange, key.empty() ? Refused::no_credential : Refused::invalid_token,
                          std::move(principal).error().message);
  exchange.principal = std::move(*principal);
  if (auto stands = check_standing(worker, exchange, exchange.principal, {}); !stands)
    return unknown_caller(exchange, Refused::invalid_token, stands.error().message);
  return {};
}

}  // namespace

net::Task<Credential> credential_of(Worker& worker, const Exchange& exchange,
                                    std::string_view text) {
  if (identity::looks_like_jwt(text) || identity::looks_like_delegation(text)) {
    auto token = co_await token_of(worker, exchange, text);
    if (token && !(*token)->path.empty())
      co_return fail(ErrorCode::unauthenticated,
                     "The token is for " + (*token)->path + " alone; no other follows from it.");
    co_return token;
  }
  identity::Verified verified;
  auto principal = exchange.snapshot->keys.authenticate(text, exchange.time);
  if (!principal) co_return std::unexpected(std::move(principal).error());
  verified.principal = std::move(*principal);
  verified.expires = exchange.snapshot->standing.end_of_key(verified.principal.key_prefix)
                         .value_or(WallTime::max());
  verified.ids.push_back(verified.principal.key_prefix);
  GH_CO_TRY(exchange.snapshot->standing.check(verified.principal, verified.ids, exchange.time));
  co_return std::make_shared<const identity::Verified>(std::move(verified));
}

namespace {

net::Task<Verdict> by_what_is_shown(Worker& worker, net::ServerStream& client, Exchange& exchange) {
  const Presented shown = presented(*exchange.head);
  if (shown.credential.empty() && client.certificate() != nullptr &&
      !exchange.snapshot->config->identity.certificate_domains.empty())
    co_return by_certificate(worker, *client.certificate(), exchange);
  if (!identity::looks_like_jwt(shown.credential) &&
      !identity::looks_like_delegation(shown.credential))
    co_return by_key(worker, shown.credential, exchange);
  const auto token = co_await token_of(worker, exchange, shown.credential);
  if (!token) co_return unknown_caller(exchange, Refused::invalid_token, token.error().message);
  if (const auto& path = (*token)->path; !path.empty() && path != exchange.head->path())
    co_return unknown_caller(exchange, Refused::invalid_token,
                             "The token is for somebody else: for " + path + " alone.");
  GH_STAGE(check_certificate(client, exchange, **token));
  GH_STAGE(check_proof_of_key(worker, exchange, shown, **token));
  GH_STAGE(take_single_use(worker, exchange, **token));
  exchange.principal = (*token)->principal;
  co_return Verdict{};
}

}  // namespace

net::Task<Verdict> identify(Worker& worker, net::ServerStream& client, Exchange& exchange) {
  const StageTimer timer(worker, exchange, Stage::identify);
  GH_STAGE(co_await by_what_is_shown(worker, client, exchange));
  // What the directory says of whoever that is.
  if (exchange.snapshot->directory) exchange.snapshot->directory->describe(exchange.principal);
  co_return Verdict{};
}

}  // namespace gatehouse::gateway

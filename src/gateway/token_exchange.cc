// Token exchange (RFC 8693): a caller shows whom it acts for (subject_token) and who it is
// (actor_token, or the credential of the request) and gets one token for both, never for more than
// either. What is given out is recorded before it leaves.
//
// Nothing here decides what the pair may do: policies see the whole chain at each call.
#include <algorithm>
#include <initializer_list>
#include <map>
#include <optional>

#include "base/form.h"
#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "gateway/actor.h"
#include "gateway/delegation_event.h"
#include "gateway/identity_endpoints.h"
#include "gateway/stages.h"
#include "identity/proof.h"

namespace gatehouse::gateway {
namespace {

constexpr std::size_t max_form_bytes = 64u << 10;
constexpr std::size_t max_form_members = 32;
constexpr std::string_view grant_type = "urn:ietf:params:oauth:grant-type:token-exchange";
constexpr std::string_view token_types = "urn:ietf:params:oauth:token-type:";

struct Refusal {
  std::string_view code;  // RFC 6749 section 5.2, RFC 8693 section 2.2.2
  std::string why;
  int status = 400;
  std::string nonce = {};  // for the next proof; empty: none
};
template <class T>
using Answer = std::expected<T, Refusal>;

std::unexpected<Refusal> no(std::string_view code, std::string why, int status = 400) {
  return std::unexpected(Refusal{code, std::move(why), status, {}});
}

// ---- the form -------------------------------------------------------------------------------

using Form = std::map<std::string, std::string, std::less<>>;

// A parameter without a value is as if it were left out; none stands twice (RFC 6749 section 3.2).
Answer<Form> parse_form(std::string_view body) {
  Form form;
  std::size_t members = 0;
  for (const auto pair : split(body, '&')) {
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    const auto name = decode_form_text(pair.substr(0, equals));
    const auto value = decode_form_text(equals == std::string_view::npos ? std::string_view()
                                                                         : pair.substr(equals + 1));
    if (!name || !value || ++members > max_form_members)
      return no("invalid_request", "the form is malformed");
    if (value->empty()) continue;
    if (!form.emplace(*name, *value).second)
      return no("invalid_request", "a parameter stands twice");
  }
  return form;
}

std::string_view value_of(const Form& form, std::string_view name) {
  const auto found = form.find(name);
  return found == form.end() ? std::string_view() : std::string_view(found->second);
}

Answer<void> check_form(const Form& form, const Config& config, const net::RequestHead& head) {
  if (value_of(form, "grant_type") != grant_type)
    return no("unsupported_grant_type", "the grant type is " + std::string(grant_type));
  for (const char* name : {"subject_token_type", "actor_token_type", "requested_token_type"}) {
    const auto type = value_of(form, name);
    if (!type.empty() && type != std::string(token_types) + "access_token" &&
        type != std::string(token_types) + "jwt")
      return no("invalid_request", std::string(name) + " is not supported");
  }
  if (value_of(form, "subject_token_type").empty())
    return no("invalid_request", "subject_token_type is missing");
  if (value_of(form, "actor_token").empty() != value_of(form, "actor_token_type").empty())
    return no("invalid_request", "actor_token and actor_token_type go together");
  const std::string ours = resource_of(config, head, "");
  for (const char* name : {"audience", "resource"}) {
    const auto target = value_of(form, name);
    if (!target.empty() && target != ours)
      return no("invalid_target", "tokens of this endpoint are for " + ours);
  }
  return {};
}

// ---- who --------------------------------------------------------------------------------------

// The proof that came with the request, good in itself; none: it proves no possession. It counts
// only with take_what_is_for_once().
Answer<std::optional<identity::Proof>> shown_proof(const Worker& worker, const Exchange& exchange) {
  const auto header = exchange.head->fields.find("dpop");
  if (!header) return std::nullopt;
  const Config& config = *exchange.snapshot->config;
  auto proof = identity::check_proof(trim(*header), exchange.head->method,
                                     url_of(config, *exchange.head), "", exchange.time);
  if (!proof) return no("invalid_dpop_proof", proof.error().message);
  if (config.identity.proof_nonce && !worker.identities.knows_nonce(proof->nonce, exchange.time))
    return std::unexpected(Refusal{"use_dpop_nonce",
                                   "the proof needs the nonce of the header DPoP-Nonce", 400,
                                   worker.identities.nonce(exchange.time)});
  return std::optional(*std::move(proof));
}

using Known = std::shared_ptr<const identity::Verified>;

// A credential somebody else could be replaying is not one to hand on from.
Answer<void> check_possession(const net::ServerStream& client, const identity::Verified& credential,
                              const std::string& proven) {
  if (!credential.key_thumbprint.empty() && credential.key_thumbprint != proven)
    return no("invalid_request", "a token is bound to a key that this request does not prove");
  const auto* const certificate = client.certificate();
  if (!credential.certificate_thumbprint.empty() &&
      (certificate == nullptr ||
       to_base64url(bytes_of(certificate->sha256)) != credential.certificate_thumbprint))
    return no("invalid_request", "a token is bound to a certificate this connection does not have");
  return {};
}

net::Task<Answer<Known>> known(Worker& worker, const net::ServerStream& client,
                               const Exchange& exchange, std::string token, std::string proven,
                               std::string_view what) {
  const auto credential = co_await credential_of(worker, exchange, token);
  if (!credential)
    co_return no("invalid_request", std::string(what) + ": " + credential.error().message);
  if (auto shown = check_possession(client, **credential, proven); !shown)
    co_return std::unexpected(std::move(shown).error());
  co_return *credential;
}

// Last of all that can refuse: nobody whose credentials are not good takes a place in the guards.
Answer<void> take_what_is_for_once(Worker& worker, const Exchange& exchange,
                                   const std::optional<identity::Proof>& proof,
                                   std::initializer_list<Known> credentials) {
  auto& desk = worker.identities;
  if (proof)
    if (auto fresh = desk.used_proofs().take(proof->thumbprint + '/' + proof->id,
                                             proof->useless_from, exchange.time);
        !fresh)
      return no("invalid_dpop_proof", fresh.error().message);
  for (const auto& credential : credentials) {
    if (!credential) continue;
    for (const auto& id : credential->single_use)
      if (identity::issued_before(id, desk.started()) ||
          !desk.used_tokens().take(id, credential->expires, exchange.time))
        return no("invalid_request", "a token is for one use and may have been used");
  }
  return {};
}

std::string_view bearer_of(const net::RequestHead& head) {
  const auto authorization = head.fields.find("authorization").value_or("");
  for (const std::string_view scheme : {"bearer ", "dpop "})
    if (authorization.size() > scheme.size() &&
        equals_ignoring_case(authorization.substr(0, scheme.size()), scheme))
      return trim(authorization.substr(scheme.size()));
  return head.fields.find("x-api-key").value_or("");
}

// ---- what comes of it -------------------------------------------------------------------------

Answer<identity::Grant> grant_for(const Exchange& exchange, const Form& form, const Known& subject,
                                  const Known& actor, std::string proven, Random& random) {
  const auto& settings = exchange.snapshot->config->identity;
  identity::Grant grant;
  grant.principal = subject->principal;
  grant.from = subject->ids;
  WallTime end =
      std::min(subject->expires, subject->principal.scope.expires.value_or(subject->expires));
  auto& scope = grant.principal.scope;
  if (actor) {
    if (!actor->principal.chain.empty())
      return no("invalid_request", "the actor has to speak for itself, not for another");
    if (grant.principal.chain.size() + 1 > identity::max_delegation_hops)
      return no("invalid_request", "the chain would be too long");
    auto& chain = grant.principal.chain;
    chain.insert(chain.begin(),
                 {grant.principal.kind, std::move(grant.principal.id),
                  std::move(grant.principal.attributes), std::move(grant.principal.groups)});
    grant.principal.kind = actor->principal.kind;
    grant.principal.id = actor->principal.id;
    grant.principal.attributes = actor->principal.attributes;
    grant.principal.groups = actor->principal.groups;
    scope = intersect(scope, actor->principal.scope);
    end = std::min(end, actor->expires);
    grant.from.insert(grant.from.end(), actor->ids.begin(), actor->ids.end());
  }
  const auto wanted = parse_scope(value_of(form, "scope"));
  if (!wanted) return no("invalid_scope", wanted.error().message);
  const identity::Scope narrowed = intersect(scope, *wanted);
  const bool wider = (wanted->models && narrowed.models != wanted->models) ||
                     (wanted->tools && narrowed.tools != wanted->tools) ||
                     (wanted->clearance && narrowed.clearance != wanted->clearance) ||
                     (wanted->budget_micros && narrowed.budget_micros != wanted->budget_micros);
  if (wider) return no("invalid_scope", "the scope names more than the credentials allow");
  scope = narrowed;
  auto lifetime = settings.delegation_lifetime;
  if (const auto text = value_of(form, "expires_in"); !text.empty()) {
    const auto seconds = parse_uint(text);
    if (!seconds || *seconds == 0 ||
        *seconds > static_cast<std::uint64_t>(settings.longest_delegation.count()))
      return no("invalid_request", "expires_in is no number of seconds a token may live here");
    lifetime = std::chrono::seconds(static_cast<std::int64_t>(*seconds));
  }
  grant.issued = exchange.time;
  grant.expires = std::min(end, exchange.time + lifetime);
  grant.principal.scope.expires = grant.expires;
  grant.principal.credential = identity::CredentialKind::delegation;
  grant.principal.described = true;
  grant.id = make_uuid7(exchange.time, random);
  grant.principal.key_prefix = "ghd_" + grant.id;
  grant.key_thumbprint = std::move(proven);
  return grant;
}

net::Task<Result<void>> record(Worker& worker, std::string entry) {
  auto durable = std::make_shared<net::Completion<Result<std::uint64_t>>>(worker.loop);
  GH_CO_TRY(worker.control.ledger().append(
      std::move(entry),
      [durable](Result<std::uint64_t> index) { durable->complete(std::move(index)); }));
  const auto index = co_await durable->wait();
  if (!index) co_return std::unexpected(index.error());
  co_return Result<void>{};
}

std::string asker_json(const Exchange& exchange, const identity::Principal& principal) {
  std::string json;
  JsonWriter writer(json);
  writer.begin_object();
  write_actor(writer, principal);
  writer.key("peer").string(exchange.peer).end_object();
  return json;
}

std::string token_answer(const identity::Grant& grant, const std::string& token) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("access_token").string(token);
  json.key("issued_token_type").string(std::string(token_types) + "access_token");
  json.key("token_type").string(grant.key_thumbprint.empty() ? "Bearer" : "DPoP");
  const auto left = std::chrono::floor<std::chrono::seconds>(grant.expires - grant.issued).count();
  json.key("expires_in").number(left);
  std::string scope;
  const auto say = [&scope](const std::string& part) {
    scope += (scope.empty() ? "" : " ") + part;
  };
  if (grant.principal.scope.models)
    for (const auto& name : *grant.principal.scope.models) say("model:" + name);
  if (grant.principal.scope.tools)
    for (const auto& name : *grant.principal.scope.tools) say("tool:" + name);
  if (grant.principal.scope.clearance)
    say("clearance:" + std::to_string(*grant.principal.scope.clearance));
  if (grant.principal.scope.budget_micros)
    say("budget:" + std::to_string(*grant.principal.scope.budget_micros));
  if (!scope.empty()) json.key("scope").string(scope);
  json.end_object();
  return out;
}

net::Task<Answer<std::string>> exchanged(Worker& worker, net::ServerStream& client,
                                         const Exchange& exchange) {
  const Config& config = *exchange.snapshot->config;
  if (exchange.head->method != "POST") co_return no("invalid_request", "use POST", 405);
  auto body = co_await client.read_body(max_form_bytes);
  if (!body) co_return no("invalid_request", body.error().message);
  auto form = parse_form(*body);
  if (!form) co_return std::unexpected(std::move(form).error());
  if (auto fine = check_form(*form, config, *exchange.head); !fine)
    co_return std::unexpected(std::move(fine).error());
  const auto proof = shown_proof(worker, exchange);
  if (!proof) co_return std::unexpected(proof.error());
  const std::string proven = proof->value_or(identity::Proof()).thumbprint;
  const auto subject =
      co_await known(worker, client, exchange, std::string(value_of(*form, "subject_token")),
                     proven, "subject_token");
  if (!subject) co_return std::unexpected(subject.error());
  std::string acting(value_of(*form, "actor_token"));
  if (acting.empty()) acting = bearer_of(*exchange.head);
  Known actor;
  if (!acting.empty() && acting != value_of(*form, "subject_token")) {
    auto found = co_await known(worker, client, exchange, acting, proven, "actor_token");
    if (!found) co_return std::unexpected(std::move(found).error());
    actor = std::move(*found);
  }
  auto grant = grant_for(exchange, *form, *subject, actor, proven, worker.control.random());
  if (!grant) co_return std::unexpected(std::move(grant).error());
  const auto& keys = worker.control.keys();
  const std::string token =
      mint(*grant, delegation_root(config, keys), keys.delegation, worker.control.random());
  if (token.size() > identity::max_token_bytes)
    co_return no("invalid_request", "with these groups and attributes the token would be too long");
  if (auto taken = take_what_is_for_once(worker, exchange, *proof, {*subject, actor}); !taken)
    co_return std::unexpected(std::move(taken).error());
  const auto& asker = actor ? actor->principal : (*subject)->principal;
  auto entry = delegation_issued(config, *grant, asker_json(exchange, asker), exchange.time,
                                 worker.control.random());
  if (!entry) co_return no("invalid_request", entry.error().message);
  if (auto recorded = co_await record(worker, std::move(*entry)); !recorded) {
    worker.metrics.count_ledger_failure();
    co_return no("temporarily_unavailable", "the audit ledger cannot be written", 503);
  }
  co_return token_answer(*grant, token);
}

// What was refused is recorded too; nobody waits for it.
void record_refused(Worker& worker, const Exchange& exchange, const Refusal& refusal) {
  ledger::Event event;
  event.id = exchange.id;
  event.time = exchange.time;
  event.type = "delegation.refused";
  event.node = exchange.snapshot->config->node;
  JsonWriter actor(event.actor);
  actor.begin_object().key("peer").string(exchange.peer).end_object();
  JsonWriter data(event.data);
  data.begin_object().key("problem").string(refusal.code);
  data.key("reason").string(utf8_prefix(refusal.why, 512)).end_object();
  auto entry = ledger::serialize(event);
  const auto settled = [&worker](const Result<std::uint64_t>& index) {
    if (!index) worker.metrics.count_ledger_failure();
  };
  if (!entry ||
      !worker.control.ledger().append(std::move(*entry), settled, ledger::Urgency::background))
    worker.metrics.count_ledger_failure();
}

}  // namespace

net::Task<void> exchange_token(Worker& worker, net::ServerStream& client) {
  Exchange exchange;
  exchange.time = worker.control.clock().wall();
  exchange.id = make_uuid7(exchange.time, worker.control.random());
  exchange.head = &client.request();
  exchange.peer = client.peer();
  exchange.snapshot = worker.snapshot;
  auto answer = co_await exchanged(worker, client, exchange);
  net::ResponseHead head;
  head.fields.add("Content-Type", "application/json");
  head.fields.add("Cache-Control", "no-store");
  std::string body;
  if (answer) {
    body = std::move(*answer);
  } else {
    record_refused(worker, exchange, answer.error());
    head.status = answer.error().status;
    if (!answer.error().nonce.empty()) head.fields.add("DPoP-Nonce", answer.error().nonce);
    JsonWriter json(body);
    json.begin_object().key("error").string(answer.error().code);
    json.key("error_description").string(answer.error().why).end_object();
  }
  // Whoever asked may have gone; there is nothing left to do about it.
  (void)co_await client.respond(std::move(head), std::move(body));
}

}  // namespace gatehouse::gateway

// See access_token.h.
#include "identity/access_token.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "identity/rules.h"
#include "identity/spiffe.h"

namespace gatehouse::identity {
namespace {

constexpr std::size_t max_id_bytes = 512;
constexpr std::size_t max_groups = 256;
constexpr std::size_t max_group_bytes = 256;
constexpr std::size_t max_all_groups_bytes = 8u << 10;  // all go into each event
constexpr std::size_t max_all_attributes_bytes = 4u << 10;
constexpr std::size_t max_actors = 16;
constexpr std::size_t max_jti_bytes = 256;

std::unexpected<Error> refuse(std::string message) {
  return fail(ErrorCode::unauthenticated, std::move(message));
}

std::string shown(std::string_view text) {
  return "\"" + printable(utf8_prefix(text, 128)) + "\"";
}

template <class Values, class Value>
bool contains(const Values& values, const Value& value) {
  return std::ranges::find(values, value) != values.end();
}

// The path a token is for, "" for the gateway as a whole. A client that found the gateway by the
// metadata of one path asks for a token for that path (RFC 8707, RFC 9728 section 7.3).
Result<std::string> path_of_audience(const Json& claims, const IssuerConfig& issuer) {
  const auto named = texts_member(claims, "aud");
  if (!named) return refuse("The token names no audience.");
  for (const auto& one : *named)
    if (contains(issuer.audiences, one)) return std::string();
  if (!issuer.resource.empty())
    for (const auto& one : *named)
      if (one.size() > issuer.resource.size() + 1 && one.starts_with(issuer.resource + "/"))
        return one.substr(issuer.resource.size());
  return refuse("The token is for somebody else: its audience is " +
                shown(named->empty() ? "" : named->front()) + ".");
}

Result<void> check_signature(const CompactJws& jws, const IssuerConfig& issuer,
                             const JwkSet& keys) {
  if (!contains(issuer.algorithms, jws.algorithm))
    return refuse("The token is signed with " + std::string(to_string(jws.algorithm)) +
                  ", which is not accepted from its issuer.");
  if (!contains(issuer.types, jws.type))
    return refuse("The token is of the type " + shown(jws.type) +
                  ", which is not accepted from its issuer.");
  const Jwk* const key = keys.find(jws.kid, jws.algorithm);
  if (key == nullptr)
    return fail(ErrorCode::not_found,
                "The token is signed with a key " + shown(jws.kid) + " that its issuer has not.");
  if (!verify(jws, key->key)) return refuse("The signature of the token is wrong.");
  return {};
}

Result<PrincipalKind> kind_of(const Json& claims, const IssuerConfig& issuer) {
  if (!issuer.kind_claim.empty()) {
    if (const Json* const claim = find_claim(claims, issuer.kind_claim)) {
      const auto known =
          claim->is_string() ? issuer.kinds.find(claim->get<std::string>()) : issuer.kinds.end();
      if (known == issuer.kinds.end())
        return refuse("The claim " + shown(issuer.kind_claim) +
                      " of the token has a value no kind of principal is configured for.");
      return known->second;
    }
  }
  const std::string client = text_member(claims, "client_id");
  if (!client.empty() && client == text_member(claims, "sub")) return issuer.client_kind;
  return issuer.kind;
}

Result<std::string> id_of(const Json& claims, const IssuerConfig& issuer) {
  const Json* const claim = find_claim(claims, issuer.id_claim);
  if (claim == nullptr || !claim->is_string())
    return refuse("The token has no claim " + shown(issuer.id_claim) + " that says who it is for.");
  std::string id = issuer.id_prefix + claim->get<std::string>();
  if (auto fine = check_printable(id, max_id_bytes, "The id in the token"); !fine)
    return refuse(fine.error().message + ".");
  return id;
}

// More groups than fit are no reason to leave some out: a policy may forbid by one of them.
Result<std::vector<std::string>> groups_of(const Json& claims, const IssuerConfig& issuer) {
  std::vector<std::string> groups;
  const Json* const claim =
      issuer.groups_claim.empty() ? nullptr : find_claim(claims, issuer.groups_claim);
  if (claim == nullptr) return groups;
  const Json list = claim->is_string() ? Json::array({*claim}) : *claim;
  if (!list.is_array() || list.size() > max_groups)
    return refuse("The groups in the token are no list of at most 256.");
  std::size_t bytes = 0;
  for (const auto& one : list) {
    if (!one.is_string()) return refuse("A group in the token is not text.");
    groups.push_back(one.get<std::string>());
    bytes += groups.back().size();
    if (auto fine = check_printable(groups.back(), max_group_bytes, "A group in the token"); !fine)
      return refuse(fine.error().message + ".");
  }
  if (bytes > max_all_groups_bytes) return refuse("The groups in the token are longer than 8 KiB.");
  std::ranges::sort(groups);
  const auto again = std::ranges::unique(groups);
  groups.erase(again.begin(), again.end());
  return groups;
}

std::optional<std::string> attribute_text(const Json& claim) {
  if (claim.is_string()) return claim.get<std::string>();
  if (claim.is_boolean() || claim.is_number_integer()) return claim.dump();
  if (!claim.is_array()) return std::nullopt;
  std::string joined;
  for (const auto& one : claim) {
    if (!one.is_string()) return std::nullopt;
    joined += (joined.empty() ? "" : " ") + one.get<std::string>();
  }
  return joined;
}

Result<Attributes> attributes_of(const Json& claims, const IssuerConfig& issuer) {
  Attributes attributes;
  std::size_t bytes = 0;
  for (const auto& [name, claim_name] : issuer.attributes) {
    const Json* const claim = find_claim(claims, claim_name);
    if (claim == nullptr || claim->is_null()) continue;
    auto value = attribute_text(*claim);
    if (!value) return refuse("The claim " + shown(claim_name) + " of the token is not text.");
    if (value->empty()) continue;
    bytes += value->size();
    attributes.emplace_back(name, std::move(*value));
  }
  if (bytes > max_all_attributes_bytes)
    return refuse("The attributes in the token are longer than 4 KiB.");
  auto checked = check_attributes(std::move(attributes));
  if (!checked) return refuse("In the token: " + checked.error().message + ".");
  return checked;
}

// RFC 8693 section 4.1: the outermost "act" is who acts now, "sub" whom it acts for in the end.
Result<void> take_actors(const Json& claims, const IssuerConfig& issuer, Principal& principal) {
  std::vector<Actor> acting;  // the present one first
  const Json* at = find_claim(claims, "act");
  while (at != nullptr) {
    if (!at->is_object() || acting.size() == max_actors)
      return refuse("The actors in the token are no chain of at most 16.");
    const std::string sub = text_member(*at, "sub");
    const std::string id = issuer.id_prefix + sub;
    if (sub.empty() || !check_printable(id, max_id_bytes, "an actor"))
      return refuse("An actor in the token has no usable name.");
    acting.push_back({PrincipalKind::agent, id, {}, {}});
    const auto next = at->find("act");
    at = next == at->end() ? nullptr : &*next;
  }
  if (acting.empty()) return {};
  // Groups and attributes are of who is at the end of the chain; whoever acts has none by that.
  acting.push_back({principal.kind, std::move(principal.id),
                    std::exchange(principal.attributes, {}), std::exchange(principal.groups, {})});
  principal.kind = acting.front().kind;
  principal.id = std::move(acting.front().id);
  acting.erase(acting.begin());
  principal.chain = std::move(acting);
  return {};
}

// A confirmation that is not understood cannot be checked, so it is not met.
Result<void> take_confirmation(const Json& claims, Verified& verified) {
  const auto confirmation = claims.find("cnf");
  if (confirmation == claims.end()) return {};
  if (!confirmation->is_object() || confirmation->empty())
    return refuse("The token is bound to something that is not understood here.");
  for (const auto& [name, value] : confirmation->items()) {
    if (!value.is_string() || (name != "jkt" && name != "x5t#S256"))
      return refuse("The token is bound to something that is not understood here.");
    (name == "jkt" ? verified.key_thumbprint : verified.certificate_thumbprint) =
        value.get<std::string>();
  }
  return {};
}

Result<Principal> principal_of(const Json& claims, const IssuerConfig& issuer) {
  if (!issuer.trust_domain.empty()) {
    const auto id = parse_spiffe_id(text_member(claims, "sub"));
    if (!id) return refuse("The subject of the token is " + id.error().message + ".");
    if (id->trust_domain != issuer.trust_domain)
      return refuse("The subject of the token is of another trust domain.");
    return workload(*id, issuer.agent_paths, CredentialKind::workload_token);
  }
  if (text_member(claims, "iss") != issuer.issuer) return refuse("The token is of another issuer.");
  Principal principal;
  principal.credential = CredentialKind::access_token;
  GH_ASSIGN(principal.kind, kind_of(claims, issuer));
  GH_ASSIGN(principal.id, id_of(claims, issuer));
  GH_ASSIGN(principal.groups, groups_of(claims, issuer));
  GH_ASSIGN(principal.attributes, attributes_of(claims, issuer));
  GH_TRY(take_actors(claims, issuer, principal));
  return principal;
}

}  // namespace

const Json* find_claim(const Json& claims, std::string_view name) {
  if (!claims.is_object()) return nullptr;
  if (const auto whole = claims.find(std::string(name)); whole != claims.end()) return &*whole;
  const auto dot = name.find('.');
  if (dot == std::string_view::npos) return nullptr;
  const auto outer = claims.find(std::string(name.substr(0, dot)));
  return outer == claims.end() ? nullptr : find_claim(*outer, name.substr(dot + 1));
}

const IssuerConfig* issuer_of(const CompactJws& jws, const std::vector<IssuerConfig>& issuers) {
  const std::string issuer = text_member(jws.claims, "iss");
  for (const auto& one : issuers)
    if (one.trust_domain.empty() && one.issuer == issuer) return &one;
  // A JWT-SVID need not name its issuer; its subject says the trust domain.
  const auto id = parse_spiffe_id(text_member(jws.claims, "sub"));
  if (!id) return nullptr;
  for (const auto& one : issuers)
    if (one.trust_domain == id->trust_domain) return &one;
  return nullptr;
}

Result<WallTime> check_times(const Json& claims, WallTime now, std::chrono::seconds skew) {
  const auto expires = time_member(claims, "exp");
  if (!expires) return refuse("The token has no expiry.");
  if (now >= *expires + skew) return refuse("The token expired at " + format_time(*expires) + ".");
  for (const char* name : {"nbf", "iat"}) {
    if (!claims.contains(name)) continue;
    const auto time = time_member(claims, name);
    if (!time) return refuse(std::string("The claim \"") + name + "\" of the token is no time.");
    if (now + skew < *time)
      return refuse("The token is not valid before " + format_time(*time) + ".");
  }
  return *expires + skew;
}

Result<Verified> verify_access_token(std::string_view token, const CompactJws& jws,
                                     const IssuerConfig& issuer, const JwkSet& keys, WallTime now) {
  GH_TRY(check_signature(jws, issuer, keys));
  Verified verified;
  GH_ASSIGN(verified.expires, check_times(jws.claims, now, issuer.skew));
  GH_ASSIGN(verified.path, path_of_audience(jws.claims, issuer));
  GH_ASSIGN(verified.principal, principal_of(jws.claims, issuer));
  GH_TRY(take_confirmation(jws.claims, verified));
  verified.principal.described = true;
  // Of what is signed: an ECDSA signature has a twin that is as good, and would make another token.
  const std::string digest = to_hex(crypto::sha256(bytes_of(jws.signed_part)));
  verified.principal.key_prefix = "jwt_" + digest.substr(0, 16);
  verified.ids.push_back(digest);
  verified.ids.push_back(to_hex(crypto::sha256(bytes_of(token))));
  if (const std::string jti = text_member(jws.claims, "jti"); !jti.empty()) {
    if (jti.size() > max_jti_bytes) return refuse("The id of the token is too long.");
    verified.ids.push_back(jti);
  }
  verified.principal.scope.expires = verified.expires - issuer.skew;
  return verified;
}

}  // namespace gatehouse::identity

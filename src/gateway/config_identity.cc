// See config_identity.h.
#include "gateway/config_identity.h"

#include <algorithm>
#include <set>

#include "base/config.h"
#include "base/text.h"
#include "net/client.h"

namespace gatehouse::gateway {
namespace {

using identity::IssuerConfig;
using identity::PrincipalKind;
using std::chrono::milliseconds;

constexpr std::size_t most_issuers = 32;
constexpr std::size_t most_attributes = 32;
constexpr milliseconds one_day{24 * 3'600'000};

bool is_loopback(std::string_view host) {
  return host == "127.0.0.1" || host == "::1" || host == "localhost";
}

// Keys that come over a connection anybody can change would be anybody's keys.
bool is_safe_url(const std::string& url) {
  const auto endpoint = net::Endpoint::parse(url);
  return endpoint && endpoint->unix_path.empty() && (endpoint->tls || is_loopback(endpoint->host));
}

PrincipalKind read_kind(ConfigReader& reader, std::string_view key, PrincipalKind fallback) {
  constexpr PrincipalKind kinds[] = {PrincipalKind::user, PrincipalKind::service,
                                     PrincipalKind::agent};
  const auto at = std::ranges::find(kinds, fallback) - std::begin(kinds);
  return kinds[reader.choice(key, static_cast<std::size_t>(at), {"user", "service", "agent"})];
}

void read_algorithms(ConfigReader& reader, const ConfigNode& node, IssuerConfig& issuer) {
  const std::vector<std::string> usual{"RS256", "PS256", "ES256", "EdDSA"};
  for (const auto& name : reader.strings("algorithms", usual)) {
    if (const auto algorithm = crypto::parse_signature_algorithm(name)) {
      issuer.algorithms.push_back(*algorithm);
    } else {
      reader.note(
          node.error("algorithms: \"" + name +
                     "\" is none of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, "
                     "ES512, EdDSA"));
    }
  }
}

// kind_by: {claim: idtyp, values: {app: service, user: user}}
void read_kind_by(ConfigReader& reader, IssuerConfig& issuer) {
  const auto node = reader.child("kind_by");
  if (!node) return;
  ConfigReader by(*node);
  issuer.kind_claim = by.required_string("claim");
  if (const auto values = by.child("values"); values && values->is_map()) {
    ConfigReader each(*values);
    for (const auto& [value, ignored] : values->members())
      issuer.kinds.emplace(value, read_kind(each, value, PrincipalKind::user));
    if (auto finished = each.finish(); !finished) by.note(finished.error());
  } else {
    by.note(node->error("values: expected a map, {app: service}"));
  }
  if (auto finished = by.finish(); !finished) reader.note(finished.error());
}

// attributes: {department: dept, clearance: "https://example.com/clearance"}
void read_attributes(ConfigReader& reader, IssuerConfig& issuer) {
  const auto node = reader.child("attributes");
  if (!node) return;
  if (!node->is_map() || node->members().size() > most_attributes) {
    reader.note(node->error("expected a map of at most 32 attributes, {department: dept}"));
    return;
  }
  ConfigReader attributes(*node);
  for (const auto& [name, ignored] : node->members())
    issuer.attributes.emplace_back(name, attributes.required_string(name));
  if (auto finished = attributes.finish(); !finished) reader.note(finished.error());
}

void read_claims(ConfigReader& reader, IssuerConfig& issuer) {
  issuer.kind = read_kind(reader, "kind", issuer.kind);
  issuer.client_kind = read_kind(reader, "clients_are", issuer.client_kind);
  read_kind_by(reader, issuer);
  issuer.id_claim = reader.string("id", issuer.id_claim);
  issuer.id_prefix = reader.string("id_prefix", "");
  issuer.groups_claim = reader.string("groups", "");
  read_attributes(reader, issuer);
}

void read_issuer(ConfigReader& section, const ConfigNode& node,
                 identity::IdentityConfig& settings) {
  ConfigReader reader(node);
  IssuerConfig issuer;
  issuer.trust_domain = reader.string("trust_domain", "");
  issuer.keys_url = reader.string("keys", "");
  if (issuer.trust_domain.empty()) {
    issuer.issuer = reader.required_string("issuer");
    if (!issuer.issuer.empty() && !is_safe_url(issuer.issuer))
      reader.note(node.error("issuer: expected a URL with https; http only on this machine"));
    issuer.types = reader.strings("types", issuer.types);
    read_claims(reader, issuer);
  } else {
    issuer.issuer = "spiffe://" + issuer.trust_domain;
    issuer.types = {"", "jwt", "jose"};  // JWT-SVID, section 2.2
    issuer.agent_paths = reader.strings("agents");
    if (issuer.keys_url.empty())
      reader.note(node.error("keys: the address of the trust domain's JWT keys is needed"));
  }
  for (auto& type : issuer.types) type = to_lower(type);
  if (!issuer.keys_url.empty() && !is_safe_url(issuer.keys_url))
    reader.note(node.error("keys: expected a URL with https; http only on this machine"));
  read_algorithms(reader, node, issuer);
  issuer.audiences = reader.strings("audience");
  issuer.skew = std::chrono::duration_cast<std::chrono::seconds>(
      reader.duration("skew", issuer.skew, milliseconds(0), milliseconds(300'000)));
  if (auto finished = reader.finish(); !finished) section.note(finished.error());
  settings.issuers.push_back(std::move(issuer));
}

// A principal is a kind and an id: two issuers that may say the same of different people would be
// one directory.
void check_apart(ConfigReader& section, const ConfigNode& node,
                 const identity::IdentityConfig& settings) {
  std::set<std::string> issuers;
  std::set<std::string> prefixes;
  for (const auto& issuer : settings.issuers) {
    if (!issuers.insert(issuer.issuer).second)
      section.note(node.error("the issuer " + issuer.issuer + " is there twice"));
    if (issuer.trust_domain.empty() && !prefixes.insert(issuer.id_prefix).second)
      section.note(node.error(
          "two issuers have the same id_prefix: the same id of both would be one principal"));
  }
}

// certificates: {trust_domains: [example.org], agents: [/agents]}
void read_certificates(ConfigReader& section, identity::IdentityConfig& settings) {
  const auto node = section.child("certificates");
  if (!node) return;
  ConfigReader certificates(*node);
  settings.certificate_domains = certificates.strings("trust_domains");
  settings.certificate_agent_paths = certificates.strings("agents");
  if (settings.certificate_domains.empty())
    certificates.note(node->error("trust_domains: at least one is needed"));
  if (auto finished = certificates.finish(); !finished) section.note(finished.error());
}

}  // namespace

void read_identity(ConfigReader& root, identity::IdentityConfig& settings) {
  const auto node = root.child("identity");
  if (!node) return;
  ConfigReader section(*node);
  settings.resource = section.string("resource", "");
  settings.audiences = section.strings("audience");
  const auto issuers = section.list("issuers");
  if (issuers.size() > most_issuers) section.note(node->error("issuers: there can be at most 32"));
  for (const auto& issuer : issuers) read_issuer(section, issuer, settings);
  check_apart(section, *node, settings);
  for (auto& issuer : settings.issuers) {
    if (issuer.audiences.empty()) issuer.audiences = settings.audiences;
    issuer.resource = settings.resource;
    if (!settings.resource.empty()) issuer.audiences.push_back(settings.resource);
    if (issuer.audiences.empty())
      section.note(node->error("what tokens must be for is missing: set resource or audience"));
  }
  auto& keys = settings.keys;
  keys.refresh = section.duration("keys_refresh", keys.refresh, milliseconds(1'000), one_day);
  keys.least_interval =
      section.duration("keys_least_interval", keys.least_interval, milliseconds(100), one_day);
  keys.stale_after =
      section.duration("keys_stale_after", keys.stale_after, milliseconds(1'000), 30 * one_day);
  read_certificates(section, settings);
  settings.peers = section.strings("peers");
  for (const auto& peer : settings.peers)
    if (!is_safe_url(peer))
      section.note(node->error("peers: expected URLs with https; http only on this machine"));
  settings.peers_stale_after = section.duration("peers_stale_after", settings.peers_stale_after,
                                                milliseconds(1'000), one_day);
  settings.proof_nonce = section.boolean("dpop_nonce", settings.proof_nonce);
  using std::chrono::seconds;
  settings.delegation_lifetime = std::chrono::duration_cast<seconds>(
      section.duration("delegation_lifetime", settings.delegation_lifetime, seconds(1), one_day));
  settings.longest_delegation = std::chrono::duration_cast<seconds>(
      section.duration("longest_delegation", settings.longest_delegation, seconds(1), 7 * one_day));
  const auto directory_id = section.string("directory_id", "userName");
  settings.directory_by_external_id = directory_id == "externalId";
  if (!settings.directory_by_external_id && directory_id != "userName")
    section.note(node->error("directory_id: expected userName or externalId"));
  settings.cached_tokens = static_cast<std::size_t>(section.integer(
      "cached_tokens", static_cast<std::int64_t>(settings.cached_tokens), 0, 1'000'000));
  if (auto finished = section.finish(); !finished) root.note(finished.error());
}

}  // namespace gatehouse::gateway

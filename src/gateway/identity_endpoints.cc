// See identity_endpoints.h.
#include "gateway/identity_endpoints.h"

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "gateway/mcp_call.h"
#include "identity/jose.h"

namespace gatehouse::gateway {
namespace {

// The Host a caller sent, where it is one: it goes back in headers and documents.
std::string host_of(const net::RequestHead& head) {
  const std::string_view host = head.fields.find("host").value_or("");
  const bool usable =
      !host.empty() && host.size() <= 255 && std::ranges::all_of(host, [](unsigned char c) {
        return std::isalnum(c) || c == '.' || c == '-' || c == ':' || c == '[' || c == ']';
      });
  return usable ? std::string(host) : "gatehouse.invalid";
}

std::string base_of(const Config& config, const net::RequestHead& head) {
  const std::string& resource = config.identity.resource;
  if (resource.empty())
    return (config.tls_certificate.empty() ? "http://" : "https://") + host_of(head);
  const auto scheme = resource.find("://");
  const auto path = resource.find('/', scheme == std::string::npos ? 0 : scheme + 3);
  return resource.substr(0, path);
}

// Inside of a quoted string of a header (RFC 9110 section 5.6.4), without what would end it.
std::string header_text(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 200)) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte > 0x7e || c == '"' || c == '\\' ? '\'' : c;
  }
  return out;
}

std::string_view error_code(Refused why) {
  switch (why) {
    case Refused::invalid_token:
      return "invalid_token";
    case Refused::invalid_proof:
      return "invalid_dpop_proof";
    case Refused::use_nonce:
      return "use_dpop_nonce";
    case Refused::no_credential:
      break;
  }
  return "";
}

}  // namespace

std::string url_of(const Config& config, const net::RequestHead& head) {
  return base_of(config, head) + std::string(head.path());
}

identity::DelegationRoot delegation_root(const Config& config, const DeploymentKeys& keys) {
  const std::string& resource = config.identity.resource;
  return {keys.delegation.public_key(), resource.empty() ? "gatehouse" : resource};
}

std::string resource_of(const Config& config, const net::RequestHead& head, std::string_view path) {
  if (path.empty() && !config.identity.resource.empty()) return config.identity.resource;
  return base_of(config, head) + std::string(path);
}

std::string protected_resource_metadata(const Config& config, const net::RequestHead& head,
                                        std::string_view path) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("resource").string(resource_of(config, head, path));
  json.key("resource_name").string("Gatehouse " + config.node);
  json.key("authorization_servers").begin_array();
  for (const auto& issuer : config.identity.issuers)
    if (issuer.trust_domain.empty()) json.string(issuer.issuer);
  json.end_array();
  json.key("bearer_methods_supported").begin_array().string("header").end_array();
  if (!config.mcp.scopes.empty() && is_mcp_path(path)) {
    json.key("scopes_supported").begin_array();
    for (const auto& scope : config.mcp.scopes) json.string(scope);
    json.end_array();
  }
  json.end_object();
  return out;
}

std::string challenge(const Config& config, const net::RequestHead& head, std::string_view path,
                      Refused why, std::string_view description) {
  const bool proof = why == Refused::invalid_proof || why == Refused::use_nonce;
  std::string value = proof ? "DPoP " : "Bearer ";
  value +=
      "resource_metadata=\"" +
      header_text(base_of(config, head) + std::string(resource_metadata_path) + std::string(path)) +
      '"';
  if (const auto code = error_code(why); !code.empty()) {
    value +=
        ", error=\"" + std::string(code) + "\", error_description=\"" + header_text(description);
    value += '"';
  }
  return value;
}

namespace {

bool is_metadata_path(std::string_view path) {
  return path.starts_with(resource_metadata_path) &&
         (path.size() == resource_metadata_path.size() ||
          path[resource_metadata_path.size()] == '/');
}

// The key that roots of delegation tokens are signed with, for who verifies them elsewhere.
std::string own_keys(const DeploymentKeys& keys) {
  const auto& key = keys.delegation.public_key();
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("keys").begin_array().begin_object();
  json.key("kty").string("OKP").key("crv").string("Ed25519").key("x").string(to_base64url(key));
  json.key("kid").string(identity::thumbprint_of(key));
  json.key("use").string("sig").key("alg").string("EdDSA");
  json.end_object().end_array().end_object();
  return out;
}

// Another node of this deployment asks what was revoked here.
void answer_node(const Worker& worker, const net::RequestHead& request, net::ResponseHead& head,
                 std::string& body) {
  constexpr std::string_view name = "nonce=";
  const auto query = request.query();
  const auto nonce = query.starts_with(name) ? query.substr(name.size()) : std::string_view();
  auto answer = identity::answer_peer(nonce, request.fields.find("authorization").value_or(""),
                                      worker.snapshot->standing, worker.identities.peer_key());
  if (!answer) {
    head.status = 401;
    head.fields.add("WWW-Authenticate", "Gatehouse-Peer");
    head.fields.add("Content-Type", "text/plain");
    body = answer.error().message + "\n";
    return;
  }
  head.fields.add("Content-Type", "application/json");
  head.fields.add("Gatehouse-Signature", answer->signature);
  body = std::move(answer->body);
}

}  // namespace

bool is_identity_path(std::string_view path) {
  return path == token_path || path == keys_path || path == identity::revocations_path ||
         is_metadata_path(path);
}

net::Task<void> answer_identity(Worker& worker, net::ServerStream& client) {
  const auto& request = client.request();
  if (request.path() == token_path) {
    co_await exchange_token(worker, client);
    co_return;
  }
  net::ResponseHead head;
  std::string body;
  if (request.method != "GET" && request.method != "HEAD") {
    head.status = 405;
    head.fields.add("Allow", "GET, HEAD");
    head.fields.add("Content-Type", "text/plain");
    body = "only GET\n";
  } else if (request.path() == identity::revocations_path) {
    answer_node(worker, request, head, body);
  } else {
    head.fields.add("Content-Type", "application/json");
    head.fields.add("Access-Control-Allow-Origin", "*");
    body = request.path() == keys_path
               ? own_keys(worker.control.keys())
               : protected_resource_metadata(*worker.snapshot->config, request,
                                             request.path().substr(resource_metadata_path.size()));
  }
  // Whoever asked may have gone; there is nothing left to do about it.
  (void)co_await client.respond(std::move(head), std::move(body));
}

}  // namespace gatehouse::gateway

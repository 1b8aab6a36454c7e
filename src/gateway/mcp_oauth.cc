// OAuth 2.0 protected-resource metadata (RFC 9728): where a client gets a token for this gateway.
// Served without a credential, before anything is decided. Tokens are meant for this gateway alone
// and never go on to a server.
#include "gateway/mcp_call.h"
#include "gateway/stages.h"

namespace gatehouse::gateway {
namespace {

constexpr std::string_view well_known = "/.well-known/oauth-protected-resource";

// How callers reach this gateway: by the configuration, else by what the caller itself used.
std::string base_url(const Exchange& exchange) {
  const auto& config = *exchange.snapshot->config;
  if (!config.mcp.resource.empty()) return config.mcp.resource;
  const bool tls = !config.tls_certificate.empty();
  return (tls ? "https://" : "http://") +
         std::string(exchange.head->fields.find("host").value_or("localhost"));
}

}  // namespace

bool is_mcp_metadata_path(std::string_view path) {
  if (!path.starts_with(well_known)) return false;
  path.remove_prefix(well_known.size());
  return path.empty() || is_mcp_path(path);
}

std::string mcp_metadata_url(const Exchange& exchange, std::string_view path) {
  return base_url(exchange) + std::string(well_known) + std::string(path);
}

net::Task<void> answer_mcp_metadata(Worker&, net::ServerStream& client, Exchange& exchange) {
  net::ResponseHead head;
  std::string body;
  const auto& config = exchange.snapshot->config->mcp;
  if (exchange.head->method != "GET") {
    head.status = 405;
    head.fields.add("Allow", "GET");
  } else {
    head.fields.add("Content-Type", "application/json");
    head.fields.add("Access-Control-Allow-Origin", "*");
    JsonWriter json(body);
    json.begin_object().key("resource");
    json.string(base_url(exchange) + std::string(exchange.head->path().substr(well_known.size())));
    json.key("authorization_servers").begin_array();
    for (const auto& server : config.authorization_servers) json.string(server);
    json.end_array().key("bearer_methods_supported").begin_array().string("header").end_array();
    if (!config.scopes.empty()) {
      json.key("scopes_supported").begin_array();
      for (const auto& scope : config.scopes) json.string(scope);
      json.end_array();
    }
    json.key("resource_name").string("Gatehouse").end_object();
  }
  (void)co_await client.respond(std::move(head), std::move(body));
}

}  // namespace gatehouse::gateway

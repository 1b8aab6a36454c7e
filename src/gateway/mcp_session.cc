// Session ids of the legacy era. The client gets no id of a server's: it gets what it stands for,
// sealed for its principal and its path, so that any node can open it, a stolen one is of no use
// to anybody else, and nothing has to be kept.
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "crypto/crypto.h"
#include "gateway/mcp_call.h"

namespace gatehouse::gateway {
namespace {

using Json = nlohmann::json;

constexpr std::size_t longest_id = 8u << 10;

crypto::Digest session_key(const Worker& worker) {
  return crypto::derive_key(Bytes(worker.control.keys().session_seal), "gatehouse/mcp-session/v1");
}

// Whose and where: what an id is bound to.
std::string binding(const Exchange& exchange, const McpCall& call) {
  std::string text(identity::to_string(exchange.principal.kind));
  return text + '\0' + exchange.principal.id + '\0' + call.path;
}

std::string text_of(const Json& json, const char* name) {
  const auto member = json.find(name);
  return member != json.end() && member->is_string() ? member->get<std::string>() : std::string();
}

}  // namespace

std::string seal_mcp_session(const Worker& worker, const Exchange& exchange, const McpCall& call,
                             const McpSession& session) {
  Json json = {{"v", session.version}, {"n", session.name}, {"at", session.at}};
  if (!session.capabilities.empty()) json["c"] = session.capabilities;
  if (!session.client.empty()) json["i"] = session.client;
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  return to_base64url(
      bytes_of(crypto::seal(session_key(worker), bytes_of(text), bytes_of(binding(exchange, call)),
                            worker.control.random())));
}

std::optional<McpSession> open_mcp_session(const Worker& worker, const Exchange& exchange,
                                           const McpCall& call, std::string_view sealed) {
  if (sealed.size() > longest_id) return std::nullopt;
  const auto bytes = from_base64url(sealed);
  if (!bytes) return std::nullopt;
  const auto text =
      crypto::open_sealed(session_key(worker), bytes_of(*bytes), bytes_of(binding(exchange, call)));
  if (!text) return std::nullopt;
  const auto json = Json::parse(*text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  McpSession session;
  session.version = text_of(json, "v");
  session.name = text_of(json, "n");
  session.capabilities = text_of(json, "c");
  session.client = text_of(json, "i");
  const auto at = json.find("at");
  if (at != json.end() && at->is_object())
    for (const auto& [name, id] : at->items())
      if (id.is_string()) session.at.emplace(name, id.get<std::string>());
  return session;
}

}  // namespace gatehouse::gateway

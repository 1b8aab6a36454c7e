// See actor_event.h.
#include "gateway/actor_event.h"

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace gatehouse::gateway {
namespace {

using nlohmann::json;

constexpr std::size_t most_bytes = 16'384;  // of everything a credential brings

std::size_t size_of(const std::vector<std::string>& texts) {
  std::size_t size = 0;
  for (const auto& text : texts) size += text.size() + 3;
  return size;
}

std::size_t size_of(const identity::Principal& principal) {
  std::size_t size = size_of(principal.groups);
  for (const auto& [name, value] : principal.attributes) size += name.size() + value.size() + 6;
  for (const auto& actor : principal.chain) size += actor.id.size() + 12;
  size += size_of(principal.scope.models.value_or(std::vector<std::string>{}));
  return size + size_of(principal.scope.tools.value_or(std::vector<std::string>{}));
}

void write_list(JsonWriter& writer, std::string_view name, const std::vector<std::string>& texts) {
  writer.key(name).begin_array();
  for (const auto& text : texts) writer.string(text);
  writer.end_array();
}

void write_scope(JsonWriter& writer, const identity::Scope& scope) {
  if (scope == identity::Scope{}) return;
  writer.key("scope").begin_object();
  if (scope.models) write_list(writer, "models", *scope.models);
  if (scope.tools) write_list(writer, "tools", *scope.tools);
  if (scope.clearance) writer.key("clearance").number(*scope.clearance);
  if (scope.budget_micros) writer.key("budget_micros").number(*scope.budget_micros);
  if (scope.expires) writer.key("expires").string(format_time(*scope.expires));
  writer.end_object();
}

void write_facts(JsonWriter& writer, const identity::Principal& principal) {
  if (principal.credential != identity::CredentialKind::api_key && !principal.attributes.empty()) {
    writer.key("attributes").begin_object();
    for (const auto& [name, value] : principal.attributes) writer.key(name).string(value);
    writer.end_object();
  }
  if (!principal.groups.empty()) write_list(writer, "groups", principal.groups);
  if (!principal.chain.empty()) {
    writer.key("acts_for").begin_array();
    for (const auto& actor : principal.chain)
      writer.string(std::string(identity::to_string(actor.kind)) + ":" + actor.id);
    writer.end_array();
  }
  write_scope(writer, principal.scope);
}

std::optional<std::vector<std::string>> read_list(const json& object, const char* name) {
  const auto member = object.find(name);
  if (member == object.end() || !member->is_array()) return std::nullopt;
  std::vector<std::string> texts;
  for (const auto& item : *member)
    if (item.is_string()) texts.push_back(item.get<std::string>());
  return texts;
}

std::string text_of(const json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string() ? member->get<std::string>() : std::string();
}

std::optional<std::int64_t> number_of(const json& object, const char* name) {
  const auto member = object.find(name);
  if (member == object.end() || !member->is_number_integer()) return std::nullopt;
  return member->get<std::int64_t>();
}

Result<identity::Scope> read_scope(const json& actor) {
  identity::Scope scope;
  const auto member = actor.find("scope");
  if (member == actor.end() || !member->is_object()) return scope;
  scope.models = read_list(*member, "models");
  scope.tools = read_list(*member, "tools");
  scope.clearance = number_of(*member, "clearance");
  scope.budget_micros = number_of(*member, "budget_micros");
  if (const std::string expires = text_of(*member, "expires"); !expires.empty()) {
    GH_ASSIGN(scope.expires, parse_time(expires));
  }
  return scope;
}

Result<std::vector<identity::Actor>> read_chain(const json& actor) {
  std::vector<identity::Actor> chain;
  for (const auto& name : read_list(actor, "acts_for").value_or(std::vector<std::string>{})) {
    const auto colon = name.find(':');
    if (colon == std::string::npos)
      return fail(ErrorCode::data_loss, "an actor of the event has no kind");
    GH_ASSIGN(const auto kind, identity::parse_principal_kind(name.substr(0, colon)));
    chain.push_back({kind, name.substr(colon + 1)});
  }
  return chain;
}

void read_attributes(const json& actor, identity::Principal& principal) {
  const auto member = actor.find("attributes");
  if (member == actor.end() || !member->is_object()) return;
  for (const auto& [name, value] : member->items())
    if (value.is_string()) principal.attributes.emplace_back(name, value.get<std::string>());
}

}  // namespace

WrittenActor write_actor(const identity::Principal& principal, std::string_view peer) {
  WrittenActor written;
  JsonWriter writer(written.json);
  writer.begin_object();
  if (!principal.id.empty()) {
    writer.key("kind").string(identity::to_string(principal.kind));
    writer.key("id").string(principal.id);
    writer.key("key").string(principal.key_prefix);
    if (principal.credential != identity::CredentialKind::api_key)
      writer.key("credential").string(identity::to_string(principal.credential));
    written.whole = size_of(principal) <= most_bytes;
    if (written.whole) write_facts(writer, principal);
  }
  writer.key("peer").string(peer).end_object();
  return written;
}

Result<identity::Principal> read_actor(const json& actor) {
  if (!actor.is_object()) return fail(ErrorCode::data_loss, "the event has no actor");
  identity::Principal principal;
  GH_ASSIGN(principal.kind, identity::parse_principal_kind(text_of(actor, "kind")));
  principal.id = text_of(actor, "id");
  principal.key_prefix = text_of(actor, "key");
  if (const std::string credential = text_of(actor, "credential"); !credential.empty()) {
    GH_ASSIGN(principal.credential, identity::parse_credential_kind(credential));
  }
  read_attributes(actor, principal);
  principal.groups = read_list(actor, "groups").value_or(std::vector<std::string>{});
  GH_ASSIGN(principal.chain, read_chain(actor));
  GH_ASSIGN(principal.scope, read_scope(actor));
  return principal;
}

}  // namespace gatehouse::gateway

// See actor.h.
#include "gateway/actor.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "identity/rules.h"

namespace gatehouse::gateway {
namespace {

using nlohmann::json;

std::string written(const identity::Actor& actor) {
  return std::string(identity::to_string(actor.kind)) + ':' + actor.id;
}

void write_texts(JsonWriter& writer, std::string_view name, const std::vector<std::string>& texts) {
  writer.key(name).begin_array();
  for (const auto& text : texts) writer.string(text);
  writer.end_array();
}

void write_scope(JsonWriter& writer, const identity::Scope& scope) {
  if (scope == identity::Scope()) return;
  writer.key("scope").begin_object();
  if (scope.models) write_texts(writer, "models", *scope.models);
  if (scope.tools) write_texts(writer, "tools", *scope.tools);
  if (scope.clearance) writer.key("clearance").number(*scope.clearance);
  if (!scope.budgets.empty()) {
    writer.key("budgets").begin_array();
    for (const auto& [id, micros] : scope.budgets)
      writer.begin_object().key("id").string(id).key("micros").number(micros).end_object();
    writer.end_array();
  }
  if (scope.expires) writer.key("expires").string(format_time(*scope.expires));
  writer.end_object();
}

using Attributes = std::vector<std::pair<std::string, std::string>>;

void write_attributes(JsonWriter& writer, const Attributes& attributes) {
  writer.key("attributes").begin_object();
  for (const auto& [name, value] : attributes) writer.key(name).string(value);
  writer.end_object();
}

// What is known of each of the chain, where anything is.
void write_subjects(JsonWriter& writer, const std::vector<identity::Actor>& chain) {
  const auto is_known = [](const identity::Actor& one) {
    return !one.groups.empty() || !one.attributes.empty();
  };
  if (std::ranges::none_of(chain, is_known)) return;
  writer.key("subjects").begin_array();
  for (const auto& one : chain) {
    writer.begin_object();
    if (!one.groups.empty()) write_texts(writer, "groups", one.groups);
    if (!one.attributes.empty()) write_attributes(writer, one.attributes);
    writer.end_object();
  }
  writer.end_array();
}

constexpr std::size_t most_bytes = 16'384;  // of everything a credential brings

std::size_t size_of(const std::vector<std::string>& texts) {
  std::size_t size = 0;
  for (const auto& text : texts) size += text.size() + 3;
  return size;
}

std::size_t size_of(const Attributes& attributes) {
  std::size_t size = 0;
  for (const auto& [name, value] : attributes) size += name.size() + value.size() + 6;
  return size;
}

std::string text_of(const json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string() ? member->get<std::string>() : std::string();
}

std::unexpected<Error> damaged(const char* what) {
  return fail(ErrorCode::data_loss,
              std::string("the actor of the event is not one of ours: ") + what);
}

Result<std::vector<std::string>> texts_of(const json& list) {
  std::vector<std::string> texts;
  if (!list.is_array()) return damaged("a list");
  for (const auto& one : list) {
    if (!one.is_string()) return damaged("a list");
    texts.push_back(one.get<std::string>());
  }
  return texts;
}

Result<Attributes> attributes_of(const json& object) {
  Attributes attributes;
  if (!object.is_object()) return damaged("attributes");
  for (const auto& [name, value] : object.items())
    attributes.emplace_back(name, value.is_string() ? value.get<std::string>() : "");
  return attributes;
}

Result<void> read_subjects(const json& subjects, std::vector<identity::Actor>& chain) {
  if (!subjects.is_array() || subjects.size() != chain.size()) return damaged("subjects");
  for (std::size_t at = 0; at < chain.size(); ++at) {
    const auto& subject = subjects[at];
    if (!subject.is_object()) return damaged("subjects");
    if (subject.contains("groups")) {
      GH_ASSIGN(chain[at].groups, texts_of(subject["groups"]));
    }
    if (subject.contains("attributes")) {
      GH_ASSIGN(chain[at].attributes, attributes_of(subject["attributes"]));
    }
  }
  return {};
}

Result<void> read_scope(const json& object, identity::Scope& scope) {
  if (!object.is_object()) return damaged("scope");
  if (object.contains("models")) {
    GH_ASSIGN(scope.models, texts_of(object["models"]));
  }
  if (object.contains("tools")) {
    GH_ASSIGN(scope.tools, texts_of(object["tools"]));
  }
  if (object.contains("clearance")) {
    if (!object["clearance"].is_number_integer()) return damaged("scope.clearance");
    scope.clearance = object["clearance"].get<std::int64_t>();
  }
  for (const auto& budget : object.value("budgets", json::array())) {
    if (!budget.is_object() || !budget.contains("micros") || !budget["micros"].is_number_integer())
      return damaged("scope.budgets");
    scope.budgets.push_back({text_of(budget, "id"), budget["micros"].get<std::int64_t>()});
    const auto micros = scope.budgets.back().micros;
    scope.budget_micros = std::min(scope.budget_micros.value_or(micros), micros);
  }
  if (object.contains("expires")) {
    GH_ASSIGN(scope.expires, parse_time(text_of(object, "expires")));
  }
  return {};
}

Result<identity::CredentialKind> credential_of(const json& actor) {
  using identity::CredentialKind;
  if (!actor.contains("credential")) return CredentialKind::api_key;
  for (const auto kind :
       {CredentialKind::api_key, CredentialKind::access_token, CredentialKind::certificate,
        CredentialKind::workload_token, CredentialKind::delegation})
    if (text_of(actor, "credential") == identity::to_string(kind)) return kind;
  return damaged("credential");
}

}  // namespace

bool fits_event(const identity::Principal& principal) {
  std::size_t size = size_of(principal.groups) + size_of(principal.attributes);
  for (const auto& actor : principal.chain)
    size += actor.id.size() + 12 + size_of(actor.groups) + size_of(actor.attributes) + 32;
  for (const auto& budget : principal.scope.budgets) size += budget.id.size() + 32;
  size += size_of(principal.scope.models.value_or(std::vector<std::string>{}));
  size += size_of(principal.scope.tools.value_or(std::vector<std::string>{}));
  return size <= most_bytes;
}

void write_actor(JsonWriter& writer, const identity::Principal& principal) {
  writer.key("kind").string(identity::to_string(principal.kind));
  writer.key("id").string(principal.id);
  writer.key("key").string(principal.key_prefix);
  if (principal.credential != identity::CredentialKind::api_key)
    writer.key("credential").string(identity::to_string(principal.credential));
  if (!fits_event(principal)) return;
  if (!principal.groups.empty()) write_texts(writer, "groups", principal.groups);
  if (principal.described) write_attributes(writer, principal.attributes);
  if (!principal.chain.empty()) {
    writer.key("chain").begin_array();
    for (const auto& actor : principal.chain) writer.string(written(actor));
    writer.end_array();
    write_subjects(writer, principal.chain);
  }
  write_scope(writer, principal.scope);
}

Result<identity::Principal> principal_from(const json& actor) {
  if (!actor.is_object()) return damaged("not an object");
  identity::Principal principal;
  GH_ASSIGN(principal.kind, identity::parse_principal_kind(text_of(actor, "kind")));
  principal.id = text_of(actor, "id");
  principal.key_prefix = text_of(actor, "key");
  GH_ASSIGN(principal.credential, credential_of(actor));
  if (actor.contains("groups")) {
    GH_ASSIGN(principal.groups, texts_of(actor["groups"]));
  }
  if (const auto attributes = actor.find("attributes"); attributes != actor.end()) {
    principal.described = true;
    GH_ASSIGN(principal.attributes, attributes_of(*attributes));
  }
  if (actor.contains("chain")) {
    GH_ASSIGN(const auto chain, texts_of(actor["chain"]));
    for (const auto& one : chain) {
      GH_ASSIGN(auto parsed, identity::parse_principal(one));
      principal.chain.push_back({parsed.first, std::move(parsed.second), {}, {}});
    }
    if (actor.contains("subjects")) GH_TRY(read_subjects(actor["subjects"], principal.chain));
  }
  if (actor.contains("scope")) GH_TRY(read_scope(actor["scope"], principal.scope));
  return principal;
}

}  // namespace gatehouse::gateway

// What a prover found: its lines read, and a counterexample as a request of ours, as a case of
// `policy test`, and for people. See claims.h.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "policy/claims.h"

namespace gatehouse::policy {
namespace {

using nlohmann::json;

std::string short_type(const std::string& full) {
  const std::size_t colon = full.rfind("::");
  return colon == std::string::npos ? full : full.substr(colon + 2);
}

std::string text_of(const json& object, const char* name) {
  const auto member = object.is_object() ? object.find(name) : object.end();
  return member != object.end() && member->is_string() ? member->get<std::string>() : std::string();
}

// "0.0001" in ten-thousandths.
std::optional<Decimal> decimal_of(const json& value) {
  const auto extension = value.find("__extn");
  if (extension == value.end() || text_of(*extension, "fn") != "decimal") return std::nullopt;
  const std::string text = text_of(*extension, "arg");
  const double number = std::strtod(text.c_str(), nullptr);
  return Decimal{static_cast<std::int64_t>(std::llround(number * 10'000))};
}

std::optional<Value> value_of(const json& value);

Record record_of(const json& object) {
  Record record;
  for (const auto& [name, member] : object.items())
    if (auto read = value_of(member)) record.members.push_back({name, std::move(*read)});
  return record;
}

// Nothing where it is of a kind the gateway never fills.
std::optional<Value> value_of(const json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (value.is_string()) return value.get<std::string>();
  if (value.is_array()) {
    std::vector<std::string> texts;
    for (const auto& item : value)
      if (item.is_string()) texts.push_back(item.get<std::string>());
    return texts;
  }
  if (!value.is_object()) return std::nullopt;
  if (auto decimal = decimal_of(value)) return *decimal;
  return record_of(value);
}

Attributes attributes_of(const json& object) {
  Attributes attributes;
  if (!object.is_object()) return attributes;
  for (const auto& [name, value] : object.items())
    if (auto read = value_of(value)) attributes.emplace_back(name, std::move(*read));
  return attributes;
}

std::pair<std::string, std::string> uid_of(const json& uid) {
  return {short_type(text_of(uid, "type")), text_of(uid, "id")};
}

Entity entity_of(const json& object) {
  Entity entity;
  std::tie(entity.type, entity.id) = uid_of(object.value("uid", json::object()));
  entity.attributes = attributes_of(object.value("attrs", json::object()));
  for (auto& [name, value] : attributes_of(object.value("tags", json::object())))
    if (std::holds_alternative<std::string>(value)) entity.attributes.emplace_back(name, value);
  for (const auto& parent : object.value("parents", json::array()))
    entity.parents.push_back(uid_of(parent));
  return entity;
}

// The prover says "type" and "id" of the three; the store has what they are.
Result<Request> request_of(const json& found) {
  Request request;
  const auto principal = uid_of(found.value("principal", json::object()));
  const auto resource = uid_of(found.value("resource", json::object()));
  request.action = uid_of(found.value("action", json::object())).second;
  request.context = attributes_of(found.value("context", json::object()));
  for (const auto& object : found.value("entities", json::array())) {
    Entity entity = entity_of(object);
    const std::pair uid(entity.type, entity.id);
    if (uid == principal) {
      request.principal = entity;
    }
    if (uid == resource) {
      request.resource = entity;
    }
    if (uid != principal && uid != resource && entity.type != "Action")
      request.others.push_back(std::move(entity));
  }
  if (request.principal.type.empty() || request.resource.type.empty())
    return fail(ErrorCode::data_loss, "the prover's counterexample has no principal or resource");
  std::erase_if(request.others, [](const Entity& one) { return one.parents.empty(); });
  return request;
}

// ---- as a case ------------------------------------------------------------------------------

json json_of(const Value& value);

json json_of(const std::vector<Member>& members) {
  json object = json::object();
  for (const Member& member : members) object[member.name] = json_of(member.value);
  return object;
}

json json_of(const Value& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* texts = std::get_if<std::vector<std::string>>(&value)) return *texts;
  if (const auto* decimal = std::get_if<Decimal>(&value))
    return static_cast<double>(decimal->ten_thousandths) / 10'000;
  return json_of(std::get<Record>(value).members);
}

json json_of(const Entity& entity) {
  json object = {{"type", entity.type}, {"id", entity.id}};
  for (const auto& [name, value] : entity.attributes) object[name] = json_of(value);
  json parents = json::array();
  for (const auto& [type, id] : entity.parents) parents.push_back(type + "::" + id);
  if (!parents.empty()) object["parents"] = std::move(parents);
  return object;
}

// context.risk of a case is {jailbreak: 0.001}.
json context_json(const Attributes& context) {
  json object = json::object();
  for (const auto& [name, value] : context) object[name] = json_of(value);
  if (const auto risk = object.find("risk"); risk != object.end())
    for (auto& [name, score] : risk->items()) score = score.value("p", 1.0);
  return object;
}

// ---- for people -----------------------------------------------------------------------------

bool is_usual(const json& value) {
  return value.is_null() || (value.is_string() && value.get<std::string>().empty()) ||
         (value.is_boolean() && !value.get<bool>()) ||
         (value.is_number() && value.get<double>() == 0) || (value.is_array() && value.empty());
}

void describe_members(std::string& out, const std::string& prefix, const json& object) {
  for (const auto& [name, value] : object.items()) {
    if (value.is_object()) {
      describe_members(out, prefix + name + ".", value);
    } else if (!is_usual(value)) {
      out += fmt::format("{}{} = {}\n", prefix, name, value.dump());
    }
  }
}

void describe_entity(std::string& out, const std::string& role, const Entity& entity) {
  out += fmt::format("{:<9} {} {}\n", role, entity.type, json(entity.id).dump());
  json attributes = json::object();
  for (const auto& [name, value] : entity.attributes) attributes[name] = json_of(value);
  describe_members(out, "          ", attributes);
  for (const auto& [type, id] : entity.parents)
    out += fmt::format("          in {} {}\n", type, json(id).dump());
}

}  // namespace

std::string_view to_string(Proof::Outcome outcome) {
  switch (outcome) {
    case Proof::Outcome::proved:
      return "proved";
    case Proof::Outcome::refuted:
      return "refuted";
    case Proof::Outcome::unknown:
      return "unknown";
  }
  return "unknown";
}

Result<Proof> read_proof(std::string_view line) {
  const json answer = json::parse(line, nullptr, false);
  if (!answer.is_object()) return fail(ErrorCode::data_loss, "the prover's answer cannot be read");
  Proof proof;
  proof.name = text_of(answer, "name");
  proof.detail = text_of(answer, "detail");
  const std::string outcome = text_of(answer, "outcome");
  for (const auto one : {Proof::Outcome::proved, Proof::Outcome::refuted})
    if (to_string(one) == outcome) proof.outcome = one;
  if (const auto count = answer.find("environments");
      count != answer.end() && count->is_number_unsigned())
    proof.environments = count->get<std::size_t>();
  const auto found = answer.find("counterexample");
  if (found != answer.end() && found->is_object()) {
    GH_ASSIGN(proof.counterexample, request_of(*found));
  }
  return proof;
}

std::string case_of(const Request& request, std::string_view name, bool permit) {
  const json test = {{"name", name},
                     {"principal", json_of(request.principal)},
                     {"action", request.action},
                     {"resource", json_of(request.resource)},
                     {"context", context_json(request.context)},
                     {"expect", {{"decision", permit ? "permit" : "forbid"}}}};
  return "- " + test.dump(-1, ' ', true, json::error_handler_t::replace);
}

std::string describe(const Request& request) {
  std::string out;
  describe_entity(out, "principal", request.principal);
  out += fmt::format("action    {}\n", request.action);
  describe_entity(out, "resource", request.resource);
  for (const Entity& other : request.others) describe_entity(out, "and", other);
  std::string context;
  describe_members(context, "          ", context_json(request.context));
  out += context.empty() ? "context   as usual\n" : "context\n" + context;
  return out;
}

}  // namespace gatehouse::policy

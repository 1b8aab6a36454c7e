// What SCIM answers: resources, lists, errors and the documents that describe the service
// (RFC 7643 sections 5 to 7, RFC 7644 sections 3.4.2 and 3.12).
#include <algorithm>

#include "base/text.h"
#include "identity/scim.h"

namespace gatehouse::identity::scim {
namespace {

using nlohmann::json;

constexpr std::string_view list_schema = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
constexpr std::string_view error_schema = "urn:ietf:params:scim:api:messages:2.0:Error";
constexpr std::string_view core = "urn:ietf:params:scim:schemas:core:2.0:";

json meta_of(std::string_view type, const std::string& created, const std::string& modified,
             const std::string& location) {
  json meta = {{"resourceType", type}, {"location", location}};
  if (!created.empty()) meta["created"] = created;
  if (!modified.empty()) meta["lastModified"] = modified;
  return meta;
}

std::string_view theirs(std::string_view ours) {
  return ours == "cost_center" ? "costCenter" : ours == "user_type" ? "userType" : ours;
}

bool is_enterprise(std::string_view ours) {
  return ours != "title" && ours != "user_type";
}

json attribute(std::string_view name, std::string_view type, bool required, bool exact,
               std::string_view mutability, std::string_view uniqueness) {
  return {{"name", name},
          {"type", type},
          {"multiValued", false},
          {"required", required},
          {"caseExact", exact},
          {"mutability", mutability},
          {"returned", "default"},
          {"uniqueness", uniqueness},
          {"description", std::string(name)}};
}

json text_attribute(std::string_view name) {
  return attribute(name, "string", false, true, "readWrite", "none");
}

json references(std::string_view name, std::string_view mutability) {
  json value = attribute(name, "complex", false, true, mutability, "none");
  value["multiValued"] = true;
  value["subAttributes"] =
      json::array({attribute("value", "string", false, true,
                             mutability == "readOnly" ? "readOnly" : "immutable", "none")});
  return value;
}

json schema(std::string_view id, std::string_view name, json attributes, const std::string& base) {
  return {{"schemas", {std::string(core) + "Schema"}},
          {"id", id},
          {"name", name},
          {"description", std::string(name)},
          {"attributes", std::move(attributes)},
          {"meta", meta_of("Schema", "", "", base + "/Schemas/" + std::string(id))}};
}

json schemas(const std::string& base) {
  json user = json::array({attribute("userName", "string", true, false, "readWrite", "server"),
                           attribute("active", "boolean", false, false, "readWrite", "none"),
                           text_attribute("title"), text_attribute("userType"),
                           references("groups", "readOnly")});
  json group = json::array({attribute("displayName", "string", true, true, "readWrite", "server"),
                            references("members", "readWrite")});
  json enterprise = json::array({text_attribute("department"), text_attribute("costCenter"),
                                 text_attribute("organization"), text_attribute("division")});
  return json::array({schema(user_schema, "User", std::move(user), base),
                      schema(group_schema, "Group", std::move(group), base),
                      schema(enterprise_schema, "EnterpriseUser", std::move(enterprise), base)});
}

json resource_types(const std::string& base) {
  const auto type = [&](std::string_view name, std::string_view urn) {
    return json{
        {"schemas", {std::string(core) + "ResourceType"}},
        {"id", name},
        {"name", name},
        {"endpoint", "/" + std::string(name) + "s"},
        {"description", std::string(name)},
        {"schema", urn},
        {"schemaExtensions", json::array()},
        {"meta", meta_of("ResourceType", "", "", base + "/ResourceTypes/" + std::string(name))}};
  };
  json user = type("User", user_schema);
  user["schemaExtensions"].push_back({{"schema", enterprise_schema}, {"required", false}});
  return json::array({std::move(user), type("Group", group_schema)});
}

json service_provider_config(const std::string& base) {
  const auto supported = [](bool yes) { return json{{"supported", yes}}; };
  json bulk = supported(false);
  bulk["maxOperations"] = 0;
  bulk["maxPayloadSize"] = 0;
  json filter = supported(true);
  filter["maxResults"] = 200;
  return {{"schemas", {std::string(core) + "ServiceProviderConfig"}},
          {"patch", supported(true)},
          {"bulk", std::move(bulk)},
          {"filter", std::move(filter)},
          {"changePassword", supported(false)},
          {"sort", supported(false)},
          {"etag", supported(false)},
          {"authenticationSchemes",
           json::array({{{"type", "oauthbearertoken"},
                         {"name", "Bearer token"},
                         {"description", "A key of Gatehouse or a token of a trusted issuer"},
                         {"primary", true}}})},
          {"meta", meta_of("ServiceProviderConfig", "", "", base + "/ServiceProviderConfig")}};
}

std::optional<json> one_of(const json& documents, std::string_view id) {
  for (const auto& document : documents)
    if (document["id"] == id) return document;
  return std::nullopt;
}

// Names of people are compared whatever their case (RFC 7643 section 4.1.1).
bool same(std::string_view a, std::string_view b) {
  return to_lower(a) == to_lower(b);
}

}  // namespace

std::string error_body(const Refusal& refusal) {
  json body = {{"schemas", {error_schema}},
               {"status", std::to_string(refusal.status)},
               {"detail", refusal.detail}};
  if (!refusal.type.empty()) body["scimType"] = refusal.type;
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

bool matches(const Account& account, const std::vector<Condition>& filter) {
  return std::ranges::all_of(filter, [&](const Condition& one) {
    if (one.attribute == "username") return same(account.user_name, one.value);
    if (one.attribute == "externalid") return account.external_id == one.value;
    if (one.attribute == "id") return account.id == one.value;
    if (one.attribute == "active") return (account.active ? "true" : "false") == one.value;
    return false;
  });
}

bool matches(const DirectoryGroup& group, const std::vector<Condition>& filter) {
  return std::ranges::all_of(filter, [&](const Condition& one) {
    if (one.attribute == "displayname") return same(group.display_name, one.value);
    if (one.attribute == "externalid") return group.external_id == one.value;
    if (one.attribute == "id") return group.id == one.value;
    if (one.attribute == "members" || one.attribute == "members.value")
      return std::ranges::binary_search(group.members, one.value);
    return false;
  });
}

json resource_of(const Account& account, const Directory& directory, const std::string& base) {
  json out = {
      {"schemas", json::array({user_schema})},
      {"id", account.id},
      {"userName", account.user_name},
      {"active", account.active},
      {"meta", meta_of("User", account.created, account.modified, base + "/Users/" + account.id)}};
  if (!account.external_id.empty()) out["externalId"] = account.external_id;
  json enterprise = json::object();
  for (const auto& [name, value] : account.attributes)
    (is_enterprise(name) ? enterprise : out)[std::string(theirs(name))] = value;
  if (!enterprise.empty()) {
    out["schemas"].push_back(enterprise_schema);
    out[std::string(enterprise_schema)] = std::move(enterprise);
  }
  json groups = json::array();
  for (const auto& [id, group] : directory.groups())
    if (std::ranges::binary_search(group.members, account.id))
      groups.push_back(
          {{"value", id}, {"display", group.display_name}, {"$ref", base + "/Groups/" + id}});
  if (!groups.empty()) out["groups"] = std::move(groups);
  return out;
}

json resource_of(const DirectoryGroup& group, const Directory& directory, const std::string& base,
                 bool with_members) {
  json out = {
      {"schemas", json::array({group_schema})},
      {"id", group.id},
      {"displayName", group.display_name},
      {"meta", meta_of("Group", group.created, group.modified, base + "/Groups/" + group.id)}};
  if (!group.external_id.empty()) out["externalId"] = group.external_id;
  if (!with_members) return out;
  out["members"] = json::array();
  for (const auto& id : group.members)
    if (const auto* const account = directory.find_account(id))
      out["members"].push_back({{"value", id},
                                {"display", account->user_name},
                                {"$ref", base + "/Users/" + id},
                                {"type", "User"}});
  return out;
}

std::optional<json> fixed_document(std::string_view name, const std::string& base) {
  const auto behind = [&](std::string_view head) { return name.substr(head.size()); };
  if (name == "ServiceProviderConfig") return service_provider_config(base);
  for (const std::string_view head : {"ResourceTypes", "Schemas"}) {
    if (!name.starts_with(head)) continue;
    auto all = head == "Schemas" ? schemas(base) : resource_types(base);
    const auto total = all.size();
    if (behind(head).empty()) return list_of(std::move(all), total, 1);
    if (behind(head).starts_with('/')) return one_of(all, behind(head).substr(1));
  }
  return std::nullopt;
}

json list_of(json resources, std::size_t total, std::size_t start) {
  const auto count = resources.size();
  return {{"schemas", {list_schema}},
          {"totalResults", total},
          {"startIndex", start},
          {"itemsPerPage", count},
          {"Resources", std::move(resources)}};
}

}  // namespace gatehouse::identity::scim

// What bodies of SCIM change: resources whole (POST, PUT) and PATCH.
#include <algorithm>
#include <map>

#include "base/text.h"
#include "identity/rules.h"
#include "identity/scim.h"

namespace gatehouse::identity::scim {
namespace {

using nlohmann::json;

constexpr std::size_t longest_name = 256;
constexpr std::size_t longest_value = 256;
constexpr std::string_view patch_schema = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

enum class Op : std::uint8_t { add, replace, remove };

std::unexpected<Refusal> no(std::string_view type, std::string detail) {
  return std::unexpected(Refusal{400, type, std::move(detail)});
}

// What is kept of an account besides its names: theirs in lower case, and ours for policies. Roles
// and clearances are not among them: those are given here.
const std::map<std::string_view, std::string_view>& kept() {
  static const std::map<std::string_view, std::string_view> names = {
      {"department", "department"},
      {"costcenter", "cost_center"},
      {"organization", "organization"},
      {"division", "division"},
      {"title", "title"},
      {"usertype", "user_type"}};
  return names;
}

Answer<std::string> text_of(const json& value, std::string_view what, bool may_be_empty) {
  if (value.is_null() && may_be_empty) return std::string();
  if (!value.is_string()) return no("invalidValue", std::string(what) + " is no text");
  auto text = value.get<std::string>();
  if (text.empty() && may_be_empty) return text;
  if (auto fine = check_printable(text, longest_name, what); !fine)
    return no("invalidValue", fine.error().message);
  return text;
}

// Entra ID writes "False".
Answer<bool> flag_of(const json& value) {
  if (value.is_boolean()) return value.get<bool>();
  const auto text = value.is_string() ? to_lower(value.get<std::string>()) : std::string();
  if (text == "true" || text == "false") return text == "true";
  return no("invalidValue", "active is true or false");
}

Answer<void> set_text(std::string& into, const json& value, std::string_view what, Op op,
                      bool may_be_empty) {
  if (op == Op::remove && !may_be_empty)
    return no("mutability", std::string(what) + " cannot be removed");
  auto text =
      op == Op::remove ? Answer<std::string>(std::string()) : text_of(value, what, may_be_empty);
  if (!text) return std::unexpected(std::move(text).error());
  into = std::move(*text);
  return {};
}

Answer<void> set_kept(Account& account, std::string_view name, const json& value, Op op) {
  std::erase_if(account.attributes, [&](const auto& one) { return one.first == name; });
  if (op == Op::remove || value.is_null()) return {};
  if (!value.is_string() || value.get_ref<const std::string&>().size() > longest_value)
    return no("invalidValue", std::string(name) + " is no text of at most 256 bytes");
  auto text = value.get<std::string>();
  if (text.empty()) return {};
  account.attributes.emplace_back(name, std::move(text));
  std::ranges::sort(account.attributes);
  return {};
}

Answer<void> set(Account& account, const Path& path, const json& value, Op op) {
  // Parts of what is not kept: name.givenName, emails[type eq "work"].value
  if (path.where || !path.sub.empty()) return {};
  if (path.attribute == "username")
    return set_text(account.user_name, value, "userName", op, false);
  if (path.attribute == "externalid")
    return set_text(account.external_id, value, "externalId", op, true);
  if (path.attribute == "active") {
    // Gone is not active: what is not said takes away, never gives.
    const auto active = op == Op::remove ? Answer<bool>(false) : flag_of(value);
    if (!active) return std::unexpected(active.error());
    account.active = *active;
    return {};
  }
  if (path.attribute == to_lower(enterprise_schema)) {
    if (op == Op::remove) {
      for (const auto* name : {"department", "cost_center", "organization", "division"})
        std::erase_if(account.attributes, [&](const auto& one) { return one.first == name; });
      return {};
    }
    if (!value.is_object()) return no("invalidValue", "the enterprise extension is no object");
    for (const auto& [name, inner] : value.items())
      if (const auto found = kept().find(to_lower(name)); found != kept().end())
        if (auto done = set_kept(account, found->second, inner, op); !done) return done;
    return {};
  }
  const auto found = kept().find(path.attribute);
  return found == kept().end() ? Answer<void>{} : set_kept(account, found->second, value, op);
}

// [{"value": "ID", …}], one such object, or null.
Answer<std::vector<std::string>> members_of(const json& value) {
  std::vector<std::string> members;
  if (value.is_null()) return members;
  const json list = value.is_array() ? value : json::array({value});
  if (list.size() > most_members)
    return no("tooMany", "a group has at most " + std::to_string(most_members) + " members");
  for (const auto& one : list) {
    if (!one.is_object() || !one.contains("value") || !one["value"].is_string())
      return no("invalidValue", "a member has a \"value\", the id of an account");
    members.push_back(one["value"].get<std::string>());
  }
  std::ranges::sort(members);
  const auto again = std::ranges::unique(members);
  members.erase(again.begin(), again.end());
  return members;
}

Answer<void> set_members(DirectoryGroup& group, const Path& path, const json& value, Op op) {
  auto& members = group.members;
  if (path.where) {
    if (path.where->attribute != "value" || !path.sub.empty() || op != Op::remove)
      return no("invalidPath", "of members one is removed by members[value eq \"ID\"]");
    std::erase(members, path.where->value);
    return {};
  }
  auto named = members_of(value);
  if (!named) return std::unexpected(std::move(named).error());
  if (op == Op::replace) {
    members = std::move(*named);
  } else if (op == Op::remove) {
    if (value.is_null()) members.clear();
    std::erase_if(members, [&](const auto& one) { return std::ranges::count(*named, one) > 0; });
  } else {
    std::vector<std::string> all;
    std::ranges::set_union(members, *named, std::back_inserter(all));
    members = std::move(all);
  }
  if (members.size() <= most_members) return {};
  return no("tooMany", "a group has at most " + std::to_string(most_members) + " members");
}

Answer<void> set(DirectoryGroup& group, const Path& path, const json& value, Op op) {
  if (path.attribute == "members") return set_members(group, path, value, op);
  if (path.where || !path.sub.empty()) return {};
  if (path.attribute == "displayname")
    return set_text(group.display_name, value, "displayName", op, false);
  if (path.attribute == "externalid")
    return set_text(group.external_id, value, "externalId", op, true);
  return {};
}

// Members of an object are attributes, or paths to them (Entra ID: "name.givenName").
template <class Resource>
Answer<void> set_all(Resource& resource, const json& members, Op op) {
  for (const auto& [name, value] : members.items()) {
    const auto path = parse_path(name);
    if (!path) return std::unexpected(path.error());
    if (auto done = set(resource, *path, value, op); !done) return done;
  }
  return {};
}

Answer<Op> op_of(const json& operation) {
  const auto name = operation.is_object() && operation.contains("op") && operation["op"].is_string()
                        ? to_lower(operation["op"].get<std::string>())
                        : std::string();
  if (name == "add") return Op::add;
  if (name == "replace") return Op::replace;
  if (name == "remove") return Op::remove;
  return no("invalidSyntax", "an operation is add, replace or remove");
}

template <class Resource>
Answer<void> patch(const json& body, Resource& resource) {
  const bool is_patch = body.is_object() && body.contains("schemas") &&
                        body["schemas"].is_array() &&
                        std::ranges::count(body["schemas"], json(patch_schema)) > 0;
  if (!is_patch) return no("invalidSyntax", "the body is no PatchOp");
  const auto operations = body.find("Operations");
  if (operations == body.end() || !operations->is_array() || operations->size() > most_operations)
    return no("invalidSyntax", "Operations is a list of at most 1000");
  for (const auto& operation : *operations) {
    const auto op = op_of(operation);
    if (!op) return std::unexpected(op.error());
    const json value = operation.value("value", json());
    if (!operation.contains("path") || operation["path"].is_null()) {
      if (*op == Op::remove) return no("noTarget", "what is removed has to be named");
      if (!value.is_object()) return no("invalidValue", "without a path the value is an object");
      if (auto done = set_all(resource, value, *op); !done) return done;
      continue;
    }
    if (!operation["path"].is_string()) return no("invalidPath", "the path is no text");
    const auto path = parse_path(operation["path"].get<std::string>());
    if (!path) return std::unexpected(path.error());
    if (auto done = set(resource, *path, value, *op); !done) return done;
  }
  return {};
}

}  // namespace

Answer<void> read_account(const json& body, Account& account) {
  if (!body.is_object()) return no("invalidSyntax", "the body is no JSON object");
  account.user_name.clear();
  account.external_id.clear();
  account.active = true;
  account.attributes.clear();
  if (auto done = set_all(account, body, Op::replace); !done) return done;
  if (account.user_name.empty()) return no("invalidValue", "userName is missing");
  return {};
}

Answer<void> read_group(const json& body, DirectoryGroup& group) {
  if (!body.is_object()) return no("invalidSyntax", "the body is no JSON object");
  group.display_name.clear();
  group.external_id.clear();
  group.members.clear();
  if (auto done = set_all(group, body, Op::replace); !done) return done;
  if (group.display_name.empty()) return no("invalidValue", "displayName is missing");
  return {};
}

Answer<void> patch_account(const json& body, Account& account) {
  return patch(body, account);
}

Answer<void> patch_group(const json& body, DirectoryGroup& group) {
  return patch(body, group);
}

}  // namespace gatehouse::identity::scim

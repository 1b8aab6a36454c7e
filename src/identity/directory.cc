// See directory.h.
#include "identity/directory.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace gatehouse::identity {
namespace {

using nlohmann::json;

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

template <class Add>
Result<void> each(const store::State& state, std::string_view prefix, Add add) {
  const auto& records = state.records();
  for (auto one = records.lower_bound(prefix);
       one != records.end() && one->first.starts_with(prefix); ++one)
    GH_TRY(add(one->second));
  return {};
}

}  // namespace

void rename(Account& account, std::string principal) {
  std::erase(account.former, principal);
  if (!account.principal.empty() && account.principal != principal)
    account.former.push_back(account.principal);
  account.principal = std::move(principal);
}

std::string account_data(const Account& account) {
  json attributes = json::object();
  for (const auto& [name, value] : account.attributes) attributes[name] = value;
  json data = {{"id", account.id},
               {"user_name", account.user_name},
               {"active", account.active},
               {"principal", account.principal},
               {"attributes", std::move(attributes)},
               {"created", account.created},
               {"modified", account.modified}};
  if (!account.external_id.empty()) data["external_id"] = account.external_id;
  if (!account.former.empty()) data["former"] = account.former;
  if (account.removed) data["removed"] = true;
  return dump(data);
}

Result<Account> account_from(std::string_view data) {
  const auto parsed = json::parse(data, nullptr, false);
  if (!parsed.is_object()) return fail(ErrorCode::data_loss, "an account is not JSON");
  try {
    Account account;
    account.id = parsed.at("id");
    account.user_name = parsed.at("user_name");
    account.active = parsed.at("active");
    account.principal = parsed.at("principal");
    for (const auto& [name, value] : parsed.at("attributes").items())
      account.attributes.emplace_back(name, value.get<std::string>());
    account.created = parsed.at("created");
    account.modified = parsed.at("modified");
    account.external_id = parsed.value("external_id", "");
    account.former = parsed.value("former", std::vector<std::string>());
    account.removed = parsed.value("removed", false);
    return account;
  } catch (const json::exception& error) {
    return fail(ErrorCode::data_loss, std::string("an account: ") + error.what());
  }
}

std::string group_data(const DirectoryGroup& group) {
  json data = {{"id", group.id},
               {"display_name", group.display_name},
               {"members", group.members},
               {"created", group.created},
               {"modified", group.modified}};
  if (!group.external_id.empty()) data["external_id"] = group.external_id;
  return dump(data);
}

Result<DirectoryGroup> group_from(std::string_view data) {
  const auto parsed = json::parse(data, nullptr, false);
  if (!parsed.is_object()) return fail(ErrorCode::data_loss, "a group is not JSON");
  try {
    DirectoryGroup group;
    group.id = parsed.at("id");
    group.display_name = parsed.at("display_name");
    group.members = parsed.at("members").get<std::vector<std::string>>();
    group.created = parsed.at("created");
    group.modified = parsed.at("modified");
    group.external_id = parsed.value("external_id", "");
    return group;
  } catch (const json::exception& error) {
    return fail(ErrorCode::data_loss, std::string("a group: ") + error.what());
  }
}

Result<Directory> Directory::build(const store::State& state) {
  Directory directory;
  GH_TRY(each(state, account_prefix, [&](const std::string& data) -> Result<void> {
    GH_ASSIGN(auto account, account_from(data));
    directory.id_of_name_.insert_or_assign(to_lower(account.user_name), account.id);
    directory.id_of_principal_.insert_or_assign(account.principal, account.id);
    std::string id = account.id;
    directory.accounts_.insert_or_assign(std::move(id), std::move(account));
    return {};
  }));
  GH_TRY(each(state, group_prefix, [&](const std::string& data) -> Result<void> {
    GH_ASSIGN(auto group, group_from(data));
    for (const auto& member : group.members)
      if (const auto* const account = directory.find_account(member))
        directory.groups_of_[account->principal].insert(group.display_name);
    std::string id = group.id;
    directory.groups_.insert_or_assign(std::move(id), std::move(group));
    return {};
  }));
  return directory;
}

const Account* Directory::find_account(std::string_view id) const {
  const auto found = accounts_.find(std::string(id));
  return found == accounts_.end() || found->second.removed ? nullptr : &found->second;
}

const DirectoryGroup* Directory::find_group(std::string_view id) const {
  const auto found = groups_.find(std::string(id));
  return found == groups_.end() ? nullptr : &found->second;
}

const Account* Directory::find_by_name(std::string_view user_name) const {
  const auto id = id_of_name_.find(to_lower(user_name));
  return id == id_of_name_.end() ? nullptr : &accounts_.at(id->second);
}

const std::set<std::string>& Directory::groups_of(std::string_view principal) const {
  static const std::set<std::string> none;
  const auto found = groups_of_.find(principal);
  return found == groups_of_.end() ? none : found->second;
}

bool Directory::describe(PrincipalKind kind, const std::string& id, Attributes& attributes,
                         std::vector<std::string>& groups) const {
  const auto name = std::string(to_string(kind)) + ':' + id;
  const auto known = id_of_principal_.find(name);
  if (known == id_of_principal_.end()) return false;
  if (const auto& theirs = groups_of(name); !theirs.empty()) {
    groups.insert(groups.end(), theirs.begin(), theirs.end());
    std::ranges::sort(groups);
    const auto again = std::ranges::unique(groups);
    groups.erase(again.begin(), again.end());
  }
  bool added = false;
  for (const auto& attribute : accounts_.at(known->second).attributes) {
    const auto same = [&](const auto& one) { return one.first == attribute.first; };
    if (std::ranges::any_of(attributes, same)) continue;
    attributes.push_back(attribute);
    added = true;
  }
  if (added) std::ranges::sort(attributes);
  return added;
}

void Directory::describe(Principal& principal) const {
  for (auto& one : principal.chain) describe(one.kind, one.id, one.attributes, one.groups);
  if (describe(principal.kind, principal.id, principal.attributes, principal.groups))
    principal.described = true;
}

}  // namespace gatehouse::identity

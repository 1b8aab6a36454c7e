// Accounts and groups that a directory provisions (SCIM 2.0): what they add to a principal, whoever
// showed it, and who is suspended. The fold of the state's records "account/…" and "group/…".
// Immutable, part of a snapshot; any thread.
//
// Of a person is kept only what decisions need: no names, no addresses.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "identity/principal.h"
#include "store/state.h"

namespace gatehouse::identity {

struct Account {
  std::string id;         // ours: a UUID
  std::string user_name;  // unique, whatever its case
  std::string external_id;
  bool active = true;
  bool removed = false;   // the directory has deleted it; it stays suspended until it is made again
  std::string principal;  // "user:ada"
  std::vector<std::pair<std::string, std::string>> attributes;  // sorted by name
  std::string created;                                          // RFC 3339
  std::string modified;
  // Whom it named before it was renamed: suspended with it, while no active account names them.
  std::vector<std::string> former{};
};

struct DirectoryGroup {
  std::string id;
  std::string display_name;  // unique; policies see it
  std::string external_id;
  std::vector<std::string> members;  // ids of accounts, sorted
  std::string created;
  std::string modified;
};

inline constexpr std::string_view account_prefix = "account/";
inline constexpr std::string_view group_prefix = "group/";

// Renamed more often an account is not.
inline constexpr std::size_t most_former = 64;
// It names `principal` from now on.
void rename(Account& account, std::string principal);

// The data of account.provisioned and group.provisioned, and back. Error (data_loss): not that.
std::string account_data(const Account& account);
Result<Account> account_from(std::string_view data);
std::string group_data(const DirectoryGroup& group);
Result<DirectoryGroup> group_from(std::string_view data);

class Directory {
 public:
  static Result<Directory> build(const store::State& state);

  const std::map<std::string, Account>& accounts() const { return accounts_; }  // by id
  const std::map<std::string, DirectoryGroup>& groups() const { return groups_; }
  const Account* find_account(std::string_view id) const;  // not of removed ones
  const DirectoryGroup* find_group(std::string_view id) const;
  const Account* find_by_name(std::string_view user_name) const;  // removed ones too
  // Names of groups of "user:ada".
  const std::set<std::string>& groups_of(std::string_view principal) const;

  // Adds the groups and those attributes the credential did not bring itself, to the principal and
  // to each of those it acts for. Whoever the directory does not know is left as it is.
  void describe(Principal& principal) const;

 private:
  using Attributes = std::vector<std::pair<std::string, std::string>>;
  // Whether there is an attribute more.
  bool describe(PrincipalKind kind, const std::string& id, Attributes& attributes,
                std::vector<std::string>& groups) const;

  std::map<std::string, Account> accounts_;
  std::map<std::string, DirectoryGroup> groups_;
  std::map<std::string, std::string, std::less<>> id_of_name_;  // lower case
  std::map<std::string, std::string, std::less<>> id_of_principal_;
  std::map<std::string, std::set<std::string>, std::less<>> groups_of_;
};

}  // namespace gatehouse::identity

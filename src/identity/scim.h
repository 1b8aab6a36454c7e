// SCIM 2.0 (RFC 7643, RFC 7644): resources, filters and PATCH as bytes from outside, and accounts
// and groups as we keep them. What Okta and Entra ID really send is understood: operations in any
// case, booleans as text, values without a path, members by a filter. Attributes that decisions do
// not need are taken and not kept, as section 3.3 of RFC 7644 allows. Pure.
#pragma once

#include <expected>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "identity/directory.h"

namespace gatehouse::identity::scim {

// RFC 7644 section 3.12.
struct Refusal {
  int status = 400;
  std::string_view type;  // "invalidFilter", "uniqueness", …; empty: none
  std::string detail;
};
template <class T>
using Answer = std::expected<T, Refusal>;
std::string error_body(const Refusal& refusal);

inline constexpr std::string_view user_schema = "urn:ietf:params:scim:schemas:core:2.0:User";
inline constexpr std::string_view group_schema = "urn:ietf:params:scim:schemas:core:2.0:Group";
inline constexpr std::string_view enterprise_schema =
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

inline constexpr std::size_t most_operations = 1'000;
inline constexpr std::size_t most_members = 1'200;  // of a group: it has to fit into an event

// userName eq "ada@example.org" and active eq true
struct Condition {
  std::string attribute;  // lower case, without the URN of its schema
  std::string value;      // of text as it is; "true", "false"
};
Answer<std::vector<Condition>> parse_filter(std::string_view text);

// members[value eq "1"], name.givenName, urn:…:User:department, active
struct Path {
  std::string attribute;  // as above
  std::optional<Condition> where;
  std::string sub;  // lower case; empty: none
};
Answer<Path> parse_path(std::string_view text);

// What a body says, into what is there. read_*: POST and PUT, where what is not said is gone.
// patch_*: RFC 7644 section 3.5.2. Whether members are there, the caller checks.
Answer<void> read_account(const nlohmann::json& body, Account& account);
Answer<void> read_group(const nlohmann::json& body, DirectoryGroup& group);
Answer<void> patch_account(const nlohmann::json& body, Account& account);
Answer<void> patch_group(const nlohmann::json& body, DirectoryGroup& group);

// Whether a resource matches; an attribute that is not known matches nothing.
bool matches(const Account& account, const std::vector<Condition>& filter);
bool matches(const DirectoryGroup& group, const std::vector<Condition>& filter);

// Resources. `base`: "https://ai.example.com/scim/v2".
nlohmann::json resource_of(const Account& account, const Directory& directory,
                           const std::string& base);
nlohmann::json resource_of(const DirectoryGroup& group, const Directory& directory,
                           const std::string& base, bool with_members);

// What is fixed: "ServiceProviderConfig", "ResourceTypes", "Schemas", the latter two also with
// "/User" or a URN behind. Nothing: there is no such document.
std::optional<nlohmann::json> fixed_document(std::string_view name, const std::string& base);

nlohmann::json list_of(nlohmann::json resources, std::size_t total, std::size_t start);

}  // namespace gatehouse::identity::scim

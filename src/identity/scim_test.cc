// What directories really send, and what must not be taken for anything.
#include "identity/scim.h"

#include <gtest/gtest.h>

namespace gatehouse::identity::scim {
namespace {

using nlohmann::json;

json patch(const std::string& operations) {
  return json::parse(
      R"({"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":)" + operations +
      "}");
}

Account ada() {
  return {"1", "ada@example.org", "00u1", true, false, "user:ada@example.org", {}, "", ""};
}

std::string value_of(const Account& account, std::string_view name) {
  for (const auto& [one, value] : account.attributes)
    if (one == name) return value;
  return "";
}

TEST(ScimFilter, ComparisonsOfDirectories) {
  const auto one = parse_filter(R"(userName eq "ada@example.org")");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->at(0).attribute, "username");
  EXPECT_EQ(one->at(0).value, "ada@example.org");
  const auto two = parse_filter(R"(id eq "1" AND members eq "a \"b\" ü")");
  ASSERT_TRUE(two);
  EXPECT_EQ(two->at(1).value, "a \"b\" ü");
  EXPECT_EQ(parse_filter("active eq True")->at(0).value, "true");
  EXPECT_EQ(
      parse_filter("urn:ietf:params:scim:schemas:core:2.0:User:userName eq \"a\"")->at(0).attribute,
      "username");
}

TEST(ScimFilter, WhatIsNotUnderstoodIsRefused) {
  for (const char* filter :
       {"", " ", "userName", "userName eq", "userName eq \"", "userName eq ada",
        "userName ne \"a\"", "userName sw \"a\"", "not (userName eq \"a\")",
        "userName eq \"a\" or id eq \"b\"", "userName eq \"a\" and",
        "userName eq \"a\" id eq \"b\"", "userName eq \"a\\", "eq \"a\"",
        "a eq \"1\" and b eq \"1\" and c eq \"1\" and d eq \"1\" and e eq \"1\"",
        "userName eq \"a\\u00\"", "foo:bar eq \"a\""})
    EXPECT_FALSE(parse_filter(filter)) << filter;
  EXPECT_FALSE(parse_filter("userName eq \"" + std::string(3'000, 'a') + "\""));
}

TEST(ScimFilter, Paths) {
  EXPECT_EQ(parse_path("active")->attribute, "active");
  EXPECT_EQ(parse_path("name.givenName")->sub, "givenname");
  const auto member = parse_path(R"(members[value eq "2819c223"])");
  ASSERT_TRUE(member && member->where);
  EXPECT_EQ(member->where->value, "2819c223");
  EXPECT_EQ(parse_path(R"(emails[type eq "work"].value)")->sub, "value");
  EXPECT_EQ(parse_path(std::string(enterprise_schema) + ":department")->attribute, "department");
  EXPECT_EQ(parse_path(enterprise_schema)->sub, "");
  for (const char* path : {"", "members[", "members[value eq \"1\"", "members[value eq \"1\"]x",
                           "members[value]", "a b", ".a", "a.", "members[value eq \"1\"] "})
    EXPECT_FALSE(parse_path(path)) << path;
}

TEST(ScimChange, OktaDeactivates) {
  Account account = ada();
  ASSERT_TRUE(patch_account(patch(R"([{"op":"replace","value":{"active":false}}])"), account));
  EXPECT_FALSE(account.active);
  ASSERT_TRUE(patch_account(patch(R"([{"op":"replace","value":{"active":true}}])"), account));
  EXPECT_TRUE(account.active);
}

TEST(ScimChange, EntraDeactivatesWithTextAndCapitals) {
  Account account = ada();
  ASSERT_TRUE(
      patch_account(patch(R"([{"op":"Replace","path":"active","value":"False"}])"), account));
  EXPECT_FALSE(account.active);
  ASSERT_TRUE(patch_account(
      patch(
          R"([{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department","value":"Research"},
                {"op":"Replace","path":"emails[type eq \"work\"].value","value":"a@example.org"},
                {"op":"Add","path":"name.familyName","value":"Byron"},
                {"op":"Replace","value":{"title":"Countess","name.givenName":"Ada",
                  "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter":"42"}}])"),
      account));
  EXPECT_EQ(value_of(account, "department"), "Research");
  EXPECT_EQ(value_of(account, "title"), "Countess");
  EXPECT_EQ(value_of(account, "cost_center"), "42");
  ASSERT_TRUE(patch_account(
      patch(
          R"([{"op":"Remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"}])"),
      account));
  EXPECT_EQ(value_of(account, "department"), "");
}

TEST(ScimChange, WhatIsRemovedIsNotActive) {
  Account account = ada();
  ASSERT_TRUE(patch_account(patch(R"([{"op":"remove","path":"active"}])"), account));
  EXPECT_FALSE(account.active);
  EXPECT_FALSE(patch_account(patch(R"([{"op":"remove","path":"userName"}])"), account));
}

TEST(ScimChange, NobodyGetsARoleOrAClearanceByAnAttribute) {
  Account account = ada();
  ASSERT_TRUE(
      read_account(json::parse(R"({"userName":"ada","role":"administrator","clearance":"restricted",
        "roles":[{"value":"administrator"}],"password":"x","groups":[{"value":"1"}],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"d","role":"administrator"}})"),
                   account));
  EXPECT_EQ(account.attributes,
            (std::vector<std::pair<std::string, std::string>>{{"department", "d"}}));
  EXPECT_EQ(account_data(account).find("password"), std::string::npos);
}

TEST(ScimChange, APutForgetsWhatItDoesNotSay) {
  Account account = ada();
  account.attributes = {{"department", "old"}};
  ASSERT_TRUE(read_account(json::parse(R"({"userName":"ada"})"), account));
  EXPECT_TRUE(account.attributes.empty());
  EXPECT_TRUE(account.external_id.empty());
  for (const char* body : {"[]", "{}", R"({"userName":""})", R"({"userName":7})",
                           R"({"userName":"a","active":"perhaps"})", "{\"userName\":\"a\\u0000\"}"})
    EXPECT_FALSE(read_account(json::parse(body), account)) << body;
}

TEST(ScimChange, MembersOfGroups) {
  DirectoryGroup group{"g", "staff", "", {}, "", ""};
  ASSERT_TRUE(patch_group(
      patch(
          R"([{"op":"add","path":"members","value":[{"value":"b","display":"B"},{"value":"a"}]}])"),
      group));
  EXPECT_EQ(group.members, (std::vector<std::string>{"a", "b"}));
  ASSERT_TRUE(patch_group(
      patch(R"([{"op":"Add","path":"members","value":[{"$ref":null,"value":"c"}]}])"), group));
  ASSERT_TRUE(patch_group(patch(R"([{"op":"remove","path":"members[value eq \"a\"]"}])"), group));
  EXPECT_EQ(group.members, (std::vector<std::string>{"b", "c"}));
  ASSERT_TRUE(patch_group(
      patch(R"([{"op":"Remove","path":"members","value":[{"$ref":null,"value":"b"}]}])"), group));
  EXPECT_EQ(group.members, (std::vector<std::string>{"c"}));
  ASSERT_TRUE(patch_group(
      patch(R"([{"op":"replace","value":{"id":"g","displayName":"all staff"}}])"), group));
  EXPECT_EQ(group.display_name, "all staff");
  EXPECT_EQ(group.members.size(), 1u);
  ASSERT_TRUE(
      patch_group(patch(R"([{"op":"replace","path":"members","value":[{"value":"z"}]}])"), group));
  EXPECT_EQ(group.members, (std::vector<std::string>{"z"}));
  ASSERT_TRUE(patch_group(patch(R"([{"op":"remove","path":"members"}])"), group));
  EXPECT_TRUE(group.members.empty());
}

TEST(ScimChange, WhatIsNoPatchChangesNothing) {
  DirectoryGroup group{"g", "staff", "", {"a"}, "", ""};
  for (const char* operations :
       {R"([{"op":"remove"}])", R"([{"op":"move","path":"members"}])", R"([{"op":"add"}])",
        R"([{"op":"add","value":7}])", R"([{"op":"add","path":"members[display eq \"x\"]"}])",
        R"([{"op":"remove","path":"members[display eq \"x\"]"}])", R"([7])", R"({})",
        R"([{"op":"add","path":7,"value":"x"}])",
        R"([{"op":"add","path":"members","value":["a"]}])"})
    EXPECT_FALSE(patch_group(patch(operations), group)) << operations;
  EXPECT_FALSE(patch_group(json::parse(R"({"Operations":[]})"), group));
  json many = json::array();
  for (std::size_t at = 0; at <= most_members; ++at)
    many.push_back({{"value", std::to_string(at)}});
  EXPECT_FALSE(patch_group(
      patch(json::array({{{"op", "add"}, {"path", "members"}, {"value", many}}}).dump()), group));
}

}  // namespace
}  // namespace gatehouse::identity::scim

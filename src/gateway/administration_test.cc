// Which administrative call is which action, and that the shipped policies decide about each.
#include "gateway/administration.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace gatehouse::gateway {
namespace {

class AdministrationTest : public ::testing::Test {
 protected:
  AdministrationTest() : policies_(policy::PolicySet::builtin().value()) { principal_.id = "ada"; }

  policy::Decision decide(const AdministrationRoute& route, AdministrationMatter matter = {}) {
    return decide(*policies_, route, std::move(matter));
  }
  policy::Decision decide(const policy::PolicySet& policies, const AdministrationRoute& route,
                          AdministrationMatter matter = {}) {
    AdministrationQuestion question;
    question.principal = &principal_;
    question.action = route.action;
    question.surface = "api";
    question.matter = &matter;
    question.node = "gw-1";
    question.time = WallTime(std::chrono::seconds(1'790'000'000));
    question.peer = "192.0.2.1:4000";
    policy::Decision decision;
    if (route.action == "approve") {
      decision = policies.decide(policy_request(ApprovalQuestion{question, "approver", "agent:a"}));
    } else {
      decision = policies.decide(policy_request(question));
    }
    settle_administration(question, policies, decision);
    return decision;
  }

  std::shared_ptr<const policy::PolicySet> policies_;
  identity::Principal principal_;
};

TEST_F(AdministrationTest, EachCallStandsOnceAndIsInItsPlace) {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const auto& route : administration_routes()) {
    EXPECT_TRUE(seen.emplace(route.method, route.path).second) << route.path;
    EXPECT_TRUE(route.path.starts_with(administration_prefix)) << route.path;
    EXPECT_EQ(find_administration(route.method, route.path), &route);
  }
  EXPECT_EQ(find_administration("GET", "/admin/nothing"), nullptr);
  EXPECT_EQ(find_administration("DELETE", "/admin/keys"), nullptr);
  EXPECT_EQ(find_administration("GET", "/admin/keys/"), nullptr);
}

// An action no policy knows of would be an error of the request, never a plain deny.
TEST_F(AdministrationTest, EveryActionIsOneOfTheSchema) {
  for (const auto& route : administration_routes()) {
    const auto decision = decide(route);
    EXPECT_FALSE(decision.permit) << route.path << ": somebody without a role";
    EXPECT_TRUE(decision.errors.empty()) << route.path << ": " << decision.errors.front();
  }
}

TEST_F(AdministrationTest, EachRoleHasItsActionsAndNoOthers) {
  const std::map<std::string, std::set<std::string_view>> roles = {
      {"administrator",
       {"read_status", "read_audit", "manage_keys", "manage_models", "manage_policies",
        "manage_identities", "manage_revocations", "manage_limits", "manage_settings",
        "review_tools"}},
      {"operator", {"read_status", "manage_models", "manage_limits", "review_tools"}},
      {"auditor", {"read_status", "read_audit"}},
      {"privacy", {"read_status", "read_content", "erase_content"}},
      {"approver", {"approve"}},
      {"directory", {}},
  };
  for (const auto& [role, actions] : roles) {
    principal_.attributes = {{"role", role}};
    for (const auto& route : administration_routes())
      EXPECT_EQ(decide(route).permit, actions.contains(route.action)) << role << ' ' << route.path;
  }
}

TEST_F(AdministrationTest, AgentsAndWhoeverActsForSomebodyAdministerNothing) {
  principal_.attributes = {{"role", "administrator"}};
  const auto& keys = *find_administration("POST", "/admin/keys");
  EXPECT_TRUE(decide(keys).permit);
  principal_.kind = identity::PrincipalKind::agent;
  EXPECT_FALSE(decide(keys).permit);
  principal_.kind = identity::PrincipalKind::service;
  principal_.chain = {{identity::PrincipalKind::user, "ada"}};
  EXPECT_FALSE(decide(keys).permit);
  principal_.chain.clear();
  principal_.credential = identity::CredentialKind::delegation;
  EXPECT_FALSE(decide(keys).permit);
  principal_.credential = identity::CredentialKind::certificate;
  EXPECT_TRUE(decide(keys).permit);
}

TEST_F(AdministrationTest, WhatACallWouldGiveAwayIsReadFromItsBody) {
  const auto& keys = *find_administration("POST", "/admin/keys");
  const auto matter = matter_of(
      keys, R"({"principal":"user:bob","attributes":{"role":"administrator","team":"red"}})");
  EXPECT_EQ(matter.target, "principal:user:bob");
  EXPECT_EQ(matter.roles, std::vector<std::string>{"administrator"});
  for (const auto* nothing :
       {"", "[]", "{", R"({"attributes":[]})", R"({"attributes":{"role":7}})"})
    EXPECT_TRUE(matter_of(keys, nothing).roles.empty()) << nothing;
}

// A deployment's own policy lets operators make keys; they still make no administrator.
TEST_F(AdministrationTest, NobodyGivesAwayWhatTheyDoNotHave) {
  auto files = policies_->files();
  files.emplace_back("60-own.cedar", R"(
    @id("operators-make-keys")
    permit (principal, action == Gatehouse::Action::"manage_keys", resource)
    when { principal has role && principal.role == "operator" };)");
  const auto own = policy::PolicySet::parse(files).value();
  principal_.attributes = {{"role", "operator"}};
  const auto& keys = *find_administration("POST", "/admin/keys");
  EXPECT_TRUE(decide(*own, keys, {"principal:user:bob", {}}).permit);
  EXPECT_TRUE(decide(*own, keys, {"principal:user:bob", {"operator"}}).permit);
  const auto denied = decide(*own, keys, {"principal:user:bob", {"administrator"}});
  EXPECT_FALSE(denied.permit);
  EXPECT_EQ(denied.determining, std::vector<std::string>{"nobody-gives-what-they-lack"});
}

TEST_F(AdministrationTest, PoliciesThatDoNotSpeakOfAdministrationGiveNobodyAny) {
  std::vector<std::pair<std::string, std::string>> files;
  for (const auto& file : policies_->files())
    if (file.first == policy::schema_file) files.push_back(file);
  files.emplace_back("10-all.cedar", R"(@id("all") permit (principal, action, resource);)");
  const auto all = policy::PolicySet::parse(files).value();
  const auto decision = decide(*all, *find_administration("GET", "/admin/keys"));
  EXPECT_FALSE(decision.permit);
  ASSERT_EQ(decision.advice.size(), 1u);
}

}  // namespace
}  // namespace gatehouse::gateway

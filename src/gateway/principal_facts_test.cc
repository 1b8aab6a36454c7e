// What policies are told of a principal, and that a delegation's scope denies whatever they say.
#include "gateway/principal_facts.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace gatehouse::gateway {
namespace {

using identity::PrincipalKind;

const policy::Value* find(const policy::Attributes& attributes, std::string_view name) {
  for (const auto& [key, value] : attributes)
    if (key == name) return &value;
  return nullptr;
}

identity::Principal somebody(PrincipalKind kind, std::string id) {
  identity::Principal principal;
  principal.kind = kind;
  principal.id = std::move(id);
  return principal;
}

ScopeQuestion asked(std::optional<std::string_view> model,
                    std::optional<std::string_view> tool = {}, std::int64_t confidentiality = 0,
                    WallTime time = {}) {
  return {time, model, tool, confidentiality};
}

std::int64_t level_of(const identity::Principal& principal) {
  const policy::Entity entity = principal_entity(principal);
  const auto* level = find(entity.attributes, "clearance_level");
  return level == nullptr ? -1 : std::get<std::int64_t>(*level);
}

TEST(PrincipalFacts, GroupsAreParents) {
  identity::Principal principal = somebody(PrincipalKind::agent, "helper");
  principal.groups = {"finance", "staff"};
  const policy::Entity entity = principal_entity(principal);
  EXPECT_EQ(entity.type, "Agent");
  EXPECT_EQ(entity.parents, (std::vector<std::pair<std::string, std::string>>{{"Group", "finance"},
                                                                              {"Group", "staff"}}));
}

TEST(PrincipalFacts, ClearanceIsANumberAndADelegationOnlyLowersIt) {
  identity::Principal principal = somebody(PrincipalKind::user, "ada");
  EXPECT_EQ(level_of(principal), 0);
  principal.attributes = {{"clearance", "confidential"}};
  EXPECT_EQ(level_of(principal), 2);
  principal.scope.clearance = 1;
  EXPECT_EQ(level_of(principal), 1);
  principal.scope.clearance = 3;
  EXPECT_EQ(level_of(principal), 2);
  principal.attributes = {{"clearance", "cosmic"}};
  EXPECT_EQ(level_of(principal), 0);
  principal.attributes = {{"clearance", "3"}};
  EXPECT_EQ(level_of(principal), 3);
}

TEST(PrincipalFacts, TheClearanceOfAChainIsTheLeastOfIt) {
  identity::Principal principal = somebody(PrincipalKind::agent, "helper");
  principal.attributes = {{"clearance", "restricted"}};
  EXPECT_EQ(level_of(principal), 3);
  principal.chain = {{PrincipalKind::user, "ada", {{"clearance", "internal"}}, {}}};
  EXPECT_EQ(level_of(principal), 1);
  principal.chain.push_back({PrincipalKind::user, "eve", {}, {}});
  EXPECT_EQ(level_of(principal), 0);
}

TEST(PrincipalFacts, EachOfAChainIsAPrincipalWithWhatIsKnownOfIt) {
  identity::Principal principal = somebody(PrincipalKind::agent, "helper");
  principal.attributes = {{"team", "blue"}};
  EXPECT_TRUE(acts_for_entities(principal).empty());
  principal.credential = identity::CredentialKind::delegation;
  principal.chain = {{PrincipalKind::user, "ada", {{"team", "red"}}, {"staff"}}};
  const auto entities = acts_for_entities(principal);
  ASSERT_EQ(entities.size(), 1U);
  EXPECT_EQ(entities[0].type, "User");
  EXPECT_EQ(entities[0].id, "ada");
  EXPECT_EQ(std::get<std::string>(*find(entities[0].attributes, "team")), "red");
  EXPECT_EQ(std::get<std::string>(*find(entities[0].attributes, "credential")), "delegation");
  EXPECT_EQ(entities[0].parents,
            (std::vector<std::pair<std::string, std::string>>{{"Group", "staff"}}));
}

TEST(PrincipalFacts, AnAttributeCannotClaimWhatTheGatewayKnows) {
  identity::Principal principal = somebody(PrincipalKind::user, "ada");
  principal.attributes = {{"clearance_level", "3"}, {"credential", "x"}, {"key_prefix", "y"}};
  principal.key_prefix = "gh_1a2b3c4d";
  const policy::Entity entity = principal_entity(principal);
  EXPECT_EQ(entity.attributes.size(), 3u);
  EXPECT_EQ(std::get<std::string>(*find(entity.attributes, "key_prefix")), "gh_1a2b3c4d");
  EXPECT_EQ(std::get<std::string>(*find(entity.attributes, "credential")), "api_key");
}

TEST(PrincipalFacts, TheDelegationNamesEverybodyAndTheRoot) {
  identity::Principal principal = somebody(PrincipalKind::agent, "helper");
  policy::Record alone = delegation_record(principal);
  EXPECT_EQ(std::get<std::int64_t>(alone.members[0].value), 0);
  EXPECT_EQ(std::get<std::string>(alone.members[3].value), "helper");
  principal.chain = {{PrincipalKind::agent, "planner"}, {PrincipalKind::user, "ada"}};
  policy::Record chain = delegation_record(principal);
  EXPECT_EQ(std::get<std::int64_t>(chain.members[0].value), 2);
  EXPECT_EQ(std::get<std::vector<std::string>>(chain.members[1].value),
            (std::vector<std::string>{"agent:helper", "agent:planner", "user:ada"}));
  EXPECT_EQ(std::get<std::string>(chain.members[2].value), "user");
  EXPECT_EQ(std::get<std::string>(chain.members[3].value), "ada");
}

policy::Decision permit() {
  policy::Decision decision;
  decision.permit = true;
  decision.determining = {"registered-models"};
  decision.obligations = {{"redact", "personal"}};
  return decision;
}

TEST(Scope, DeniesWithAReasonWhatItDoesNotInclude) {
  const WallTime now{std::chrono::seconds(1'800'000'000)};
  struct Case {
    identity::Scope scope;
    ScopeQuestion question;
    std::string_view reason;
  };
  identity::Scope models, tools, nothing, level, past;
  models.models = {"gpt-4o"};
  tools.tools = {"mail/read"};
  nothing.models.emplace();
  level.clearance = 1;
  past.expires = now;
  const Case cases[] = {
      {models, asked("o3"), "does not include the model \"o3\""},
      {nothing, asked("gpt-4o"), "does not include the model"},
      {tools, asked({}, "mail/send"), "does not include the tool \"mail/send\""},
      {level, asked({}, {}, 2), "leaves a clearance of 1; this takes 2"},
      {past, asked({}, {}, 0, now), "The delegation ended at"},
  };
  for (const auto& [scope, question, reason] : cases) {
    identity::Principal principal = somebody(PrincipalKind::agent, "helper");
    principal.scope = scope;
    policy::Decision decision = permit();
    deny_outside_scope(principal, question, decision);
    EXPECT_FALSE(decision.permit) << reason;
    EXPECT_EQ(decision.determining, std::vector<std::string>{std::string(scope_policy)});
    EXPECT_TRUE(decision.obligations.empty());
    ASSERT_EQ(decision.advice.size(), 1u);
    EXPECT_TRUE(decision.advice[0].contains(reason)) << decision.advice[0];
  }
}

TEST(Scope, LeavesEverythingElseAsPoliciesDecided) {
  identity::Principal principal = somebody(PrincipalKind::agent, "helper");
  principal.scope.models = {"gpt-4o"};
  policy::Decision decision = permit();
  deny_outside_scope(principal, asked("gpt-4o"), decision);
  EXPECT_TRUE(decision.permit);
  deny_outside_scope(principal, asked({}), decision);  // a list is not about one model
  EXPECT_TRUE(decision.permit);
  decision.permit = false;
  deny_outside_scope(principal, asked("o3"), decision);
  EXPECT_EQ(decision.determining, std::vector<std::string>{"registered-models"});
}

// What a scope denies, every narrower scope denies.
TEST(Scope, NarrowingNeverAllowsMore) {
  rc::check([](std::vector<std::string> names, std::uint8_t level, std::uint8_t lower,
               std::string name, std::uint8_t takes) {
    identity::Scope wide, narrow;
    wide.models = names;
    if (!names.empty()) names.pop_back();
    narrow.models = names;
    wide.clearance = level % 4;
    narrow.clearance = std::min<std::int64_t>(*wide.clearance, lower % 4);
    const ScopeQuestion question = asked(name, {}, takes % 4);
    if (scope_denial(wide, question)) RC_ASSERT(scope_denial(narrow, question).has_value());
  });
}

}  // namespace
}  // namespace gatehouse::gateway

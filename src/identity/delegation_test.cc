#include "identity/delegation.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "base/id.h"
#include "base/text.h"
#include "identity/replay_guard.h"

namespace gatehouse::identity {
namespace {

using std::chrono::seconds;

const WallTime now(seconds(1'800'000'000));

struct Deployment {
  SeededRandom random{7};
  crypto::SigningKey key = crypto::SigningKey::generate(random);
  DelegationRoot root{key.public_key(), "https://gateway.example.com"};

  std::string mint_for(Principal principal, seconds lifetime = seconds(900)) {
    Grant grant;
    grant.principal = std::move(principal);
    grant.issued = now;
    grant.expires = now + lifetime;
    grant.id = make_uuid7(now, random);
    return mint(grant, root, key, random);
  }
  std::string add(const std::string& token, const Narrowing& narrowing) {
    auto longer = attenuate(token, narrowing, now, random);
    EXPECT_TRUE(longer) << longer.error().describe();
    return longer.value_or("");
  }
  Result<Verified> verify(std::string_view token, WallTime at = now) const {
    return verify_delegation(token, root, at);
  }
  std::string refusal(std::string_view token, WallTime at = now) const {
    const auto verified = verify(token, at);
    return verified ? "accepted" : verified.error().message;
  }
};

Principal helper_for_ada() {
  Principal principal;
  principal.kind = PrincipalKind::agent;
  principal.id = "helper";
  principal.chain = {{PrincipalKind::user, "ada"}};
  return principal;
}

std::vector<std::string> parts_of(std::string_view token) {
  std::vector<std::string> parts;
  for (const auto part : split(token, '~')) parts.emplace_back(part);
  return parts;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& part : parts) out += (out.empty() ? "" : "~") + part;
  return out;
}

TEST(Delegation, ARootSaysWhoActsForWhom) {
  Deployment deployment;
  const auto verified = deployment.verify(deployment.mint_for(helper_for_ada()));
  ASSERT_TRUE(verified) << verified.error().describe();
  EXPECT_EQ(verified->principal.id, "helper");
  EXPECT_EQ(verified->principal.kind, PrincipalKind::agent);
  EXPECT_EQ(verified->principal.chain, (std::vector<Actor>{{PrincipalKind::user, "ada"}}));
  EXPECT_EQ(verified->principal.credential, CredentialKind::delegation);
}

TEST(Delegation, SubAgentsAreNamedBelowWhoNamesThem) {
  Deployment deployment;
  auto token = deployment.mint_for(helper_for_ada());
  token = deployment.add(token, {.actor = "reader"});
  token = deployment.add(token, {.actor = "pdf"});
  const auto verified = deployment.verify(token);
  ASSERT_TRUE(verified) << verified.error().describe();
  EXPECT_EQ(verified->principal.id, "helper/reader/pdf");
  EXPECT_EQ(verified->principal.chain, (std::vector<Actor>{{PrincipalKind::agent, "helper/reader"},
                                                           {PrincipalKind::agent, "helper"},
                                                           {PrincipalKind::user, "ada"}}));
  for (const char* name : {"../boss", "a/b", "..", "", "user:root", "a b"}) {
    if (*name == '\0') continue;
    EXPECT_FALSE(attenuate(token, {.actor = name}, now, deployment.random)) << name;
  }
}

TEST(Delegation, ASubAgentOfAUserIsNoAgentOfThatName) {
  Deployment deployment;
  Principal ada;
  ada.id = "ada";
  ada.groups = {"staff"};
  const auto token = deployment.add(deployment.mint_for(ada), {.actor = "helper"});
  const auto verified = deployment.verify(token);
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->principal.id, "user:ada/helper");
  EXPECT_TRUE(verified->principal.groups.empty());
}

using Texts = std::vector<std::pair<std::string, std::string>>;

TEST(Delegation, WhatIsKnownOfSomebodyStaysWithThem) {
  Deployment deployment;
  Principal helper = helper_for_ada();
  helper.attributes = {{"clearance", "restricted"}};
  helper.chain = {{PrincipalKind::agent, "planner"},
                  {PrincipalKind::user, "ada", {{"team", "red"}}, {"staff"}}};
  const auto token = deployment.add(deployment.mint_for(helper), {.actor = "reader"});
  const auto verified = deployment.verify(token);
  ASSERT_TRUE(verified) << verified.error().describe();
  EXPECT_TRUE(verified->principal.attributes.empty());
  const auto& chain = verified->principal.chain;
  ASSERT_EQ(chain.size(), 3U);
  EXPECT_EQ(chain[0].attributes, (Texts{{"clearance", "restricted"}}));
  EXPECT_EQ(chain[1], (Actor{PrincipalKind::agent, "planner"}));
  EXPECT_EQ(chain[2].attributes, (Texts{{"team", "red"}}));
  EXPECT_EQ(chain[2].groups, std::vector<std::string>{"staff"});
}

TEST(Delegation, WhoNarrowsTheirOwnTokenByAnActorKeepsWhatIsKnownOfThem) {
  Deployment deployment;
  Principal ada;
  ada.id = "ada";
  ada.attributes = {{"team", "red"}};
  ada.groups = {"staff"};
  const auto token = deployment.add(deployment.mint_for(ada), {.actor = "helper"});
  const auto verified = deployment.verify(token);
  ASSERT_TRUE(verified) << verified.error().describe();
  ASSERT_EQ(verified->principal.chain.size(), 1U);
  EXPECT_EQ(verified->principal.chain[0].attributes, (Texts{{"team", "red"}}));
  EXPECT_EQ(verified->principal.chain[0].groups, std::vector<std::string>{"staff"});
}

// As a version before this one made them: what was known of the user is not in it.
TEST(Delegation, ARootThatSaysNothingOfWhomItActsForIsRefused) {
  Deployment deployment;
  const auto token = deployment.mint_for(helper_for_ada());
  const auto parts = parts_of(token);
  auto claims = inspect_delegation(token)->parts.front();
  const Json header = {{"typ", "gh-delegation+jwt"}, {"kid", thumbprint_of(deployment.root.key)}};
  for (const Json& subjects : {Json(), Json::array(), Json{Json::object(), Json::object()},
                               Json{"x"}, Json{{{"groups", "staff"}}},
                               Json{{{"attributes", {{"team", 1}}}}}, Json{{{"role", "x"}}}}) {
    claims.erase("subjects");
    if (!subjects.is_null()) claims["subjects"] = subjects;
    const auto forged = sign_jws(header, claims, deployment.key) + "~" + parts[1];
    EXPECT_NE(deployment.refusal(forged), "accepted") << subjects;
  }
  claims["subjects"] = Json::array({Json::object()});
  EXPECT_EQ(deployment.refusal(sign_jws(header, claims, deployment.key) + "~" + parts[1]),
            "accepted");
}

TEST(Delegation, EachHopNarrows) {
  Deployment deployment;
  auto token = deployment.mint_for(helper_for_ada());
  token = deployment.add(token, {.models = {{"a", "b"}}, .budget_micros = 1'000});
  token = deployment.add(token, {.models = {{"b"}}, .clearance = 1, .expires = now + seconds(60)});
  const auto verified = deployment.verify(token);
  ASSERT_TRUE(verified) << verified.error().describe();
  const Scope& scope = verified->principal.scope;
  EXPECT_EQ(scope.models, (std::vector<std::string>{"b"}));
  EXPECT_EQ(scope.clearance, 1);
  EXPECT_EQ(scope.budget_micros, 1'000);
  EXPECT_EQ(scope.budgets.size(), 1U);
  EXPECT_EQ(scope.expires, now + seconds(60));
  EXPECT_FALSE(deployment.verify(token, now + seconds(91)));
}

TEST(Delegation, WideningIsRefusedWithAReason) {
  Deployment deployment;
  auto token = deployment.mint_for(helper_for_ada());
  token = deployment.add(token, {.models = {{"a"}}, .clearance = 1, .budget_micros = 10});
  const auto refused = [&](const Narrowing& wider) {
    const auto longer = attenuate(token, wider, now, deployment.random);
    return !longer && longer.error().message.find("names more") != std::string::npos;
  };
  EXPECT_TRUE(refused({.models = {{"a", "b"}}}));
  EXPECT_TRUE(refused({.models = {{"c"}}}));
  EXPECT_TRUE(refused({.clearance = 2}));
  EXPECT_TRUE(refused({.budget_micros = 11}));
  EXPECT_TRUE(refused({.expires = now + seconds(901)}));
}

// What attenuate() would not make, a holder with a library of JOSE can.
TEST(Delegation, AForgedBlockThatWidensIsRefusedToo) {
  Deployment deployment;
  const auto token = deployment.add(deployment.mint_for(helper_for_ada()), {.models = {{"a"}}});
  const auto parts = parts_of(token);
  const std::string seed_text = *from_base64url(parts.back().substr(1));
  std::array<std::byte, 32> seed;
  std::ranges::copy(bytes_of(seed_text), seed.begin());
  const auto last_key = crypto::SigningKey::from_seed(seed);
  const auto next = crypto::SigningKey::generate(deployment.random);
  const std::string before = parts[0] + "~" + parts[1];
  const auto with = [&](Json claims) {
    claims["prev"] = to_base64url(crypto::sha256(bytes_of(before)));
    claims["iat"] = 1'800'000'000;
    if (!claims.contains("exp")) claims["exp"] = 1'800'000'100;
    claims["jti"] = make_uuid7(now, deployment.random);
    claims["cnf"] = {{"jwk", to_jwk(next.public_key())}};
    return before + "~" + sign_jws({{"typ", "gh-narrowing+jwt"}}, claims, last_key) + "~k" +
           to_base64url(next.seed());
  };
  EXPECT_EQ(deployment.refusal(with(Json::object())), "accepted");
  EXPECT_NE(deployment.refusal(with({{"models", {"a", "b"}}})), "accepted");
  EXPECT_NE(deployment.refusal(with({{"exp", 1'800'009'999}})), "accepted");
  EXPECT_NE(deployment.refusal(with({{"clearance", 4}})), "accepted");
  EXPECT_NE(deployment.refusal(with({{"budget", -1}})), "accepted");
  EXPECT_NE(deployment.refusal(with({{"sub", "user:root"}})), "accepted");
  EXPECT_NE(deployment.refusal(with({{"act", {{"sub", "../x"}}}})), "accepted");
  // What a later version may mean as a narrowing.
  EXPECT_NE(deployment.refusal(with({{"only_on_mondays", true}})), "accepted");
}

TEST(Delegation, ABlockCannotBeTakenAway) {
  Deployment deployment;
  const auto wide = deployment.mint_for(helper_for_ada());
  const auto narrow = deployment.add(wide, {.models = {{"a"}}});
  const auto sealed = *seal_delegation(narrow);
  for (const auto& token : {narrow, sealed}) {
    auto parts = parts_of(token);
    parts.erase(parts.begin() + 1);  // root, and the tail of the block that is gone
    EXPECT_NE(deployment.refusal(joined(parts)), "accepted");
    // Without a tail it waits for a proof by the last key, which is not this one either.
    parts.back().clear();
    const auto bare = deployment.verify(joined(parts));
    ASSERT_TRUE(bare);
    EXPECT_FALSE(bare->key_thumbprint.empty());
  }
}

TEST(Delegation, BlocksOfTwoTokensDoNotMix) {
  Deployment deployment;
  const auto one = deployment.add(deployment.mint_for(helper_for_ada()), {.models = {{"a"}}});
  const auto other = deployment.mint_for(helper_for_ada());
  auto parts = parts_of(one);
  parts[0] = parts_of(other)[0];
  EXPECT_NE(deployment.refusal(joined(parts)), "accepted");
}

TEST(Delegation, EveryCharacterCounts) {
  Deployment deployment;
  const auto token =
      *seal_delegation(deployment.add(deployment.mint_for(helper_for_ada()), {.models = {{"a"}}}));
  ASSERT_EQ(deployment.refusal(token), "accepted");
  for (std::size_t at = 0; at < token.size(); ++at) {
    std::string changed = token;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(deployment.verify(changed)) << at;
  }
}

TEST(Delegation, AnotherDeploymentsRootIsRefused) {
  Deployment deployment;
  Deployment other;
  other.key = crypto::SigningKey::generate(deployment.random);
  other.root.key = other.key.public_key();
  EXPECT_NE(deployment.refusal(other.mint_for(helper_for_ada())), "accepted");
  auto elsewhere = deployment.root;
  elsewhere.issuer = "https://elsewhere.example.com";
  EXPECT_FALSE(verify_delegation(deployment.mint_for(helper_for_ada()), elsewhere, now));
}

TEST(Delegation, ExpiredAndNotYetValid) {
  Deployment deployment;
  const auto token = deployment.mint_for(helper_for_ada(), seconds(60));
  EXPECT_EQ(deployment.refusal(token, now + seconds(89)), "accepted");
  EXPECT_NE(deployment.refusal(token, now + seconds(90)).find("expired"), std::string::npos);
  EXPECT_NE(deployment.refusal(token, now - seconds(31)), "accepted");
}

TEST(Delegation, ASealedTokenCannotBeNarrowedAndABoundOneNeedsItsKey) {
  Deployment deployment;
  const auto sealed = *seal_delegation(deployment.mint_for(helper_for_ada()));
  EXPECT_FALSE(attenuate(sealed, {}, now, deployment.random));
  Grant grant;
  grant.principal = helper_for_ada();
  grant.issued = now;
  grant.expires = now + seconds(60);
  grant.id = make_uuid7(now, deployment.random);
  grant.key_thumbprint = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
  const auto bound = mint(grant, deployment.root, deployment.key, deployment.random);
  EXPECT_EQ(deployment.verify(bound)->key_thumbprint, grant.key_thumbprint);
}

TEST(Delegation, ALongChainHasAnEnd) {
  Deployment deployment;
  auto token = deployment.mint_for(helper_for_ada());
  std::size_t hops = 0;
  while (auto longer = attenuate(token, {.actor = "x"}, now, deployment.random)) {
    token = std::move(*longer);
    ++hops;
  }
  EXPECT_EQ(hops, max_delegation_hops - 1);  // one hop is in the root
  EXPECT_EQ(deployment.refusal(token), "accepted");
}

TEST(Delegation, OneUseIsOneUse) {
  Deployment deployment;
  const auto token = deployment.add(deployment.mint_for(helper_for_ada()), {.once = true});
  const auto verified = deployment.verify(token);
  ASSERT_TRUE(verified);
  ASSERT_EQ(verified->single_use.size(), 1U);
  ReplayGuard used(2);
  EXPECT_TRUE(used.take(verified->single_use[0], verified->expires, now));
  EXPECT_FALSE(used.take(verified->single_use[0], verified->expires, now));
  EXPECT_TRUE(issued_before(verified->single_use[0], now + seconds(1)));
  EXPECT_FALSE(issued_before(verified->single_use[0], now));
}

TEST(ReplayGuard, FullMeansNoNotForget) {
  ReplayGuard used(2);
  EXPECT_TRUE(used.take("a", now + seconds(10), now));
  EXPECT_TRUE(used.take("b", now + seconds(20), now));
  EXPECT_EQ(used.take("c", now + seconds(20), now).error().code, ErrorCode::resource_exhausted);
  EXPECT_TRUE(used.take("c", now + seconds(20), now + seconds(11)));
  EXPECT_FALSE(used.take("b", now + seconds(20), now + seconds(11)));
}

// ---- random chains --------------------------------------------------------------------------

struct Asked {
  std::string model;
  std::string tool;
  std::int64_t clearance = 0;
  std::int64_t cost = 0;
  WallTime time;
};

bool has(const std::optional<std::vector<std::string>>& names, const std::string& name) {
  return !names || std::ranges::count(*names, name) > 0;
}

bool allows(const Scope& scope, const Asked& asked) {
  return has(scope.models, asked.model) && has(scope.tools, asked.tool) &&
         asked.clearance <= scope.clearance.value_or(3) &&
         asked.cost <= scope.budget_micros.value_or(asked.cost) &&
         (!scope.expires || asked.time < *scope.expires);
}

std::optional<std::vector<std::string>> some_names() {
  if (*rc::gen::inRange(0, 3) == 0) return std::nullopt;
  std::vector<std::string> names;
  for (const char* name : {"a", "b", "c", "d"})
    if (*rc::gen::arbitrary<bool>()) names.emplace_back(name);
  return names;
}

Narrowing some_narrowing() {
  Narrowing narrowing;
  if (*rc::gen::arbitrary<bool>()) narrowing.actor = "sub";
  narrowing.models = some_names();
  narrowing.tools = some_names();
  if (*rc::gen::arbitrary<bool>()) narrowing.clearance = *rc::gen::inRange(0, 4);
  if (*rc::gen::arbitrary<bool>()) narrowing.budget_micros = *rc::gen::inRange(0, 100);
  if (*rc::gen::arbitrary<bool>()) narrowing.expires = now + seconds(*rc::gen::inRange(1, 900));
  return narrowing;
}

Asked some_question() {
  const auto name = [] { return std::string(1, static_cast<char>('a' + *rc::gen::inRange(0, 4))); };
  return {name(), name(), *rc::gen::inRange(0, 4), *rc::gen::inRange(0, 100),
          now + seconds(*rc::gen::inRange(0, 900))};
}

// What a holder makes, a verifier reads, and at each length of the chain it allows nothing that the
// chain up to any earlier block does not.
RC_GTEST_PROP(DelegationProperty, AChainNeverAllowsWhatAPrefixDoesNot, ()) {
  Deployment deployment;
  std::string token = deployment.mint_for(helper_for_ada());
  std::vector<Scope> prefixes{deployment.verify(token)->principal.scope};
  const int tries = *rc::gen::inRange(1, 20);
  for (int at = 0; at < tries; ++at) {
    auto longer = attenuate(token, some_narrowing(), now, deployment.random);
    if (!longer) continue;  // it would have widened, or the chain is at its end
    token = std::move(*longer);
    const auto verified = deployment.verify(token);
    RC_ASSERT(verified.has_value());
    prefixes.push_back(verified->principal.scope);
  }
  RC_TAG(prefixes.size());
  for (int question = 0; question < 20; ++question) {
    const Asked asked = some_question();
    bool allowed_so_far = true;
    for (const Scope& scope : prefixes) {
      const bool allowed = allows(scope, asked);
      RC_ASSERT(!allowed || allowed_so_far);
      allowed_so_far = allowed;
    }
  }
  for (std::size_t at = 1; at < prefixes.size(); ++at)
    RC_ASSERT(is_within(prefixes[at], prefixes[at - 1]));
}

RC_GTEST_PROP(DelegationProperty, IntersectionNarrowsBothAndIsOneWithItself, ()) {
  const auto scope = [] {
    const Narrowing some = some_narrowing();
    Scope out;
    out.models = some.models;
    out.tools = some.tools;
    out.clearance = some.clearance;
    out.budget_micros = some.budget_micros;
    out.expires = some.expires;
    return out;
  };
  const Scope a = scope();
  const Scope b = scope();
  RC_ASSERT(is_within(intersect(a, b), a));
  RC_ASSERT(is_within(intersect(a, b), b));
  RC_ASSERT(intersect(a, b) == intersect(b, a));
  RC_ASSERT(intersect(a, a) == a);
  const Asked asked = some_question();
  RC_ASSERT(allows(intersect(a, b), asked) == (allows(a, asked) && allows(b, asked)));
}

}  // namespace
}  // namespace gatehouse::identity

// Decisions: the default set, obligations, shadow policies, and everything that must be a deny.
#include "policy/policy.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <rapidcheck.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>

#include "policy/fixture.h"

namespace gatehouse::policy {
namespace {

using Obligations = std::vector<Obligation>;
using Ids = std::vector<std::string>;

std::shared_ptr<const PolicySet> defaults() {
  auto set = PolicySet::builtin();
  EXPECT_TRUE(set.has_value()) << set.error().describe();
  return *set;
}

TEST(DefaultPolicies, DecideAsTheirTestsSay) {
  const auto report =
      run_tests(*defaults(), std::filesystem::path(GATEHOUSE_SOURCE_DIR) / "policies/tests");
  ASSERT_TRUE(report.has_value()) << report.error().describe();
  EXPECT_GE(report->cases.size(), 14u);
  for (const auto& one : report->cases)
    EXPECT_TRUE(one.passed) << one.where << ": " << one.name << "\n" << one.detail;
}

TEST(DefaultPolicies, AreTheFolderInTheRepository) {
  const auto loaded = PolicySet::load(std::filesystem::path(GATEHOUSE_SOURCE_DIR) / "policies");
  ASSERT_TRUE(loaded.has_value()) << loaded.error().describe();
  EXPECT_EQ((*loaded)->digest(), defaults()->digest());
  EXPECT_TRUE((*loaded)->digest().starts_with("sha256:"));
  EXPECT_EQ((*loaded)->digest().size(), 7u + 64u);
  EXPECT_EQ((*loaded)->warnings(), Ids{});
}

TEST(DefaultPolicies, EachSaysWhatItIsAndEachForbidWhatToDo) {
  for (const PolicyInfo& one : defaults()->policies()) {
    EXPECT_FALSE(one.id.contains('#')) << one.where << " has no @id";
    EXPECT_FALSE(one.description.empty()) << one.id;
    EXPECT_EQ(one.forbid, !one.advice.empty()) << one.id;
  }
}

TEST(DefaultPolicies, GoldenDecisions) {
  const auto set = defaults();
  const Decision plain = set->decide(make_request());
  EXPECT_TRUE(plain.permit);
  EXPECT_EQ(plain.obligations, (Obligations{{"redact_answer", "credentials"}}));
  EXPECT_EQ(plain.determining, Ids{"registered-models"});
  EXPECT_EQ(plain.errors, Ids{});

  const Decision secret = set->decide(make_request({.credentials = 1, .personal = 2}));
  EXPECT_FALSE(secret.permit);
  EXPECT_EQ(secret.obligations, Obligations{});
  EXPECT_EQ(secret.determining, Ids{"no-credentials-to-external-models"});
  ASSERT_EQ(secret.advice.size(), 1u);
  EXPECT_TRUE(secret.advice[0].contains("Remove it"));

  const Decision personal = set->decide(make_request({.personal = 2}));
  EXPECT_TRUE(personal.permit);
  EXPECT_EQ(personal.obligations,
            (Obligations{{"redact", "personal"}, {"redact_answer", "credentials"}}));
}

TEST(Context, PValuesAreCutToFourDigitsAndSilentAboveFivePercent) {
  const auto digits = [](double p) { return p_decimal(p).ten_thousandths; };
  EXPECT_EQ(digits(0.00099), 9);
  EXPECT_EQ(digits(0.001), 10);
  EXPECT_EQ(digits(0.00001), 0);
  EXPECT_EQ(digits(0.05), 500);
  EXPECT_EQ(digits(0.0501), 10'000);
  EXPECT_EQ(digits(1), 10'000);
  EXPECT_EQ(digits(std::nan("")), 0);
  for (std::int64_t n = 1; n <= 500; ++n) EXPECT_EQ(digits(static_cast<double>(n) / 10'000), n);
}

TEST(Context, PoliciesDecideByFalsePositiveRates) {
  const auto set = policies(
      "permit (principal, action, resource);"
      "@id(\"attack\") forbid (principal, action == Gatehouse::Action::\"infer\", resource)"
      " when { context.risk.injection.p.lessThan(decimal(\"0.001\")) };");
  EXPECT_TRUE(set->decide(make_request()).permit);
  EXPECT_TRUE(set->decide(make_request({.risk = {.injection = 0.001}})).permit);
  EXPECT_TRUE(set->decide(make_request({.risk = {.jailbreak = 0.0001}})).permit);
  const Decision attack = set->decide(make_request({.risk = {.injection = 0.00099}}));
  EXPECT_FALSE(attack.permit);
  EXPECT_EQ(attack.determining, Ids{"attack"});
}

TEST(Obligations, OfAllDeterminingPermitsJoin) {
  const auto set = policies(fmt::format(
      "@redact(\"personal, credentials\") @log_content(\"all\") {0};"
      "@redact(\"personal\") @require_validation(\"json\") @log_content(\"flagged\") {0};"
      "@redact_answer(\"personal\") {0} when {{ context.hour > 20 }};",
      permit_infer));
  EXPECT_EQ(set->decide(make_request()).obligations, (Obligations{{"log_content", "flagged"},
                                                                  {"redact", "credentials"},
                                                                  {"redact", "personal"},
                                                                  {"require_validation", "json"}}));
}

TEST(Obligations, OfPermitsDoNotCountInADeny) {
  const auto set =
      policies(fmt::format("@redact(\"personal\") @log_content(\"all\") {};"
                           "@id(\"no\") @log_content(\"none\") @advice(\"do not\") {};",
                           permit_infer, forbid_infer));
  const Decision decision = set->decide(make_request());
  EXPECT_FALSE(decision.permit);
  EXPECT_EQ(decision.obligations, (Obligations{{"log_content", "none"}}));
  EXPECT_EQ(decision.determining, Ids{"no"});
  EXPECT_EQ(decision.advice, Ids{"do not"});
}

TEST(Deny, WithoutAPermitNamesNobody) {
  const Decision decision = policies("")->decide(make_request());
  EXPECT_FALSE(decision.permit);
  EXPECT_EQ(decision.determining, Ids{});
  EXPECT_EQ(decision.errors, Ids{});
}

TEST(Deny, WhenAnyPolicyErrs) {
  const auto set = policies(
      fmt::format("@id(\"yes\") @redact(\"personal\") {0};"
                  "@id(\"overflows\") {0} when {{ context.hour + 9223372036854775807 > 0 }};",
                  permit_infer));
  const Decision decision = set->decide(make_request());
  EXPECT_FALSE(decision.permit);
  EXPECT_EQ(decision.determining, Ids{});
  EXPECT_EQ(decision.obligations, Obligations{});
  ASSERT_EQ(decision.errors.size(), 1u);
  EXPECT_TRUE(decision.errors[0].contains("overflows")) << decision.errors[0];
}

// The engine recurses on the policy; where the stack ends it must say so and not go on.
TEST(Deny, WhenThereIsNotEnoughStack) {
  std::string condition = "context.hour > 0";
  for (int i = 0; i < 400; ++i) condition += " && context.hour > 0";
  const auto set = policies(fmt::format("{} when {{ {} }};", permit_infer, condition));
  Decision decision;
  decision.permit = true;
  const Request request = make_request();
  const auto decide = [&] { decision = set->decide(request); };
  pthread_attr_t attributes;
  ASSERT_EQ(pthread_attr_init(&attributes), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, 256u << 10), 0);
  pthread_t thread{};
  ASSERT_EQ(pthread_create(
                &thread, &attributes,
                [](void* run) -> void* {
                  (*static_cast<decltype(decide)*>(run))();
                  return nullptr;
                },
                const_cast<void*>(static_cast<const void*>(&decide))),
            0);
  ASSERT_EQ(pthread_join(thread, nullptr), 0);
  pthread_attr_destroy(&attributes);
  EXPECT_FALSE(decision.permit);
  ASSERT_EQ(decision.errors.size(), 1u);
  EXPECT_TRUE(decision.errors[0].contains("recursion limit")) << decision.errors[0];
  EXPECT_TRUE(set->decide(request).permit) << "with the usual stack";
}

struct Misfit {
  std::string_view error;
  void (*change)(Request&);
};

TEST(Deny, WhenTheRequestDoesNotFitTheSchema) {
  const auto set = policies("permit (principal, action, resource);");
  const Misfit misfits[] = {
      {"unknown action \"delete\"", [](Request& r) { r.action = "delete"; }},
      {"unknown entity type \"Ghost\"", [](Request& r) { r.principal.type = "Ghost"; }},
      {"does not apply to entity type Gateway", [](Request& r) { r.resource.type = "Gateway"; }},
      {"attribute clearance_level is missing",
       [](Request& r) { r.resource.attributes.pop_back(); }},
      {"attribute hour: expected Long, got String",
       [](Request& r) { context_value(r, "hour") = std::string("noon"); }},
      {"attribute label.integrity is missing",
       [](Request& r) {
         context_value(r, "label") = Record{{"confidentiality", std::int64_t{0}},
                                            {"categories", std::vector<std::string>{}}};
       }},
      {"Model cannot be in User",
       [](Request& r) { r.resource.parents.emplace_back("User", "ada"); }},
      {"not UTF-8", [](Request& r) { r.principal.id = "\xff"; }},
      {"not UTF-8", [](Request& r) { context_value(r, "purpose") = std::string("\xc3\x28"); }},
      {"more than 65536",
       [](Request& r) { context_value(r, "tools") = std::vector<std::string>(70'000, "t"); }},
  };
  ASSERT_TRUE(set->decide(make_request()).permit);
  for (const Misfit& misfit : misfits) {
    Request request = make_request();
    misfit.change(request);
    const Decision decision = set->decide(request);
    EXPECT_FALSE(decision.permit) << misfit.error;
    ASSERT_EQ(decision.errors.size(), 1u) << misfit.error;
    EXPECT_TRUE(decision.errors[0].contains(misfit.error)) << decision.errors[0];
  }
}

TEST(Shadow, ChangesNothingAndSaysWhatItWouldChange) {
  const std::string permits = fmt::format("@redact_answer(\"credentials\") {};", permit_infer);
  const auto set = policies(
      permits + fmt::format("@id(\"late\") @shadow(\"true\") @log_content(\"all\") {0} "
                            "when {{ context.hour > 12 }};"
                            "@id(\"early\") @shadow(\"true\") {0} when {{ context.hour < 12 }};"
                            "@id(\"masks\") @shadow(\"true\") @redact(\"personal\") {1};"
                            "@id(\"same\") @shadow(\"true\") {1};",
                            forbid_infer, permit_infer));
  const Decision decision = set->decide(make_request());
  EXPECT_TRUE(decision.permit);
  EXPECT_EQ(decision.obligations, (Obligations{{"redact_answer", "credentials"}}));
  const std::vector<Decision::Shadow> expected = {
      {.policy = "late", .permit = false, .obligations = {{"log_content", "all"}}},
      {.policy = "masks", .permit = true, .obligations = {{"redact", "personal"}}}};
  EXPECT_EQ(decision.shadow, expected);
}

TEST(Shadow, APermitDoesNotUndoAForbid) {
  const std::string shadow = fmt::format("@id(\"s\") @shadow(\"true\") {};", permit_infer);
  const Decision alone = policies(shadow)->decide(make_request());
  EXPECT_FALSE(alone.permit);
  EXPECT_EQ(alone.shadow,
            (std::vector<Decision::Shadow>{{.policy = "s", .permit = true, .obligations = {}}}));
  const auto forbidden = policies(shadow + std::string(forbid_infer) + ";");
  EXPECT_EQ(forbidden->decide(make_request()).shadow, std::vector<Decision::Shadow>{});
}

TEST(Shadow, AnErrorWouldDeny) {
  const auto set = policies(fmt::format(
      "{0}; @id(\"s\") @shadow(\"true\") {0} when {{ context.hour + 9223372036854775807 > 0 }};",
      permit_infer));
  const Decision decision = set->decide(make_request());
  EXPECT_TRUE(decision.permit);
  EXPECT_EQ(decision.errors, Ids{});
  EXPECT_EQ(decision.shadow,
            (std::vector<Decision::Shadow>{{.policy = "s", .permit = false, .obligations = {}}}));
}

TEST(Attributes, OfAKeyAreReadByNameOrAsTags) {
  const auto set = policies(fmt::format(
      "{} when {{ principal has team && principal.team == \"red\" &&"
      " principal.hasTag(\"cost_center\") && principal.getTag(\"cost_center\") == \"42\" }};",
      permit_infer));
  EXPECT_FALSE(set->decide(make_request()).permit);
  const Attributes attributes = {{"team", std::string("red")}, {"cost_center", std::string("42")}};
  EXPECT_TRUE(set->decide(make_request({.principal = attributes})).permit);
}

TEST(Attributes, TheSchemaDoesNotKnowAreNotSeen) {
  Request request = make_request();
  request.context.emplace_back("invented_later", Record{{"deep", Record{{"er", true}}}});
  request.resource.attributes.emplace_back("price", std::int64_t{3});
  EXPECT_TRUE(defaults()->decide(request).permit);
}

// Every string that enters a request must be the same string inside the engine: a policy that
// compares with the literal permits, and one character more forbids.
TEST(Attributes, StringsArriveAsTheyAre) {
  const auto literal = [](const std::string& text) {
    std::string out;
    for (const char c : text) out += fmt::format("\\u{{{:x}}}", static_cast<unsigned char>(c));
    return out;
  };
  const bool held = rc::check("strings arrive as they are", [&] {
    // ASCII of any kind, NUL included; multi-byte text is below.
    const auto text = *rc::gen::container<std::string>(rc::gen::inRange<char>(0, 127));
    const auto set = policies(
        fmt::format("{} when {{ context.purpose == \"{}\" }};", permit_infer, literal(text)));
    Request request = make_request();
    context_value(request, "purpose") = text;
    RC_ASSERT(set->decide(request).permit);
    context_value(request, "purpose") = text + "x";
    RC_ASSERT(!set->decide(request).permit);
  });
  EXPECT_TRUE(held);
}

TEST(Attributes, MultiByteTextArrivesAsItIs) {
  const auto set = policies(fmt::format(
      "{} when {{ principal == Gatehouse::User::\"Ωλ🙂\" && context.tools.contains(\"é\") }};",
      permit_infer));
  Request request = make_request();
  request.principal.id = "Ωλ🙂";
  context_value(request, "tools") = std::vector<std::string>{"é"};
  EXPECT_TRUE(set->decide(request).permit);
  context_value(request, "tools") =
      std::vector<std::string>{"e\xcc\x81"};  // decomposed: another text
  EXPECT_FALSE(set->decide(request).permit);
}

TEST(Attributes, ParentsAreHierarchy) {
  const auto set = policies(
      fmt::format("{} when {{ resource in Gatehouse::Provider::\"openai\" }};", permit_infer));
  Request request = make_request();
  EXPECT_TRUE(set->decide(request).permit);
  request.resource.parents = {{"Provider", "other"}};
  EXPECT_FALSE(set->decide(request).permit);
}

TEST(PolicySet, DecidesOnManyThreadsAtOnce) {
  const auto set = defaults();
  const Decision expected = set->decide(make_request({.personal = 1}));
  std::vector<std::jthread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        const bool secret = (i + t) % 2 == 0;
        const Decision got = set->decide(make_request({.credentials = secret, .personal = 1}));
        if (got.permit == secret || (!secret && got.obligations != expected.obligations)) ++wrong;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(wrong, 0);
}

TEST(Groups, MayBeInGroups) {
  const auto set = policies(
      "permit (principal in Gatehouse::Group::\"staff\", action == "
      "Gatehouse::Action::\"infer\", resource);");
  Request request = make_request();
  request.principal.parents = {{"Group", "research"}};
  EXPECT_FALSE(set->decide(request).permit);
  request.others = {{"Group", "research", {}, {{"Group", "people"}}},
                    {"Group", "people", {}, {{"Group", "staff"}}}};
  EXPECT_TRUE(set->decide(request).permit);
}

// ---- roll-out -------------------------------------------------------------------------------

Request request_of(std::string user) {
  Request request = make_request();
  request.principal.id = std::move(user);
  return request;
}

std::size_t refused_of(const PolicySet& set, int users) {
  std::size_t refused = 0;
  for (int user = 0; user < users; ++user)
    refused += set.decide(request_of("user-" + std::to_string(user))).permit ? 0 : 1;
  return refused;
}

TEST(Rollout, ComesToThePercentageOfPrincipalsAndIsInShadowForTheOthers) {
  const auto set =
      policies(fmt::format("{};\n@id(\"new\") @rollout(\"25\") {};", permit_infer, forbid_infer));
  EXPECT_EQ(set->policies()[1].rollout, 25);
  const std::size_t refused = refused_of(*set, 2'000);
  EXPECT_GT(refused, 400u);
  EXPECT_LT(refused, 600u);
  for (int user = 0; user < 50; ++user) {
    const Decision decision = set->decide(request_of("user-" + std::to_string(user)));
    if (decision.permit) {
      ASSERT_EQ(decision.shadow.size(), 1u);
      EXPECT_EQ(decision.shadow[0].policy, "new");
      EXPECT_FALSE(decision.shadow[0].permit);
    } else {
      EXPECT_EQ(decision.determining, Ids{"new"});
      EXPECT_TRUE(decision.shadow.empty());
    }
  }
}

TEST(Rollout, WhoHasItKeepsItAsItGrows) {
  const auto at = [](int percent) {
    return policies(
        fmt::format("{};\n@id(\"new\") @rollout(\"{}\") {};", permit_infer, percent, forbid_infer));
  };
  const auto none = at(0), some = at(10), more = at(60), all = at(100);
  EXPECT_EQ(refused_of(*none, 300), 0u);
  EXPECT_EQ(refused_of(*all, 300), 300u);
  for (int user = 0; user < 300; ++user) {
    const Request request = request_of("user-" + std::to_string(user));
    if (!some->decide(request).permit) EXPECT_FALSE(more->decide(request).permit);
  }
}

TEST(Rollout, ANewPermitPermitsAndOwesOnlyWhereItHasCome) {
  const auto set = policies(
      fmt::format("@id(\"new\") @rollout(\"50\") @redact(\"personal\") {};", permit_infer));
  std::size_t permitted = 0;
  for (int user = 0; user < 200; ++user) {
    const Decision decision = set->decide(request_of("user-" + std::to_string(user)));
    if (!decision.permit) continue;
    ++permitted;
    EXPECT_EQ(decision.obligations, (Obligations{{"redact", "personal"}}));
    EXPECT_EQ(decision.determining, Ids{"new"});
  }
  EXPECT_GT(permitted, 60u);
  EXPECT_LT(permitted, 140u);
}

TEST(Rollout, AnErrorDeniesWhereItHasCome) {
  const auto set = policies(fmt::format(
      "{};\n@id(\"new\") @rollout(\"100\") {} when {{ context.hour * 9223372036854775807 > 0 }};",
      permit_infer, forbid_infer));
  const Decision decision = set->decide(make_request());
  EXPECT_FALSE(decision.permit);
  EXPECT_EQ(decision.errors, Ids{"policy new could not be evaluated"});
}

// A policy rolled out to everybody is the policy, to nobody is its shadow.
TEST(Rollout, AllAndNoneAreTheOrdinaryPolicyAndItsShadow) {
  rc::check([](bool forbid, bool also_forbids, bool applies, bool permits) {
    const auto text = [&](std::string_view mark) {
      const std::string when = applies ? "" : " when { context.hour == 25 }";
      std::string all =
          fmt::format("@id(\"new\") {}{}{};\n", mark, forbid ? forbid_infer : permit_infer, when);
      if (permits) all += fmt::format("@id(\"p\") {};\n", permit_infer);
      if (also_forbids) all += fmt::format("@id(\"f\") {};\n", forbid_infer);
      return policies(all)->decide(make_request());
    };
    const Decision plain = text(""), everybody = text("@rollout(\"100\") ");
    RC_ASSERT(plain.permit == everybody.permit);
    RC_ASSERT(plain.determining == everybody.determining);
    const Decision shadow = text("@shadow(\"true\") "), nobody = text("@rollout(\"0\") ");
    RC_ASSERT(shadow.permit == nobody.permit);
    RC_ASSERT(shadow.determining == nobody.determining);
    RC_ASSERT(shadow.shadow == nobody.shadow);
  });
}

// ---- chains ----------------------------------------------------------------------------------

Entity user(std::string id, std::string team, std::string group = {}) {
  Entity entity{"User", std::move(id), {}, {}};
  entity.attributes = {{"team", std::move(team)}, {"clearance_level", std::int64_t{0}}};
  if (!group.empty()) entity.parents.emplace_back("Group", std::move(group));
  return entity;
}

TEST(Chain, IsPermittedOnlyWhatEachOfItIs) {
  const auto set =
      policies(std::string("@id(\"all\")\n") + std::string(permit_infer) + ";\n@id(\"not-red\")\n" +
               std::string(forbid_infer) +
               " when { principal has team && principal.team == \"red\" };\n@id(\"no-guests\")\n" +
               std::string(forbid_infer) + " when { principal in Gatehouse::Group::\"guests\" };");
  Request request = make_request();
  EXPECT_TRUE(set->decide(request).permit);
  request.acts_for = {user("ada", "blue")};
  EXPECT_TRUE(set->decide(request).permit);
  request.acts_for.push_back(user("eve", "red"));
  const Decision denied = set->decide(request);
  EXPECT_FALSE(denied.permit);
  EXPECT_EQ(denied.determining, Ids{"not-red"});
  request.acts_for = {user("bob", "blue", "guests")};
  EXPECT_EQ(set->decide(request).determining, Ids{"no-guests"});
}

TEST(Chain, IsNotPermittedWhatOnlyWhoActsIs) {
  const auto set =
      policies(std::string(permit_infer) + " when { principal == " + "Gatehouse::User::\"" +
               make_request().principal.id + "\" };");
  Request request = make_request();
  EXPECT_TRUE(set->decide(request).permit);
  request.acts_for = {user("eve", "blue")};
  EXPECT_FALSE(set->decide(request).permit);
}

TEST(Chain, OwesWhatAnyOfItOwes) {
  const auto set = policies("@id(\"all\")\n" + std::string(permit_infer) +
                            ";\n@id(\"red\")\n@redact(\"personal\")\n" + std::string(permit_infer) +
                            " when { principal has team && principal.team == \"red\" "
                            "};\n@id(\"dark\")\n@shadow(\"true\")\n" +
                            std::string(forbid_infer) +
                            " when { principal has team && principal.team == \"dark\" };");
  Request request = make_request();
  EXPECT_TRUE(set->decide(request).obligations.empty());
  request.acts_for = {user("eve", "red"), user("dan", "dark")};
  const Decision decision = set->decide(request);
  EXPECT_TRUE(decision.permit);
  EXPECT_EQ(decision.obligations, (Obligations{{"redact", "personal"}}));
  EXPECT_EQ(decision.determining, (Ids{"all", "red"}));
  ASSERT_EQ(decision.shadow.size(), 1U);
  EXPECT_EQ(decision.shadow[0].policy, "dark");
  EXPECT_FALSE(decision.shadow[0].permit);
}

}  // namespace
}  // namespace gatehouse::policy

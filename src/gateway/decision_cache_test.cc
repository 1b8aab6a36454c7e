#include "gateway/decision_cache.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "policy/context.h"

namespace gatehouse::gateway {
namespace {

using policy::Record;
using policy::Request;

Request request(std::string id, std::int64_t personal) {
  return {{"User", std::move(id), {{"clearance_level", std::int64_t{0}}}, {}},
          "infer",
          {"Model",
           "m",
           {{"name", std::string("m")},
            {"provider", std::string("p")},
            {"trust", std::string("external")},
            {"registered", true},
            {"clearance", std::int64_t{0}},
            {"clearance_level", std::int64_t{0}}},
           {}},
          {{"dialect", std::string("openai")},
           {"route", std::string("chat.completions")},
           {"stream", false},
           {"purpose", std::string()},
           {"hour", std::int64_t{1}},
           {"weekday", std::int64_t{1}},
           {"peer", std::string("127.0.0.1")},
           {"label", Record{{"confidentiality", std::int64_t{1}},
                            {"categories", std::vector<std::string>{}},
                            {"integrity", std::int64_t{1}}}},
           {"findings", policy::findings_record({0, static_cast<std::uint64_t>(personal)})},
           {"risk", policy::risk_record({})},
           {"uninspectable", false},
           {"tools", std::vector<std::string>{}},
           {"delegation", policy::delegation_record({})}},
          {}};
}

TEST(DecisionCache, AnswersAsThePoliciesDo) {
  const auto policies = policy::PolicySet::builtin();
  ASSERT_TRUE(policies);
  DecisionCache cache(*policies);
  for (int round = 0; round < 2; ++round) {
    for (const std::int64_t personal : {0, 1}) {
      const auto fresh = (*policies)->decide(request("ada", personal));
      const auto cached = cache.decide(request("ada", personal));
      EXPECT_TRUE(fresh.permit);
      EXPECT_EQ(cached.permit, fresh.permit);
      EXPECT_EQ(cached.obligations, fresh.obligations);
      EXPECT_EQ(cached.determining, fresh.determining);
    }
  }
  EXPECT_EQ(cache.size(), 2u);
}

TEST(DecisionCache, IsBounded) {
  const auto policies = policy::PolicySet::builtin();
  ASSERT_TRUE(policies);
  DecisionCache cache(*policies);
  for (std::size_t each = 0; each < DecisionCache::max_entries + 10; ++each)
    cache.decide(request(std::to_string(each), 0));
  EXPECT_LE(cache.size(), DecisionCache::max_entries);
  cache.decide(request(std::string(10'000, 'x'), 0));
  EXPECT_LE(cache.size(), DecisionCache::max_entries);
}

TEST(DecisionKey, MovingBytesBetweenPartsChangesIt) {
  EXPECT_TRUE(rc::check("different requests, different keys", [] {
    const auto text =
        *rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::arbitrary<char>()));
    const auto cut = *rc::gen::inRange<std::size_t>(0, text.size());
    Request one = request(text.substr(0, cut), 0);
    one.principal.type = text.substr(cut);
    Request two = request(text, 0);
    two.principal.type = "";
    std::string key_one;
    std::string key_two;
    append_key(key_one, one);
    append_key(key_two, two);
    RC_ASSERT((key_one == key_two) == (one.principal.id == two.principal.id));
  }));
}

}  // namespace
}  // namespace gatehouse::gateway

#include "gateway/decided_calls.h"

#include <gtest/gtest.h>

namespace gatehouse::gateway {
namespace {

using namespace std::chrono_literals;

const WallTime now{1'800'000'000s};

DecidedCalls::Known named(bool approved = false) {
  DecidedCalls::Known known;
  known.arguments.untrusted = {"to"};
  known.approved = approved;
  return known;
}

TEST(DecidedCalls, CountOnceAndForTheSameCallInTheSameConversation) {
  DecidedCalls calls;
  calls.note("c1", "notes", "send", R"({"to":"eve","n":1})", named(true), now);
  EXPECT_FALSE(calls.take("c2", "notes", "send", R"({"to":"eve","n":1})", now));
  EXPECT_FALSE(calls.take("c1", "other", "send", R"({"to":"eve","n":1})", now));
  EXPECT_FALSE(calls.take("c1", "notes", "send", R"({"to":"eve","n":2})", now));
  const auto known = calls.take("c1", "notes", "send", R"({ "n": 1, "to": "e\u0076e" })", now);
  ASSERT_TRUE(known);
  EXPECT_TRUE(known->approved);
  EXPECT_EQ(known->arguments.untrusted.size(), 1u);
  EXPECT_FALSE(calls.take("c1", "notes", "send", R"({"to":"eve","n":1})", now));
}

TEST(DecidedCalls, ArgumentsAreComparedExactly) {
  DecidedCalls calls;
  const auto note = [&](std::string_view arguments) {
    calls.note("c1", "notes", "send", arguments, named(true), now);
  };
  note(R"({"to_account":12345678901234567899999})");
  EXPECT_FALSE(calls.take("c1", "notes", "send", R"({"to_account":12345678901234567890123})", now));
  note(R"({"to":"bob"})");
  EXPECT_FALSE(calls.take("c1", "notes", "send", R"({"to":"eve","to":"bob"})", now));
}

TEST(DecidedCalls, ArgumentsMayBeNestedAsDeepAsTheyLike) {
  DecidedCalls calls;
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  calls.note("c1", "notes", "send", deep, named(), now);
  EXPECT_TRUE(calls.take("c1", "notes", "send", deep, now));
}

TEST(DecidedCalls, AnApprovalIsForTheServerItWasGivenFor) {
  DecidedCalls calls;
  for (const auto* name : {"notes__send", "send"}) {
    calls.note("c1", "", name, "{}", named(true), now);
    const auto known = calls.take("c1", "notes", "send", "{}", now);
    ASSERT_TRUE(known) << name;
    EXPECT_FALSE(known->approved) << name;
  }
}

TEST(DecidedCalls, HoldForAWhile) {
  DecidedCalls calls;
  calls.note("c1", "notes", "send", "{}", named(), now);
  calls.note("c1", "notes", "send", "{}", named(), now + 1min);
  EXPECT_TRUE(calls.take("c1", "notes", "send", "{}", now + DecidedCalls::lifetime));
  EXPECT_FALSE(calls.take("c1", "notes", "send", "{}", now + DecidedCalls::lifetime));
}

TEST(DecidedCalls, TheOldestAreForgotten) {
  DecidedCalls calls;
  for (std::size_t at = 0; at <= DecidedCalls::most; ++at)
    calls.note("c1", "notes", "send", std::to_string(at), named(), now);
  EXPECT_FALSE(calls.take("c1", "notes", "send", "0", now));
  EXPECT_TRUE(calls.take("c1", "notes", "send", "1", now));
  EXPECT_TRUE(calls.take("c1", "notes", "send", std::to_string(DecidedCalls::most), now));
}

}  // namespace
}  // namespace gatehouse::gateway

#include "base/id.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

namespace gatehouse {
namespace {

using std::chrono::microseconds;

WallTime at(std::int64_t micros) {
  return WallTime(microseconds(micros));
}

TEST(Uuid7, carries_the_time_as_the_standard_says) {
  // RFC 9562 appendix A.6: 2022-02-22 19:22:22 UTC is 017F22E2-79B0-7….
  const ManualClock clock(at(1'645'557'742'000'000));
  SeededRandom random(1);
  const std::string id = make_uuid7(clock, random);
  EXPECT_EQ(id.substr(0, 15), "017f22e2-79b0-7");
}

RC_GTEST_PROP(Uuid7, has_the_format, ()) {
  const ManualClock clock(at(*rc::gen::inRange<std::int64_t>(0, 4'000'000'000'000'000)));
  SeededRandom random(*rc::gen::arbitrary<std::uint64_t>());
  const std::string id = make_uuid7(clock, random);
  RC_ASSERT(is_uuid(id));
  RC_ASSERT(id[14] == '7');
  RC_ASSERT(time_of_uuid7(id) == std::chrono::floor<std::chrono::milliseconds>(clock.wall()));
  RC_ASSERT(std::string("89ab").find(id[19]) != std::string::npos);
}

RC_GTEST_PROP(Uuid7, sorts_by_time_to_the_microsecond, ()) {
  ManualClock clock(at(*rc::gen::inRange<std::int64_t>(0, 4'000'000'000'000'000)));
  SeededRandom random(*rc::gen::arbitrary<std::uint64_t>());
  const std::string earlier = make_uuid7(clock, random);
  clock.advance(microseconds(*rc::gen::inRange(1, 5'000'000)));
  RC_ASSERT(earlier < make_uuid7(clock, random));
}

TEST(Uuid7, differs_within_one_moment) {
  const ManualClock clock(at(1));
  SystemRandom random;
  std::set<std::string> seen;
  for (int i = 0; i < 10'000; ++i) EXPECT_TRUE(seen.insert(make_uuid7(clock, random)).second);
}

TEST(IsUuid, wants_36_lower_case_characters) {
  EXPECT_TRUE(is_uuid("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"));
  EXPECT_FALSE(is_uuid("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"));
  EXPECT_FALSE(is_uuid("017f22e279b07cc398c4dc0c0c07398f"));
  EXPECT_FALSE(is_uuid("017f22e2-79b0-7cc3-98c4-dc0c0c07398"));
  EXPECT_FALSE(is_uuid("017f22e2-79b0-7cc3-98c4-dc0c0c07398g"));
  EXPECT_FALSE(is_uuid("017f22e2-79b0-7cc3-98c4-dc0c0c07398f "));
  EXPECT_FALSE(is_uuid("017f22e2079b007cc3098c40dc0c0c07398f"));
  EXPECT_FALSE(is_uuid(""));
}

}  // namespace
}  // namespace gatehouse

// What the values of obligations with terms may say, and what is said of one that is wrong.
#include "policy/terms.h"

#include <gtest/gtest.h>

namespace gatehouse::policy {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(Terms, Durations) {
  EXPECT_EQ(parse_duration("30s"), seconds(30));
  EXPECT_EQ(parse_duration("15m"), minutes(15));
  EXPECT_EQ(parse_duration("12h"), hours(12));
  EXPECT_EQ(parse_duration("366d"), days(366));
  for (const std::string_view wrong :
       {"", "s", "0s", "-1s", "1", "1w", "1.5h", "367d", "99999999999999999999s", " 1s", "1 s"})
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
}

TEST(Terms, ApprovalsHaveDefaults) {
  EXPECT_EQ(parse_approval_terms(""), ApprovalTerms{});
  EXPECT_EQ(parse_approval_terms("role=treasurer,count=2 , expires=15m"),
            (ApprovalTerms{"treasurer", 2, minutes(15)}));
  for (const std::string_view wrong : {"role", "role=", "count=0", "count=17", "count=two",
                                       "expires=soon", "who=ada", "role=a, role=b", ",", "role=a,"})
    EXPECT_FALSE(parse_approval_terms(wrong)) << wrong;
}

TEST(Terms, Limits) {
  const auto terms = parse_limit_terms("requests=100/1h, tokens=200000/1d, by=team");
  ASSERT_TRUE(terms);
  EXPECT_EQ(terms->owner, LimitOwner::team);
  EXPECT_EQ(terms->allowances, (std::vector<Allowance>{{LimitUnit::requests, 100, hours(1)},
                                                       {LimitUnit::tokens, 200'000, days(1)}}));
  for (const std::string_view wrong :
       {"", "by=team", "requests=100", "requests=x/1h", "requests=1/", "words=1/1h",
        "cost=1/1h, by=moon", "requests=1/1h, requests=2/1h", "tokens=-1/1h"})
    EXPECT_FALSE(parse_limit_terms(wrong)) << wrong;
}

TEST(Terms, Headers) {
  EXPECT_EQ(parse_header_terms("X-AI-Generated"), (HeaderTerms{"x-ai-generated", "true"}));
  EXPECT_EQ(parse_header_terms("ai-origin: made by a machine"),
            (HeaderTerms{"ai-origin", "made by a machine"}));
  for (const std::string_view wrong :
       {"", "content-length: 0", "x-a b: c", "x-a:", "x-a: b\r\nset-cookie: c", "x-a: \xc3\xa9",
        "transfer-encoding", "x-\xc3\xa9"})
    EXPECT_FALSE(parse_header_terms(wrong)) << wrong;
}

}  // namespace
}  // namespace gatehouse::policy

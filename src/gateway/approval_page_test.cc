// The pages of signed links: nothing in them can become markup, and no other form is theirs.
#include "gateway/approval_page.h"

#include <gtest/gtest.h>

namespace gatehouse::gateway {
namespace {

TEST(ApprovalPage, WhatAModelWroteIsText) {
  approval::Record record;
  record.id = "ap_1";
  record.call.tool = "<script>alert(1)</script>";
  record.call.arguments = R"({"a":"</pre><form action=\"https://evil.example\">","b":"x‮y"})";
  record.call.reason = "\"><img src=x>";
  const auto page = approval_page(record, "user:<b>");
  for (const char* bad : {"<script", "<form action", "<img", "<b>", "‮"})
    EXPECT_EQ(page.find(bad), std::string::npos) << bad;
  EXPECT_NE(page.find("\\u202e"), std::string::npos) << "what hides itself is shown as an escape";
}

std::string page_of_arguments(std::string arguments) {
  approval::Record record;
  record.id = "ap_1";
  record.call.arguments = std::move(arguments);
  return approval_page(record, "user:bob");
}

TEST(ApprovalPage, ArgumentsAreShownAsTheToolGetsThem) {
  const auto page = page_of_arguments(R"({"a":[],"n":12345678901234567890123,"o":{"p":"[,:😀"}})");
  EXPECT_NE(
      page.find("{\n  &quot;a&quot;: [],\n  &quot;n&quot;: 12345678901234567890123,\n"
                "  &quot;o&quot;: {\n    &quot;p&quot;: &quot;[,:\\ud83d\\ude00&quot;\n  }\n}"),
      std::string::npos)
      << page;
  // A member twice: both.
  const auto twice = page_of_arguments(R"({"to":"eve","to":"bob"})");
  EXPECT_NE(twice.find("{&quot;to&quot;:&quot;eve&quot;,&quot;to&quot;:&quot;bob&quot;}"),
            std::string::npos);
  EXPECT_NE(twice.find("not exact JSON"), std::string::npos);
}

TEST(ApprovalPage, ArgumentsMayBeNestedAsDeepAsTheyLike) {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  EXPECT_NE(page_of_arguments(deep).find(deep), std::string::npos);
}

TEST(ApprovalPage, OnlyItsOwnFormDecides) {
  const auto approve = read_decision("decision=approve&reason=it+is+%C3%BCber+fine");
  ASSERT_TRUE(approve);
  EXPECT_TRUE(approve->approve);
  EXPECT_EQ(approve->reason, "it is über fine");
  EXPECT_FALSE(read_decision("reason=&decision=deny")->approve);
  for (const char* body :
       {"", "decision", "decision=", "decision=yes", "reason=x", "decision=approve&decision=deny",
        "decision=approve&more=1", "decision=approve&reason=%zz", "decision=approve&reason=%ff",
        "decision=approve&reason=a&reason=b"})
    EXPECT_FALSE(read_decision(body)) << body;
  EXPECT_FALSE(read_decision("decision=approve&reason=" + std::string(longest_form, 'x')));
}

}  // namespace
}  // namespace gatehouse::gateway

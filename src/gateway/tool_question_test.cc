// What policy is asked about a call of a tool, and what is made of its answer.
#include "gateway/tool_question.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace gatehouse::gateway {
namespace {

const policy::Value* find(const policy::Attributes& attributes, std::string_view name) {
  const auto found =
      std::ranges::find_if(attributes, [&](const auto& one) { return one.first == name; });
  return found == attributes.end() ? nullptr : &found->second;
}

struct Asked {
  identity::Principal principal;
  Label label;
  ArgumentLabels arguments;
  ToolDeclaration declaration;
  ToolQuestion question;

  Asked() {
    principal.id = "ada";
    question.principal = &principal;
    question.tool = "send_money";
    question.label = &label;
    question.arguments = &arguments;
  }
};

TEST(ToolQuestion, AToolNobodyDeclaredMayDoEverythingAndIsTrustedWithNothing) {
  Asked asked;
  const auto request = policy_request(asked.question);
  EXPECT_EQ(request.action, "call_tool");
  EXPECT_EQ(request.resource.id, "/send_money");
  for (const auto name : {"reads", "writes", "external", "irreversible"})
    EXPECT_TRUE(std::get<bool>(*find(request.resource.attributes, name))) << name;
  EXPECT_FALSE(std::get<bool>(*find(request.resource.attributes, "trusted")));
  EXPECT_EQ(std::get<std::int64_t>(*find(request.resource.attributes, "clearance")), 0);
}

TEST(ToolQuestion, ADeclarationSaysWhatATooldoes) {
  Asked asked;
  asked.declaration.declared_effects = true;
  asked.declaration.effects.reads = true;
  asked.declaration.trust = Integrity::trusted;
  asked.question.declaration = &asked.declaration;
  asked.question.server = "bank";
  const auto request = policy_request(asked.question);
  EXPECT_TRUE(std::get<bool>(*find(request.resource.attributes, "reads")));
  EXPECT_FALSE(std::get<bool>(*find(request.resource.attributes, "writes")));
  EXPECT_TRUE(std::get<bool>(*find(request.resource.attributes, "trusted")));
  EXPECT_EQ(request.resource.id, "bank/send_money");
  ASSERT_EQ(request.resource.parents.size(), 1u);
  EXPECT_EQ(request.resource.parents[0].second, "bank");
}

TEST(ToolQuestion, ATermOfAnApprovalIsReadStrictly) {
  EXPECT_EQ(*parse_approval_terms(""), ApprovalTerms{});
  const auto terms = parse_approval_terms("role=treasurer, count=2, expires=30m");
  ASSERT_TRUE(terms);
  EXPECT_EQ(terms->role, "treasurer");
  EXPECT_EQ(terms->count, 2u);
  EXPECT_EQ(terms->expires, std::chrono::minutes(30));
  for (const auto* wrong : {"count=0", "count=17", "role=", "expires=0s", "expires=32d",
                            "expires=1", "who=me", "approver", "count=1x"})
    EXPECT_FALSE(parse_approval_terms(wrong)) << wrong;
}

TEST(ToolQuestion, AnObligationHoldsUntilItIsApprovedAndAForbidStands) {
  Asked asked;
  policy::Decision decision;
  decision.permit = true;
  decision.obligations = {{"require_approval", "role=approver, count=2"}};
  auto ruling = settle_tool(asked.question, decision);
  EXPECT_EQ(ruling.effect, ToolEffect::hold);
  ASSERT_EQ(ruling.approvals.size(), 1u);
  EXPECT_EQ(ruling.approvals[0].count, 2u);

  asked.question.approved = true;
  EXPECT_EQ(settle_tool(asked.question, decision).effect, ToolEffect::permit);
  decision.permit = false;
  EXPECT_EQ(settle_tool(asked.question, decision).effect, ToolEffect::refuse);
}

TEST(ToolQuestion, WhatIsNotUnderstoodRefuses) {
  Asked asked;
  for (const auto& [name, value] :
       {std::pair{"redact", "personal"}, {"require_approval", "soon"}}) {
    policy::Decision decision;
    decision.permit = true;
    decision.obligations = {{name, value}};
    EXPECT_EQ(settle_tool(asked.question, decision).effect, ToolEffect::refuse) << name;
    EXPECT_FALSE(decision.errors.empty());
  }
}

TEST(ToolDeclarations, AreFoundByServerAndName) {
  ToolDeclarations tools;
  ToolDeclaration tool;
  tool.name = "search";
  EXPECT_TRUE(tools.add(tool));
  EXPECT_FALSE(tools.add(tool));
  tool.server = "files";
  tool.name = "*";
  EXPECT_TRUE(tools.add(tool));
  tool.name = "read";
  EXPECT_TRUE(tools.add(tool));
  EXPECT_EQ(tools.find("", "search")->name, "search");
  EXPECT_EQ(tools.find("files", "read")->name, "read");
  EXPECT_EQ(tools.find("files", "write")->name, "*");
  EXPECT_EQ(tools.find("", "files__read")->name, "read");
  EXPECT_EQ(tools.find("", "files__write")->name, "*");
  EXPECT_EQ(tools.find("", "read"), nullptr);
  EXPECT_EQ(tools.find("other", "read"), nullptr);
  EXPECT_EQ(tools.find("", "__read"), nullptr);
}

}  // namespace
}  // namespace gatehouse::gateway

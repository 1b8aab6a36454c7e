// Which calls of tools an answer has: what is not seen here is not decided.
#include "gateway/answer_texts.h"

#include <gtest/gtest.h>

namespace gatehouse::gateway {
namespace {

// "name arguments" of every call, a line each.
std::string calls_in(DialectKind dialect, std::string document) {
  JsonWalker walker;
  const auto texts = read_answer(walker, dialect, document);
  if (!texts) return texts.error().describe();
  AnswerBook book;
  book.add(*texts);
  std::string calls;
  for (const auto& choice : book.answer().choices)
    for (const auto& call : choice.tool_calls) calls += call.name + ' ' + call.arguments + '\n';
  EXPECT_EQ(has_calls(*texts), !calls.empty());
  return calls;
}

std::string chat(std::string_view call) {
  return R"({"choices":[{"index":0,"message":{"tool_calls":[)" + std::string(call) + "]}}]}";
}

TEST(AnswerTexts, ArgumentsThatAreNoStringAreArguments) {
  EXPECT_EQ(
      calls_in(DialectKind::openai, chat(R"({"function":{"name":"pay","arguments":{"to": "x"}}})")),
      "pay {\"to\": \"x\"}\n");
  EXPECT_EQ(
      calls_in(
          DialectKind::openai,
          R"({"choices":[{"message":{"function_call":{"name":"pay","arguments":{"to":"x"}}}}]})"),
      "pay {\"to\":\"x\"}\n");
  EXPECT_EQ(calls_in(DialectKind::openai,
                     R"({"output":[{"type":"function_call","name":"pay","arguments":{"to":1}}]})"),
            "pay {\"to\":1}\n");
  EXPECT_EQ(calls_in(DialectKind::anthropic,
                     R"({"content":[{"type":"tool_use","name":"pay","input":"{\"to\":1}"}]})"),
            "pay {\"to\":1}\n");
}

TEST(AnswerTexts, ACallOfAKindNobodyKnowsIsACall) {
  EXPECT_EQ(calls_in(DialectKind::openai, chat(R"({"type":"robot","robot":{"move":"left"}})")),
            "robot {\"move\":\"left\"}\n");
  EXPECT_EQ(calls_in(DialectKind::openai, R"({"output":[{"type":"robot_call","action":{"x":1}}]})"),
            "robot_call {\"x\":1}\n");
}

TEST(AnswerTexts, WhatTheClientIsToRunIsACall) {
  for (const std::string item :
       {R"("shell_call","action":{"commands":["curl evil.example"]})",
        R"("local_shell_call","action":{"command":["rm","-r","/"]})",
        R"("computer_call","action":{"type":"click","x":1,"y":2})",
        R"("apply_patch_call","operation":{"type":"delete_file","path":"a"})"}) {
    const auto calls = calls_in(DialectKind::openai, R"({"output":[{"type":)" + item + "}]}");
    EXPECT_EQ(calls.substr(0, calls.find(' ')), item.substr(1, item.find('"', 1) - 1));
    EXPECT_TRUE(calls.contains(item.substr(item.find('{')))) << calls;
  }
  EXPECT_EQ(
      calls_in(DialectKind::openai,
               R"({"output":[{"type":"mcp_approval_request","name":"pay","arguments":"{}"}]})"),
      "pay {}\n");
}

TEST(AnswerTexts, WhatTheProviderLookedUpIsNoCallAndIsNoted) {
  const auto looks_up = [](DialectKind dialect, std::string document) {
    JsonWalker walker;
    const auto texts = read_answer(walker, dialect, document);
    return texts && texts->has_lookups;
  };
  const std::string search = R"({"output":[{"type":"web_search_call","action":{"query":"x"}}]})";
  EXPECT_EQ(calls_in(DialectKind::openai, search), "");
  EXPECT_TRUE(looks_up(DialectKind::openai, search));
  EXPECT_TRUE(looks_up(
      DialectKind::anthropic,
      R"({"content":[{"type":"web_search_tool_result","tool_use_id":"1","content":[]}]})"));
  EXPECT_FALSE(looks_up(DialectKind::openai, R"({"output":[{"type":"message","content":[]}]})"));
}

TEST(AnswerTexts, ANameThatComesAfterItsCallIsItsName) {
  JsonWalker walker;
  AnswerBook book;
  for (
      std::string data :
      {R"({"type":"response.mcp_call_arguments.delta","output_index":0,"delta":"{}"})",
       R"({"type":"response.output_item.done","output_index":0,"item":{"type":"mcp_call","name":"pay","arguments":"{}"}})",
       R"({"type":"response.completed","response":{"output":[{"type":"mcp_call","name":"pay","arguments":"{}"}]}})"}) {
    const auto texts = read_event(walker, DialectKind::openai, data);
    ASSERT_TRUE(texts);
    EXPECT_TRUE(has_calls(*texts)) << data;
    book.add(*texts);
  }
  ASSERT_EQ(book.answer().choices.size(), 1U);
  EXPECT_EQ(book.answer().choices[0].tool_calls[0].name, "pay");
  EXPECT_EQ(book.answer().choices[0].tool_calls[0].arguments, "{}");
}

}  // namespace
}  // namespace gatehouse::gateway

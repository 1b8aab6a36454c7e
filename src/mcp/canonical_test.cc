// Texts that are compared: the same for the same value, and never the same for two.
#include "mcp/canonical.h"

#include <gtest/gtest.h>

#include "mcp/catalogue.h"

namespace gatehouse::mcp {
namespace {

TEST(Canonical, HoweverItIsWritten) {
  const std::string expected = R"({"a":[1,{"b":null}],"e":"é\n/","z":{}})";
  EXPECT_EQ(canonical_json(expected), expected);
  EXPECT_EQ(canonical_json(R"( { "z":{ }, "\u0065" : "\u00e9\u000a\/","a":[ 1 , {"b":null} ] } )"),
            expected);
  EXPECT_EQ(canonical_json(R"("\ud83d\ude00")"), R"("😀")");
}

TEST(Canonical, NumbersStayAsTheyWereWritten) {
  EXPECT_NE(canonical_json(R"({"to_account":12345678901234567899999})"),
            canonical_json(R"({"to_account":12345678901234567890123})"));
  EXPECT_NE(canonical_json("0.1"), canonical_json("0.10000000000000001"));
  EXPECT_NE(canonical_json("-0"), canonical_json("0"));
}

TEST(Canonical, WhatReadersReadDifferentlyStandsForItselfAlone) {
  // A member twice: the text as it stands, in its order.
  EXPECT_NE(canonical_json(R"({"to":"eve","to":"bob"})"), canonical_json(R"({"to":"bob"})"));
  EXPECT_NE(canonical_json(R"({"to":"eve","to":"bob"})"),
            canonical_json(R"({"to":"bob","to":"bob"})"));
  EXPECT_EQ(canonical_json(R"({"to":1, "\u0074o":2})"), R"({"to":1, "\u0074o":2})");
  // Surrogates that stand alone are not U+FFFD.
  EXPECT_NE(canonical_json(R"("\ud800")"), canonical_json(R"("\ud801")"));
  EXPECT_NE(canonical_json(R"("\udc00")"), canonical_json(R"("\ufffd")"));
  EXPECT_NE(canonical_json(R"({"\ud800":1})"), canonical_json(R"({"\ufffd":1})"));
  EXPECT_EQ(canonical_json(R"("\\ud800 \ufffd")"), R"("\\ud800 �")");
  for (const char* text : {"", "{", "{} {}", "nul", "{\"a\":1,}", "\"\xff\""})
    EXPECT_EQ(canonical_json(text), text);
}

TEST(Canonical, DepthAndSizeAreBounded) {
  for (const std::string bracket : {"[", R"({"a":)"}) {
    std::string deep;
    for (int level = 0; level < 100'000; ++level) deep += bracket;
    EXPECT_EQ(canonical_json(deep), deep);
  }
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  EXPECT_EQ(canonical_json(deep), deep);
  const std::string large = "[ \"" + std::string(most_canonical, 'x') + "\"]";
  EXPECT_EQ(canonical_json(large), large);
}

// Pins in ledgers were made of this form.
TEST(Canonical, DigestsOfDefinitionsStay) {
  const auto view = JsonView::parse(R"({"name":"a","inputSchema":{"type":"object"}})");
  ASSERT_TRUE(view);
  EXPECT_EQ(definition_digest(*view),
            "sha256:05337b7584518ca445dc0c1806c7a1cdfa00e6e24379a01bcbddf3471ecdb28d");
}

}  // namespace
}  // namespace gatehouse::mcp

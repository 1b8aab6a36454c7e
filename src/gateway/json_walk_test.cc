#include "gateway/json_walk.h"

#include <gtest/gtest.h>

#include <map>

namespace gatehouse::gateway {
namespace {

// Notes every string by its path, with the raw bytes at its position.
class Notes final : public JsonVisitor {
 public:
  explicit Notes(const std::string& document) : document_(document) {}
  void on_string(Path path, std::string_view text, JsonSpan inside) override {
    strings[name(path)] = text;
    raw[name(path)] = document_.substr(inside.begin, inside.end - inside.begin);
  }
  void on_number(Path path, std::string_view text, JsonSpan span) override {
    numbers[name(path)] = text;
    EXPECT_EQ(document_.substr(span.begin, span.end - span.begin), text);
  }
  void on_null(Path path, JsonSpan span) override {
    null_member = {path.back().key_begin, span.end};
  }
  void on_container(Path path, JsonSpan span) override {
    containers[name(path)] = document_.substr(span.begin, span.end - span.begin);
  }
  void on_key(Path, std::string_view key, JsonSpan inside) override {
    keys[std::string(key)] = document_.substr(inside.begin, inside.end - inside.begin);
  }

  static std::string name(Path path) {
    std::string text;
    for (const auto& step : path)
      text += step.is_item ? "[" + std::to_string(step.index) + "]" : "." + std::string(step.key);
    return text;
  }

  std::map<std::string, std::string> strings, raw, numbers, keys, containers;
  JsonSpan null_member;

 private:
  const std::string& document_;
};

TEST(JsonWalker, GivesPathsTextsAndPositions) {
  std::string document = R"( {"a":"x\n\u00e9" , "b":[ {"c":"y"}, 12345678901234567890123, "z" ]} )";
  JsonWalker walker;
  Notes notes(document);
  ASSERT_TRUE(walker.walk(document, notes));
  EXPECT_EQ(notes.strings[".a"], "x\n\u00e9");
  EXPECT_EQ(notes.raw[".a"], R"(x\n\u00e9)");
  EXPECT_EQ(notes.strings[".b[0].c"], "y");
  EXPECT_EQ(notes.numbers[".b[1]"], "12345678901234567890123");
  EXPECT_EQ(notes.strings[".b[2]"], "z");
}

TEST(JsonWalker, GivesTheBytesOfObjectsAndArrays) {
  std::string document = R"({"a": {"b" : [ 1 , {} ] } , "c":[],"d":{ }  ,"e":[[{"f":"]}"}]] })";
  JsonWalker walker;
  Notes notes(document);
  ASSERT_TRUE(walker.walk(document, notes));
  EXPECT_EQ(notes.containers[".a"], R"({"b" : [ 1 , {} ] })");
  EXPECT_EQ(notes.containers[".a.b"], "[ 1 , {} ]");
  EXPECT_EQ(notes.containers[".a.b[1]"], "{}");
  EXPECT_EQ(notes.containers[".c"], "[]");
  EXPECT_EQ(notes.containers[".d"], "{ }");
  EXPECT_EQ(notes.containers[".e"], R"([[{"f":"]}"}]])");
  EXPECT_EQ(notes.containers[".e[0][0]"], R"({"f":"]}"})");
}

TEST(JsonWalker, SeesEscapedAndDuplicateKeys) {
  std::string document = R"({"mo\u0064el":"a","model":"b"})";
  JsonWalker walker;
  Notes notes(document);
  ASSERT_TRUE(walker.walk(document, notes));
  EXPECT_EQ(notes.strings[".model"], "b");
  EXPECT_EQ(notes.keys["model"], "model");
}

TEST(JsonWalker, RefusesWhatIsNotOneObject) {
  JsonWalker walker;
  for (std::string bad : {"",
                          " ",
                          "[]",
                          "1",
                          "\"x\"",
                          "{",
                          "{}}",
                          "{} {}",
                          "{\"a\":}",
                          "{\"a\":tru}",
                          "{\"a\":01}",
                          "{\"a\":1.}",
                          "{\"a\":\"\\q\"}",
                          "{\"a\":\"\n\"}",
                          "{\"a\":\"\\ud800\"}",
                          "{a:1}",
                          "{\"a\":1,}",
                          "{\"a\" 1}",
                          "{\"a\":[1 2]}",
                          "{\"a\":[}",
                          "{\"a\":\"\xff\"}",
                          "{\"a\":nul}",
                          "{\"a\":--1}",
                          "{\"a\":+1}"}) {
    Notes notes(bad);
    EXPECT_FALSE(walker.walk(bad, notes)) << bad;
  }
}

TEST(JsonWalker, BoundsDepth) {
  JsonWalker walker;
  auto nested = [](std::size_t depth) {
    std::string text = "{\"a\":";
    for (std::size_t at = 0; at < depth; ++at) text += '[';
    for (std::size_t at = 0; at < depth; ++at) text += ']';
    return text + "}";
  };
  auto shallow = nested(40);
  auto deep = nested(100'000);
  Notes notes(shallow);
  EXPECT_TRUE(walker.walk(shallow, notes));
  EXPECT_FALSE(walker.walk(deep, notes));
}

TEST(RemoveMember, TakesTheRightComma) {
  for (const auto& [before, after] : std::map<std::string, std::string>{
           {R"({"usage":null,"b":1})", R"({"b":1})"},
           {R"({"b":1,"usage":null})", R"({"b":1})"},
           {R"({"b":1 , "usage" : null , "c":2})", R"({"b":1 ,  "c":2})"},
           {R"({"usage":null})", "{}"}}) {
    std::string document = before;
    JsonWalker walker;
    Notes notes(document);
    ASSERT_TRUE(walker.walk(document, notes));
    const auto splice = remove_member(document, notes.null_member.begin, notes.null_member.end);
    EXPECT_EQ(apply_splices(document, {splice}), after);
  }
}

}  // namespace
}  // namespace gatehouse::gateway

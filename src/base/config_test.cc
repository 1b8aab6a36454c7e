#include "base/config.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace gatehouse {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

ConfigNode parsed(std::string_view yaml) {
  auto node = ConfigNode::parse(yaml, "t.yaml");
  EXPECT_TRUE(node) << node.error().describe();
  return *node;
}

std::string refusal(std::string_view yaml) {
  const auto node = ConfigNode::parse(yaml, "t.yaml");
  return node ? "accepted" : node.error().describe();
}

TEST(ConfigNode, a_value_knows_its_place) {
  const ConfigNode root = parsed(
      "listen: 127.0.0.1:8080\n"
      "providers:\n"
      "  - name: openai\n"
      "    url: https://example.org\n");
  const ConfigNode url = *root.find("providers")->items()[0].find("url");
  EXPECT_EQ(url.where(), "t.yaml:4: providers[0].url");
  EXPECT_EQ(url.as_string(), "https://example.org");
  EXPECT_EQ(url.error("must not be plain").describe(),
            "t.yaml:4: providers[0].url: must not be plain");
  EXPECT_EQ(root.where(), "t.yaml:1");
  EXPECT_EQ(root.find("providers")->where(), "t.yaml:2: providers");
}

TEST(ConfigNode, members_come_in_document_order) {
  std::string names;
  for (const auto& [name, value] : parsed("b: 1\na: 2\nc: 3\n").members()) names += name;
  EXPECT_EQ(names, "bac");
}

TEST(ConfigNode, scalars_are_read_strictly) {
  const ConfigNode root = parsed(
      "yes: true\nquoted: 'true'\nword: yes\ninteger: -42\nbig: 99999999999999999999\n"
      "real: 1.5e3\nnan: .nan\nempty:\nlist: [a, 1]\none: a\nmixed: [a, [b]]\n");
  const auto at = [&root](const char* key) { return *root.find(key); };
  EXPECT_EQ(at("yes").as_bool(), true);
  EXPECT_FALSE(at("quoted").as_bool());
  EXPECT_EQ(at("quoted").as_string(), "true");
  EXPECT_FALSE(at("word").as_bool());
  EXPECT_EQ(at("integer").as_int(), -42);
  EXPECT_FALSE(at("big").as_int());
  EXPECT_FALSE(at("real").as_int());
  EXPECT_EQ(at("real").as_double(), 1500);
  EXPECT_FALSE(at("nan").as_double());
  EXPECT_EQ(at("empty").as_string().error().describe(),
            "t.yaml:8: empty: expected text, found nothing");
  EXPECT_EQ(at("list").as_strings(), (std::vector<std::string>{"a", "1"}));
  EXPECT_EQ(at("one").as_strings(), (std::vector<std::string>{"a"}));
  EXPECT_EQ(at("mixed").as_strings().error().describe(),
            "t.yaml:11: mixed[1]: expected text, found a list");
  EXPECT_EQ(at("list").as_int().error().describe(),
            "t.yaml:9: list: expected a whole number, found a list");
}

TEST(ConfigNode, an_empty_document_is_nothing) {
  for (const char* yaml : {"", "# only a comment\n", "---\n"}) {
    const ConfigNode root = parsed(yaml);
    EXPECT_FALSE(root.is_map() || root.is_list() || root.is_scalar());
  }
}

TEST(ConfigNode, anchors_and_aliases_work) {
  const ConfigNode root = parsed("a: &shared {x: 1}\nb: *shared\n");
  const ConfigNode x = *root.find("b")->find("x");
  EXPECT_EQ(x.as_int(), 1);
  EXPECT_EQ(x.where(), "t.yaml:1: b.x");
  EXPECT_EQ(root.find("b")->where(), "t.yaml:2: b");
}

TEST(ConfigRefusal, broken_documents_name_the_line) {
  EXPECT_TRUE(refusal("a: 1\nb: [1, 2\n").starts_with("t.yaml:")) << refusal("a: 1\nb: [1, 2\n");
  EXPECT_TRUE(refusal("a: 1\n b: 2\n").starts_with("t.yaml:2: not valid YAML"));
  EXPECT_EQ(refusal("a: 1\nb: 2\na: 3\n"), "t.yaml:3: the key 'a' stands twice in the same map");
  EXPECT_EQ(refusal("a: {x: 1, x: 2}\n"), "t.yaml:1: the key 'x' stands twice in the same map");
  EXPECT_EQ(refusal("[a]: 1\n"), "t.yaml:1: a key must be plain text");
  EXPECT_EQ(refusal("a: 1\n---\nb: 2\n"), "t.yaml:3: a second document; only one is read");
  EXPECT_EQ(refusal("a: 1\nb: \x04\n"), "t.yaml:2: a control character");
  EXPECT_EQ(refusal(std::string_view("a: \0", 4)), "t.yaml:1: a control character");
  EXPECT_EQ(refusal("a: \xff\n"), "t.yaml:1: the text is not well-formed UTF-8");
  EXPECT_NE(refusal("a: *nowhere\n"), "accepted");
  EXPECT_NE(refusal("a: &x [*x]\n"), "accepted");
}

std::string nested(int levels) {
  return std::string(static_cast<std::size_t>(levels), '[') +
         std::string(static_cast<std::size_t>(levels), ']');
}

TEST(ConfigRefusal, documents_are_bounded) {
  EXPECT_EQ(refusal(nested(32)), "accepted");
  EXPECT_EQ(refusal(nested(33)), "t.yaml:1: nested deeper than 32 levels");
  EXPECT_EQ(refusal(nested(100'000)), "t.yaml:1: nested deeper than 32 levels");
  EXPECT_EQ(refusal("a: " + std::string(1 << 20, 'x')),
            "t.yaml:1: larger than the limit of 1048576 bytes");
}

TEST(ConfigRefusal, an_alias_bomb_does_not_go_off) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 9; ++j) bomb += before + ", ";
    bomb += before + "]\n";
  }
  EXPECT_NE(refusal(bomb).find("more than 100000 values"), std::string::npos) << refusal(bomb);
}

TEST(ConfigRefusal, aliases_cannot_nest_deeper_than_the_limit) {
  std::string yaml = "a0: &a0 [x]\n";
  for (int i = 1; i < 40; ++i)
    yaml += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) +
            "]\n";
  EXPECT_NE(refusal(yaml).find("nested deeper than 32 levels"), std::string::npos);
}

TEST(ConfigFile, a_missing_file_is_named) {
  const auto node = ConfigNode::parse_file("/nowhere/gatehouse.yaml");
  ASSERT_FALSE(node);
  EXPECT_EQ(node.error().code, ErrorCode::not_found);
  EXPECT_EQ(node.error().context, "/nowhere/gatehouse.yaml");
}

TEST(ConfigReader, reads_every_type) {
  ConfigReader reader(
      parsed("s: text\nb: false\ni: 7\nd: 5m\nz: 64KiB\nc: strict\nl: [x, y]\nn: [{}, {}]\n"));
  EXPECT_EQ(reader.string("s", ""), "text");
  EXPECT_EQ(reader.boolean("b", true), false);
  EXPECT_EQ(reader.integer("i", 0, 0, 10), 7);
  EXPECT_EQ(reader.duration("d", 1s, 1s, 1h), 5min);
  EXPECT_EQ(reader.size("z", 0, 0, 1 << 20), 65'536u);
  EXPECT_EQ(reader.choice("c", 0, {"relaxed", "strict"}), 1u);
  EXPECT_EQ(reader.strings("l"), (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(reader.list("n").size(), 2u);
  EXPECT_FALSE(reader.child("absent"));
  EXPECT_TRUE(reader.finish());
}

TEST(ConfigReader, absent_keys_give_the_fallback) {
  ConfigReader reader(parsed("{}"));
  EXPECT_EQ(reader.string("s", "fallback"), "fallback");
  EXPECT_EQ(reader.boolean("b", true), true);
  EXPECT_EQ(reader.integer("i", 3, 0, 10), 3);
  EXPECT_EQ(reader.duration("d", 1s, 1s, 1h), 1s);
  EXPECT_EQ(reader.size("z", 5, 0, 10), 5u);
  EXPECT_EQ(reader.choice("c", 1, {"a", "b"}), 1u);
  EXPECT_EQ(reader.strings("l", {"x"}), (std::vector<std::string>{"x"}));
  EXPECT_TRUE(reader.list("n").empty());
  EXPECT_TRUE(reader.finish());
}

TEST(ConfigReader, durations_and_sizes_in_every_unit) {
  const auto duration = [](std::string value) {
    ConfigReader reader(parsed("d: " + value + "\n"));
    const milliseconds read = reader.duration("d", -1ms, 0ms, 400 * 24h);
    return reader.finish() ? read : -1ms;
  };
  EXPECT_EQ(duration("250ms"), 250ms);
  EXPECT_EQ(duration("10s"), 10s);
  EXPECT_EQ(duration("24h"), 24h);
  EXPECT_EQ(duration("184d"), 184 * 24h);
  for (const char* wrong : {"10", "s", "1.5s", "-1s", "10 s", "10S", "401d", "99999999999999999d",
                            "18446744073709551615ms", "''", "[1s]"})
    EXPECT_EQ(duration(wrong), -1ms) << wrong;

  const auto size = [](std::string value) {
    ConfigReader reader(parsed("z: " + value + "\n"));
    const std::uint64_t read = reader.size("z", 9, 0, 1u << 30);
    return reader.finish() ? read : 9;
  };
  EXPECT_EQ(size("512"), 512u);
  EXPECT_EQ(size("512B"), 512u);
  EXPECT_EQ(size("64KiB"), 65'536u);
  EXPECT_EQ(size("32MiB"), 32u << 20);
  EXPECT_EQ(size("1GiB"), 1u << 30);
  for (const char* wrong : {"64KB", "64k", "2GiB", "1e3", "99999999999GiB"})
    EXPECT_EQ(size(wrong), 9u) << wrong;
}

TEST(ConfigReader, finish_lists_every_error_one_a_line) {
  ConfigReader reader(parsed("port: many\ntimeout: 2d\nlisten: [a]\nmode: odd\nbody: 1TiB\n"));
  reader.integer("port", 0, 1, 65'535);
  reader.duration("timeout", 1s, 100ms, 24h);
  reader.required_string("listen");
  reader.required_string("name");
  reader.choice("mode", 0, {"strict", "relaxed"});
  reader.size("body", 0, 1, 1u << 30);
  const auto finished = reader.finish();
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().describe(),
            "t.yaml:1: port: expected a whole number, found 'many'\n"
            "t.yaml:2: timeout: expected a duration from 100ms to 1d such as 250ms, 10s, 5m, 24h "
            "or 7d\n"
            "t.yaml:3: listen: expected text, found a list\n"
            "t.yaml:1: the key 'name' is missing\n"
            "t.yaml:4: mode: expected one of: strict, relaxed\n"
            "t.yaml:5: body: expected a size from 1 to 1GiB such as 512, 64KiB, 32MiB or 1GiB");
}

TEST(ConfigReader, an_unknown_key_is_answered_with_the_nearest) {
  ConfigReader reader(parsed("lsten: x\ntotally_different_thing: 1\n"));
  reader.string("listen", "");
  reader.string("tls", "");
  const auto finished = reader.finish();
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().describe(),
            "t.yaml:1: lsten: unknown key 'lsten'; did you mean 'listen'?\n"
            "t.yaml:2: totally_different_thing: unknown key 'totally_different_thing'; known here: "
            "listen, tls");
}

TEST(ConfigReader, one_error_keeps_its_context) {
  ConfigReader reader(parsed("port: 70000\n"));
  EXPECT_EQ(reader.integer("port", 8080, 1, 65'535), 8080);
  const auto finished = reader.finish();
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().context, "t.yaml:1: port");
  EXPECT_EQ(finished.error().message, "expected a whole number from 1 to 65535, found 70000");
}

TEST(ConfigReader, a_map_is_demanded_once) {
  for (const char* yaml : {"[a]", "a", ""}) {
    ConfigReader reader(parsed(yaml));
    reader.required_string("a");
    reader.required_string("b");
    const auto finished = reader.finish();
    ASSERT_FALSE(finished);
    EXPECT_EQ(finished.error().describe(), "t.yaml:1: expected a map of settings") << yaml;
  }
}

TEST(ConfigReader, errors_of_a_nested_reader_can_be_noted) {
  const ConfigNode root = parsed("tls: {cert: [], kye: b}\n");
  ConfigReader outer(root);
  ConfigReader inner(*outer.child("tls"));
  inner.string("cert", "");
  inner.string("key", "");
  if (auto finished = inner.finish(); !finished) outer.note(std::move(finished).error());
  EXPECT_EQ(outer.finish().error().describe(),
            "t.yaml:1: tls.cert: expected text, found a list\n"
            "t.yaml:1: tls.kye: unknown key 'kye'; did you mean 'key'?");
}

}  // namespace
}  // namespace gatehouse

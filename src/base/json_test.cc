#include "base/json.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace gatehouse {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  append_json_escaped(out, text);
  return out;
}

std::string random_bytes() {
  const auto bytes = *rc::gen::arbitrary<std::vector<std::uint8_t>>();
  return {bytes.begin(), bytes.end()};
}

// Long runs with few specials, at every distance from an eight-byte step.
std::string random_text() {
  return *rc::gen::container<std::string>(rc::gen::weightedElement<char>({{40, 'a'},
                                                                          {1, '"'},
                                                                          {1, '\\'},
                                                                          {1, '\n'},
                                                                          {1, '\x1f'},
                                                                          {1, '\x7f'},
                                                                          {1, ' '},
                                                                          {1, '!'},
                                                                          {1, '\0'}}));
}

TEST(JsonEscape, only_what_the_standard_demands) {
  EXPECT_EQ(escaped("plain / text \x7f \xc3\xa9 <&>"), "plain / text \x7f \xc3\xa9 <&>");
  EXPECT_EQ(escaped("\"\\\b\f\n\r\t"), R"(\"\\\b\f\n\r\t)");
  EXPECT_EQ(escaped(std::string_view("\0\x01\x1f", 3)), R"(\u0000\u0001\u001f)");
}

TEST(JsonEscape, every_single_byte_gives_a_valid_string) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text(1, static_cast<char>(byte));
    const auto parsed = nlohmann::json::parse('"' + escaped(text) + '"');
    EXPECT_EQ(parsed.get<std::string>(), to_utf8(text)) << byte;
  }
}

TEST(JsonEscape, appends_to_what_is_there) {
  std::string out = "[";
  append_json_string(out, "a\"b");
  EXPECT_EQ(out, "[\"a\\\"b\"");
  EXPECT_EQ(json_string(""), "\"\"");
}

RC_GTEST_PROP(JsonEscape, another_parser_reads_the_same_text, ()) {
  const std::string text = *rc::gen::arbitrary<bool>() ? random_bytes() : random_text();
  RC_ASSERT(nlohmann::json::parse(json_string(text)).get<std::string>() == to_utf8(text));
}

RC_GTEST_PROP(JsonEscape, decode_undoes_escape, ()) {
  const std::string text = *rc::gen::arbitrary<bool>() ? random_bytes() : random_text();
  RC_ASSERT(decode_json_string(escaped(text)).value() == to_utf8(text));
}

TEST(JsonDecode, every_escape) {
  EXPECT_EQ(decode_json_string(R"(\"\\\/\b\f\n\r\t)"), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(decode_json_string(R"(\u0041\u00e9\u20AC)"), "A\xc3\xa9\xe2\x82\xac");
  EXPECT_EQ(decode_json_string(R"(\ud83d\ude00)"), "\xf0\x9f\x98\x80");
  EXPECT_EQ(decode_json_string(R"(\u0000)"), std::string(1, '\0'));
}

TEST(JsonDecode, lone_surrogates_become_the_replacement_character) {
  const std::string r = "\xef\xbf\xbd";
  EXPECT_EQ(decode_json_string(R"(\ud800)"), r);
  EXPECT_EQ(decode_json_string(R"(\udc00x)"), r + "x");
  EXPECT_EQ(decode_json_string(R"(\ud800\u0041)"), r + "A");
  EXPECT_EQ(decode_json_string(R"(\ud800\ud83d\ude00)"), r + "\xf0\x9f\x98\x80");
  EXPECT_EQ(decode_json_string(R"(\ud800\n)"), r + "\n");
}

TEST(JsonDecode, refuses_what_no_token_contains) {
  for (const char* inside : {"a\"b", "a\nb", "\x01", "\\", "\\x", "\\u", "\\u12", "\\u12g4",
                             "\\u 123", "\\u+123", "\\ud800\\u12", "\xff", "abc\\"})
    EXPECT_FALSE(decode_json_string(inside)) << inside;
  EXPECT_EQ(decode_json_string("01234567\"").error().message,
            "bare quote at byte 8 of a JSON string");
}

RC_GTEST_PROP(JsonDecode, agrees_with_another_parser, ()) {
  const std::string inside = *rc::gen::container<std::string>(rc::gen::element<char>(
      '\\', '\\', 'u', 'u', 'd', '8', '0', 'c', '"', 'n', 'x', '\n', '\xc3', '\xa9', 'e'));
  const auto parsed = nlohmann::json::parse('"' + inside + '"', nullptr, false);
  const auto decoded = decode_json_string(inside);
  // The other parser refuses lone surrogates; this one replaces them, as its door says.
  if (!parsed.is_discarded() && parsed.is_string())
    RC_ASSERT(decoded.value() == parsed.get<std::string>());
  if (!decoded) RC_ASSERT(parsed.is_discarded());
}

std::string write_sample() {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("text").string("a\"b");
  json.key("list").begin_array().number(1).number(-2).boolean(true).null().end_array();
  json.key("empty").begin_object().end_object();
  json.key("nested").begin_array().begin_array().end_array().begin_object();
  json.key("k").raw("[1,2]").end_object().end_array();
  json.key("double").number(0.1);
  json.end_object();
  return out;
}

TEST(JsonWriter, writes_in_order_without_white_space) {
  EXPECT_EQ(write_sample(),
            R"({"text":"a\"b","list":[1,-2,true,null],"empty":{},"nested":[[],{"k":[1,2]}],)"
            R"("double":0.1})");
}

TEST(JsonWriter, integers_of_every_width) {
  std::string out;
  JsonWriter(out)
      .begin_array()
      .number(std::numeric_limits<std::uint64_t>::max())
      .number(std::numeric_limits<std::int64_t>::min())
      .number(std::uint8_t{7})
      .end_array();
  EXPECT_EQ(out, "[18446744073709551615,-9223372036854775808,7]");
}

RC_GTEST_PROP(JsonWriter, a_double_reads_back_the_same, ()) {
  double value = 0;
  const auto bits = *rc::gen::arbitrary<std::uint64_t>();
  std::memcpy(&value, &bits, sizeof value);
  RC_PRE(std::isfinite(value));
  std::string out;
  JsonWriter(out).number(value);
  RC_ASSERT(nlohmann::json::accept(out));
  const double back = std::strtod(out.c_str(), nullptr);
  RC_ASSERT(std::memcmp(&back, &value, sizeof value) == 0);
}

TEST(JsonWriter, deep_nesting_is_no_problem) {
  std::string out;
  JsonWriter json(out);
  for (int i = 0; i < 1000; ++i) json.begin_array();
  for (int i = 0; i < 1000; ++i) json.end_array();
  EXPECT_EQ(out, std::string(1000, '[') + std::string(1000, ']'));
}

TEST(JsonWriterDeathTest, misuse_aborts) {
  std::string out;
  EXPECT_DEATH(JsonWriter(out).begin_object().number(1), "check failed");
  EXPECT_DEATH(JsonWriter(out).begin_array().key("a"), "check failed");
  EXPECT_DEATH(JsonWriter(out).key("a"), "check failed");
  EXPECT_DEATH(JsonWriter(out).begin_array().end_object(), "check failed");
  EXPECT_DEATH(JsonWriter(out).begin_object().key("a").end_object(), "check failed");
  EXPECT_DEATH(JsonWriter(out).end_array(), "check failed");
  EXPECT_DEATH(JsonWriter(out).number(std::nan("")), "check failed");
}

TEST(Splices, replace_insert_and_delete_in_any_order) {
  EXPECT_EQ(apply_splices("0123456789", {{7, 9, "-"}, {0, 1, "abc"}, {3, 3, "+"}, {4, 5, ""}}),
            "abc12+356-9");
  EXPECT_EQ(apply_splices("x", {}), "x");
  EXPECT_EQ(apply_splices("", {{0, 0, "a"}}), "a");
}

TEST(Splices, insertions_at_one_place_keep_their_order) {
  EXPECT_EQ(apply_splices("ab", {{1, 2, "B"}, {1, 1, "1"}, {1, 1, "2"}}), "a12B");
}

TEST(SplicesDeathTest, overlap_and_outside_abort) {
  EXPECT_DEATH(apply_splices("abc", {{0, 2, ""}, {1, 3, ""}}), "check failed");
  EXPECT_DEATH(apply_splices("abc", {{2, 4, ""}}), "check failed");
  EXPECT_DEATH(apply_splices("abc", {{2, 1, ""}}), "check failed");
  EXPECT_DEATH(apply_splices("abc", {{0, 3, ""}, {1, 1, "x"}}), "check failed");
}

// Cuts a document into pieces and replaces every second one.
RC_GTEST_PROP(Splices, agree_with_cutting_and_joining, ()) {
  const auto count = *rc::gen::inRange<std::size_t>(0, 8);
  std::vector<std::string> pieces;
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i) {
    pieces.push_back(random_text());
    texts.push_back(*rc::gen::element<std::string>("", "new", "\xc3\xa9"));
  }
  std::string document;
  std::string expected;
  std::vector<Splice> splices;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const std::size_t begin = document.size();
    document += pieces[i];
    if (i % 2 == 1) splices.push_back({begin, document.size(), texts[i]});
    expected += i % 2 == 1 ? texts[i] : pieces[i];
  }
  if (*rc::gen::arbitrary<bool>()) std::reverse(splices.begin(), splices.end());
  RC_ASSERT(apply_splices(document, splices) == expected);
}

RC_GTEST_PROP(Splices, putting_every_piece_back_changes_nothing, ()) {
  const std::string document = random_text();
  const std::size_t middle = *rc::gen::inRange<std::size_t>(0, document.size() + 1);
  RC_ASSERT(apply_splices(document, {{middle, document.size(), document.substr(middle)},
                                     {0, middle, document.substr(0, middle)}}) == document);
}

}  // namespace
}  // namespace gatehouse

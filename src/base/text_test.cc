#include "base/text.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace gatehouse {
namespace {

using namespace std::string_literals;

std::string random_bytes() {
  const auto bytes = *rc::gen::arbitrary<std::vector<std::uint8_t>>();
  return {bytes.begin(), bytes.end()};
}

TEST(Hex, known_values) {
  EXPECT_EQ(to_hex(bytes_of("\x00\x7f\xff"s)), "007fff");
  EXPECT_EQ(from_hex("007FfF"), "\x00\x7f\xff"s);
  EXPECT_EQ(from_hex(""), "");
}

TEST(Hex, refuses_what_is_not_hexadecimal) {
  EXPECT_FALSE(from_hex("0"));
  EXPECT_FALSE(from_hex("0g"));
  EXPECT_FALSE(from_hex("+1"));
  EXPECT_FALSE(from_hex("\xc3\xa9"));
}

RC_GTEST_PROP(Hex, reads_back, ()) {
  const std::string bytes = random_bytes();
  RC_ASSERT(from_hex(to_hex(bytes_of(bytes))).value() == bytes);
}

TEST(Base64, vectors_of_rfc_4648) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(to_base64(bytes_of(plain)), encoded);
    EXPECT_EQ(from_base64(encoded), plain);
  }
  EXPECT_EQ(to_base64url(bytes_of("\xfb\xff\xfe")), "-__-");
  EXPECT_EQ(to_base64url(bytes_of("fo")), "Zm8");
  EXPECT_EQ(from_base64url("-__-"), "\xfb\xff\xfe");
  EXPECT_EQ(from_base64url("Zm8"), "fo");
  EXPECT_EQ(from_base64url(""), "");
}

TEST(Base64, refuses_what_no_encoder_writes) {
  for (const char* text : {"Zg", "Zg=", "Zg===", "=", "====", "Z===", "Zm9v=", "Zh==", "Zm9=",
                           "Zm 9v", "Zm9v\n", "-__-", "Zg==Zg==", "Zm=v"})
    EXPECT_FALSE(from_base64(text)) << text;
  for (const char* text : {"Z", "Zg==", "Zm8=", "Zh", "Zm9", "Zm9vZ", "+//+", "Zm 9v"})
    EXPECT_FALSE(from_base64url(text)) << text;
}

TEST(Printable, escapes_what_a_terminal_would_obey) {
  EXPECT_EQ(printable("a/b \"c\" \xc3\xa9 \xe2\x82\xac"), "a/b \"c\" \xc3\xa9 \xe2\x82\xac");
  EXPECT_EQ(printable("\x1b[31m\n\t\x7f"), "\\x1b[31m\\x0a\\x09\\x7f");
  EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b");
  EXPECT_EQ(printable("\xc2\xa7"), "\xc2\xa7");
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
}

RC_GTEST_PROP(Base64, reads_back, ()) {
  const std::string bytes = random_bytes();
  RC_ASSERT(from_base64(to_base64(bytes_of(bytes))).value() == bytes);
  RC_ASSERT(from_base64url(to_base64url(bytes_of(bytes))).value() == bytes);
}

RC_GTEST_PROP(Base64, what_is_accepted_is_canonical, ()) {
  const std::string text =
      *rc::gen::container<std::string>(rc::gen::element('A', 'Q', 'g', 'w', '/', '='));
  if (const auto decoded = from_base64(text)) RC_ASSERT(to_base64(bytes_of(*decoded)) == text);
}

TEST(Utf8, each_ill_formed_part_becomes_one_replacement) {
  const std::string r = "\xef\xbf\xbd";
  EXPECT_EQ(to_utf8("plain \xc3\xa9 \xf0\x9f\x98\x80"), "plain \xc3\xa9 \xf0\x9f\x98\x80");
  EXPECT_EQ(to_utf8("a\xff"
                    "b"),
            "a" + r + "b");
  // The example of the Unicode standard, table 3-8.
  EXPECT_EQ(to_utf8("\x61\xf1\x80\x80\xe1\x80\xc2\x62\x80\x63\x80\xbf\x64"),
            "a" + r + r + r + "b" + r + "c" + r + r + "d");
  EXPECT_EQ(to_utf8("\xed\xa0\x80"), r + r + r);          // a surrogate
  EXPECT_EQ(to_utf8("\xc0\xaf"), r + r);                  // overlong
  EXPECT_EQ(to_utf8("\xf4\x90\x80\x80"), r + r + r + r);  // beyond U+10FFFF
  EXPECT_EQ(to_utf8("\xe2\x82"), r);                      // cut off
}

RC_GTEST_PROP(Utf8, the_result_is_well_formed_and_well_formed_text_stays, ()) {
  const std::string once = to_utf8(random_bytes());
  RC_ASSERT(is_utf8(once));
  RC_ASSERT(to_utf8(once) == once);
}

TEST(Utf8Prefix, does_not_cut_a_sequence) {
  const std::string text = "a\xc3\xa9\xf0\x9f\x98\x80z";  // 1 + 2 + 4 + 1 bytes
  EXPECT_EQ(utf8_prefix(text, 0), "");
  EXPECT_EQ(utf8_prefix(text, 1), "a");
  EXPECT_EQ(utf8_prefix(text, 2), "a");
  EXPECT_EQ(utf8_prefix(text, 3), "a\xc3\xa9");
  for (const std::size_t limit : {4u, 5u, 6u}) EXPECT_EQ(utf8_prefix(text, limit), "a\xc3\xa9");
  EXPECT_EQ(utf8_prefix(text, 7), "a\xc3\xa9\xf0\x9f\x98\x80");
  EXPECT_EQ(utf8_prefix(text, 100), text);
}

RC_GTEST_PROP(Utf8Prefix, is_the_longest_well_formed_prefix, ()) {
  const std::string text = to_utf8(random_bytes());
  const std::size_t limit = *rc::gen::inRange<std::size_t>(0, text.size() + 2);
  std::string_view longest = std::string_view(text).substr(0, limit);
  while (!is_utf8(longest)) longest.remove_suffix(1);
  RC_ASSERT(utf8_prefix(text, limit) == longest);
}

RC_GTEST_PROP(Utf8Prefix, of_any_bytes_keeps_all_but_three, ()) {
  const std::string bytes = random_bytes();
  const std::size_t limit = *rc::gen::inRange<std::size_t>(0, bytes.size() + 2);
  const std::string_view prefix = utf8_prefix(bytes, limit);
  RC_ASSERT(bytes.starts_with(prefix));
  RC_ASSERT(prefix.size() <= limit);
  RC_ASSERT(prefix.size() + 3 >= std::min(limit, bytes.size()));
}

TEST(Text, trim_removes_ascii_white_space_at_both_ends) {
  EXPECT_EQ(trim(" \t\r\n a b \v\f"), "a b");
  EXPECT_EQ(trim("   "), "");
  EXPECT_EQ(trim(""), "");
  EXPECT_EQ(trim("\xc2\xa0x"), "\xc2\xa0x");
}

TEST(Text, split_keeps_empty_parts) {
  EXPECT_EQ(split("a,,b", ','), (std::vector<std::string_view>{"a", "", "b"}));
  EXPECT_EQ(split("", ','), (std::vector<std::string_view>{""}));
  EXPECT_EQ(split(",", ','), (std::vector<std::string_view>{"", ""}));
}

TEST(Text, case_is_folded_for_ascii_only) {
  EXPECT_EQ(to_lower("AZaz09\xc3\x89"), "azaz09\xc3\x89");
  EXPECT_TRUE(equals_ignoring_case("Content-Type", "content-TYPE"));
  EXPECT_FALSE(equals_ignoring_case("a", "ab"));
  EXPECT_FALSE(equals_ignoring_case("[", "{"));
}

TEST(ParseUint, digits_and_nothing_else) {
  EXPECT_EQ(parse_uint("0"), 0u);
  EXPECT_EQ(parse_uint("18446744073709551615"), 18446744073709551615u);
  for (const char* text : {"", "18446744073709551616", "+1", "-1", " 1", "1 ", "0x10", "1.0"})
    EXPECT_FALSE(parse_uint(text)) << text;
}

}  // namespace
}  // namespace gatehouse

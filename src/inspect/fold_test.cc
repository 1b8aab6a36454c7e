// What folds to what, that cuts do not matter, and where folded bytes come from.
#include "inspect/fold.h"

#include <gtest/gtest.h>

#include <random>

namespace gatehouse::inspect {
namespace {

TEST(Fold, ShapesOfCharactersAreTheCharacter) {
  EXPECT_EQ(fold_text("plain text, 100 %."), "plain text, 100 %.");
  EXPECT_EQ(fold_text("ａｄａ＠ｃｏｒｐ．ｃｏｍ"), "ada@corp.com");
  EXPECT_EQ(fold_text("𝟒𝟏𝟏𝟏 ④①①① ⁴¹¹¹ ٤١١١ ४१११"), "4111 4111 4111 4111 4111");
  EXPECT_EQ(fold_text("аdа@соrр.соm"), "ada@corp.com");  // Cyrillic а с о р
  EXPECT_EQ(fold_text("ΑΚΙΑ"), "AKIA");                  // Greek
  EXPECT_EQ(fold_text("𝐠𝐡𝐩_ 𝖌𝖍𝖕_ ⓖⓗⓟ_"), "ghp_ ghp_ ghp_");
  EXPECT_EQ(fold_text("4111\u00a01111\u20112222\u20133333"), "4111 1111-2222-3333");
  EXPECT_EQ(fold_text("“a” ‘b’"), "\"a\" 'b'");
  EXPECT_EQ(fold_text("müller é 中文 日本語 한국"), "müller é 中文 日本語 한국");
}

TEST(Fold, WhatIsNotSeenIsGone) {
  EXPECT_EQ(fold_text("s\u200bk\u200d-\u2060l\u00adi\ufeffve"), "sk-live");
  EXPECT_EQ(fold_text("a\u202eb\u2066c\u0301d\ufe0fe\U000e0041f\U000e0141g"), "abcdefg");
  EXPECT_EQ(fold_text(std::string("a\0b\x08\x7f", 5) + "c\t\x1b[2J\n"), "abc\t\x1b[2J\n");
}

TEST(Fold, EscapesAreWhatTheyStandFor) {
  EXPECT_EQ(fold_text("ada%40corp.com %2540 %252540"), "ada@corp.com @ @");
  EXPECT_EQ(fold_text("%25252540"), "%40");  // four deep: no further than three
  EXPECT_EQ(fold_text("a&#64;b &#x40;b &commat;b &amp;#64; &amp;amp;#64; &#64b"),
            "a@b @b @b @ @ @b");
  EXPECT_EQ(fold_text("\\u0040 \\x40 \\x{40} \\u{40} \\U00000040 %u0040"), "@ @ @ @ @ @");
  EXPECT_EQ(fold_text("\\ud835\\udfd2 %F0%9D%9F%92 %EF%BC%A0 &#xff20;"), "4 4 @ @");
  EXPECT_EQ(fold_text("%4%30 %\u200b40 ％４０"), "@ @ @");
  EXPECT_EQ(fold_text("\\u00e9 %C3%A9 &#233;"), "é é é");
}

TEST(Fold, WhatIsNoEscapeStays) {
  for (const std::string_view text :
       {"100 % of AT&T", "%", "%4", "%zz", "&am", "&nosuch;", "\\n\\t", "C:\\users\\x", "\\u12",
        "&#;", "a && b", "&#1114112;", "%%%", "\\\\", "\\ud835", "\\ud835x", "&#x", "%C3", "x%C3y"})
    EXPECT_EQ(fold_text(text), text) << text;
}

TEST(Fold, WhatIsJoinedIsOne) {
  EXPECT_EQ(fold_text("k = \"ghp_a1\" + \"b2\" +\n    'c3';"), "k = \"ghp_a1b2c3';");
  EXPECT_EQ(fold_text("'ada' . '@' . 'corp.com' \"a\"&\"b\" 'x' .. 'y'"),
            "'ada@corp.com' \"ab\" 'xy'");
  EXPECT_EQ(fold_text("AKIA\x1b[01;31m\x1b[KQYLP\x1b[m \x1b[0mx"), "AKIAQYLP x");
  EXPECT_EQ(fold_text("a<wbr>d<WBR/>a<wbr />@<!-- -->corp<!--x-->.com"), "ada@corp.com");
  EXPECT_EQ(fold_text("ab\\\ncd\\\r\nef ghp\\_ab\\-cd"), "abcdef ghp_ab-cd");
}

TEST(Fold, WhatOnlyLooksJoinedStays) {
  for (const std::string_view text :
       {"[\"ada@corp.com\", \"b\"]", "{\"a\": \"b\"}", "\"a\" \"b\"", "\"a\"\n  \"b\"",
        "split(\".\") or join(\" + \", x)", "He said \"yes\". \"No\", she said.", "\"a\" + b",
        "\"a: \" + \"b\"", "the dogs' and cats' .", "\"a\" || \"b\"", "a < b <w <wb> <wbrx> <!x",
        "<!-- AKIA -->", "\x1b[2Jx \x1b] \x1b", "<!--", "\"a\" +", "x\\\rb", "\"a\"+\"", "<wbr"})
    EXPECT_EQ(fold_text(text), text) << text;
}

TEST(Fold, BytesThatAreNotUtf8Stay) {
  EXPECT_EQ(fold_text("a\xff\x80\xc3"), "a\xff\x80\xc3");
  EXPECT_EQ(fold_text("\xe2\x80"), "\xe2\x80");
}

TEST(Fold, OrdinaryTextIsNotCopied) {
  const std::string text(1000, 'x');
  FoldedText folded;
  folded.update(text, 0, true);
  EXPECT_TRUE(folded.is_plain());
  EXPECT_EQ(folded.text().data(), text.data());
}

TEST(Fold, TheMapSaysWhereBytesComeFrom) {
  const std::string text = "to ad\u200ba%40corp.com, é ＠";
  FoldedText folded;
  folded.update(text, 0, true);
  const std::string_view all = folded.text();
  ASSERT_EQ(all, "to ada@corp.com, é @");
  const auto source = [&](std::string_view word) {
    const std::size_t at = all.find(word);
    const Span span = folded.source_of(at, at + word.size());
    return text.substr(span.begin, span.end - span.begin);
  };
  EXPECT_EQ(source("ada@corp.com"), "ad\u200ba%40corp.com");
  EXPECT_EQ(source("a@"), "a%40");
  EXPECT_EQ(source("@c"), "%40c");
  EXPECT_EQ(source("é"), "é");
  EXPECT_TRUE(folded.is_plain(0, 5));
  EXPECT_FALSE(folded.is_plain(0, 6));
}

std::string random_text(std::mt19937_64& random) {
  constexpr std::string_view pieces[] = {
      "a",    "4",      "%",      "%2",         "25",  "%40", "&",     "amp;", "#64",     "#x",
      ";",    "\\",     "u",      "x",          "00",  "40",  "ud83",  "5",    "\\u0",    "{",
      "}",    "\u200b", "\u00a0", "é",          "＠",  "％",  "中",    "а",    "𝟒",       "\xc3",
      "\xa9", "\xf0",   "\x80",   "\U000e0041", "%C3", "%A9", "\0",    " ",    "zz",      "lt;",
      "\"",   "'",      "+",      " . ",        "\n",  "\r",  "\x1b[", "31m",  "K",       "\x1b",
      "<",    "wbr",    ">",      "<!--",       "-->", "/",   "_",     "-",    "\" + \"b"};
  std::string text;
  for (std::size_t n = random() % 24; n > 0; --n) text += pieces[random() % std::size(pieces)];
  return text;
}

TEST(Fold, CutsDoNotMatter) {
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    std::mt19937_64 random(seed);
    const std::string text = random_text(random);
    FoldedText whole;
    whole.update(text, 0, true);
    FoldedText cut;
    for (std::size_t size = 0; size < text.size(); size += 1 + random() % 5) {
      cut.update(std::string_view(text).substr(0, size), 0, false);
      ASSERT_EQ(cut.text(), whole.text().substr(0, cut.end())) << seed;
      ASSERT_LE(cut.decided(), size);
    }
    cut.update(text, 0, true);
    ASSERT_EQ(cut.text(), whole.text()) << seed;
    ASSERT_EQ(whole.decided(), text.size());
    ASSERT_EQ(cut.runs().size(), whole.runs().size()) << seed;
    std::size_t done = 0;
    for (std::size_t at = 0; at < whole.end(); ++at) {
      const Span span = whole.source_of(at, at + 1);
      ASSERT_EQ(span, cut.source_of(at, at + 1)) << seed;
      ASSERT_LE(span.end, text.size());
      ASSERT_LT(span.begin, span.end);
      ASSERT_GE(span.begin, done) << seed;
      done = span.begin;
      if (span.end - span.begin == 1) {
        ASSERT_EQ(text[span.begin], whole.text()[at]) << seed;
      }
    }
    // Joints are read as they are written.
    if (text.find_first_of("\"'<\x1b") != std::string::npos) continue;
    ASSERT_EQ(fold_text(fold_characters(text)), whole.text()) << seed << text;
  }
}

}  // namespace
}  // namespace gatehouse::inspect

// What a filter does, case by case. That cuts never matter is inspect_property_test.cc.
#include <gtest/gtest.h>

#include "base/text.h"
#include "inspect/inspect.h"
#include "inspect/property_test_support.h"

namespace gatehouse::inspect {
namespace {

std::string aws_key() {
  return std::string("AKIA") + "QYLPMN5HHHFPZAM2";
}
const std::string key = aws_key();

Categories only(Category category) {
  Categories out;
  out.set(static_cast<std::size_t>(category));
  return out;
}

class FilterTest : public ::testing::Test {
 protected:
  Filtered filter(std::string_view text, Categories redact, bool restore = false,
                  TextForm form = TextForm::plain) {
    return filter_text(scanner, {redact, restore, &placeholders}, form, text);
  }
  std::string redacted(std::string_view text, TextForm form = TextForm::plain) {
    return filter(text, Categories().set(), false, form).text;
  }
  std::string restored(std::string_view text, TextForm form = TextForm::plain) {
    return filter(text, {}, true, form).text;
  }
  std::string rule_of(const Finding& finding) { return scanner.rules().rules()[finding.rule].id; }

  Scanner scanner{testing::builtin_rules()};
  Placeholders placeholders;
};

TEST_F(FilterTest, EqualValuesGetEqualPlaceholders) {
  EXPECT_EQ(redacted("a@corp.com, b@corp.com, a@corp.com; key " + key),
            "[EMAIL_1], [EMAIL_2], [EMAIL_1]; key [CREDENTIAL_1]");
  EXPECT_EQ(redacted("again b@corp.com"), "again [EMAIL_2]");
  EXPECT_EQ(restored("to [EMAIL_2] not [EMAIL_3]"), "to b@corp.com not [EMAIL_3]");
}

TEST_F(FilterTest, ThePlaceholdersOfTheClientAreLeftAlone) {
  placeholders.reserve("the template says [EMAIL_1]");
  EXPECT_EQ(redacted("[EMAIL_1] is a@corp.com"), "[EMAIL_1] is [EMAIL_2]");
  EXPECT_EQ(restored("[EMAIL_1] is [EMAIL_2]"), "[EMAIL_1] is a@corp.com");
}

TEST_F(FilterTest, OnlyTheAskedCategoriesAreReplacedAllAreReported) {
  const std::string text = "a@corp.com uses " + key;
  const Filtered result = filter(text, only(Category::personal));
  EXPECT_EQ(result.text, "[EMAIL_1] uses " + key);
  ASSERT_EQ(result.findings.size(), 2u);
  EXPECT_EQ(rule_of(result.findings[0]), "email");
  EXPECT_EQ(rule_of(result.findings[1]), "aws-access-key-id");
  EXPECT_EQ(result.findings[1].span, (Span{16, 36}));
  EXPECT_TRUE(result.changed);
}

TEST_F(FilterTest, AWatchedFindingDoesNotShieldARedactedOne) {
  // The address holds a key; told to replace addresses, it does.
  const Filtered result = filter("<" + key + "@corp.example.com>", only(Category::personal));
  EXPECT_EQ(result.text, "<[EMAIL_1]>");
  EXPECT_EQ(result.findings.size(), 2u);
}

TEST_F(FilterTest, WhatWasRestoredIsNotLookedAtAgain) {
  const std::string inner = placeholders.placeholder_for("EMAIL", "[IBAN_1] x@corp.com");
  placeholders.placeholder_for("IBAN", "DE89370400440532013000");
  const Filtered result = filter("<" + inner + ">", Categories().set(), true);
  EXPECT_EQ(result.text, "<[IBAN_1] x@corp.com>");
  EXPECT_EQ(result.restored, 1u);
}

TEST_F(FilterTest, WhatWasRedactedInTheSamePassIsNotPutBack) {
  const Filtered result = filter("a@corp.com", Categories().set(), true);
  EXPECT_EQ(result.text, "[EMAIL_1]");
  EXPECT_EQ(result.restored, 0u);
}

TEST_F(FilterTest, APlaceholderInPiecesIsHeldOnlyWhileItCanBeOne) {
  placeholders.placeholder_for("EMAIL", "a@corp.com");
  TextFilter filter(scanner, {{}, true, &placeholders}, TextForm::plain);
  EXPECT_EQ(filter.feed("hi ["), "hi ");
  EXPECT_EQ(filter.held(), 1u);
  EXPECT_EQ(filter.feed("EMA"), "");
  EXPECT_EQ(filter.feed("RK]"), "[EMARK]");
  EXPECT_EQ(filter.feed("[EMAIL_1"), "");
  EXPECT_EQ(filter.feed("] ok"), "a@corp.com ok");
  EXPECT_EQ(filter.finish(), "");
  EXPECT_EQ(filter.restored(), 1u);
}

TEST_F(FilterTest, NothingOfASecretLeavesBeforeItIsWhole) {
  TextFilter filter(scanner, {only(Category::credentials), false, &placeholders}, TextForm::plain);
  std::string out;
  for (const char c : "the key " + key) out += filter.feed({&c, 1});
  EXPECT_EQ(out, "the key ");
  EXPECT_EQ(filter.held(), 20u);
  EXPECT_EQ(filter.feed(" it"), "");  // what may be the other half of a pair
  EXPECT_EQ(filter.feed(" is"), "[CREDENTIAL_1] it ");
}

TEST_F(FilterTest, CharactersLeaveWhole) {
  TextFilter filter(scanner, {{}, false, nullptr}, TextForm::plain);
  EXPECT_EQ(filter.feed("x\xf0\x9f"), "x");
  EXPECT_EQ(filter.feed("\x98"), "");
  EXPECT_EQ(filter.feed("\x80y"), "\xf0\x9f\x98\x80y");
  EXPECT_EQ(filter.feed("\xe2\x82"), "");
  EXPECT_EQ(filter.finish(), "\xe2\x82");  // the input ended there
}

TEST_F(FilterTest, AnEndlessTokenIsNotHeldForEver) {
  TextFilter filter(scanner, {Categories().set(), false, &placeholders}, TextForm::plain);
  std::size_t most = 0;
  filter.feed("token: -----BEGIN PRIVATE KEY-----\n");
  for (int i = 0; i < 3000; ++i) {
    filter.feed("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9");
    most = std::max(most, filter.held());
  }
  EXPECT_LE(most, TextFilter::max_holdback_bytes);
}

TEST_F(FilterTest, FindingsBeyondTheLimitAreCounted) {
  std::string text;
  for (int i = 0; i < 50; ++i) text += "a" + std::to_string(i) + "@corp.com ";
  TextFilter filter(scanner, {Categories().set(), false, &placeholders, nullptr, 10},
                    TextForm::plain);
  const std::string out = filter.feed(text) + filter.finish();
  EXPECT_EQ(filter.findings().size(), 10u);
  EXPECT_EQ(filter.found(), 50u);
  EXPECT_EQ(out.find('@'), std::string::npos);
}

TEST_F(FilterTest, JsonStringsAreDecodedAndTheRestStaysAsItCame) {
  const std::string text =
      "{ \"to\" :\t\"a\\u0040corp.com\", \"n\\/a\": [true,null,-1.50e3, "
      "\"\\u00e9\\ud83d\\ude00\\n\"] }";
  EXPECT_EQ(
      redacted(text, TextForm::json),
      "{ \"to\" :\t\"[EMAIL_1]\", \"n\\/a\": [true,null,-1.50e3, \"\\u00e9\\ud83d\\ude00\\n\"] }");
  EXPECT_EQ(*placeholders.value_of("[EMAIL_1]"), "a@corp.com");
}

TEST_F(FilterTest, RestoredValuesAreEscaped) {
  placeholders.placeholder_for("CREDENTIAL", "say \"hi\"\n\\");
  EXPECT_EQ(restored("{\"x\":\"<[CREDENTIAL_1]>\"}", TextForm::json),
            "{\"x\":\"<say \\\"hi\\\"\\n\\\\>\"}");
  EXPECT_EQ(restored("<[CREDENTIAL_1]>"), "<say \"hi\"\n\\>");
}

TEST_F(FilterTest, ANumberThatIsReplacedBecomesAString) {
  EXPECT_EQ(redacted("{\"card\": 4111111111111111, \"n\": 12}", TextForm::json),
            "{\"card\": \"[CARD_1]\", \"n\": 12}");
  EXPECT_EQ(redacted("[4111111111111111]", TextForm::json), "[\"[CARD_1]\"]");
  EXPECT_EQ(redacted("4111111111111111 ", TextForm::json), "\"[CARD_1]\" ");
}

TEST_F(FilterTest, AKeyIsContextForItsValue) {
  EXPECT_EQ(redacted("{\"password\":\"hunter2\",\"note\":\"hunter2\"}", TextForm::json),
            "{\"password\":\"[CREDENTIAL_1]\",\"note\":\"hunter2\"}");
  EXPECT_EQ(redacted("{\"ssn\":536904399}", TextForm::json), "{\"ssn\":\"[SSN_1]\"}");
}

TEST_F(FilterTest, PositionsInJsonArePositionsInTheInput) {
  const std::string text = "{\"a\\u0062c\":\"\\u0041 x@corp.com\"}";
  const Filtered result = filter(text, Categories().set(), false, TextForm::json);
  ASSERT_EQ(result.findings.size(), 1u);
  const Span span = result.findings[0].span;
  EXPECT_EQ(text.substr(span.begin, span.end - span.begin), "x@corp.com");
}

TEST_F(FilterTest, WhatIsNotJsonIsFilteredAsText) {
  EXPECT_EQ(redacted("write to a@corp.com", TextForm::json), "write to [EMAIL_1]");
  EXPECT_EQ(redacted("{\"a\":1} a@corp.com", TextForm::json), "{\"a\":1} [EMAIL_1]");
  EXPECT_EQ(redacted("{oops a@corp.com", TextForm::json), "{oops [EMAIL_1]");
  EXPECT_EQ(redacted("4111 1111 1111 1111", TextForm::json), "[CARD_1]");
  EXPECT_EQ(redacted("{\"card\": 4111-1111-1111-1111}", TextForm::json), "{\"card\": [CARD_2]}");
  EXPECT_EQ(redacted("{\"a\":\"a@corp.com\"}\n{\"a\":\"b@corp.com\"}", TextForm::json),
            "{\"a\":\"[EMAIL_1]\"}\n{\"a\":\"[EMAIL_2]\"}");
  EXPECT_EQ(redacted(std::string(2000, '[') + "\"a@corp.com\"", TextForm::json),
            std::string(2000, '[') + "\"[EMAIL_1]\"");
}

TEST_F(FilterTest, UnfinishedJsonEndsAsItCame) {
  for (const std::string_view text : {"{\"a\":\"b\\", "{\"a\":\"\\u00", "{\"a\":\"\\ud83d", "[tru",
                                      "[12", "{\"a\"", "[\"x", "\"\\ud83d\\u12"})
    EXPECT_EQ(redacted(text, TextForm::json), text);
}

TEST_F(FilterTest, WhatIsMaskedApartIsNeverRestored) {
  placeholders.placeholder_for("CREDENTIAL", "the client's own");
  placeholders.reserve("[CREDENTIAL_2]");
  Placeholders masks;
  masks.avoid(placeholders);
  const FilterPlan plan{Categories().set(), true, &placeholders, &masks};
  EXPECT_EQ(
      filter_text(scanner, plan, TextForm::plain, key + " [CREDENTIAL_1] [CREDENTIAL_3]").text,
      "[CREDENTIAL_3] the client's own [CREDENTIAL_3]");
  EXPECT_EQ(placeholders.value_of("[CREDENTIAL_3]"), nullptr);
}

TEST_F(FilterTest, WhatIsSparedStaysWhateverTheCuts) {
  const std::string other = "AKIA" + std::string("IOSFODNN7EXAMPLA");
  const std::string words = "please use " + key + " for it";
  Placeholders masks;
  FilterPlan plan{Categories().set(), true, &placeholders, &masks};
  plan.spare = words;
  const std::string text = R"({"mine":")" + key + R"(","other":")" + other + R"("})";
  const auto whole = filter_text(scanner, plan, TextForm::json, text).text;
  EXPECT_NE(whole.find(key), std::string::npos);
  EXPECT_EQ(whole.find(other), std::string::npos);
  for (std::size_t cut = 1; cut < text.size(); ++cut) {
    Placeholders again;
    plan.masks = &again;
    TextFilter filter(scanner, plan, TextForm::json);
    std::string out = filter.feed(text.substr(0, cut));
    out += filter.feed(text.substr(cut));
    EXPECT_EQ(out + filter.finish(), whole) << cut;
  }
}

TEST_F(FilterTest, BothCategoriesAreReportedAndTheirUnionReplaced) {
  const Filtered both = filter("<" + key + "@x.io>", Categories().set());
  EXPECT_EQ(both.text, "<[EMAIL_1]>");
  ASSERT_EQ(both.findings.size(), 2u);
  EXPECT_EQ(filter("<" + key + "@x.io>", only(Category::credentials)).text,
            "<[CREDENTIAL_1]@x.io>");
  // The host of an address is no part of a mail address.
  const Filtered url = filter("postgres://app:s3cr3t9@corp.example.com/db", Categories().set());
  EXPECT_EQ(url.text, "postgres://[CREDENTIAL_2]@corp.example.com/db");
  EXPECT_EQ(restored(url.text), "postgres://app:s3cr3t9@corp.example.com/db");
}

TEST_F(FilterTest, APlaceholderThatIsPutBackIsNotMasked) {
  placeholders.placeholder_for("EMAIL", "a@corp.com");
  const auto both = [&](std::string_view text) {
    return filter(text, Categories().set(), true).text;
  };
  EXPECT_EQ(both("your password is **[EMAIL_1]** ok"), "your password is **a@corp.com** ok");
  EXPECT_EQ(both("password: \"[EMAIL_1]\""), "password: \"a@corp.com\"");
  EXPECT_EQ(both("password: 'S3cr!tX9[EMAIL_1]z'"), "password: '[CREDENTIAL_1]a@corp.comz'");
}

TEST(PlaceholdersTest, ANameTheClientWritesIsRetired) {
  Placeholders placeholders;
  placeholders.placeholder_for("EMAIL", "a@corp.com");
  placeholders.placeholder_for("EMAIL", "b@corp.com");
  placeholders.reserve("what is [EMAIL_1]?");
  EXPECT_EQ(placeholders.value_of("[EMAIL_1]"), nullptr);
  EXPECT_EQ(placeholders.placeholder_for("EMAIL", "a@corp.com"), "[EMAIL_3]");
  EXPECT_EQ(*placeholders.value_of("[EMAIL_3]"), "a@corp.com");
  placeholders.reserve("what is [EMAIL_1]?");
  EXPECT_EQ(placeholders.placeholder_for("EMAIL", "b@corp.com"), "[EMAIL_2]");
  const auto again = Placeholders::parse(*placeholders.serialize());
  ASSERT_TRUE(again);
  EXPECT_EQ(*again->value_of("[EMAIL_3]"), "a@corp.com");
}

TEST(PlaceholdersTest, ParseRefusesWhatSerializeDidNotWrite) {
  Placeholders placeholders;
  placeholders.reserve("[CARD_1]");
  placeholders.placeholder_for("EMAIL", std::string("a\0\xff", 3));
  const std::string good = *placeholders.serialize();
  const auto again = Placeholders::parse(good);
  ASSERT_TRUE(again);
  EXPECT_EQ(*again->value_of("[EMAIL_1]"), std::string("a\0\xff", 3));
  Placeholders next = *again;
  EXPECT_EQ(next.placeholder_for("CARD", "1"), "[CARD_2]");
  EXPECT_EQ(next.placeholder_for("EMAIL", "other"), "[EMAIL_2]");
  for (const std::string& bad :
       {std::string(), std::string("{}"), good + " ", good.substr(1), std::string("[]"),
        std::string(R"({"version":2,"placeholders":[],"reserved":[]})"),
        std::string(R"({"version":1,"placeholders":[["EMAIL_1",""]],"reserved":[]})"),
        std::string(R"({"version":1,"placeholders":[["[EMAIL_1]","?"]],"reserved":[]})"),
        std::string(R"({"version":1,"placeholders":[],"reserved":["x"]})")})
    EXPECT_FALSE(Placeholders::parse(bad)) << bad;
  EXPECT_TRUE(Placeholders::parse(R"({"version":1,"placeholders":[],"reserved":[]})"));
}

}  // namespace
}  // namespace gatehouse::inspect

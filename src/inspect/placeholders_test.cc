// Placeholders as models write them: put back in all of these ways, in whole texts and in streams
// cut anywhere, and never where the client itself wrote them.
#include "inspect/placeholders.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/json.h"
#include "base/text.h"
#include "inspect/inspect.h"
#include "inspect/property_test_support.h"

namespace gatehouse::inspect {
namespace {

constexpr const char* written_ways[] = {"[EMAIL_1]",     "[email_1]",      "[Email_1]",
                                        "[Email 1]",     "[email-1]",      "[EMAIL\\_1]",
                                        "[EMAIL\\\\_1]", "[EMAIL\\-1]",    "\\[EMAIL\\_1\\]",
                                        "\\[email 1\\]", "\\[EMAIL_1\\\\]"};
constexpr const char* other_texts[] = {
    "EMAIL_1",     "[EMAIL_1",    "[EMAIL__1]",      "[EMAIL1]",        "[ EMAIL_1]",
    "[EMAIL_1 ]",  "[EMAIL_01]",  "[EMAIL_2]",       "(EMAIL_1)",       "[EMAIL_1\\]",
    "[EM\\AIL_1]", "[EMAIL\\ 1]", "[EMAIL\\\\\\_1]", "[\xc3\x89MAIL_1]"};

Placeholders known() {
  Placeholders placeholders;
  placeholders.placeholder_for("EMAIL", "ada@corp.example");
  placeholders.placeholder_for("DATE_OF_BIRTH", "1815-12-10 \"\\");
  return placeholders;
}

std::string restored(std::string_view text, TextForm form = TextForm::plain,
                     Placeholders placeholders = known()) {
  Scanner scanner(testing::builtin_rules());
  return filter_text(scanner, {{}, true, &placeholders}, form, text).text;
}

TEST(WrittenPlaceholders, ArePutBackHoweverTheyAreWritten) {
  for (const std::string written : written_ways)
    EXPECT_EQ(restored("to " + written + "."), "to ada@corp.example.") << written;
  for (const std::string written :
       {"[DATE_OF_BIRTH_1]", "[Date of birth 1]", "[DATE\\_OF\\_BIRTH\\_1]", "[date-of-birth-1]"})
    EXPECT_EQ(restored("on " + written), "on 1815-12-10 \"\\") << written;
}

TEST(WrittenPlaceholders, OtherTextsStayAsTheyAre) {
  for (const std::string text : other_texts) EXPECT_EQ(restored(text), text);
}

// What the client wrote there was a path.
TEST(WrittenPlaceholders, ABackslashBeforeOneStays) {
  EXPECT_EQ(restored("C:\\Users\\[EMAIL_1]\\Desktop"), "C:\\Users\\ada@corp.example\\Desktop");
}

TEST(WrittenPlaceholders, InArgumentsOfTools) {
  EXPECT_EQ(restored(R"({"to":"[EMAIL\\_1]","born":"\\[date of birth 1\\]","x":"[EMAIL\u005f1]"})",
                     TextForm::json),
            R"({"to":"ada@corp.example","born":"1815-12-10 \"\\","x":"ada@corp.example"})");
}

TEST(WrittenPlaceholders, AreNotRedactedAgain) {
  Scanner scanner(testing::builtin_rules());
  Placeholders placeholders = known();
  Placeholders masks;
  masks.avoid(placeholders);
  const FilterPlan plan{Categories().set(), true, &placeholders, &masks};
  EXPECT_EQ(filter_text(scanner, plan, TextForm::plain, "your password is [Email 1] ok").text,
            "your password is ada@corp.example ok");
}

TEST(WrittenPlaceholders, WhatTheClientWritesInAnyWayIsNone) {
  for (const std::string written : written_ways) {
    Placeholders placeholders;
    placeholders.reserve("the template says " + written);
    EXPECT_EQ(placeholders.placeholder_for("EMAIL", "ada@corp.example"), "[EMAIL_2]") << written;
    for (const std::string way : written_ways)
      EXPECT_EQ(restored(way, TextForm::plain, placeholders), way);
    Placeholders later = known();
    later.reserve(json_string(written));
    EXPECT_EQ(later.value_of("[EMAIL_1]"), nullptr) << written;
  }
}

TEST(WrittenPlaceholders, WhatTheClientWritesInEscapesIsNone) {
  for (const std::string_view text :
       {R"({"to":"\u005bEMAIL_1\u005d"})", R"({"to":"[EMAIL\\_1]"})",
        R"({"to":"[\u0045MAIL\u005F1]"})", R"("{\"to\":\"\\u005bEMAIL_1]\"}")"}) {
    Placeholders placeholders = known();
    placeholders.reserve(text);
    EXPECT_EQ(placeholders.value_of("[EMAIL_1]"), nullptr) << text;
  }
}

TEST(WrittenPlaceholders, AStreamHoldsOnlyWhatCanBecomeOne) {
  Scanner scanner(testing::builtin_rules());
  Placeholders placeholders = known();
  TextFilter filter(scanner, {{}, true, &placeholders}, TextForm::plain);
  EXPECT_EQ(filter.feed("see [e"), "see ");
  EXPECT_EQ(filter.feed("xample"), "[example");
  EXPECT_EQ(filter.feed("](u) [Date of"), "](u) ");
  EXPECT_EQ(filter.feed(" day"), "[Date of day");
  EXPECT_EQ(filter.feed(" \\"), " ");
  EXPECT_EQ(filter.feed("\\["), "");
  EXPECT_EQ(filter.feed("x"), "\\\\[x");
  EXPECT_EQ(filter.feed("\\[Email\\"), "");
  EXPECT_EQ(filter.feed("_1\\"), "");
  EXPECT_EQ(filter.feed("]!"), "ada@corp.example!");
  EXPECT_EQ(filter.feed("\\\\\\\\\\\\ "), "\\\\\\\\\\\\ ");
  EXPECT_EQ(filter.finish(), "");
}

TEST(WrittenPlaceholders, SerializedFormIsBounded) {
  Placeholders placeholders;
  placeholders.placeholder_for("CREDENTIAL", std::string(Placeholders::max_serialized / 2, 'x'));
  ASSERT_TRUE(placeholders.serialize());
  EXPECT_TRUE(Placeholders::parse(*placeholders.serialize()));
  placeholders.placeholder_for("CREDENTIAL", std::string(Placeholders::max_serialized / 2, 'y'));
  const auto refused = placeholders.serialize();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::resource_exhausted);
}

// A text of placeholders, pieces of them and what looks like them.
rc::Gen<std::string> likely_texts() {
  const auto piece = rc::gen::oneOf(
      rc::gen::map(rc::gen::elementOf(
                       std::vector<std::string>(std::begin(written_ways), std::end(written_ways))),
                   [](std::string text) { return text; }),
      rc::gen::elementOf(std::vector<std::string>(std::begin(other_texts), std::end(other_texts))),
      rc::gen::elementOf(std::vector<std::string>{"[", "]", "\\", "_", "1", "E", "e", "[EMAIL", " ",
                                                  "\\[", "\\]", "[date of", " birth 1]",
                                                  "x@corp.com", "password: ", "\xc3\xa9"}));
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(piece),
                      [](const std::vector<std::string>& pieces) {
                        std::string text;
                        for (const auto& one : pieces) text += one;
                        return text;
                      });
}

std::string streamed(Scanner& scanner, const FilterPlan& plan, TextForm form, std::string_view text,
                     const std::vector<std::size_t>& sizes) {
  TextFilter filter(scanner, plan, form);
  std::string out;
  for (std::size_t turn = 0; !text.empty(); ++turn) {
    const auto size = sizes.empty() ? 1 : std::min(text.size(), 1 + sizes[turn % sizes.size()] % 7);
    out += filter.feed(text.substr(0, size));
    RC_ASSERT(filter.held() <= TextFilter::max_holdback_bytes);
    text.remove_prefix(size);
  }
  return out + filter.finish();
}

RC_GTEST_PROP(WrittenPlaceholdersProperty, CutsDoNotMatter, (bool json, bool redact)) {
  static Scanner scanner(testing::builtin_rules());
  const auto text = *likely_texts();
  const auto sizes = *rc::gen::arbitrary<std::vector<std::size_t>>();
  const std::string input = json ? "{\"a\":" + json_string(text) + "}" : text;
  const auto form = json ? TextForm::json : TextForm::plain;
  Placeholders placeholders = known();
  Placeholders masks;
  masks.avoid(placeholders);
  Placeholders other_masks = masks;
  const auto categories = redact ? Categories().set() : Categories();
  const auto whole =
      filter_text(scanner, {categories, true, &placeholders, &masks}, form, input).text;
  RC_ASSERT(streamed(scanner, {categories, true, &placeholders, &other_masks}, form, input,
                     sizes) == whole);
}

RC_GTEST_PROP(WrittenPlaceholdersProperty, NothingOfTheClientsOwnIsPutBack, ()) {
  static Scanner scanner(testing::builtin_rules());
  const auto text = *likely_texts();
  Placeholders placeholders;
  placeholders.reserve(text);
  placeholders.placeholder_for("EMAIL", "ada@corp.example");
  placeholders.placeholder_for("DATE_OF_BIRTH", "1815-12-10");
  RC_ASSERT(filter_text(scanner, {{}, true, &placeholders}, TextForm::plain, text).text == text);
}

RC_GTEST_PROP(WrittenPlaceholdersProperty, AnyTextIsReadOrNot, (const std::string& text)) {
  const auto written = read_placeholder("[" + text);
  RC_ASSERT(written.length <= text.size() + 1);
  RC_ASSERT(written.length == 0 || placeholder_length(written.name) == written.name.size());
  RC_ASSERT(written.length <= most_written_for_each * written.name.size());
}

TEST(Placeholders, BeginWhereTheyAreToldTo) {
  Placeholders placeholders;
  placeholders.begin_at(700'000'000);
  EXPECT_EQ(placeholders.placeholder_for("EMAIL", "ada@example.org"), "[EMAIL_700000000]");
  EXPECT_EQ(placeholders.placeholder_for("EMAIL", "bob@example.org"), "[EMAIL_700000001]");
  EXPECT_EQ(placeholders.placeholder_for("CARD", "1"), "[CARD_700000000]");
}

}  // namespace
}  // namespace gatehouse::inspect

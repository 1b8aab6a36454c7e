// Dictionaries: what is the same value, what their files hold, and that streams find the same.
#include "inspect/dictionary.h"

#include <gtest/gtest.h>

#include "inspect/detector_test_support.h"
#include "inspect/rule_set.h"

namespace gatehouse::inspect {
namespace {

const std::vector<std::string> customers = {"Ada Lovelace",
                                            "O'Brien, Charles",
                                            "ACME-Rocket GmbH & Co. KG",
                                            "12-345 678",
                                            "DE4711-0815",
                                            "Müller",
                                            "ab",
                                            "1234",
                                            ""};

crypto::Digest key() {
  return dictionary_key("a secret of this deployment");
}

std::string customers_file() {
  SeededRandom random(7);
  const auto built =
      build_dictionary(customers, {"customers", "CUSTOMER", Category::custom, 1e-3}, key(), random);
  EXPECT_TRUE(built);
  EXPECT_EQ(built->values, 6u);
  EXPECT_EQ(built->skipped, 3u);
  return built->file;
}

std::shared_ptr<const Dictionary> customers_dictionary() {
  const auto dictionary = Dictionary::parse(customers_file(), key());
  EXPECT_TRUE(dictionary);
  return *dictionary;
}

// A set is never empty: a rule that finds nothing here.
const std::vector<std::pair<std::string, std::string>> one_rule = {
    {"x.yaml",
     "category: personal\nrules:\n  - {id: x, kind: X, description: x, pattern: 'qqqq[0-9]', "
     "p_value: 0.1, examples: {match: [qqqq1], no_match: [ab]}}\n"}};

std::vector<std::string> found_in(const std::string& text) {
  RuleSetOptions options;
  options.dictionaries = {customers_dictionary()};
  const auto set = RuleSet::parse(one_rule, options);
  EXPECT_TRUE(set);
  Scanner scanner(*set);
  std::vector<std::string> found;
  for (const Finding& finding : scanner.scan(text))
    if ((*set)->rules()[finding.rule].id == "dictionary-customers")
      found.push_back(text.substr(finding.span.begin, finding.span.end - finding.span.begin));
  return found;
}

TEST(Dictionary, NormalForms) {
  EXPECT_EQ(normal_form("O'Brien,  Charles"), "o brien charles");
  EXPECT_EQ(normal_form("12-345 678"), "12345678");
  EXPECT_EQ(normal_form("1234"), "");
  EXPECT_EQ(normal_form("abc"), "");
  EXPECT_EQ(normal_form("a b c d e f g"), "");
  EXPECT_EQ(normal_form(std::string(200, 'a')), "");
}

TEST(Dictionary, ValuesAreFoundHoweverTheyAreWritten) {
  using Strings = std::vector<std::string>;
  EXPECT_EQ(found_in("write to Ada Lovelace today"), Strings{"Ada Lovelace"});
  EXPECT_EQ(found_in("ADA_LOVELACE, ada-lovelace"), (Strings{"ADA_LOVELACE", "ada-lovelace"}));
  EXPECT_EQ(found_in("o brien charles"), Strings{"o brien charles"});
  EXPECT_EQ(found_in("acme rocket gmbh & co. kg"), Strings{"acme rocket gmbh & co. kg"});
  EXPECT_EQ(found_in("no 12345678, 1234-5678"), (Strings{"12345678", "1234-5678"}));
  EXPECT_EQ(found_in("DE47110815 DE4711 0815"), Strings{"DE4711 0815"});
}

TEST(Dictionary, NothingElseIs) {
  for (const std::string text :
       {"Ada", "Lovelace Ada", "Ada\nLovelace", "Ada      Lovelace", "Adam Lovelace",
        "Ada Lovelaces", "112345678", "123456789", "1234", "ab", "xAda Lovelace"})
    EXPECT_TRUE(found_in(text).empty()) << text;
}

TEST(Dictionary, StreamsFindTheSame) {
  const auto detector = make_dictionary_detector(customers_dictionary());
  const std::string text =
      "Ada Lovelace and ada lovelace ada; 12 34 56 78 90 12345678 Müller's DE4711 0815\n" +
      std::string(300, 'x') + " acme rocket gmbh & co. kg, O'Brien Charles 1 2 3 4 5 6 7 8";
  const auto whole = find_all(*detector, text);
  EXPECT_GE(whole.size(), 7u);
  for (std::size_t step = 1; step < 90; ++step) {
    const auto streamed = testing::find_streamed(*detector, text, step);
    ASSERT_EQ(streamed.size(), whole.size()) << step;
    for (std::size_t i = 0; i < whole.size(); ++i) {
      EXPECT_EQ(streamed[i].begin, whole[i].begin) << step;
      EXPECT_EQ(streamed[i].end, whole[i].end) << step;
    }
  }
}

TEST(Dictionary, TheFileHoldsNoValue) {
  std::string file = customers_file();
  for (const std::string_view word : {"Ada", "ada", "lovelace", "brien", "12345678", "4711"})
    EXPECT_EQ(file.find(word), std::string::npos) << word;
}

TEST(Dictionary, AnotherKeyAndAChangedFileAreRefused) {
  const std::string file = customers_file();
  EXPECT_FALSE(Dictionary::parse(file, dictionary_key("another")));
  EXPECT_FALSE(Dictionary::parse(file.substr(0, file.size() - 1), key()));
  EXPECT_FALSE(Dictionary::parse(file + "x", key()));
  EXPECT_FALSE(Dictionary::parse("", key()));
  EXPECT_FALSE(Dictionary::parse("{}\n", key()));
}

TEST(Dictionary, IsPartOfTheDigestOfTheRules) {
  RuleSetOptions options;
  options.dictionaries = {customers_dictionary()};
  const auto with = RuleSet::parse(one_rule, options);
  const auto without = RuleSet::parse(one_rule, false);
  ASSERT_TRUE(with && without);
  EXPECT_NE((*with)->digest(), (*without)->digest());
}

}  // namespace
}  // namespace gatehouse::inspect

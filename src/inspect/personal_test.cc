// Personal data: how many kinds and countries there are, which rules only some places want, and
// what must hold for rules that are on everywhere.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "inspect/property_test_support.h"
#include "inspect/rule_set.h"
#include "inspect/wallets.h"

namespace gatehouse::inspect {
namespace {

// Countries as the rules' names begin with them; two may share a rule.
const std::set<std::string> countries = {
    "us", "de", "nl", "be", "pl", "pt", "dk", "uk", "ca", "br", "in", "za", "au", "at", "ro", "bg",
    "it", "fr", "se", "fi", "no", "cn", "ch", "tr", "kr", "sg", "th", "cz", "es", "ee", "lt", "lv",
    "si", "rs", "hr", "hu", "gr", "ie", "is", "lu", "cy", "ua", "ru", "kz", "md", "il", "ae", "sa",
    "kw", "ir", "jp", "tw", "hk", "mx", "ar", "cl", "co", "pe", "ec", "uy", "ve", "do", "nz"};

std::vector<const RuleSource*> personal_rules() {
  std::vector<const RuleSource*> rules;
  for (const auto& rule : testing::builtin_rules()->impl().compiled)
    if (rule->source().rule.category == Category::personal) rules.push_back(&rule->source());
  return rules;
}

// Checks of form, which other rules use too, count for no kind.
bool checks_a_kind(const RuleSource& rule) {
  return rule.validator != nullptr && rule.validator != find_validator("document_number") &&
         rule.validator != find_validator("token") && rule.rule.kind != "PHONE";
}

TEST(PersonalData, SixtyKindsAndMoreHaveValidatorsOfTheirOwn) {
  std::set<Validator> kinds;
  for (const RuleSource* rule : personal_rules())
    if (checks_a_kind(*rule)) kinds.insert(rule->validator);
  EXPECT_GE(kinds.size(), 100u);
}

TEST(PersonalData, NumbersOfThirtyCountriesAndMoreHaveTheirCheckDigits) {
  const std::set<std::string> of_states = {"NATIONAL_ID", "TAX_ID", "SSN", "HEALTH_ID"};
  std::set<std::string> found;
  for (const RuleSource* rule : personal_rules()) {
    if (!of_states.contains(rule->rule.kind) || !checks_a_kind(*rule)) continue;
    std::string_view name = rule->rule.id;
    while (name.size() > 3 && name[2] == '-' &&
           countries.contains(std::string(name.substr(0, 2)))) {
      found.insert(std::string(name.substr(0, 2)));
      name.remove_prefix(3);
    }
  }
  EXPECT_GE(found.size(), 55u);
}

// Whoever runs in no particular place has only rules that are seldom wrong: p below 1e-3, or a
// word is demanded, or the number's own separators are half of the evidence. A payment card is
// worth its price.
TEST(PersonalData, WeakRulesAreOnlyOnWhereTheyAreWanted) {
  const auto everywhere = RuleSet::builtin();
  ASSERT_TRUE(everywhere);
  for (const auto& rule : (*everywhere)->impl().compiled) {
    const RuleSource& source = rule->source();
    if (source.rule.category != Category::personal) continue;
    EXPECT_TRUE(source.locales.empty()) << source.rule.id;
    EXPECT_TRUE(source.rule.p_value <= 1e-3 || source.context_required ||
                source.rule.id == "payment-card")
        << source.rule.id;
  }
}

std::size_t found_with(const RuleSetOptions& options, const std::string& text) {
  const auto set = RuleSet::builtin(options);
  EXPECT_TRUE(set);
  return set ? Scanner(*set).scan(text).size() : 0;
}

TEST(Locales, BringTheirRulesAndChangeTheDigest) {
  const std::string text = "ring 12345678Z or so";
  RuleSetOptions options;
  EXPECT_EQ(found_with(options, text), 0u);
  options.locales = {"fr"};
  EXPECT_EQ(found_with(options, text), 0u);
  options.locales = {"fr", "es"};
  EXPECT_EQ(found_with(options, text), 1u);
  const auto some = RuleSet::builtin(options);
  const auto none = RuleSet::builtin();
  ASSERT_TRUE(some && none);
  EXPECT_NE((*some)->digest(), (*none)->digest());
}

TEST(Locales, AreKnownAndReadAsPeopleWriteThem) {
  const auto set = RuleSet::builtin();
  ASSERT_TRUE(set);
  const std::vector<std::string>& known = (*set)->locales();
  EXPECT_TRUE(std::ranges::is_sorted(known));
  for (const char* locale : {"de", "gb", "us"})
    EXPECT_TRUE(std::ranges::binary_search(known, locale)) << locale;
  EXPECT_EQ(read_locale("DE"), "de");
  EXPECT_EQ(read_locale("UK"), "gb");
  EXPECT_EQ(read_locale("deu"), std::nullopt);
  EXPECT_EQ(read_locale("d3"), std::nullopt);
}

TEST(Locales, AreTwoSmallLetters) {
  const std::vector<std::pair<std::string, std::string>> files = {
      {"x.yaml",
       "category: personal\nlocale: Germany\nrules:\n  - {id: x, kind: X, description: x, pattern: "
       "'ab[0-9]', p_value: 0.1, examples: {match: [ab1], no_match: [ab]}}\n"}};
  const auto set = RuleSet::parse(files, true);
  ASSERT_FALSE(set);
  EXPECT_NE(set.error().describe().find("ISO 3166"), std::string::npos);
}

TEST(ContextWords, SeparatorsAndCapitalsDoNotMatter) {
  Scanner scanner(testing::builtin_rules());
  for (const std::string name : {"date of birth", "date_of_birth", "dateOfBirth", "DATE-OF-BIRTH",
                                 "DateOfBirth", "Дата рождения", "ДАТА РОЖДЕНИЯ"})
    EXPECT_EQ(scanner.scan("\"" + name + "\": \"31.01.1990\"").size(), 1u) << name;
  EXPECT_EQ(scanner.scan("update of birthmark 31.01.1990").size(), 0u);
}

TEST(Wallets, PublishedChecksums) {
  const auto empty = keccak256_short("");
  EXPECT_EQ(empty[0], 0xc5);
  EXPECT_EQ(empty[31], 0x70);
  EXPECT_TRUE(ethereum_checksum("0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"));
  EXPECT_FALSE(ethereum_checksum("0xfb6916095ca1df60bB79Ce92cE3Ea74c37c5d359"));
  EXPECT_TRUE(base58_check("1BoatSLRHtKNngkdXEeobR76b53LETtpyT", false));
  EXPECT_FALSE(base58_check("1BoatSLRHtKNngkdXEeobR76b53LETtpyU", false));
  EXPECT_FALSE(base58_check(std::string(400, 'z'), false));
}

}  // namespace
}  // namespace gatehouse::inspect

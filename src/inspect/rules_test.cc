// The built-in rules: their examples and limits; what the loader refuses; many threads on one set.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <set>
#include <thread>

#include "base/file.h"
#include "base/text.h"
#include "inspect/property_test_support.h"
#include "inspect/rule_set.h"

namespace gatehouse::inspect {
namespace {

std::string rules_folder() {
  return GATEHOUSE_SOURCE_DIR "/rules";
}

TEST(BuiltinRules, EveryExampleHolds) {
  RuleSetOptions options;
  options.all_locales = true;
  options.run_examples = true;
  const auto set = RuleSet::load(rules_folder(), options);
  ASSERT_TRUE(set) << set.error().describe();
  EXPECT_GE((*set)->rules().size(), 150u);
}

TEST(BuiltinRules, AreTheFilesOfTheFolder) {
  const auto loaded = RuleSet::load(rules_folder(), false);
  ASSERT_TRUE(loaded) << loaded.error().describe();
  const auto builtin = RuleSet::builtin();
  ASSERT_TRUE(builtin);
  EXPECT_EQ((*loaded)->digest(), (*builtin)->digest());
}

TEST(BuiltinRules, WeakNumbersNeedAWordOrTheirOwnSeparators) {
  // A rule for nothing but digits, whose check passes one in ten, demands context.
  const std::set<std::string> strong = {"payment-card",         "cn-resident-id", "no-birth-number",
                                        "tr-identity",          "fr-nir",         "ch-ahv",
                                        "it-health-card-number"};
  for (const auto& rule : testing::builtin_rules()->impl().compiled) {
    const RuleSource& source = rule->source();
    if (source.rule.category != Category::personal || source.context_required) continue;
    const bool all_digits = RE2::FullMatch("123456789", to_regex(source.pattern, false)) ||
                            RE2::FullMatch("1234567890", to_regex(source.pattern, false)) ||
                            RE2::FullMatch("12345678901", to_regex(source.pattern, false)) ||
                            RE2::FullMatch("2234567890123", to_regex(source.pattern, false));
    EXPECT_TRUE(!all_digits || strong.contains(source.rule.id)) << source.rule.id;
  }
}

TEST(BuiltinRules, OrdinaryTextHasNoCredentials) {
  // The licences and documents that stand on every Debian machine.
  Scanner scanner(testing::builtin_rules());
  std::size_t bytes = 0;
  std::size_t found = 0;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator("/usr/share/common-licenses", error)) {
    const auto text = read_file(entry.path());
    if (!text) continue;
    bytes += text->size();
    for (const Finding& finding : scanner.scan(*text))
      found += finding.category == Category::credentials;
  }
  if (bytes == 0) GTEST_SKIP() << "no /usr/share/common-licenses on this machine";
  EXPECT_EQ(found, 0u);
}

// Pieces of a rule's first example that, repeated, begin matches as densely as they can.
std::vector<std::string> dense_pieces(const Example& example) {
  const Span span = example.span.value_or(Span{0, example.text.size()});
  std::vector<std::string> pieces = {example.text.substr(0, 48)};
  if (span.begin > 0) pieces.push_back(example.text.substr(0, span.begin));
  for (const std::size_t size : {4u, 8u, 24u})
    pieces.push_back(example.text.substr(span.begin, size));
  return pieces;
}

TEST(BuiltinRules, NoTextIsSlowToScan) {
  constexpr std::size_t size = 16 * 1024;
  std::set<std::string> pieces = {"token=", "access_token=ab12cd34&refresh_token=zz91&",
                                  "aws_session_token=", "'a@a.a", "bearer bearer=aaaaaaaaaaaaaaaa"};
  for (const auto& rule : testing::builtin_rules()->impl().compiled)
    for (std::string& piece : dense_pieces(rule->source().must_match[0])) pieces.insert(piece);
  Scanner scanner(testing::builtin_rules());
  for (const std::string& piece : pieces) {
    std::string text;
    while (text.size() < size) text += piece;
    const double taken = testing::processor_seconds([&] { scanner.scan(text); });
    // Ten times what it takes, and a third of what one regular expression too many takes.
    EXPECT_LT(taken, 0.75 * static_cast<double>(8 / testing::tries(8))) << piece;
  }
}

TEST(BuiltinRules, AnAddressAroundACredentialDoesNotHideIt) {
  const auto rules = testing::builtin_rules();
  Scanner scanner(rules);
  const auto credentials = [&](const std::string& text) {
    std::vector<Span> spans;
    for (const Finding& finding : scanner.scan(text))
      if (finding.category == Category::credentials) spans.push_back(finding.span);
    return spans;
  };
  for (const auto& rule : rules->impl().compiled) {
    if (rule->source().rule.category != Category::credentials) continue;
    for (const Example& example : rule->source().must_match) {
      if (!example.span || example.span->end != example.text.size()) continue;
      const auto spans = credentials(example.text + "@x.io");
      const bool still = std::any_of(spans.begin(), spans.end(), [&](const Span& span) {
        return span.begin <= example.span->begin && span.end >= example.span->end;
      });
      EXPECT_TRUE(still) << rule->source().rule.id;
    }
  }
}

TEST(RuleSetThreads, ManyScannersOfOneFreshSet) {
  // Regular expressions are compiled at first use, by whoever comes first.
  const auto set = RuleSet::builtin();
  ASSERT_TRUE(set);
  const std::string text =
      "my password is hunter2, mail a@corp.com, card 4111 1111 1111 1111, ssn 536904399";
  Categories redacted;
  for (const Category category : {Category::credentials, Category::personal})
    redacted.set(static_cast<std::size_t>(category));
  std::vector<std::thread> threads;
  std::vector<std::string> results(4);
  for (std::string& result : results) {
    threads.emplace_back([&set, &result, &text, redacted] {
      Scanner scanner(*set);
      for (int i = 0; i < 20; ++i) {
        Placeholders placeholders;
        TextFilter filter(scanner, {redacted, false, &placeholders}, TextForm::plain);
        result.clear();
        for (const char c : text) result += filter.feed({&c, 1});
        result += filter.finish();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& result : results)
    EXPECT_EQ(result, "my password is [CREDENTIAL_1], mail [EMAIL_1], card [CARD_1], ssn [SSN_1]");
}

// ── the loader ───────────────────────────────────────────────────────────────────────────────────

std::string rule_file(const std::string& change_from = "", const std::string& change_to = "") {
  std::string text =
      "category: credentials\n"
      "rules:\n"
      "  - id: acme-key\n"
      "    kind: CREDENTIAL\n"
      "    description: Acme key\n"
      "    pattern: 'acme_[a-z]{8}'\n"
      "    p_value: 1e-6\n"
      "    examples:\n"
      "      match: ['x «acme_abcdefgh» y']\n"
      "      no_match: ['acme_abc']\n";
  if (const std::size_t at = text.find(change_from);
      !change_from.empty() && at != std::string::npos)
    text.replace(at, change_from.size(), change_to);
  return text;
}

std::string error_of(const std::string& yaml) {
  const std::vector<std::pair<std::string, std::string>> files = {{"acme.yaml", yaml}};
  const auto set = RuleSet::parse(files, true);
  return set ? "loaded" : set.error().describe();
}

TEST(RuleFiles, AGoodOneLoads) {
  EXPECT_EQ(error_of(rule_file()), "loaded");
}

TEST(RuleFiles, ErrorsNameFileLineAndRule) {
  const auto expect_error = [](const std::string& from, const std::string& to,
                               const std::string& needle) {
    const std::string error = error_of(rule_file(from, to));
    EXPECT_NE(error.find("acme.yaml:"), std::string::npos) << error;
    EXPECT_NE(error.find(needle), std::string::npos) << error;
  };
  expect_error("acme_[a-z]{8}", "acme_[a-z", "missing ']'");
  expect_error("acme_[a-z]{8}", "^acme", "before:");
  expect_error("acme_[a-z]{8}", "a?", "fewer than two bytes");
  expect_error("p_value: 1e-6", "p_value: 2", "at most 1");
  expect_error("    p_value: 1e-6\n", "", "p_value");
  expect_error("kind: CREDENTIAL", "kind: credential", "capitals");
  expect_error("id: acme-key", "id: Acme Key", "lower-case");
  expect_error("p_value: 1e-6", "p_value: 1e-6\n    validator: nonsense", "unknown validator");
  expect_error("p_value: 1e-6", "p_value: 1e-6\n    validatr: luhn", "validatr");
  expect_error("p_value: 1e-6", "p_value: 1e-6\n    context: {words: []}", "needs words");
  expect_error("p_value: 1e-6", "p_value: 1e-6\n    before: nowhere", "one character class");
  expect_error("match: ['x «acme_abcdefgh» y']", "match: []", "needs an example");
  expect_error("x «acme_abcdefgh»", "«x acme_abcdefgh»", "is found at");
  expect_error("'acme_abc'", "'acme_abcdefgh'", "no_match example 1 is found");
  expect_error("x «acme_abcdefgh» y", "nothing", "match example 1 is not found");
  expect_error("x «acme_abcdefgh» y", "{{nonsense:3}}", "unknown template");
  expect_error("x «acme_abcdefgh» y", "{{alnum:3", "does not close");
  expect_error("category: credentials", "category: secrets", "unknown category");
  EXPECT_NE(error_of(rule_file("p_value: 1e-6", "p_value: 2")).find("rule 'acme-key'"),
            std::string::npos);
}

TEST(RuleFiles, TwoRulesOfOneIdAreRefused) {
  const std::vector<std::pair<std::string, std::string>> files = {{"a.yaml", rule_file()},
                                                                  {"b.yaml", rule_file()}};
  const auto set = RuleSet::parse(files, false);
  ASSERT_FALSE(set);
  EXPECT_NE(set.error().describe().find("b.yaml:3"), std::string::npos) << set.error().describe();
}

// ── a folder beside the built-in rules ───────────────────────────────────────────────────────────

Result<std::shared_ptr<const RuleSet>> extended(const std::string& head, const std::string& rules) {
  const std::vector<std::pair<std::string, std::string>> files = {{"acme.yaml", head + rules}};
  return RuleSet::parse(files, false);
}

TEST(RuleFiles, AFolderMayExtendTheBuiltInRules) {
  const auto builtin = RuleSet::builtin();
  ASSERT_TRUE(builtin);
  const auto set =
      extended("extends: builtin\n", rule_file("category: credentials", "category: custom"));
  ASSERT_TRUE(set) << set.error().describe();
  EXPECT_EQ((*set)->rules().size(), (*builtin)->rules().size() + 1);
  EXPECT_NE((*set)->digest(), testing::builtin_rules()->digest());
  Scanner scanner(*set);
  const auto findings = scanner.scan("acme_abcdefgh, mail ada@corp.com");
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_EQ(findings[0].category, Category::custom);
  EXPECT_EQ(findings[1].category, Category::personal);
}

TEST(RuleFiles, ABuiltInRuleCanBeSwitchedOffAndReplaced) {
  const auto off = extended("extends: builtin\ndisable: [email]\n", "");
  ASSERT_TRUE(off) << off.error().describe();
  EXPECT_EQ(Scanner(*off).scan("mail ada@corp.com").size(), 0u);
  const auto own = extended("extends: builtin\ndisable: [email]\n", rule_file("acme-key", "email"));
  ASSERT_TRUE(own) << own.error().describe();
  EXPECT_EQ(Scanner(*own).scan("mail ada@corp.com or acme_abcdefgh").size(), 1u);
}

TEST(RuleFiles, ExtendingIsStrict) {
  const auto error = [](const std::string& head, const std::string& rules) {
    const auto set = extended(head, rules);
    return set ? "loaded" : set.error().describe();
  };
  EXPECT_NE(error("extends: builtin\n", rule_file("acme-key", "email")).find("defined twice"),
            std::string::npos);
  EXPECT_EQ(error("extends: builtin\ndisable: [email, emial]\n", ""),
            "acme.yaml:2: disable[1]: there is no built-in rule 'emial'");
  EXPECT_NE(error("disable: [email]\n", rule_file()).find("extends: builtin"), std::string::npos);
  EXPECT_NE(error("extends: presidio\n", rule_file()).find("'builtin'"), std::string::npos);
}

TEST(RuleFiles, NoRulesIsAnError) {
  EXPECT_NE(error_of("category: personal\nrules: []\n").find(".yaml: there are no rules"),
            std::string::npos);
  EXPECT_FALSE(RuleSet::load("/nonexistent", false));
}

TEST(RuleFiles, ACustomRuleIsUsedLikeABuiltInOne) {
  const std::vector<std::pair<std::string, std::string>> files = {
      {"acme.yaml", rule_file("p_value: 1e-6",
                              "p_value: 1e-6\n    context: {words: [acme, key], required: true}")}};
  const auto set = RuleSet::parse(files, false);
  ASSERT_TRUE(set) << set.error().describe();
  Scanner scanner(*set);
  EXPECT_EQ(scanner.scan("the key acme_abcdefgh").size(), 1u);
  EXPECT_EQ(scanner.scan("the monkey acme_abcdefgh").size(), 0u);
  EXPECT_EQ(scanner.scan("key" + std::string(70, ' ') + "acme_abcdefgh").size(), 0u);
}

TEST(RuleFiles, ExamplesAreTheSameEverywhere) {
  const auto a = expand_example("{{alnum:8}}-{{hex:4}}", "rule/match/0");
  const auto b = expand_example("{{alnum:8}}-{{hex:4}}", "rule/match/0");
  const auto c = expand_example("{{alnum:8}}-{{hex:4}}", "rule/match/1");
  ASSERT_TRUE(a && b && c);
  EXPECT_EQ(a->text, b->text);
  EXPECT_NE(a->text, c->text);
}

}  // namespace
}  // namespace gatehouse::inspect

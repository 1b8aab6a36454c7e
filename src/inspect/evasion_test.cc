// What people do to get a value past a filter, done to the values of rules' own examples in many
// ways, one by one and two at a time: nearly all that is found plain is still found. Prints how
// many, by view.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

#include "inspect/evasions_test_support.h"
#include "inspect/property_test_support.h"

namespace gatehouse::inspect {
namespace {

using testing::Evasion;
using testing::evasions;

// One example for each kind of value people care about; the value's span in it.
std::vector<std::pair<std::uint32_t, Example>> samples(const RuleSet& rules) {
  std::vector<std::pair<std::uint32_t, Example>> out;
  for (std::uint32_t i = 0; i < rules.impl().compiled.size(); ++i) {
    const RuleSource& source = rules.impl().compiled[i]->source();
    const Category category = source.rule.category;
    const bool one_in_six = category == Category::credentials || category == Category::code;
    if (category != Category::personal && (!one_in_six || i % 6 != 0)) continue;
    for (const Example& example : source.must_match) {
      const Span span = example.span.value_or(Span{0, example.text.size()});
      const std::size_t size = span.end - span.begin;
      const std::string value = example.text.substr(span.begin, size);
      const bool ascii = std::ranges::all_of(value, [](char c) { return c >= 0x20 && c < 0x7f; });
      if (size < 12 || size > 200 || !ascii || value.find_first_of("%&\\") != std::string::npos)
        continue;
      out.emplace_back(i, Example{example.text, span});
      break;
    }
  }
  return out;
}

// Whether something of the rule's kind is found where the value is hidden. A neighbour that is also
// found plain does not count.
bool is_found(Scanner& scanner, std::uint32_t rule, const Example& sample,
              const std::string& hidden) {
  const std::string text =
      sample.text.substr(0, sample.span->begin) + hidden + sample.text.substr(sample.span->end);
  const Span place{sample.span->begin, sample.span->begin + hidden.size()};
  const Category category = scanner.rules().rules()[rule].category;
  return std::ranges::any_of(scanner.scan(text), [&](const Finding& finding) {
    return finding.category == category && finding.span.begin < place.end &&
           finding.span.end > place.begin &&
           5 * (finding.span.end - finding.span.begin) >= place.end - place.begin;
  });
}

struct Score {
  std::size_t tried = 0;
  std::size_t found = 0;
};

void print(std::string_view name, const Score& score) {
  std::cout << "  " << name << std::string(26 - std::min<std::size_t>(26, name.size()), ' ')
            << score.found << "/" << score.tried << "\n";
}

TEST(Evasion, DetectionsSurviveOneView) {
  const auto rules = testing::builtin_rules();
  Scanner scanner(rules);
  const auto all = samples(*rules);
  Score total;
  std::string missed;
  for (const Evasion& evasion : evasions()) {
    Score score;
    for (const auto& [rule, sample] : all) {
      const std::string value =
          sample.text.substr(sample.span->begin, sample.span->end - sample.span->begin);
      const std::string hidden = evasion.apply(value);
      if (hidden == value || !is_found(scanner, rule, sample, value)) continue;
      ++score.tried;
      const bool found = is_found(scanner, rule, sample, hidden);
      score.found += found ? 1u : 0u;
      if (!found) missed += std::string(evasion.name) + ": " + rules->rules()[rule].id + "\n";
    }
    print(evasion.name, score);
    total.tried += score.tried;
    total.found += score.found;
  }
  print("all", total);
  EXPECT_GE(total.tried, 300u);
  EXPECT_GE(total.found * 100, total.tried * 98) << missed;
}

// Nobody tuned for these: a view inside a view.
TEST(Evasion, DetectionsSurviveTwoViews) {
  const auto rules = testing::builtin_rules();
  Scanner scanner(rules);
  const auto all = samples(*rules);
  constexpr std::string_view inner[] = {
      "full width", "look-alikes", "zero-width space", "percent", "entities", "base64", "hex"};
  constexpr std::string_view outer[] = {"base64", "hex", "tags", "zero-width joiner",
                                        "percent signs"};
  const auto of = [](std::string_view name) {
    return std::ranges::find(evasions(), name, &Evasion::name)->apply;
  };
  Score total;
  for (const std::string_view first : inner) {
    for (const std::string_view second : outer) {
      Score score;
      for (std::size_t i = 0; i < all.size(); i += 3) {
        const auto& [rule, sample] = all[i];
        const std::string value =
            sample.text.substr(sample.span->begin, sample.span->end - sample.span->begin);
        const std::string once = of(first)(value);
        const bool ascii = std::ranges::all_of(once, [](char c) { return c >= 0; });
        if (once == value ||
            (!ascii &&
             (second == "tags" || second == "zero-width joiner" || second == "percent signs")) ||
            !is_found(scanner, rule, sample, value))
          continue;
        ++score.tried;
        score.found += is_found(scanner, rule, sample, of(second)(once)) ? 1u : 0u;
      }
      print(std::string(first) + " in " + std::string(second), score);
      total.tried += score.tried;
      total.found += score.found;
    }
  }
  print("all", total);
  EXPECT_GE(total.found * 100, total.tried * 90);
}

}  // namespace
}  // namespace gatehouse::inspect

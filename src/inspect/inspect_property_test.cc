// What must hold for every text and every way to cut it. Texts come from TextMaker; a failure
// prints the seed, which gives the same text again.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cstring>

#include "base/json.h"
#include "inspect/inspect.h"
#include "inspect/placeholders.h"
#include "inspect/property_test_support.h"
#include "inspect/rule_set.h"

namespace gatehouse::inspect {

// How gtest prints these.
void PrintTo(const Finding& finding, std::ostream* out) {
  *out << finding.rule << " [" << finding.span.begin << ", " << finding.span.end << ")";
}

namespace {

using testing::builtin_rules;
using testing::find_the_slow_way;
using testing::is_json_prefix;
using testing::TextMaker;
using testing::tries;

std::vector<std::tuple<std::uint32_t, std::size_t, std::size_t>> places(
    const std::vector<Finding>& findings) {
  std::vector<std::tuple<std::uint32_t, std::size_t, std::size_t>> out;
  for (const Finding& f : findings) out.emplace_back(f.rule, f.span.begin, f.span.end);
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::tuple<std::uint32_t, std::size_t, std::size_t>> places(
    const std::vector<Match>& matches) {
  std::vector<std::tuple<std::uint32_t, std::size_t, std::size_t>> out;
  for (const Match& m : matches) out.emplace_back(m.rule, m.begin, m.end);
  std::sort(out.begin(), out.end());
  return out;
}

// A set of placeholders as an earlier turn left it.
Placeholders known() {
  Placeholders placeholders;
  placeholders.placeholder_for("EMAIL", "ada@corp.example");
  placeholders.placeholder_for("EMAIL", "bob \"the\" builder@x.example");
  placeholders.placeholder_for("CREDENTIAL", "hunter2\nand more");
  placeholders.placeholder_for("IBAN", "DE89370400440532013000");
  return placeholders;
}

struct Streamed {
  std::string text;
  std::vector<Finding> findings;
  std::size_t restored = 0;
  std::size_t most_held = 0;
  bool json_prefixes = true;
};

Streamed stream(Scanner& scanner, Categories redact, bool restore, TextForm form,
                const std::vector<std::string_view>& parts) {
  Placeholders placeholders = known();
  TextFilter filter(scanner, {redact, restore, &placeholders}, form);
  Streamed out;
  for (const std::string_view part : parts) {
    // A buffer of its own: reading past a part, or keeping it, shows under the sanitizers.
    const std::string copy(part);
    out.text += filter.feed(copy);
    out.most_held = std::max(out.most_held, filter.held());
    if (form == TextForm::json && out.json_prefixes && !is_json_prefix(out.text))
      out.json_prefixes = false;
  }
  out.text += filter.finish();
  out.findings = filter.findings();
  out.restored = filter.restored();
  return out;
}

void expect_equal(const Streamed& whole, const Streamed& cut, std::uint64_t seed) {
  EXPECT_EQ(whole.text, cut.text) << "seed " << seed;
  EXPECT_EQ(places(whole.findings), places(cut.findings)) << "seed " << seed;
  EXPECT_EQ(whole.restored, cut.restored) << "seed " << seed;
}

// What is decoded is found by way of the lexers, not by RE2 alone; segments_test.cc sees to it.
bool has_decoded(const std::vector<Finding>& findings) {
  return std::ranges::any_of(findings, [](const Finding& f) { return f.view > View::folded; });
}

TEST(Scan, FindsWhatRe2AloneFindsAtEveryAlignment) {
  const auto rules = builtin_rules();
  Scanner scanner(rules);
  std::size_t found = 0;
  for (std::uint64_t seed = 0; seed < tries(1500); ++seed) {
    TextMaker maker(seed, *rules);
    const std::string text = maker.text(1 + maker.below(20));
    const auto slow = find_the_slow_way(*rules, text, Categories().set());
    const std::size_t offset = maker.below(64);
    std::vector<char> buffer(offset + text.size());
    std::memcpy(buffer.data() + offset, text.data(), text.size());
    const auto fast = scanner.scan({buffer.data() + offset, text.size()});
    if (has_decoded(fast)) continue;
    ASSERT_EQ(places(fast), places(slow)) << "seed " << seed << "\n" << text;
    found += fast.size();
  }
  EXPECT_GT(found, tries(1500));  // the texts do hit rules
}

TEST(Scan, FindsWhatRe2AloneFindsBehindPadding) {
  const auto rules = builtin_rules();
  Scanner scanner(rules);
  std::vector<const Example*> examples;
  for (const auto& rule : rules->impl().compiled)
    for (const Example& example : rule->source().must_match) examples.push_back(&example);
  for (std::size_t i = 0; i < examples.size(); ++i) {
    for (std::size_t before = 0; before < 80; before += (tries(8) < 8 ? 37 : 13) + i % 7) {
      const std::string text = std::string(before, '.') + "\n" + examples[i]->text + "\n" +
                               std::string((before * 7) % 65, '.');
      const auto fast = scanner.scan(text);
      if (has_decoded(fast)) break;
      ASSERT_EQ(places(fast), places(find_the_slow_way(*rules, text, Categories().set()))) << text;
      if (examples[i]->text.size() > 1000) break;
    }
  }
}

TEST(Filter, CutsDoNotMatterInPlainText) {
  const auto rules = builtin_rules();
  Scanner scanner(rules);
  for (std::uint64_t seed = 0; seed < tries(1200); ++seed) {
    TextMaker maker(seed, *rules);
    const std::string text = maker.text(1 + maker.below(25));
    const Categories redact(maker.below(4));
    const bool restore = maker.below(2) == 0;
    const Streamed whole = stream(scanner, redact, restore, TextForm::plain, {text});
    const Streamed cut = stream(scanner, redact, restore, TextForm::plain, maker.cut(text));
    expect_equal(whole, cut, seed);
    EXPECT_LE(cut.most_held, TextFilter::max_holdback_bytes);
    if (::testing::Test::HasFailure()) FAIL() << text;
  }
}

TEST(Filter, EveryPlaceToCutOnce) {
  const auto rules = builtin_rules();
  Scanner scanner(rules);
  for (std::uint64_t seed = 0; seed < tries(40); ++seed) {
    TextMaker maker(seed + 77'000, *rules);
    const std::string text = maker.text(12);
    const Categories redact(1 + maker.below(3));
    const Streamed whole = stream(scanner, redact, true, TextForm::plain, {text});
    for (std::size_t at = 0; at <= text.size(); ++at) {
      const std::string_view view = text;
      expect_equal(
          whole,
          stream(scanner, redact, true, TextForm::plain, {view.substr(0, at), view.substr(at)}),
          seed);
      if (::testing::Test::HasFailure()) FAIL() << "cut at " << at << "\n" << text;
    }
  }
}

// Of a long piece only its end is asked what may go on, and the rest is searched before that
// (live_prefixes.h).
TEST(Filter, CutsDoNotMatterInLongPieces) {
  const auto rules = builtin_rules();
  Scanner scanner(rules);
  for (std::uint64_t seed = 0; seed < tries(400); ++seed) {
    TextMaker maker(seed + 55'000, *rules);
    const std::string text = maker.text(40 + maker.below(60));
    std::vector<std::string_view> parts;
    for (std::string_view rest = text; !rest.empty();) {
      const std::size_t size = std::min<std::size_t>(rest.size(), 200 + maker.below(800));
      parts.push_back(rest.substr(0, size));
      rest.remove_prefix(size);
    }
    const Categories redact(1 + maker.below(3));
    const Streamed whole = stream(scanner, redact, true, TextForm::plain, {text});
    expect_equal(whole, stream(scanner, redact, true, TextForm::plain, parts), seed);
    if (::testing::Test::HasFailure()) FAIL() << text;
  }
}

TEST(Filter, LongPiecesMayEndInsideOfAnything) {
  const auto rules = builtin_rules();
  Scanner scanner(rules);
  std::string prose;
  while (prose.size() < 400) prose += "Then they went on and on about it. ";
  for (const auto& rule : rules->impl().compiled) {
    if (rule->source().must_match.empty()) continue;
    const std::string& example = rule->source().must_match.front().text;
    const std::string text = prose + example + "\n" + prose;
    const std::string_view view = text;
    const Streamed whole = stream(scanner, Categories().set(), true, TextForm::plain, {text});
    const std::size_t end = prose.size() + std::min<std::size_t>(example.size(), 250);
    for (std::size_t at = prose.size() + 1; at < end; at += 5)
      expect_equal(whole,
                   stream(scanner, Categories().set(), true, TextForm::plain,
                          {view.substr(0, at), view.substr(at)}),
                   at);
    if (::testing::Test::HasFailure()) FAIL() << rule->source().rule.id;
  }
}

TEST(Filter, CutsDoNotMatterInJson) {
  const auto rules = builtin_rules();
  Scanner scanner(rules);
  for (std::uint64_t seed = 0; seed < tries(1500); ++seed) {
    TextMaker maker(seed + 11'000, *rules);
    std::string text = maker.json(3);
    ASSERT_TRUE(is_json_prefix(text)) << text;
    const bool broken = maker.below(5) == 0;  // also what is not JSON
    if (broken) text.insert(maker.below(text.size()), maker.text(1));
    const Categories redact(maker.below(4));
    const bool restore = maker.below(2) == 0;
    const Streamed whole = stream(scanner, redact, restore, TextForm::json, {text});
    const Streamed cut = stream(scanner, redact, restore, TextForm::json, maker.cut(text));
    expect_equal(whole, cut, seed);
    if (!broken) {
      EXPECT_TRUE(cut.json_prefixes) << cut.text;
      EXPECT_TRUE(whole.json_prefixes) << whole.text;
    }
    if (::testing::Test::HasFailure()) FAIL() << text;
  }
}

TEST(Filter, WithNothingToDoBytesPassAsTheyCame) {
  const auto rules = builtin_rules();
  Scanner scanner(rules);
  for (std::uint64_t seed = 0; seed < tries(600); ++seed) {
    TextMaker maker(seed + 21'000, *rules);
    const TextForm form = maker.below(2) == 0 ? TextForm::plain : TextForm::json;
    const std::string text = form == TextForm::plain ? maker.text(8) : maker.json(2);
    EXPECT_EQ(stream(scanner, {}, false, form, maker.cut(text)).text, text) << "seed " << seed;
  }
}

TEST(Filter, WatchingFindsWhatScanFinds) {
  const auto rules = builtin_rules();
  Scanner scanner(rules);
  for (std::uint64_t seed = 0; seed < tries(600); ++seed) {
    TextMaker maker(seed + 31'000, *rules);
    const std::string text = maker.text(12);
    EXPECT_EQ(places(stream(scanner, {}, true, TextForm::plain, maker.cut(text)).findings),
              places(scanner.scan(text)))
        << "seed " << seed << "\n"
        << text;
  }
}

// Full of things to find, also where a step ends.
TEST(Scan, LongTextsAreScannedInStepsThatDoNotMatter) {
  const auto rules = builtin_rules();
  Scanner scanner(rules);
  FilterPlan plan;
  plan.max_findings = SIZE_MAX;
  for (std::uint64_t seed = 0; seed < tries(8); seed += 2) {
    TextMaker maker(seed + 41'000, *rules);
    std::string text;
    while (text.size() < 900'000) text += maker.text(300);
    const auto whole = filter_text(scanner, plan, TextForm::plain, text).findings;  // at once
    EXPECT_GT(whole.size(), 5000U);
    EXPECT_EQ(places(scanner.scan(text)), places(whole)) << "seed " << seed;
  }
}

TEST(Filter, RedactThenRestoreGivesTheTextBack) {
  const auto rules = builtin_rules();
  Scanner scanner(rules);
  std::size_t redacted = 0;
  for (std::uint64_t seed = 0; seed < tries(1000); ++seed) {
    TextMaker maker(seed + 41'000, *rules);
    const bool json = maker.below(2) == 0;
    const TextForm form = json ? TextForm::json : TextForm::plain;
    const std::string text =
        json ? "{\"text\":" + json_string(to_utf8(maker.text(8))) + "}" : maker.text(12);
    Placeholders placeholders;
    placeholders.reserve(text);
    const Filtered there =
        filter_text(scanner, {Categories().set(), false, &placeholders}, form, text);
    TextFilter back(scanner, {{}, true, &placeholders}, form);
    std::string again;
    for (const std::string_view part : maker.cut(there.text)) again += back.feed(part);
    again += back.finish();
    EXPECT_EQ(again, text) << "seed " << seed << "\n" << there.text;
    redacted += there.findings.size();
    // What both categories name is replaced once.
    EXPECT_LE(back.restored(), there.findings.size());
    EXPECT_EQ(back.restored() == 0, there.findings.empty());
  }
  EXPECT_GT(redacted, tries(1000));
}

TEST(Filter, WhatIsRedactedNeverLeaves) {
  const auto rules = builtin_rules();
  Scanner scanner(rules);
  for (std::uint64_t seed = 0; seed < tries(500); ++seed) {
    TextMaker maker(seed + 51'000, *rules);
    const std::string text = maker.text(15);
    Placeholders placeholders;
    placeholders.reserve(text);
    TextFilter filter(scanner, {Categories().set(), false, &placeholders}, TextForm::plain);
    const auto secrets = scanner.scan(text);
    std::size_t fed = 0;
    std::string plain;
    for (const std::string_view part : maker.cut(text)) {
      const std::string out = filter.feed(part);
      fed += part.size();
      // Undo the replacements, which leave whole: what has left is then a prefix of the text that
      // ends in no secret, or where one ends that another overlaps.
      const std::size_t before = plain.size();
      for (std::size_t at = 0; at < out.size();) {
        const std::size_t length = placeholder_length(std::string_view(out).substr(at));
        const std::string* value =
            length == 0 ? nullptr : placeholders.value_of(std::string_view(out).substr(at, length));
        plain += value != nullptr ? *value : out.substr(at, 1);
        at += value != nullptr ? length : 1;
      }
      ASSERT_EQ(std::string_view(plain).substr(before),
                std::string_view(text).substr(before, plain.size() - before))
          << "seed " << seed;
      ASSERT_EQ(plain.size() + filter.held(), fed) << "seed " << seed;
      const bool at_an_end = std::any_of(secrets.begin(), secrets.end(), [&](const Finding& f) {
        return f.span.end == plain.size();
      });
      for (const Finding& secret : secrets)
        ASSERT_FALSE(!at_an_end && plain.size() > secret.span.begin &&
                     plain.size() < secret.span.end)
            << "seed " << seed << "\n"
            << text;
    }
  }
}

TEST(Filter, ProseIsHardlyHeldBack) {
  const std::string prose =
      "Thank you for your message. The migration finished on Tuesday, and all of the services in "
      "the second region are healthy again; we still see slow queries in the reporting job, which "
      "Anna will look at tomorrow. Could you tell me whether the new dashboard shows the numbers "
      "that you expected? If it does, I would like to close the ticket before the holidays.\n";
  Scanner scanner(builtin_rules());
  Placeholders placeholders;
  Categories credentials;
  credentials.set(static_cast<std::size_t>(Category::credentials));
  TextFilter filter(scanner, {credentials, true, &placeholders}, TextForm::plain);
  std::size_t held = 0;
  for (const char c : prose) {
    filter.feed({&c, 1});
    held += filter.held();
  }
  EXPECT_LT(static_cast<double>(held) / static_cast<double>(prose.size()), 6.0);
}

TEST(Placeholders, AreStableAndNeverTheClientsOwn) {
  rc::check("equal values equal placeholders, others differ, all come back", [] {
    const auto values =
        *rc::gen::container<std::vector<std::string>>(rc::gen::arbitrary<std::string>());
    Placeholders placeholders;
    placeholders.reserve("see [EMAIL_1] and [EMAIL_3]");
    std::map<std::string, std::string> given;
    for (const std::string& value : values) {
      const std::string placeholder = placeholders.placeholder_for("EMAIL", value);
      RC_ASSERT(placeholder != "[EMAIL_1]" && placeholder != "[EMAIL_3]");
      RC_ASSERT(placeholder_length(placeholder) == placeholder.size());
      const auto [known, is_new] = given.emplace(value, placeholder);
      RC_ASSERT(known->second == placeholder);
      RC_ASSERT(*placeholders.value_of(placeholder) == value);
    }
    const auto again = Placeholders::parse(*placeholders.serialize());
    RC_ASSERT(again.has_value());
    RC_ASSERT(*again->serialize() == *placeholders.serialize());
    for (const auto& [value, placeholder] : given)
      RC_ASSERT(*again->value_of(placeholder) == value);
  });
}

}  // namespace
}  // namespace gatehouse::inspect

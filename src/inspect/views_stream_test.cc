// Streams over every view: a text in which values are written in some way gives the same bytes and
// the same findings, wherever it is cut.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "inspect/evasions_test_support.h"
#include "inspect/property_test_support.h"

namespace gatehouse::inspect {

namespace {

using testing::Evasion;
using testing::evasions;

struct Result {
  std::string text;  // what a client gets, then what is reported, a line each
  std::size_t findings = 0;
};

// Of a text that comes in these pieces.
Result filtered(Scanner& scanner, Categories redact, TextForm form,
                const std::vector<std::string_view>& pieces) {
  Placeholders placeholders;
  TextFilter filter(scanner, {redact, true, &placeholders}, form);
  Result result;
  for (const std::string_view piece : pieces) result.text += filter.feed(std::string(piece));
  result.text += filter.finish();
  result.findings = filter.findings().size();
  for (const Finding& finding : filter.findings())
    result.text += "\n" + scanner.rules().rules()[finding.rule].id + " " +
                   std::to_string(finding.span.begin) + "-" + std::to_string(finding.span.end) +
                   " " + std::string(to_string(finding.view));
  return result;
}

std::vector<std::string_view> byte_by_byte(std::string_view text) {
  std::vector<std::string_view> pieces;
  for (std::size_t at = 0; at < text.size(); ++at) pieces.push_back(text.substr(at, 1));
  return pieces;
}

// Where it is cut to try: everywhere in a short text, in a long one at every few bytes.
std::size_t step_of(std::string_view text) {
  return 1 + text.size() / (testing::tries(800) / 2);
}

std::string aws_key() {
  return std::string("AKIA") + "QYLPMN5HHHFPZAM2";
}

class ViewsStreamTest : public ::testing::Test {
 protected:
  void expect_cuts_do_not_matter(std::string_view text, TextForm form, std::string_view name) {
    for (const Categories redact : {Categories().set(), Categories()}) {
      const Result whole = filtered(scanner, redact, form, {text});
      found += whole.findings;
      ASSERT_EQ(filtered(scanner, redact, form, byte_by_byte(text)).text, whole.text)
          << name << ", byte by byte, " << redact << "\n"
          << text;
      for (std::size_t at = 1; at < text.size(); at += step_of(text))
        ASSERT_EQ(filtered(scanner, redact, form, {text.substr(0, at), text.substr(at)}).text,
                  whole.text)
            << name << ", cut at " << at << ", " << redact << "\n"
            << text;
    }
  }

  Scanner scanner{testing::builtin_rules()};
  std::size_t found = 0;
};

TEST_F(ViewsStreamTest, EveryCutOfEveryView) {
  for (const Evasion& evasion : evasions()) {
    const std::size_t before = found;
    const std::string text = "To " + evasion.apply("ada@corp.example") +
                             ", key=" + evasion.apply(aws_key()) + "\nand card " +
                             evasion.apply("4111 1111 1111 1111") + ".";
    expect_cuts_do_not_matter(text, TextForm::plain, evasion.name);
    EXPECT_GE(found, before + 4) << evasion.name;  // in both modes the address and the key
  }
}

TEST_F(ViewsStreamTest, EveryCutOfAViewInAView) {
  const auto apply = [](std::string_view name, std::string_view text) {
    return std::ranges::find(evasions(), name, &Evasion::name)->apply(text);
  };
  constexpr std::pair<std::string_view, std::string_view> both[] = {
      {"percent", "percent signs"},
      {"entities", "base64"},
      {"base64", "hex"},
      {"hex pairs", "base64"},
      {"base64", "tags"},
      {"full width", "percent"},
      {"zero-width space", "base64"},
      {"spaced", "base64"},
      {"base64", "spaced"},
      {"look-alikes", "zero-width joiner"},
      {"tags", "base64"},
      {"\\u", "\\x"},
      {"percent signs", "spaced"},
      {"hex", "zero-width space"}};
  for (const auto& [inner, outer] : both) {
    const std::string text = "To " + apply(outer, apply(inner, "ada@corp.example")) +
                             ", key=" + apply(outer, apply(inner, aws_key())) + ".";
    expect_cuts_do_not_matter(text, TextForm::plain,
                              std::string(inner) + " in " + std::string(outer));
  }
  EXPECT_GE(found, 2 * 2 * std::size(both) - 8);
}

TEST_F(ViewsStreamTest, EveryCutInsideJson) {
  for (const Evasion& evasion : evasions()) {
    const std::size_t before = found;
    const std::string text = R"({"to":)" + json_string(evasion.apply("ada@corp.example")) +
                             R"(,"n":[1,)" + json_string("key=" + evasion.apply(aws_key())) + "]}";
    expect_cuts_do_not_matter(text, TextForm::json, evasion.name);
    EXPECT_GE(found, before + 4) << evasion.name;
  }
}

// Characters that are not there at all, and escapes that never end, wherever they stand.
TEST_F(ViewsStreamTest, EveryCutOfWhatIsBroken) {
  for (const std::string_view text :
       {"a\u200b\u200b@corp.example and %4", "%25%34%30 &#x4 &amp;#64 \\u00 \\ud83d\\u",
        "&ampamp;am&am", "ada%40corp.example%define%de",
        "\xe2\x80 ada@\xe2\x80\x8b"
        "corp.example\xf3\xa0\x81",
        "QUtJQVFZTFBNTjVISEhGUFpBTTI=\nQUtJ= QUtJQVFZTFBNTjVISEhGUFpBTTI",
        "4 1 1 1  1 1 1 1  1 1 1 1  1 1 1 1 1", "a\x1b[31 b\x1b[3\x1b[0m c\x1b",
        "x\"  + y \"a\" +\"b \"c\" . 'd '.' 'e'+", "\"\\\r <wbr <!-- a",
        "ada\" + \"@corp.example <wb<wbr/>r>",
        "41 11 11 11 11 11 11 11 4-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1"})
    expect_cuts_do_not_matter(text, TextForm::plain, "broken");
}

}  // namespace
}  // namespace gatehouse::inspect

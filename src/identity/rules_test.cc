#include "identity/rules.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/text.h"

namespace gatehouse::identity {
namespace {

TEST(KeyShape, what_is_generated_has_it) {
  SystemRandom random;
  std::set<std::string> keys;
  for (int i = 0; i < 1000; ++i) {
    const std::string key = generate_key(random);
    EXPECT_TRUE(has_key_shape(key)) << key;
    EXPECT_EQ(key.size(), key_length);
    EXPECT_TRUE(keys.insert(key).second);
  }
}

TEST(KeyShape, all_letters_come_equally_often) {
  SeededRandom random(11);
  std::map<char, int> counts;
  constexpr int rounds = 4000;
  for (int i = 0; i < rounds; ++i)
    for (const char c : generate_key(random).substr(12)) ++counts[c];
  ASSERT_EQ(counts.size(), 62u);
  const double expected = rounds * 32.0 / 62;
  double chi_squared = 0;
  for (const auto& [letter, count] : counts)
    chi_squared += (count - expected) * (count - expected) / expected;
  EXPECT_LT(chi_squared, 116) << "61 degrees of freedom; 1 in 30,000 exceeds this";
}

TEST(KeyShape, refuses_everything_else) {
  SeededRandom random(1);
  const std::string key = generate_key(random);
  EXPECT_FALSE(has_key_shape(""));
  EXPECT_FALSE(has_key_shape(key.substr(0, 43)));
  EXPECT_FALSE(has_key_shape(key + "a"));
  for (const std::size_t at : {0u, 2u, 3u, 10u, 11u, 12u, 43u}) {
    std::string changed = key;
    changed[at] = '-';
    EXPECT_FALSE(has_key_shape(changed)) << at;
  }
}

TEST(Printable, accepts_names_of_people_and_models) {
  for (const char* text :
       {"ada", "ci/build#7", "gpt-4o-mini", "claude 3", "josé@example.org", "模型", "a", "🙂"})
    EXPECT_TRUE(check_printable(text, 256, "it")) << text;
  EXPECT_TRUE(check_printable(std::string(256, 'x'), 256, "it"));
}

TEST(Printable, refuses_what_does_not_show) {
  const std::map<std::string, std::string> wrong = {
      {"", "it must not be empty"},
      {std::string(257, 'x'), "it is longer than 256 bytes"},
      {"a\nb", "it has a control or invisible character"},
      {std::string("a\0b", 3), "it has a control or invisible character"},
      {"a\x7f", "it has a control or invisible character"},
      {"a\xc2\x85z", "it has a control or invisible character"},
      {"ada\xe2\x80\x8b", "it has a control or invisible character"},  // zero width space
      {"a\xe2\x80\xae"
       "b",
       "it has a control or invisible character"},  // right-to-left override
      {"a\xe2\x81\xa6"
       "b",
       "it has a control or invisible character"},  // isolate
      {"\xef\xbb\xbf"
       "a",
       "it has a control or invisible character"},  // byte order mark
      {"a\xff", "it is not well-formed UTF-8"},
      {" a", "it begins or ends with a space"},
      {"a ", "it begins or ends with a space"},
  };
  for (const auto& [text, message] : wrong) {
    const auto checked = check_printable(text, 256, "it");
    ASSERT_FALSE(checked) << text;
    EXPECT_EQ(checked.error().message, message);
  }
}

TEST(Principal, is_a_kind_and_an_id) {
  const auto parsed = parse_principal("agent:helper:7");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->first, PrincipalKind::agent);
  EXPECT_EQ(parsed->second, "helper:7");
  for (const char* text : {"", "ada", "user:", ":ada", "User:ada", "machine:x", "user: ada"})
    EXPECT_FALSE(parse_principal(text)) << text;
}

TEST(Principal, every_kind_reads_back) {
  for (const auto kind : {PrincipalKind::user, PrincipalKind::service, PrincipalKind::agent})
    EXPECT_EQ(parse_principal_kind(to_string(kind)), kind);
  EXPECT_FALSE(parse_principal_kind("robot"));
}

TEST(Attributes, are_sorted_and_checked) {
  const Attributes sorted = {{"_a", "1"}, {"team", "research"}};
  EXPECT_EQ(check_attributes({{"team", "research"}, {"_a", "1"}}).value(), sorted);
  EXPECT_TRUE(check_attributes({})->empty());
  EXPECT_TRUE(check_attributes({{std::string(64, 'n'), "v"}}));
  const std::vector<Attributes> wrong = {
      {{"", "v"}},
      {{"1a", "v"}},
      {{"a-b", "v"}},
      {{"a.b", "v"}},
      {{"é", "v"}},
      {{std::string(65, 'n'), "v"}},
      {{"a", ""}},
      {{"a", "line\nbreak"}},
      {{"a", std::string(1025, 'v')}},
      {{"a", "1"}, {"a", "2"}},
      Attributes(65, {"a", "v"}),
  };
  for (const Attributes& attributes : wrong) EXPECT_FALSE(check_attributes(attributes));
}

}  // namespace
}  // namespace gatehouse::identity

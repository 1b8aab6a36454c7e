// Check digits against published numbers, and what must hold for every validator.
#include "inspect/validators.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "base/file.h"
#include "inspect/checksums.h"
#include "inspect/property_test_support.h"
#include "inspect/rarity.h"

namespace gatehouse::inspect {
namespace {

std::size_t accepted(std::string_view validator, std::string_view value,
                     std::string_view before = "") {
  const Validator accept = find_validator(validator);
  EXPECT_NE(accept, nullptr) << validator;
  return accept == nullptr ? 0 : accept({before, value, value});
}

TEST(Checksums, PublishedExamples) {
  EXPECT_TRUE(luhn(Digits("79927398713")));
  EXPECT_FALSE(luhn(Digits("79927398714")));
  EXPECT_TRUE(verhoeff(Digits("2363")));
  EXPECT_FALSE(verhoeff(Digits("2364")));
  EXPECT_TRUE(mod97_is_one("3214282912345698765432161182"));
  EXPECT_EQ(crc32("123456789"), 0xcbf43926u);
  EXPECT_TRUE(bech32("A12UEL5L"));
  EXPECT_TRUE(bech32("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw"));
  EXPECT_FALSE(bech32("A12UEL5M"));
  EXPECT_TRUE(calendar_day(2024, 2, 29));
  EXPECT_FALSE(calendar_day(2023, 2, 29));
  EXPECT_FALSE(calendar_day(2023, 13, 1));
}

TEST(Validators, CutOffWhatFollows) {
  EXPECT_EQ(accepted("iban", "DE89 3704 0044 0532 0130 00 BIC"), 27u);
  EXPECT_EQ(accepted("card", "4111 1111 1111 1111 123"), 19u);
  EXPECT_EQ(accepted("email", "bob@corp.com.but"), 12u);
  EXPECT_EQ(accepted("password_value", "hunter2."), 7u);
  EXPECT_EQ(accepted("password_value", "hunter2&remember=true"), 7u);
  EXPECT_EQ(accepted("password_value", "Xk9&mQ2v!pLw"), 12u);
}

TEST(Validators, APasswordOfALineGoesOnToItsEnd) {
  EXPECT_EQ(accepted("line_password", "Xk9mQ2(vp,Lw;z7", "A=1\nexport DB_"), 15u);
  EXPECT_EQ(accepted("line_password", "Xk9mQ2,vpLwz7;Server=db", "DB_"), 13u);
  EXPECT_EQ(accepted("line_password", "Xk9mQ2,vpLwz7</b>", ""), 13u);
  EXPECT_EQ(accepted("line_password", "Xk9mQ2vpLwz7,", "    "), 12u);
  EXPECT_EQ(accepted("line_password", "Xk9mQ2,vpLwz7", "connect(host, "), 0u);
  EXPECT_EQ(accepted("line_password", "getpass.getpass(prompt)", ""), 0u);
  EXPECT_EQ(accepted("quoted_password", "Xk9m'Q2vpLw7"), 12u);
  EXPECT_EQ(accepted("quoted_password", "'+name1+'"), 0u);
}

TEST(Validators, AKeywordInsideOfBase64NamesNothing) {
  const Validator accept = find_validator("strong_password");
  constexpr std::string_view match = "Pw= hK7pq2Zw";
  const std::string_view value = match.substr(4);
  EXPECT_EQ(accept({"wifi", match, value}), 8u);
  EXPECT_EQ(accept({"sha512-x8OhopNotLQrstBhququ4Zpu1bDc/8S6mgXg", match, value}), 0u);
}

TEST(Validators, AnIbanHasItsCountrysLettersAndDigits) {
  for (const std::string_view iban :
       {"BE68539007547034", "EE382200221020145685", "MT84MALT011000012345MTLCAST001S",
        "NO9386011117947", "BR1800360305000010009795493C1", "GB29NWBK60161331926819",
        "FR1420041010050500013M02606", "SC18SSCB11010000000000001497USD", "nl91abna0417164300"})
    EXPECT_EQ(accepted("iban", iban), iban.size()) << iban;
  EXPECT_EQ(accepted("iban", "BE549A1E7A4F7556"), 0u);      // mod 97 holds
  EXPECT_EQ(accepted("iban", "EE802BA16B5E084886CA"), 0u);  // here, too
  const std::string_view iban = "DE89370400440532013000";
  EXPECT_EQ(accepted("iban", iban, "invoice-"), iban.size());
  EXPECT_EQ(accepted("iban", iban, "9a19103f-16f7-4668-"), 0u);
}

TEST(Validators, WhatStandsBeforeAHostIsNoAddress) {
  EXPECT_EQ(accepted("email", "pass@example.org", "https://user:"), 0u);
  EXPECT_EQ(accepted("email", "0a1b@o1.sentry.io", "https://"), 0u);
  EXPECT_NE(accepted("email", "ada@corp.com", "https://corp.com/"), 0u);
  EXPECT_NE(accepted("email", "ada@corp.com", "https://corp.com?to="), 0u);
  EXPECT_NE(accepted("email", "ada@corp.com", "see https://corp.com or "), 0u);
}

TEST(Validators, NothingButRefusalsForShortOrStrangeInput) {
  for (const NamedValidator& validator : validators()) {
    for (const std::string_view value : {"x", "1", "\xff", "@", "+", ".", ":", "-"})
      EXPECT_EQ(validator.accept({"", value, value}), 0u) << validator.name << " " << value;
  }
}

TEST(Validators, AcceptAtMostWhatTheyAreGiven) {
  std::mt19937 dice(1);
  constexpr std::string_view alphabet = "0123456789ABCxyz+-./: @=<\xc3\xff_";
  for (int n = 0; n < 20'000; ++n) {
    std::string text;
    for (std::size_t i = 1 + dice() % 60; i > 0; --i) text += alphabet[dice() % alphabet.size()];
    const std::string_view view = text;
    const std::size_t begin = dice() % text.size();
    for (const NamedValidator& validator : validators())
      ASSERT_LE(validator.accept({"", view, view.substr(begin)}), text.size() - begin)
          << validator.name;
  }
}

TEST(Validators, EachIsUsedAndDescribed) {
  std::set<Validator> used;
  for (const auto& rule : testing::builtin_rules()->impl().compiled)
    used.insert(rule->source().validator);
  std::set<std::string_view> names;
  const auto manual = read_file(GATEHOUSE_SOURCE_DIR "/docs/rules.md");
  ASSERT_TRUE(manual);
  for (const NamedValidator& validator : validators()) {
    EXPECT_TRUE(used.contains(validator.accept)) << validator.name << " is used by no rule";
    EXPECT_TRUE(names.insert(validator.name).second) << validator.name << " is there twice";
    EXPECT_NE(manual->find("`" + std::string(validator.name) + "`"), std::string::npos)
        << validator.name << " is not in docs/rules.md";
  }
}

TEST(Validators, PrivateAddressesArePersonalToNobody) {
  for (const std::string_view ip : {"10.1.2.3", "172.16.0.1", "192.168.0.1", "127.0.0.1", "0.0.0.0",
                                    "169.254.1.1", "100.64.0.1", "224.0.0.1", "255.255.255.255",
                                    "192.0.2.1", "198.51.100.7", "203.0.113.9", "8.8.8.8"})
    EXPECT_EQ(accepted("ipv4_public", ip), 0u) << ip;
  EXPECT_NE(accepted("ipv4_public", "93.184.216.34"), 0u);
  EXPECT_EQ(accepted("ipv4_public", "93.184.216.34", "firmware version "), 0u);
  EXPECT_EQ(accepted("ipv4_public", "093.184.216.34"), 0u);
}

TEST(Rarity, TellsWordsFromSecrets) {
  EXPECT_LT(word_rarity("configuration"), 5.0);
  EXPECT_LT(word_rarity("accessTokenProvider"), 5.0);
  EXPECT_GT(word_rarity("kxjqzvwpt"), 6.0);
  EXPECT_EQ(word_rarity("12"), 0.0);
  for (const std::string_view text :
       {"changeme", "${VAR}", "<your key>", "xxxxxxxx", "********", "{{ token }}", "[CREDENTIAL_1]",
        "$PASSWORD", "your_api_key", "%s", "REDACTED"})
    EXPECT_TRUE(is_placeholder(text)) << text;
  for (const std::string_view text : {"hunter2", "Tr0ub4dor&3", "AKIA1234", "p@ss"})
    EXPECT_FALSE(is_placeholder(text)) << text;
  EXPECT_TRUE(is_code_reference("config.password"));
  EXPECT_TRUE(is_code_reference("getpass()"));
  EXPECT_FALSE(is_code_reference("Summer2024!"));
}

}  // namespace
}  // namespace gatehouse::inspect

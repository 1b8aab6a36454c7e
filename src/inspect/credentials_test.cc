// How much of what is secret is found, and how much of what is not: labelled samples where they are
// on this machine (../shared/data/secrets), sentences of chats, and what people complain of most in
// other tools. docs/inspection.md shows the figures.
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>

#include "inspect/property_test_support.h"
#include "inspect/rule_set.h"

namespace gatehouse::inspect {
namespace {

std::vector<Span> credentials_in(Scanner& scanner, const std::string& text) {
  std::vector<Span> spans;
  for (const Finding& finding : scanner.scan(text))
    if (finding.category == Category::credentials) spans.push_back(finding.span);
  return spans;
}

TEST(Credentials, WhatOtherToolsCryWolfAtIsNone) {
  Scanner scanner(testing::builtin_rules());
  for (const std::string text :
       {"public_key = \"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\"",
        "monkey=\"Chimpanzee2Gorilla7Oran9\"",
        "keyword: \"someKeywordValue123456\"",
        "id = 3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        "api_key: REDACTED",
        "token: \"[REDACTED]\"",
        "password: \"REDACTED_REDACTED\"",
        "sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
        "def test_should_return_401_when_token_is_expired_or_revoked(): pass",
        "getAccessTokenFromRefreshTokenProvider2()",
        "primaryKey: \"organizationMembershipId42\"",
        "LobTestShouldCreateAddressWithMinimalFieldsXY",
        "AUTH_TYPE=oauth2 TOKEN_TTL=3600s",
        "password must be at least 8 characters and contain 1 digit",
        "Enter the password for user@example.com and press OK",
        "The password field accepts UTF-8 strings up to 72 bytes (bcrypt)",
        "github_token: ${{ secrets.GITHUB_TOKEN }}",
        "192.168.0.1 nginx/1.18.0",
        "login/password dialog with OAuth2 and SAML2"})
    EXPECT_TRUE(credentials_in(scanner, text).empty()) << text;
}

// Digests of packages: every short keyword stands in some of so many.
TEST(Credentials, LockFilesHaveNone) {
  Scanner scanner(testing::builtin_rules());
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::mt19937 dice(7);
  const auto digest = [&](std::size_t size) {
    std::string text;
    while (text.size() < size) text += alphabet[dice() % alphabet.size()];
    return text;
  };
  std::string lock;
  for (int n = 0; n < 3000; ++n) {
    const std::string name = "pkg-" + std::to_string(n);
    lock += "\"@babel/" + name + "@^7.21.0\":\n  integrity sha512-" + digest(83) + "Pw==\n\n" +
            "is-" + name + "@^2.1.1:\n  integrity sha512-" + digest(85) + "Q==\n\ngithub.com/x/" +
            name + " v1.2.3/go.mod h1:" + digest(43) + "=\n";
  }
  EXPECT_TRUE(credentials_in(scanner, lock).empty());
}

TEST(Credentials, PasswordsOfChatsAreFoundInManyLanguages) {
  Scanner scanner(testing::builtin_rules());
  for (const std::string sentence : {"the password for the staging box is %, don't share",
                                     "password: %",
                                     "user: ada pass: %",
                                     "login ada, pw %",
                                     "id/pw: ada/%",
                                     "the root pwd is now %",
                                     "Das Passwort für den Server lautet %",
                                     "mein Passwort ist %",
                                     "Kennwort: %",
                                     "le mot de passe du serveur est %",
                                     "mdp : %",
                                     "la contraseña del servidor es %",
                                     "contraseña: %",
                                     "a senha do banco é %",
                                     "la password del server è %",
                                     "wachtwoord: %",
                                     "het wachtwoord is %",
                                     "hasło do serwera to %",
                                     "heslo: %",
                                     "lösenordet är %",
                                     "пароль от сервера: %",
                                     "пароль — %",
                                     "şifre: %",
                                     "密码是%",
                                     "密码：%",
                                     "パスワードは%です",
                                     "パスワード: %",
                                     "비밀번호는 % 입니다",
                                     "비번: %",
                                     "salasana: %",
                                     "jelszó: %"}) {
    std::string text = sentence;
    const std::size_t at = text.find('%');
    const std::string password = "hK7pq2Zw";
    text.replace(at, 1, password);
    bool found = false;
    for (const Span& span : credentials_in(scanner, text))
      found = found || (span.begin <= at && span.end >= at + password.size());
    EXPECT_TRUE(found) << text;
  }
}

// ── labelled samples ─────────────────────────────────────────────────────────────────────────────

struct Count {
  std::size_t labels = 0;
  std::size_t found = 0;  // labels that a finding overlaps
  std::size_t right = 0;  // findings that overlap a label
  std::size_t wrong = 0;  // findings that overlap neither a label nor a span to ignore

  double recall() const { return double(found) / double(labels); }
  double precision() const { return double(right) / double(right + wrong); }
};

// Byte offset of the character.
std::size_t byte_of(const std::string& text, std::size_t character) {
  std::size_t at = 0;
  for (; character > 0 && at < text.size(); --character)
    for (++at; at < text.size() && (text[at] & 0xc0) == 0x80;) ++at;
  return at;
}

bool any_overlaps(const std::vector<Span>& spans, const Span& with) {
  return std::any_of(spans.begin(), spans.end(), [&](const Span& span) {
    return span.begin < with.end && with.begin < span.end;
  });
}

void add_row(Scanner& scanner, const nlohmann::json& row, std::map<std::string, Count>& counts) {
  const std::string text = row["text"];
  std::vector<Span> labels;
  std::vector<Span> ignored;
  for (const auto& span : row["spans"])
    (span["type"] == "credential" ? labels : ignored)
        .push_back({byte_of(text, span["start"]), byte_of(text, span["end"])});
  const std::vector<Span> findings = credentials_in(scanner, text);
  for (const std::string& name : {row["split"].get<std::string>(), std::string("all")}) {
    Count& count = counts[name];
    count.labels += labels.size();
    for (const Span& label : labels) count.found += any_overlaps(findings, label);
    for (const Span& finding : findings) {
      const bool right = any_overlaps(labels, finding);
      count.right += right;
      count.wrong += !right && !any_overlaps(ignored, finding);
    }
  }
}

std::map<std::string, Count> count_samples(const std::string& options) {
  const std::string command = "python3 " GATEHOUSE_SOURCE_DIR
                              "/tests/inspection/secrets_to_jsonl.py " GATEHOUSE_SOURCE_DIR
                              "/../shared/data/secrets " +
                              options;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string output;
  char buffer[65536];
  while (const std::size_t got = fread(buffer, 1, sizeof(buffer), pipe.get()))
    output.append(buffer, got);
  Scanner scanner(testing::builtin_rules());
  std::map<std::string, Count> counts;
  for (std::size_t at = 0; at < output.size();) {
    const std::size_t end = output.find('\n', at);
    add_row(scanner, nlohmann::json::parse(output.substr(at, end - at)), counts);
    at = end + 1;
  }
  return counts;
}

TEST(Credentials, LabelledSamplesAreFound) {
  if (!std::filesystem::exists(GATEHOUSE_SOURCE_DIR "/../shared/data/secrets/samples"))
    GTEST_SKIP() << "no ../shared/data/secrets on this machine";
  if (std::system("python3 -c pass") != 0) GTEST_SKIP() << "no python3 on this machine";
  for (const std::string options : {"", "--as-listed"}) {
    auto counts = count_samples(options);
    for (const auto& [split, count] : counts)
      std::printf("%-12s %-10s labels %4zu recall %.3f precision %.3f\n",
                  options.empty() ? "adjudicated" : "as listed", split.c_str(), count.labels,
                  count.recall(), count.precision());
    if (!options.empty()) continue;
    EXPECT_GE(counts["test"].recall(), 0.95);
    EXPECT_GE(counts["test"].precision(), 0.95);
    EXPECT_GE(counts["all"].recall(), 0.90);
    EXPECT_GE(counts["all"].precision(), 0.97);
  }
}

}  // namespace
}  // namespace gatehouse::inspect

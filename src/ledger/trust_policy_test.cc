// Policies: what is accepted, which line an error names, and who is a quorum.
#include "ledger/trust_policy.h"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "base/text.h"
#include "ledger/test_log.h"

namespace gatehouse::ledger {
namespace {

std::string log_vkey(unsigned char key = 7) {
  return to_string(make_verifier_key("log.example/test", test_key(key).public_key()));
}
std::string witness_vkey(unsigned char key) {
  return to_string(make_cosigner_key(fmt::format("w{}.example", key), test_key(key).public_key()));
}

std::string problem(const std::string& policy) {
  const auto parsed = parse_trust_policy(policy, "p");
  return parsed ? "" : parsed.error().describe();
}

// The example of the specification, with keys.
std::string example() {
  std::string out = "log " + log_vkey() + "\n\n";
  for (unsigned char i = 1; i <= 3; ++i) {
    out += fmt::format("witness X{} {}\n", i, witness_vkey(static_cast<unsigned char>(10 + i)));
  }
  out += "group X-witnesses 2 X1 X2 X3\n\n";
  for (unsigned char i = 1; i <= 3; ++i) {
    out += fmt::format("witness Y{} {}\n", i, witness_vkey(static_cast<unsigned char>(20 + i)));
  }
  return out +
         "group Y-witnesses any Y1 Y2 Y3\n\n"
         "group X-and-Y all X-witnesses Y-witnesses\n"
         "quorum X-and-Y\n";
}

TEST(TrustPolicy, TheExampleOfTheSpecification) {
  const auto policy = parse_trust_policy(example());
  ASSERT_TRUE(policy) << policy.error().describe();
  EXPECT_EQ(policy->logs.size(), 1u);
  EXPECT_EQ(policy->witnesses.size(), 6u);
  EXPECT_EQ(policy->groups.size(), 3u);
  EXPECT_TRUE(is_quorum(*policy, {0, 1, 3}));
  EXPECT_TRUE(is_quorum(*policy, {0, 2, 5}));
  EXPECT_FALSE(is_quorum(*policy, {0, 3, 4, 5})) << "one X only";
  EXPECT_FALSE(is_quorum(*policy, {0, 1, 2})) << "no Y";
  EXPECT_FALSE(is_quorum(*policy, {}));
  EXPECT_EQ(quorum_witnesses(*policy), (std::vector<std::size_t>{0, 1, 2, 3, 4, 5}));
}

TEST(TrustPolicy, BlanksCommentsUrlsAndOctets) {
  const auto policy =
      parse_trust_policy("  # a comment \xff\n\t\n\t witness \xC3\xA9 " + witness_vkey(1) +
                         "\thttps://w.example/prefix \n" + "witness K " + witness_vkey(2) +
                         "\nwitness \xE2\x84\xAA " + witness_vkey(3) +
                         "\n group all all \xC3\xA9 \xE2\x84\xAA\n"
                         "quorum all\nlog " +
                         log_vkey() + " https://log.example/\n");
  ASSERT_TRUE(policy) << policy.error().describe();
  EXPECT_EQ(policy->witnesses[0].name, "\xC3\xA9");
  EXPECT_EQ(policy->witnesses[0].url, "https://w.example/prefix");
  EXPECT_EQ(policy->logs[0].url, "https://log.example/");
  EXPECT_TRUE(is_quorum(*policy, {0, 2}));
  EXPECT_FALSE(is_quorum(*policy, {0, 1})) << "K is not the Kelvin sign";
  EXPECT_EQ(quorum_witnesses(*policy), (std::vector<std::size_t>{0, 2}));
}

TEST(TrustPolicy, NoQuorumAndOneWitness) {
  const auto none = parse_trust_policy("quorum none\n");
  ASSERT_TRUE(none);
  EXPECT_TRUE(is_quorum(*none, {}));
  const auto one = parse_trust_policy("witness a " + witness_vkey(1) + "\nquorum a\n");
  ASSERT_TRUE(one);
  EXPECT_TRUE(is_quorum(*one, {0}));
  EXPECT_FALSE(is_quorum(*one, {}));
}

TEST(TrustPolicy, ErrorsNameTheLine) {
  const std::string w1 = "witness a " + witness_vkey(1) + "\n";
  const std::string w2 = "witness b " + witness_vkey(2) + "\n";
  const auto expect = [](const std::string& policy, const std::string& where,
                         const std::string& what) {
    const std::string found = problem(policy);
    EXPECT_TRUE(found.starts_with(where) && found.contains(what))
        << policy << "\n=> " << found << "\nexpected " << where << " … " << what;
  };
  expect("", "p:0", "no quorum line");
  expect(w1, "p:1", "no quorum line");
  expect("quorum none\nquorum none\n", "p:2", "second quorum");
  expect("quorum none", "p:1", "newline");
  expect(w1 + "quorum a", "p:2", "cut short");
  expect("quorum b\n" + w2, "p:1", "defined above");
  expect(w1 + "group g 2 a\nquorum g\n", "p:2", "1 to the 1 members");
  expect(w1 + "group g 0 a\nquorum g\n", "p:2", "1 to the 1 members");
  expect(w1 + "group g -1 a\nquorum g\n", "p:2", "not all, any or a number");
  expect(w1 + "group g any\nquorum g\n", "p:2", "expected: group");
  expect(w1 + "group g any a a\nquorum g\n", "p:2", "member of a group already");
  expect(w1 + "group g any a\ngroup h any a\nquorum h\n", "p:3", "member of a group already");
  expect(w1 + "group g any g\nquorum g\n", "p:2", "defined above");
  expect(w1 + "group g any none\nquorum g\n", "p:2", "defined above");
  expect("witness none " + witness_vkey(1) + "\n", "p:1", "cannot be a name");
  expect(w1 + "group none any a\n", "p:2", "cannot be a name");
  expect(w1 + "group a any a\n", "p:2", "defined twice");
  expect(w1 + "witness a " + witness_vkey(2) + "\n", "p:2", "defined twice");
  expect(w1 + "witness b " + witness_vkey(1) + "\n", "p:2", "listed twice");
  expect("log " + log_vkey() + "\nlog " + log_vkey() + " x\n", "p:2", "listed twice");
  expect("log " + log_vkey() + " a b\n", "p:1", "expected: log");
  expect("log x\n", "p:1", "name+keyid+base64");
  expect("witness a " + log_vkey() + "\n", "p:1", "type 0x04 or 0x06");
  expect("Quorum none\n", "p:1", "is not log, witness, group or quorum");
  expect("quorum none\r\n", "p:1", "control character");
  expect(std::string("# \x7f\n"), "p:1", "control character");
  expect(std::string("# \0\n", 4), "p:1", "control character");
}

TEST(TrustPolicy, DuplicatesAreFoundBehindOtherNames) {
  const std::string again = to_string(make_cosigner_key("other.example", test_key(1).public_key()));
  EXPECT_TRUE(problem("witness a " + witness_vkey(1) + "\nwitness b " + again + "\n")
                  .contains("listed twice"));
}

TEST(TrustPolicy, KeysThatCannotBeVerifiedHereNeverCount) {
  const AnyVerifierKey ml_dsa{.name = "pq.example",
                              .id = make_key_id("pq.example", 6, std::string(1312, 'k')),
                              .type = 6,
                              .key = std::string(1312, 'k')};
  const auto policy = parse_trust_policy("witness pq " + to_string(ml_dsa) + "\nwitness a " +
                                         witness_vkey(1) + "\ngroup g any pq a\nquorum g\n");
  ASSERT_TRUE(policy) << policy.error().describe();
  EXPECT_FALSE(policy->witnesses[0].key);
  Note note{.text = "log.example/test\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
            .signatures = {}};
  note.signatures.push_back(
      {.name = "pq.example", .key_id = ml_dsa.id, .signature = std::string(2428, 's')});
  EXPECT_TRUE(cosignatures_of(note, *policy)->empty());
}

TEST(TrustPolicy, HoldsThirtyTwoOfEach) {
  std::string text;
  std::string group = "group deep0 32";
  for (unsigned char i = 0; i < 32; ++i) {
    text += "log " + log_vkey(static_cast<unsigned char>(100 + i)) + "\n";
    text += fmt::format("witness w{} {}\n", i, witness_vkey(i));
    group += fmt::format(" w{}", i);
  }
  text += group + "\n";
  for (int i = 1; i < 32; ++i) text += fmt::format("group deep{} all deep{}\n", i, i - 1);
  const auto policy = parse_trust_policy(text + "quorum deep31\n");
  ASSERT_TRUE(policy) << policy.error().describe();
  std::vector<std::size_t> all(32);
  std::ranges::generate(all, [next = std::size_t{0}]() mutable { return next++; });
  EXPECT_TRUE(is_quorum(*policy, all));
  all.pop_back();
  EXPECT_FALSE(is_quorum(*policy, all));
}

// More witnesses never undo a quorum.
TEST(TrustPolicy, QuorumsAreMonotone) {
  const auto policy = parse_trust_policy(example()).value();
  rc::check([&](const std::vector<bool>& few, const std::vector<bool>& more) {
    std::vector<std::size_t> first;
    std::vector<std::size_t> both;
    for (std::size_t i = 0; i < 6; ++i) {
      const bool in_first = i < few.size() && few[i];
      if (in_first) first.push_back(i);
      if (in_first || (i < more.size() && more[i])) both.push_back(i);
    }
    RC_ASSERT(!is_quorum(policy, first) || is_quorum(policy, both));
  });
}

TEST(TrustPolicy, OpensCosignedCheckpoints) {
  const auto policy =
      parse_trust_policy("log " + log_vkey() + "\nwitness a " + witness_vkey(1) + "\nwitness b " +
                         witness_vkey(2) + "\ngroup g all a b\nquorum g\n")
          .value();
  const Checkpoint checkpoint{
      .origin = "log.example/test", .size = 0, .root = empty_root(), .extensions = {}};
  const VerifierKey log = parse_verifier_key(log_vkey()).value();
  Note note = parse_note(sign_checkpoint(checkpoint, log, test_key())).value();
  const auto add = [&](unsigned char key) {
    const auto as = parse_cosigner_key(witness_vkey(key)).value();
    note.signatures.push_back(cosign(note.text, 1'000 + key, as, test_key(key)));
  };
  add(2);
  auto opened = open_witnessed(to_string(note), policy);
  ASSERT_TRUE(opened) << opened.error().describe();
  EXPECT_FALSE(opened->quorum);
  EXPECT_EQ(describe_quorum(policy, opened->witnesses),
            "1 of 2 witnesses cosigned it: b; missing: a");
  add(1);
  add(9);
  opened = open_witnessed(to_string(note), policy);
  EXPECT_TRUE(opened->quorum);
  EXPECT_EQ(opened->log, log_vkey());
  EXPECT_EQ(opened->unknown_signatures, 1u);
  ASSERT_EQ(opened->witnesses.size(), 2u);
  EXPECT_EQ(opened->witnesses[0].time, 1'001u);

  note.signatures[1].signature[20] ^= 1;
  EXPECT_EQ(open_witnessed(to_string(note), policy).error().code, ErrorCode::permission_denied);
  const auto others = parse_trust_policy("log " + log_vkey(8) + "\nquorum none\n").value();
  EXPECT_EQ(open_witnessed(sign_checkpoint(checkpoint, log, test_key()), others).error().code,
            ErrorCode::permission_denied);
}

}  // namespace
}  // namespace gatehouse::ledger

// Cosignatures against vectors made with other programs, and what must be refused.
#include "ledger/cosignature.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "ledger/checkpoint.h"
#include "ledger/test_log.h"

namespace gatehouse::ledger {
namespace {

// Made with Go: golang.org/x/mod/sumdb/note and github.com/transparency-dev/formats v0.1.1 (note),
// the log's seed 32 times 01, the witness' 32 times 02.
constexpr std::string_view go_log =
    "example.com/vectors+dab49552+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";
constexpr std::string_view go_witness =
    "witness.example/one+5aa9b808+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU";
constexpr std::string_view go_note =
    "example.com/vectors\n7\nLXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE=\n\n"
    "— example.com/vectors "
    "2rSVUm9Jq5dY5kW9bQSaq6+19swqQmHlXmc6NuRljN8d/z+jBnRhhw//VdWmsSbcvGf+whSWO0pmahz/LtQHvUxr1gI=\n"
    "— witness.example/one "
    "Wqm4CAAAAABrBz9bx21a7VW50p9/"
    "RMkhYfJx31fwHJBcZXqVz54hcoa2MfzXKN0x9BSTlSjtebv3Y483an1jTsnaIZehAvU"
    "tgUKjBg==\n";
constexpr std::uint64_t go_time = 0x6b073f5b;

std::vector<HeldCosignature> held_in(std::string_view note, const CosignerKey& key) {
  const auto parsed = parse_note(note);
  EXPECT_TRUE(parsed);
  return verify_cosignatures(*parsed, std::span(&key, 1)).value();
}

TEST(Cosignature, VerifiesOneMadeWithGo) {
  const auto log = parse_verifier_key(go_log).value();
  const auto witness = parse_cosigner_key(go_witness).value();
  EXPECT_EQ(to_string(witness), go_witness);
  EXPECT_EQ(open_checkpoint(go_note, log)->unknown_signatures, 1u);
  const auto held = held_in(go_note, witness);
  ASSERT_EQ(held.size(), 1u);
  EXPECT_EQ(held[0].time, go_time);
}

TEST(Cosignature, MakesTheBytesThatGoMakes) {
  const Note note = parse_note(go_note).value();
  const CosignerKey as = make_cosigner_key("witness.example/one", test_key(2).public_key());
  EXPECT_EQ(to_string(as), go_witness);
  EXPECT_EQ(to_string(cosign(note.text, go_time, as, test_key(2))),
            to_string(note.signatures.at(1)));
}

TEST(Cosignature, KeysOfTheTwoKindsAreNotMixedUp) {
  EXPECT_FALSE(parse_cosigner_key(go_log));
  EXPECT_FALSE(parse_verifier_key(go_witness));
  const auto public_key = test_key(2).public_key();
  EXPECT_NE(make_cosigner_key("a.example", public_key).id,
            make_verifier_key("a.example", public_key).id);
  // A plain signature by the same key under the cosigner's id does not pass for a cosignature.
  const Note go = parse_note(go_note).value();
  const CosignerKey witness = parse_cosigner_key(go_witness).value();
  Note forged{.text = go.text, .signatures = {}};
  forged.signatures.push_back(
      {.name = witness.name,
       .key_id = witness.id,
       .signature = std::string(text_of(test_key(2).sign(bytes_of(go.text))))});
  EXPECT_FALSE(verify_cosignatures(forged, std::span(&witness, 1)));
}

TEST(Cosignature, EveryFlippedBitOfTheSignatureIsFound) {
  const CosignerKey witness = parse_cosigner_key(go_witness).value();
  Note note = parse_note(go_note).value();
  std::string& bytes = note.signatures.at(1).signature;
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    const auto held = verify_cosignatures(note, std::span(&witness, 1));
    ASSERT_FALSE(held) << bit;
    ASSERT_EQ(held.error().code, ErrorCode::permission_denied);
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
  }
  EXPECT_TRUE(verify_cosignatures(note, std::span(&witness, 1)));
}

TEST(Cosignature, CoversExtensionLinesAndTime) {
  const CosignerKey as = make_cosigner_key("w.example", test_key(3).public_key());
  Note note{.text = "log.example\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nmore\n",
            .signatures = {}};
  note.signatures.push_back(cosign(note.text, 1'700'000'000, as, test_key(3)));
  EXPECT_EQ(verify_cosignatures(note, std::span(&as, 1))->at(0).time, 1'700'000'000u);
  note.text.replace(note.text.find("more"), 4, "less");
  EXPECT_FALSE(verify_cosignatures(note, std::span(&as, 1)));
}

TEST(Cosignature, UnknownKeysArePassedOverAndRepeatsCountOnce) {
  const CosignerKey known = make_cosigner_key("w.example", test_key(3).public_key());
  const CosignerKey other = make_cosigner_key("w.example", test_key(4).public_key());
  Note note{.text = "log.example\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
            .signatures = {}};
  note.signatures.push_back(cosign(note.text, 5, other, test_key(4)));
  EXPECT_TRUE(verify_cosignatures(note, std::span(&known, 1))->empty());
  note.signatures.push_back(cosign(note.text, 6, known, test_key(3)));
  note.signatures.push_back(cosign(note.text, 7, known, test_key(3)));
  // An ML-DSA-44 cosignature, 8 + 2420 bytes, which nobody here can verify.
  note.signatures.push_back(
      {.name = "w.example", .key_id = 99, .signature = std::string(2428, 'x')});
  const auto held = verify_cosignatures(note, std::span(&known, 1));
  ASSERT_EQ(held->size(), 1u);
  EXPECT_EQ(held->at(0).time, 6u);
}

}  // namespace
}  // namespace gatehouse::ledger

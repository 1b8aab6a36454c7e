#include "ledger/note.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <array>

#include "base/text.h"
#include "ledger/checkpoint.h"

namespace gatehouse::ledger {
namespace {

// The worked vector of C2SP signed-note.
constexpr std::string_view example_key =
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
constexpr std::string_view example_note =
    "This is an example message.\n"
    "\n"
    "\xE2\x80\x94 example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
    "\n";

crypto::SigningKey test_key(unsigned char fill = 7) {
  std::array<std::byte, 32> seed;
  seed.fill(std::byte{fill});
  return crypto::SigningKey::from_seed(seed);
}

TEST(Note, WorkedVector) {
  const auto key = parse_verifier_key(example_key);
  ASSERT_TRUE(key) << key.error().describe();
  EXPECT_EQ(key->name, "example.com/foo");
  EXPECT_EQ(key->id, 0x530d903au);
  EXPECT_EQ(to_string(*key), example_key);
  const auto note = parse_note(example_note);
  ASSERT_TRUE(note) << note.error().describe();
  EXPECT_EQ(verify_note(*note, std::span(&*key, 1)).value(), 0u);
  EXPECT_EQ(to_string(*note), example_note);
}

TEST(Note, EveryFlippedBitIsRefused) {
  const auto key = parse_verifier_key(example_key).value();
  for (std::size_t bit = 0; bit < example_note.size() * 8; ++bit) {
    std::string bad(example_note);
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    const auto note = parse_note(bad);
    EXPECT_FALSE(note && verify_note(*note, std::span(&key, 1)) && to_string(*note) == bad) << bit;
  }
  for (std::size_t bit = 0; bit < example_key.size() * 8; ++bit) {
    std::string bad(example_key);
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(parse_verifier_key(bad)) << bad;
  }
}

TEST(Note, UnknownSignaturesAreIgnoredAndCounted) {
  const auto key = make_verifier_key("log.example/a", test_key().public_key());
  const auto witness = make_verifier_key("witness.example", test_key(9).public_key());
  Note note{.text = "hello\n", .signatures = {}};
  for (int i = 0; i < 20; ++i)
    note.signatures.push_back(sign_note(note.text, witness, test_key(9)));
  EXPECT_FALSE(verify_note(note, std::span(&key, 1)));
  note.signatures.push_back(sign_note(note.text, key, test_key()));
  const auto again = parse_note(to_string(note));
  ASSERT_TRUE(again);
  EXPECT_EQ(verify_note(*again, std::span(&key, 1)).value(), 20u);
  const std::array both{key, witness};
  EXPECT_EQ(verify_note(*again, both).value(), 0u);
  // A known key whose signature does not hold spoils the note, whatever else is there.
  note.signatures.front().signature[3] ^= 1;
  EXPECT_TRUE(verify_note(note, std::span(&key, 1)));
  EXPECT_FALSE(verify_note(note, both));
}

TEST(Note, TextIsSplitAtTheLastBlankLine) {
  const auto key = make_verifier_key("k", test_key().public_key());
  Note note{.text = "one\n\ntwo\n", .signatures = {}};
  note.signatures.push_back(sign_note(note.text, key, test_key()));
  const auto again = parse_note(to_string(note));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->text, "one\n\ntwo\n");
  EXPECT_TRUE(verify_note(*again, std::span(&key, 1)));
}

TEST(Note, MalformedOnesAreRefused) {
  for (std::string_view bad : {
           "",
           "\n",
           "\n\n",
           "text\n",
           "text\n\n",
           "text",
           "text\n\nx\n",
           "text\n\n\xE2\x80\x94 name\n",
           "text\n\n\xE2\x80\x94 name \n",
           "text\n\n\xE2\x80\x94 name AAAA\n",
           "text\n\n\xE2\x80\x94 name !!!!\n",
           "text\n\n\xE2\x80\x94 na+me AAAAAAAAAAA=\n",
           "te\rxt\n\n\xE2\x80\x94 n AAAAAAAAAAA=\n",
           "text\n\n\xE2\x80\x94 n AAAAAAAAAAA=",
           "te\xFFxt\n\n\xE2\x80\x94 n AAAAAAAAAAA=\n",
       }) {
    EXPECT_FALSE(parse_note(bad)) << bad;
  }
  std::string many = "text\n\n";
  for (int i = 0; i < 65; ++i) many += "\xE2\x80\x94 n AAAAAAAAAAA=\n";
  EXPECT_FALSE(parse_note(many));
}

TEST(Note, KeyNames) {
  EXPECT_TRUE(check_key_name("gatehouse.example/log"));
  EXPECT_TRUE(check_key_name("prüfung.example"));
  EXPECT_FALSE(check_key_name(""));
  EXPECT_FALSE(check_key_name("a b"));
  EXPECT_FALSE(check_key_name("a+b"));
  EXPECT_FALSE(check_key_name("a\nb"));
  EXPECT_FALSE(
      check_key_name("a\xC2\xA0"
                     "b"));
  EXPECT_FALSE(check_key_name("a\xE3\x80\x80"));
  EXPECT_FALSE(check_key_name("\xC3"));
  EXPECT_TRUE(check_key_name(std::string(255, 'a')));
  EXPECT_FALSE(check_key_name(std::string(256, 'a')));
}

TEST(Note, VerifierKeysOfOtherKindsAreRefused) {
  std::string text(example_key);
  EXPECT_FALSE(parse_verifier_key(text + "\n"));
  EXPECT_FALSE(parse_verifier_key("example.com/foo"));
  EXPECT_FALSE(parse_verifier_key("example.com/foo+530d903a"));
  EXPECT_FALSE(parse_verifier_key("example.com/foo+530d903a+"));
  EXPECT_FALSE(
      parse_verifier_key("example.com/foo+530d903a+BOkyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"));
  EXPECT_FALSE(
      parse_verifier_key("example.com/bar+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"));
}

TEST(Checkpoint, SignedAndOpenedAgain) {
  const auto key = make_verifier_key("gatehouse.example/log", test_key().public_key());
  EXPECT_TRUE(rc::check("round trip", [&] {
    Checkpoint checkpoint{.origin = key.name, .size = 0, .root = {}, .extensions = ""};
    checkpoint.size = *rc::gen::inRange<std::uint64_t>(0, max_tree_size);
    checkpoint.root = leaf_hash(*rc::gen::arbitrary<std::string>());
    const std::string note = sign_checkpoint(checkpoint, key, test_key());
    const auto opened = open_checkpoint(note, key);
    RC_ASSERT(opened.has_value());
    RC_ASSERT(opened->checkpoint.size == checkpoint.size);
    RC_ASSERT(opened->checkpoint.root == checkpoint.root);
    RC_ASSERT(to_string(opened->checkpoint) == to_string(checkpoint));
  }));
}

TEST(Checkpoint, AnotherLogsCheckpointIsRefused) {
  const auto key = make_verifier_key("gatehouse.example/log", test_key().public_key());
  const Checkpoint other{.origin = "other.example", .size = 1, .root = {}, .extensions = ""};
  EXPECT_FALSE(open_checkpoint(sign_checkpoint(other, key, test_key()), key));
}

TEST(Checkpoint, MalformedOnesAreRefused) {
  const std::string root = to_base64(empty_root());
  EXPECT_TRUE(parse_checkpoint("o\n0\n" + root + "\n"));
  EXPECT_TRUE(parse_checkpoint("o\n0\n" + root + "\nextension\n"));
  for (const std::string& bad :
       {std::string("o\n"), std::string("o\n0\n"), "o\n0\n" + root, "o\n00\n" + root + "\n",
        "o\n01\n" + root + "\n", "o\n-1\n" + root + "\n", "o\n+1\n" + root + "\n",
        "o\n18446744073709551616\n" + root + "\n", "o\n9223372036854775808\n" + root + "\n",
        "o\n0\n" + root.substr(4) + "\n", "o\n0\n" + root.substr(0, 43) + "\n",
        "\n0\n" + root + "\n", "a b\n0\n" + root + "\n", "o\n0\n" + root + "\n\nx\n",
        "o\n0\n" + root + "\nx\n\n", "o\n0\n" + root + "\nx"}) {
    EXPECT_FALSE(parse_checkpoint(bad)) << bad;
  }
}

}  // namespace
}  // namespace gatehouse::ledger

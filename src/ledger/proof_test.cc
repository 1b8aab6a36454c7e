#include "ledger/proof.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "ledger/memory_log.h"

namespace gatehouse::ledger {
namespace {

TEST(Receipt, RoundTripAndCheck) {
  MemoryDisk disk;
  make_log(disk, 777);
  const VerifierKey key = test_verifier_key();
  for (std::uint64_t index : {0u, 1u, 255u, 256u, 511u, 512u, 776u}) {
    const auto receipt = make_receipt(disk, "/log", index);
    ASSERT_TRUE(receipt) << receipt.error().describe();
    const auto again = parse_receipt(to_string(*receipt));
    ASSERT_TRUE(again) << again.error().describe();
    EXPECT_EQ(to_string(*again), to_string(*receipt));
    const auto checkpoint = check_receipt(*again, key, test_entry(index));
    ASSERT_TRUE(checkpoint) << checkpoint.error().describe();
    EXPECT_EQ(checkpoint->size, 777u);
    EXPECT_FALSE(check_receipt(*again, key, test_entry(index) + " "));
    EXPECT_FALSE(check_receipt(*again,
                               make_verifier_key("log.example/test", test_key(1).public_key()),
                               test_entry(index)));
  }
  EXPECT_EQ(make_receipt(disk, "/log", 777).error().code, ErrorCode::failed_precondition);
}

TEST(Receipt, EveryFlippedBitIsFound) {
  MemoryDisk disk;
  make_log(disk, 300);
  const std::string text = to_string(make_receipt(disk, "/log", 123).value());
  for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
    std::string bad = text;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    const auto receipt = parse_receipt(bad);
    EXPECT_FALSE(receipt && check_receipt(*receipt, test_verifier_key(), test_entry(123))) << bad;
  }
}

TEST(Receipt, ExtraIsCarriedAndProvesNothing) {
  MemoryDisk disk;
  make_log(disk, 3);
  auto receipt = make_receipt(disk, "/log", 1).value();
  receipt.extra = std::string("any\0thing", 9);
  const auto again = parse_receipt(to_string(receipt));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->extra, receipt.extra);
  EXPECT_TRUE(check_receipt(*again, test_verifier_key(), test_entry(1)));
}

TEST(Receipt, SignaturesOfWitnessesAreAllowed) {
  MemoryDisk disk;
  make_log(disk, 3);
  auto receipt = make_receipt(disk, "/log", 1).value();
  auto note = parse_note(receipt.checkpoint).value();
  const auto witness = make_verifier_key("witness.example", test_key(9).public_key());
  note.signatures.push_back(sign_note(note.text, witness, test_key(9)));
  receipt.checkpoint = to_string(note);
  EXPECT_TRUE(
      check_receipt(*parse_receipt(to_string(receipt)), test_verifier_key(), test_entry(1)));
}

TEST(Receipt, MalformedOnesAreRefused) {
  MemoryDisk disk;
  make_log(disk, 2);
  const std::string text = to_string(make_receipt(disk, "/log", 1).value());
  const std::string first = "c2sp.org/tlog-proof@v1\n";
  const std::string rest = text.substr(first.size());
  const std::string checkpoint = text.substr(text.find("\n\n") + 2);
  ASSERT_TRUE(parse_receipt(text));
  EXPECT_FALSE(parse_receipt(""));
  EXPECT_FALSE(parse_receipt(rest));
  EXPECT_FALSE(parse_receipt("c2sp.org/tlog-proof@v2\n" + rest));
  EXPECT_FALSE(parse_receipt(first + "extra ???\n" + rest));
  EXPECT_FALSE(parse_receipt(first + "index 01\n\n" + checkpoint));
  EXPECT_FALSE(parse_receipt(first + "index -1\n\n" + checkpoint));
  EXPECT_FALSE(parse_receipt(first + "index 99999999999999999999\n\n" + checkpoint));
  EXPECT_FALSE(parse_receipt(first + "\n" + checkpoint));
  EXPECT_FALSE(parse_receipt(first + "index 1\nAAAA\n\n" + checkpoint));
  EXPECT_FALSE(parse_receipt(first + "index 1\n"));
  EXPECT_FALSE(parse_receipt(first + "index 1\n\n"));
  EXPECT_FALSE(parse_receipt(first + "index 1\n\nnot a note\n"));
  std::string many = first + "index 1\n";
  for (int i = 0; i < 64; ++i) many += to_base64(empty_root()) + "\n";
  EXPECT_FALSE(parse_receipt(many + "\n" + checkpoint));
}

}  // namespace
}  // namespace gatehouse::ledger

// The cosigned checkpoint beside the log's own: served, proven under, verified, copied.
#include "ledger/witnessed.h"

#include <gtest/gtest.h>

#include "ledger/copy.h"
#include "ledger/cosignature.h"
#include "ledger/proof.h"
#include "ledger/test_log.h"
#include "ledger/trust_policy.h"
#include "ledger/verify.h"

namespace gatehouse::ledger {
namespace {

class Witnessed : public ::testing::Test {
 protected:
  std::string source() const { return (directory_.path() / name_).string(); }
  std::string target() const { return (directory_.path() / "copy").string(); }

  void grow(std::uint64_t to) {
    auto ledger = Ledger::open(options_in(source()), test_key(), clock_).value();
    for (std::uint64_t i = ledger->stats().size; i < to; ++i) {
      ASSERT_TRUE(ledger->append(test_entry(i), [](auto) {}));
    }
    ASSERT_TRUE(ledger->close());
  }
  std::string cosigned(const std::string& note_bytes) const {
    Note note = parse_note(note_bytes).value();
    note.signatures.push_back(cosign(note.text, 1'700'000'000, witness_, test_key(2)));
    return to_string(note);
  }
  // The present checkpoint, cosigned.
  void witness() {
    const std::string note = read_whole(disk_, paths().checkpoint, 4096).value();
    ASSERT_TRUE(store_witnessed(disk_, paths(), cosigned(note)));
  }
  LogPaths paths() const { return LogPaths(source()); }
  TrustPolicy policy(const std::string& quorum = "w") const {
    return parse_trust_policy("log " + to_string(log_) + "\nwitness w " + to_string(witness_) +
                              "\nwitness v " +
                              to_string(make_cosigner_key("v", test_key(3).public_key())) +
                              "\nquorum " + quorum + "\n")
        .value();
  }
  Result<VerifyReport> verify(const std::string& where, const TrustPolicy* with = nullptr) {
    return verify_log(disk_, where, {.key = {}, .remembered = {}, .policy = with});
  }

  SystemClock clock_;
  RealDisk disk_;
  TemporaryDirectory directory_;
  std::string name_ = "log";
  VerifierKey log_ = make_verifier_key("log.example/test", test_key().public_key());
  CosignerKey witness_ = make_cosigner_key("w.example", test_key(2).public_key());
};

// Whatever was cosigned can be verified with the tiles that are there later, at every size.
TEST_F(Witnessed, CanBeProvenFromWhenTheLogHasGrown) {
  const TrustPolicy trusted = policy();
  for (const std::uint64_t size : {1u, 5u, 255u, 256u, 257u, 300u, 511u, 1025u}) {
    name_ = "log-" + std::to_string(size);
    grow(size);
    witness();
    for (const std::uint64_t more : {1u, 3u, 260u}) {
      grow(size + more);
      const auto verified = verify(source(), &trusted);
      ASSERT_TRUE(verified) << size << "+" << more << ": " << verified.error().describe();
      EXPECT_EQ(verified->witnessed.value_or(WitnessedReport{}).checkpoint.size, size);
      EXPECT_EQ(verified->witnessed.value_or(WitnessedReport{}).witnesses.size(), 1u);
      for (const std::uint64_t index : {std::uint64_t{0}, size / 2, size - 1}) {
        const auto receipt = make_receipt(disk_, source(), index);
        ASSERT_TRUE(receipt) << receipt.error().describe();
        const auto opened = open_witnessed(receipt->checkpoint, trusted);
        ASSERT_TRUE(opened && opened->quorum);
        EXPECT_TRUE(check_receipt(*receipt, log_, test_entry(index)));
      }
    }
  }
}

TEST_F(Witnessed, ReceiptsOfNewerEntriesHaveTheLogsOwnCheckpoint) {
  grow(10);
  witness();
  grow(20);
  const auto receipt = make_receipt(disk_, source(), 15);
  ASSERT_TRUE(receipt);
  EXPECT_EQ(check_receipt(*receipt, log_, test_entry(15))->size, 20u);
  EXPECT_EQ(open_checkpoint(served_checkpoint(disk_, paths(), log_).value(), log_)->checkpoint.size,
            10u);
}

TEST_F(Witnessed, IsServedOnceItIsThereAndNotAfterItWasRemoved) {
  grow(3);
  const std::string own = read_whole(disk_, paths().checkpoint, 4096).value();
  EXPECT_EQ(served_checkpoint(disk_, paths(), log_).value(), own);
  witness();
  EXPECT_EQ(served_checkpoint(disk_, paths(), log_).value(), cosigned(own));
  ASSERT_TRUE(remove_witnessed(disk_, paths()));
  ASSERT_TRUE(remove_witnessed(disk_, paths()));
  EXPECT_EQ(served_checkpoint(disk_, paths(), log_).value(), own);
}

TEST_F(Witnessed, TheVerifierDemandsTheQuorum) {
  grow(5);
  const TrustPolicy one = policy();
  const TrustPolicy other = policy("v");
  const TrustPolicy none = policy("none");
  EXPECT_EQ(verify(source(), &one).error().code, ErrorCode::data_loss) << "no cosigned checkpoint";
  EXPECT_TRUE(verify(source(), &none));
  witness();
  EXPECT_TRUE(verify(source(), &one));
  const auto missing = verify(source(), &other);
  ASSERT_FALSE(missing);
  EXPECT_TRUE(missing.error().describe().contains("missing: v")) << missing.error().describe();
  // Without a policy the cosignature is there but nobody has verified it, and that is said.
  EXPECT_EQ(verify(source())->witnessed.value_or(WitnessedReport{}).unverified, 1u);
  const auto strangers = parse_trust_policy(
      "log " + to_string(make_verifier_key("x", test_key(9).public_key())) + "\nquorum none\n");
  EXPECT_EQ(verify(source(), &*strangers).error().code, ErrorCode::data_loss);
}

TEST_F(Witnessed, EveryFlippedBitIsFoundWithThePolicy) {
  grow(5);
  witness();
  const TrustPolicy trusted = policy();
  std::string bytes = read_whole(disk_, witnessed_path(paths()), 4096).value();
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    directory_.write("log/checkpoint.witnessed", bytes);
    ASSERT_FALSE(verify(source(), &trusted)) << bit;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
  }
  directory_.write("log/checkpoint.witnessed", bytes);
  ASSERT_TRUE(verify(source(), &trusted));
}

// A signed and cosigned checkpoint that is not this log's: other root, or further than the log.
TEST_F(Witnessed, AForkOrARollbackIsFound) {
  grow(5);
  const Checkpoint forked{
      .origin = "log.example/test", .size = 3, .root = leaf_hash("x"), .extensions = {}};
  ASSERT_TRUE(store_witnessed(disk_, paths(), cosigned(sign_checkpoint(forked, log_, test_key()))));
  EXPECT_TRUE(verify(source()).error().describe().contains("cosigned root for size 3"));
  const Checkpoint further{
      .origin = "log.example/test", .size = 6, .root = leaf_hash("x"), .extensions = {}};
  ASSERT_TRUE(
      store_witnessed(disk_, paths(), cosigned(sign_checkpoint(further, log_, test_key()))));
  EXPECT_TRUE(verify(source()).error().describe().contains("rolled back"));
  const Checkpoint empty{
      .origin = "log.example/test", .size = 0, .root = leaf_hash("x"), .extensions = {}};
  ASSERT_TRUE(store_witnessed(disk_, paths(), cosigned(sign_checkpoint(empty, log_, test_key()))));
  EXPECT_FALSE(verify(source()));
}

TEST_F(Witnessed, CopiesHaveItAndItsTiles) {
  const TrustPolicy trusted = policy();
  for (const std::uint64_t size : {10u, 250u, 300u, 520u}) {
    grow(size);
    witness();
    grow(size + 4);
    ASSERT_TRUE(copy_log(source(), target()));
    const auto verified = verify(target(), &trusted);
    ASSERT_TRUE(verified) << size << ": " << verified.error().describe();
    EXPECT_EQ(verified->witnessed.value_or(WitnessedReport{}).checkpoint.size, size);
    EXPECT_EQ(verified->checkpoint.size, size + 4);
  }
  // A copy keeps what it has of witnesses when the log loses it.
  ASSERT_TRUE(remove_witnessed(disk_, paths()));
  grow(1'000);
  ASSERT_TRUE(copy_log(source(), target()));
  EXPECT_TRUE(verify(target(), &trusted));
}

TEST_F(Witnessed, WhatIsLeftOfAnInterruptedWriteIsRemovedByTheNextStart) {
  grow(5);
  witness();
  directory_.write("log/tmp/checkpoint.witnessed", "half");
  EXPECT_FALSE(verify(source()));
  grow(6);
  EXPECT_TRUE(verify(source()));
}

}  // namespace
}  // namespace gatehouse::ledger

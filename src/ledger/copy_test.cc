// A copy holds exactly what one checkpoint covers, whenever it was taken.
#include "ledger/copy.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "ledger/test_log.h"
#include "ledger/verify.h"

namespace gatehouse::ledger {
namespace {

class Copy : public ::testing::Test {
 protected:
  std::string source() const { return (directory_.path() / "log").string(); }
  std::string target() const { return (directory_.path() / "copy").string(); }
  std::unique_ptr<Ledger> open_source(unsigned char key = 7) {
    auto options = options_in(source());
    options.segment_bytes = min_segment_bytes;
    options.checkpoint_interval = std::chrono::milliseconds(1);
    return Ledger::open(options, test_key(key), clock_).value();
  }
  void grow(std::uint64_t to) {
    auto ledger = open_source();
    for (std::uint64_t i = ledger->stats().size; i < to; ++i)
      ledger->append(test_entry(i), [](auto) {});
    ASSERT_TRUE(ledger->close());
  }
  VerifyReport verified_copy() {
    RealDisk disk;
    const auto report = verify_log(
        disk, target(),
        {.key = make_verifier_key("log.example/test", test_key().public_key()), .remembered = {}});
    EXPECT_TRUE(report) << report.error().describe();
    return report.value_or(VerifyReport{});
  }

  SystemClock clock_;
  TemporaryDirectory directory_;
};

TEST_F(Copy, OfEverySizeVerifiesAndCanBeRead) {
  for (const std::uint64_t size : {0u, 1u, 255u, 256u, 257u, 700u, 1024u}) {
    grow(size);
    const auto copied = copy_log(source(), target());
    ASSERT_TRUE(copied) << size << ": " << copied.error().describe();
    EXPECT_EQ(copied->size, size);
    EXPECT_EQ(verified_copy().checkpoint.size, size);
    EXPECT_EQ(read_all(target()).size(), size);
  }
  for (const char* absent : {"wal", "tmp", "lock", "tile/0/002.p", "tile/entries/000.p"})
    EXPECT_FALSE(std::filesystem::exists(target() + "/" + absent)) << absent;
  EXPECT_EQ(copy_log(source(), target())->new_files, 2u)
      << "the checkpoint, and the one tile that is not full; everything else is there";
}

// Whoever fetched the checkpoint of an earlier copy must be able to get its tiles.
TEST_F(Copy, KeepsPartialTilesUntilTheFullOneIsThere) {
  for (const std::uint64_t size : {260u, 270u, 300u}) {
    grow(size);
    ASSERT_TRUE(copy_log(source(), target()));
  }
  for (const char* partial : {"tile/0/001.p/4", "tile/0/001.p/14", "tile/entries/001.p/14"})
    EXPECT_TRUE(std::filesystem::exists(target() + "/" + partial)) << partial;
  EXPECT_EQ(verified_copy().checkpoint.size, 300u);
  grow(600);
  ASSERT_TRUE(copy_log(source(), target()));
  for (const char* partial : {"tile/0/001.p", "tile/entries/001.p"})
    EXPECT_FALSE(std::filesystem::exists(target() + "/" + partial)) << partial;
  EXPECT_EQ(verified_copy().checkpoint.size, 600u);
}

TEST_F(Copy, BesideAWriterIsAlwaysWhole) {
  auto ledger = open_source();
  std::atomic<bool> stop{false};
  std::jthread writing([&] {
    for (std::uint64_t i = 0; !stop && i < 20'000; ++i) {
      ledger->append(test_entry(i), [](auto) {});
      if (i % 16 == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  });
  for (int round = 0; round < 30; ++round) {
    if (round % 10 == 0) std::filesystem::remove_all(target());
    const auto copied = copy_log(source(), target());
    ASSERT_TRUE(copied) << round << ": " << copied.error().describe();
    EXPECT_EQ(verified_copy().checkpoint.size, copied->size);
  }
  stop = true;
}

TEST_F(Copy, GoesOnAfterAnInterruption) {
  grow(600);
  ASSERT_TRUE(copy_log(source(), target()));
  std::filesystem::remove(target() + "/checkpoint");
  std::filesystem::rename(target() + "/tile/0/001", target() + "/tile/0/001.part");
  grow(900);
  ASSERT_TRUE(copy_log(source(), target()));
  EXPECT_EQ(verified_copy().checkpoint.size, 900u);
}

TEST_F(Copy, RefusesFoldersOfSomethingElse) {
  grow(10);
  directory_.write("file", "x");
  EXPECT_EQ(copy_log(source(), directory_.path().string()).error().code,
            ErrorCode::failed_precondition);
  EXPECT_EQ(copy_log(source(), source()).error().code, ErrorCode::failed_precondition);
  EXPECT_EQ(copy_log(target(), source()).error().code, ErrorCode::not_found);
  ASSERT_TRUE(copy_log(source(), target()));
  std::filesystem::remove_all(source());
  grow(9);
  const auto rolled_back = copy_log(source(), target());
  ASSERT_FALSE(rolled_back);
  EXPECT_EQ(rolled_back.error().code, ErrorCode::data_loss);
  std::filesystem::remove_all(source());
  (void)open_source(8);
  EXPECT_EQ(copy_log(source(), target()).error().code, ErrorCode::failed_precondition);
}

TEST_F(Copy, FindsAForkOfWhatItHas) {
  grow(600);
  ASSERT_TRUE(copy_log(source(), target()));
  std::filesystem::remove_all(source());
  {
    auto ledger = open_source();
    for (int i = 0; i < 900; ++i) ledger->append("other " + std::to_string(i), [](auto) {});
  }
  const auto again = copy_log(source(), target());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::data_loss);
  EXPECT_EQ(verified_copy().checkpoint.size, 600u) << "the evidence stays";
}

}  // namespace
}  // namespace gatehouse::ledger

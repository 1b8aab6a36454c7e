// A log that was put back from a backup must not be gone on with.
#include "ledger/last_signed.h"

#include <gtest/gtest.h>

#include "ledger/memory_log.h"

namespace gatehouse::ledger {
namespace {

// Makes `to` hold the files of `from` under "/log", and keeps its own "/signed".
void put_back(MemoryDisk& to, const MemoryDisk& backup) {
  const auto from = backup.copy();
  for (const std::string& path : to.files("/log")) to.remove(path);
  for (const std::string& path : from->files("/log")) {
    ASSERT_TRUE(make_directories(to, parent_directory(path)));
    to.create(path, from->bytes(path));
  }
}

TEST(LastSigned, AnOlderLogIsNotGoneOnWith) {
  MemoryDisk disk;
  make_log(disk, 300);
  const auto backup = disk.copy();
  make_log(disk, 700);
  put_back(disk, *backup);
  const auto before = disk.copy();
  const auto refused = open_on(disk);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::failed_precondition);
  EXPECT_TRUE(refused.error().message.contains("700 entries were signed"))
      << refused.error().describe();
  EXPECT_TRUE(refused.error().message.contains("300 are here")) << refused.error().describe();
  for (const std::string& path : disk.files("/log"))
    EXPECT_EQ(disk.bytes(path), before->bytes(path)) << path << " was changed";
}

TEST(LastSigned, ALogThatIsGoneIsNotBegunAnew) {
  MemoryDisk disk;
  make_log(disk, 5);
  const std::string path = disk.files("/signed").front();
  MemoryDisk empty;
  ASSERT_TRUE(make_directory(empty, "/signed"));
  empty.create(path, disk.bytes(path));
  for (int i = 0; i < 2; ++i) {  // also not at the second try
    const auto refused = open_on(empty);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::failed_precondition) << refused.error().describe();
  }
}

TEST(LastSigned, EntriesBehindTheOldCheckpointCountAsHere) {
  MemoryDisk disk;
  std::unique_ptr<MemoryDisk> killed;
  {
    auto ledger = open_on(disk).value();
    for (std::uint64_t i = 0; i < 10; ++i) ASSERT_TRUE(ledger->append_and_wait(test_entry(i)));
    killed = disk.copy();  // its checkpoint covers nothing yet
    ASSERT_TRUE(ledger->checkpoint_now());
  }
  // What was signed last is durable before the checkpoint is: a crash in between looks like this.
  const std::string path = disk.files("/signed").front();
  killed->bytes(path) = disk.bytes(path);
  auto opened = open_on(*killed);
  ASSERT_TRUE(opened) << opened.error().describe();
  EXPECT_EQ((*opened)->stats().size, 10u);
}

TEST(LastSigned, AnotherHistoryOfTheSameLengthIsAFork) {
  MemoryDisk disk;
  MemoryDisk other;
  make_log(disk, 20);
  {
    auto ledger = open_on(other).value();
    for (int i = 0; i < 40; ++i) ASSERT_TRUE(ledger->append_and_wait("other"));
  }
  put_back(disk, other);
  const auto refused = open_on(disk);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::data_loss);
  EXPECT_TRUE(refused.error().message.contains("forked")) << refused.error().describe();
}

TEST(LastSigned, WithoutTheFileNobodyCanTell) {
  MemoryDisk disk;
  make_log(disk, 20);
  disk.remove(disk.files("/signed").front());
  const auto refused = open_on(disk);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::failed_precondition);
  EXPECT_TRUE(refused.error().message.contains("gatehouse audit resume"))
      << refused.error().describe();
  ASSERT_TRUE(remember_as_last_signed(disk, memory_options(), test_key()));
  const auto opened = open_on(disk);
  ASSERT_TRUE(opened) << opened.error().describe();
}

TEST(LastSigned, ADamagedFileIsNotPassedOver) {
  MemoryDisk disk;
  make_log(disk, 20);
  disk.bytes(disk.files("/signed").front())[30] ^= 1;
  const auto refused = open_on(disk);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::failed_precondition);
}

TEST(LastSigned, TwoLogsDoNotShareAFile) {
  MemoryDisk disk;
  make_log(disk, 3);
  Options second = memory_options();
  second.directory = "/second";
  second.origin = "log.example/second";
  auto ledger = Ledger::open(second, test_key(), test_clock(), &disk);
  ASSERT_TRUE(ledger) << ledger.error().describe();
  ASSERT_TRUE((*ledger)->close());
  EXPECT_EQ(disk.files("/signed").size(), 2u);
}

}  // namespace
}  // namespace gatehouse::ledger

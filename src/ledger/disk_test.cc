// The lock: what a verifier does for an instant must not keep a writer from starting.
#include "ledger/disk.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <thread>

#include "ledger/fake_disk.h"
#include "ledger/test_log.h"

namespace gatehouse::ledger {
namespace {

TEST(DiskLock, IsTriedAgainForASecond) {
  MemoryDisk memory;
  FaultyDisk disk(memory);
  const auto file = File::open(disk, "/lock", O_RDWR | O_CREAT).value();
  disk.plan(Call::lock, 1, EWOULDBLOCK);
  EXPECT_EQ(take_exclusive_lock(disk, file), true);
  disk.plan(Call::lock, 1, EWOULDBLOCK, true);
  EXPECT_EQ(take_exclusive_lock(disk, file), false);
  disk.plan(Call::lock, 1, EIO);
  EXPECT_EQ(take_exclusive_lock(disk, file).error().code, ErrorCode::unavailable);
}

TEST(DiskLock, AVerifierDoesNotKeepAWriterFromStarting) {
  TemporaryDirectory directory;
  directory.write("lock", "");
  const std::string path = (directory.path() / "lock").string();
  RealDisk disk;
  std::atomic<bool> stop{false};
  std::jthread probing([&] {
    const auto file = File::open(disk, path, O_RDONLY).value();
    while (!stop) disk.probe_lock(file.descriptor());
  });
  for (int i = 0; i < 20; ++i) {
    const auto file = File::open(disk, path, O_RDWR).value();
    ASSERT_EQ(take_exclusive_lock(disk, file), true);
  }
  stop = true;
}

TEST(DiskLock, ASecondWriterIsToldWhatToDo) {
  TemporaryDirectory directory;
  const SystemClock clock;
  const auto first = Ledger::open(options_in(directory.path()), test_key(), clock).value();
  const auto second = Ledger::open(options_in(directory.path()), test_key(), clock);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::failed_precondition);
  const std::string message = second.error().describe();
  EXPECT_TRUE(message.contains((directory.path() / "lock").string())) << message;
  EXPECT_TRUE(message.contains("probably a gateway")) << message;
}

}  // namespace
}  // namespace gatehouse::ledger

// Power cuts and failing system calls, thousands of them, on a disk in memory.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <map>
#include <random>

#include "ledger/log_files.h"
#include "ledger/memory_log.h"

namespace gatehouse::ledger {
namespace {

// What the log has promised: entries by index.
using Promises = std::map<std::uint64_t, std::string>;

// Some work in which every kind of file is written and removed: short and long entries, several
// segments, several checkpoints, partial tiles that become full. Stops where the log refuses.
void do_some_work(Ledger& ledger, Promises& promises, std::uint64_t rounds, std::mt19937& random) {
  for (std::uint64_t round = 0; round < rounds; ++round) {
    const std::uint64_t group = 1 + random() % 40;
    for (std::uint64_t i = 0; i < group; ++i) {
      std::string entry = "r" + std::to_string(random()) + std::string(random() % 700, 'e');
      auto note = [&promises, entry](Result<std::uint64_t> index) {
        if (index) promises[*index] = entry;
      };
      ledger.append(entry, std::move(note));
    }
    // Waits for all of the group, because callbacks come in order.
    std::string last = "last" + std::to_string(random());
    const auto index = ledger.append_and_wait(last);
    if (!index) return;
    promises[*index] = last;
    if (random() % 3 == 0 && !ledger.checkpoint_now()) return;
  }
}

std::vector<std::string> entries_on(MemoryDisk& disk, std::uint64_t size) {
  std::vector<std::string> entries;
  for (std::uint64_t from = 0; from < size; from += tile_width) {
    const auto width = static_cast<unsigned>(std::min(tile_width, size - from));
    const auto bytes = read_bundle(disk, LogPaths("/log"),
                                   {.level = {}, .index = from / tile_width, .width = width});
    EXPECT_TRUE(bytes);
    if (!bytes) return entries;
    for (const std::string_view entry : split_bundle(*bytes, width).value()) {
      entries.emplace_back(entry);
    }
  }
  return entries;
}

// Opens the log again, verifies it, and looks for every promised entry.
void expect_kept(MemoryDisk& disk, const Promises& promises, const std::string& seen_checkpoint,
                 const std::string& when) {
  auto ledger = open_on(disk);
  ASSERT_TRUE(ledger) << when << ": " << ledger.error().describe();
  const std::uint64_t size = (*ledger)->stats().size;
  EXPECT_EQ((*ledger)->stats().checkpoint_size, size) << when;
  ASSERT_TRUE((*ledger)->append_and_wait("goes on")) << when;
  ASSERT_TRUE((*ledger)->close()) << when;
  const auto report = verify_memory(disk, seen_checkpoint);
  ASSERT_TRUE(report) << when << ": " << report.error().describe();
  if (!promises.empty()) ASSERT_LT(promises.rbegin()->first, size) << when;
  const auto entries = entries_on(disk, report->checkpoint.size);
  for (const auto& [index, entry] : promises) {
    ASSERT_EQ(entries.at(index), entry) << when << " entry " << index;
  }
  if (promises.empty()) return;
  const auto receipt = make_receipt(disk, "/log", promises.rbegin()->first);
  ASSERT_TRUE(receipt) << when << ": " << receipt.error().describe();
  ASSERT_TRUE(check_receipt(*receipt, test_verifier_key(), promises.rbegin()->second)) << when;
}

std::string visible_checkpoint(MemoryDisk& disk) {
  return read_whole(disk, "/log/checkpoint", max_checkpoint_bytes).value_or("");
}

TEST(Crash, PowerCutsAtEveryMomentLoseNothingThatWasPromised) {
  for (unsigned seed = 0; seed < 400; ++seed) {
    std::mt19937 random(seed);
    Promises promises;
    auto disk = std::make_unique<MemoryDisk>();
    // Each log lives through several cuts.
    for (int life = 0; life < 3; ++life) {
      disk->stop_after(1 + random() % 260);
      if (auto ledger = open_on(*disk)) do_some_work(**ledger, promises, 12, random);
      const std::string seen = visible_checkpoint(*disk);
      disk = disk->after_power_cut(random);
      expect_kept(*disk, promises, seen,
                  "seed " + std::to_string(seed) + " life " + std::to_string(life));
      if (HasFatalFailure()) return;
    }
  }
}

TEST(Crash, KilledProcessesLoseNothing) {
  for (unsigned seed = 0; seed < 150; ++seed) {
    std::mt19937 random(seed);
    Promises promises;
    MemoryDisk disk;
    disk.stop_after(1 + random() % 400);
    if (auto ledger = open_on(disk)) do_some_work(**ledger, promises, 15, random);
    const auto survivor = disk.copy();
    expect_kept(*survivor, promises, visible_checkpoint(disk), "seed " + std::to_string(seed));
    if (HasFatalFailure()) return;
  }
}

// Cuts during recovery itself, one after another, until it succeeds.
TEST(Crash, PowerCutsDuringRecovery) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    std::mt19937 random(seed);
    Promises promises;
    auto disk = std::make_unique<MemoryDisk>();
    disk->stop_after(40 + random() % 200);
    if (auto ledger = open_on(*disk)) do_some_work(**ledger, promises, 12, random);
    for (unsigned calls = 1; calls < 25; ++calls) {
      disk = disk->after_power_cut(random);
      disk->stop_after(calls);
      const auto ledger = open_on(*disk);
      if (!ledger)
        ASSERT_NE(ledger.error().code, ErrorCode::data_loss) << ledger.error().describe();
    }
    const std::string seen = visible_checkpoint(*disk);
    disk = disk->after_power_cut(random);
    expect_kept(*disk, promises, seen, "seed " + std::to_string(seed));
    if (HasFatalFailure()) return;
  }
}

struct Fault {
  Call call;
  const char* name;
  std::vector<int> errors;
};

// The errors that Linux documents for each call on a local file system, and short transfers.
const std::vector<Fault>& faults() {
  static const std::vector<Fault> all{
      {Call::open,
       "open",
       {EIO, EACCES, EMFILE, ENFILE, ENOMEM, ENOSPC, EDQUOT, EROFS, EINTR, EPERM}},
      {Call::size, "size", {EIO, ENOMEM}},
      {Call::pread, "pread", {EIO, EINTR, EAGAIN, FaultyDisk::short_transfer}},
      {Call::pwrite,
       "pwrite",
       {EIO, ENOSPC, EDQUOT, EFBIG, EROFS, EPERM, EINTR, EAGAIN, FaultyDisk::short_transfer}},
      {Call::fallocate, "fallocate", {EIO, ENOSPC, EDQUOT, EFBIG, EOPNOTSUPP, ENOSYS, EINTR}},
      {Call::fdatasync, "fdatasync", {EIO, ENOSPC, EDQUOT, EROFS, EINTR}},
      {Call::fsync, "fsync", {EIO, ENOSPC, EDQUOT, EROFS, EINTR}},
      {Call::lock, "lock", {EIO, ENOLCK, EINTR}},
      {Call::rename, "rename", {EIO, ENOSPC, EDQUOT, EROFS, EACCES, EPERM, EBUSY, ENOMEM}},
      {Call::unlink, "unlink", {EIO, EROFS, EACCES, EPERM, EBUSY, ENOMEM}},
      {Call::mkdir, "mkdir", {EIO, ENOSPC, EDQUOT, EROFS, EACCES, EMLINK, ENOMEM}},
      {Call::rmdir, "rmdir", {EIO, EROFS, EACCES, EPERM, EBUSY, ENOMEM}},
      {Call::list, "list", {EIO, EACCES, EMFILE, ENFILE, ENOMEM}},
      {Call::close, "close", {EIO, EINTR, ENOSPC, EDQUOT}},
  };
  return all;
}

// The same work each time: a new log, work, closed, opened again, work.
Promises work_through(FaultyDisk& disk) {
  Promises promises;
  std::mt19937 random(1);
  for (int life = 0; life < 2; ++life) {
    auto ledger = open_on(disk);
    if (!ledger) {
      EXPECT_NE(ledger.error().code, ErrorCode::data_loss) << ledger.error().describe();
      continue;
    }
    do_some_work(**ledger, promises, 14, random);
    const Stats stats = (*ledger)->stats();
    if (!stats.failed) continue;
    EXPECT_FALSE(stats.failure.empty());
    const auto refused = (*ledger)->append_and_wait("after the failure");
    EXPECT_FALSE(refused);
    if (!refused) EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
    EXPECT_FALSE((*ledger)->close());
  }
  return promises;
}

struct Injection {
  const Fault* fault;
  std::uint64_t nth;
  int error;
};

// Every call that the work makes, with every error it can return.
std::vector<Injection> injections() {
  MemoryDisk inner;
  FaultyDisk disk(inner);
  work_through(disk);
  std::vector<Injection> all;
  for (const Fault& fault : faults()) {
    const std::uint64_t calls = disk.count(fault.call);
    for (std::uint64_t nth = 1; nth <= calls; ++nth)
      for (const int error : fault.errors)
        all.push_back({.fault = &fault, .nth = nth, .error = error});
  }
  return all;
}

void expect_survived(const Injection& injection, std::mt19937& random) {
  MemoryDisk inner;
  FaultyDisk disk(inner);
  disk.plan(injection.fault->call, injection.nth, injection.error);
  const Promises promises = work_through(disk);
  const std::string when = std::string(injection.fault->name) + " " +
                           std::to_string(injection.nth) + " error " +
                           std::to_string(injection.error);
  const std::string seen = visible_checkpoint(inner);
  const auto after_cut = inner.after_power_cut(random);
  expect_kept(inner, promises, seen, when);
  expect_kept(*after_cut, promises, seen, when + ", then a power cut");
}

// All of them; with a sanitizer, where each takes ten times as long, every seventh.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr std::size_t step = 7;
#else
constexpr std::size_t step = 1;
#endif

TEST(Crash, EveryCallFailsInTurnWithEveryError) {
  const auto all = injections();
  std::mt19937 random(2);
  for (std::size_t at = 0; at < all.size(); at += step) {
    expect_survived(all[at], random);
    ASSERT_FALSE(HasFailure()) << all[at].fault->name << " " << all[at].nth;
  }
  EXPECT_GT(all.size(), 3'000u);
  RecordProperty("faults", static_cast<int>(all.size()));
}

TEST(Crash, InterruptedAndShortCallsAreInvisible) {
  for (const Call call : {Call::pwrite, Call::fdatasync, Call::fsync, Call::pread}) {
    const bool transfers = call == Call::pwrite || call == Call::pread;
    for (std::uint64_t nth = 1; nth < 20; ++nth) {
      MemoryDisk inner;
      FaultyDisk disk(inner);
      disk.plan(call, nth, transfers ? FaultyDisk::short_transfer : EINTR);
      auto ledger = open_on(disk);
      ASSERT_TRUE(ledger);
      for (std::uint64_t i = 0; i < 5; ++i) {
        ASSERT_EQ((*ledger)->append_and_wait(test_entry(i)).value(), i);
      }
      ASSERT_TRUE((*ledger)->close());
    }
  }
}

TEST(Crash, FullDiskRefusesPendingAndLaterAppendsAtOnce) {
  MemoryDisk inner;
  FaultyDisk disk(inner);
  auto ledger = open_on(disk).value();
  ASSERT_TRUE(ledger->append_and_wait("kept"));
  disk.plan(Call::fdatasync, 1, ENOSPC, true);
  std::atomic<int> refused{0};
  for (int i = 0; i < 100; ++i) {
    auto note = [&](const Result<std::uint64_t>& index) {
      if (!index && index.error().code == ErrorCode::unavailable) ++refused;
    };
    const auto taken = ledger->append(test_entry(static_cast<std::uint64_t>(i)), note);
    if (!taken) note(std::unexpected(taken.error()));
  }
  const auto last = ledger->append_and_wait("last");
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().code, ErrorCode::unavailable);
  EXPECT_TRUE(last.error().message.contains("No space left on device")) << last.error().message;
  EXPECT_TRUE(ledger->stats().failed);
  EXPECT_FALSE(ledger->checkpoint_now());
  EXPECT_FALSE(ledger->append("later", [](auto) { FAIL() << "it was not taken"; }));
  EXPECT_FALSE(ledger->close());
  EXPECT_EQ(refused, 100);  // the writer settles what was pending in its own time, before it ends
  expect_kept(inner, {{0, "kept"}}, "", "after the disk was full");
}

TEST(Crash, ADiskThatReallyFillsUp) {
  MemoryDisk disk;
  disk.bytes_limit = 3 * min_segment_bytes;
  Promises promises;
  {
    auto ledger = open_on(disk).value();
    for (int i = 0; i < 3000; ++i) {
      std::string entry = test_entry(static_cast<std::uint64_t>(i));
      const auto index = ledger->append_and_wait(entry);
      if (!index) {
        EXPECT_TRUE(index.error().message.contains("No space left")) << index.error().message;
        break;
      }
      promises[*index] = entry;
      if (i % 100 == 0 && !ledger->checkpoint_now()) break;
    }
    EXPECT_TRUE(ledger->stats().failed);
  }
  EXPECT_GT(promises.size(), 100u);
  disk.bytes_limit = ~std::uint64_t{0};
  expect_kept(disk, promises, visible_checkpoint(disk), "after room was made");
}

// ---- what recovery must refuse --------------------------------------------------------------

Error refusal_after(const std::function<void(MemoryDisk&)>& damage) {
  MemoryDisk disk;
  make_log(disk, 700, {100, 600});
  damage(disk);
  const auto ledger = open_on(disk);
  EXPECT_FALSE(ledger);
  return ledger ? Error{} : ledger.error();
}

TEST(Recovery, RefusesWhatContradictsTheCheckpoint) {
  struct Damage {
    const char* what;
    const char* names;
    std::function<void(MemoryDisk&)> how;
  };
  const std::string last_segment = "/log/wal/" + segment_name(0);
  const std::vector<Damage> damages{
      {"checkpoint gone", "/log/checkpoint", [](auto& disk) { disk.remove("/log/checkpoint"); }},
      {"checkpoint damaged", "/log/checkpoint",
       [](auto& disk) { disk.bytes("/log/checkpoint")[20] ^= 1; }},
      {"key gone", "/log/log.vkey", [](auto& disk) { disk.remove("/log/log.vkey"); }},
      {"edge tile gone", "/log/tile/0/002.p/188",
       [](auto& disk) { disk.remove("/log/tile/0/002.p/188"); }},
      {"edge tile damaged", "/log/tile/0/002.p/188",
       [](auto& disk) { disk.bytes("/log/tile/0/002.p/188")[77] ^= 1; }},
      {"upper tile damaged", "/log/tile/1/000.p/2",
       [](auto& disk) { disk.bytes("/log/tile/1/000.p/2")[3] ^= 1; }},
      {"segments gone", "/log/wal",
       [](auto& disk) {
         for (const auto& path : disk.files("/log/wal")) disk.remove(path);
       }},
      {"last segment cut", "/log/wal/",
       [](auto& disk) { disk.bytes(disk.files("/log/wal").back()).resize(min_segment_bytes / 2); }},
      {"last segment emptied", "/log/wal/",
       [](auto& disk) {
         std::string& bytes = disk.bytes(disk.files("/log/wal").back());
         std::fill(bytes.begin() + segment_header_bytes, bytes.end(), '\0');
       }},
      {"segment header damaged", "/log/wal/",
       [](auto& disk) { disk.bytes(disk.files("/log/wal").back())[17] ^= 1; }},
      {"frame damaged", "/log/wal/",
       [](auto& disk) { disk.bytes(disk.files("/log/wal").back())[300] ^= 1; }},
  };
  for (const Damage& damage : damages) {
    const Error error = refusal_after(damage.how);
    EXPECT_EQ(error.code, ErrorCode::data_loss) << damage.what << ": " << error.describe();
    EXPECT_TRUE(error.describe().contains(damage.names)) << damage.what << ": " << error.describe();
  }
}

TEST(Recovery, RefusesADamagedFrameThatIsNotTheLast) {
  MemoryDisk disk;
  std::unique_ptr<MemoryDisk> killed;
  {
    auto ledger = open_on(disk).value();
    for (std::uint64_t i = 0; i < 10; ++i) ASSERT_TRUE(ledger->append_and_wait(test_entry(i)));
    killed = disk.copy();  // no checkpoint covers any of the ten
  }
  const auto torn = killed->copy();
  std::string& segment = killed->bytes("/log/wal/" + segment_name(0));
  segment[segment_header_bytes + frame_header_bytes + 5] ^= 1;  // the first of ten groups
  const auto refused = open_on(*killed);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::data_loss);

  // The very last group is taken for one that was being written: nobody can tell the difference.
  std::string& tail = torn->bytes("/log/wal/" + segment_name(0));
  const std::size_t end = tail.find_last_not_of('\0');
  tail[end] = static_cast<char>(tail[end] ^ 1);
  auto opened = open_on(*torn);
  ASSERT_TRUE(opened) << opened.error().describe();
  EXPECT_EQ((*opened)->stats().size, 9u);
  EXPECT_EQ((*opened)->append_and_wait("ten").value(), 9u);
  ASSERT_TRUE((*opened)->close());
  EXPECT_TRUE(verify_memory(*torn));
}

}  // namespace
}  // namespace gatehouse::ledger

// Power cuts at every moment and every call failing in turn, on a disk in memory. What must hold
// afterwards: what was acknowledged is there, what was reported as erased is not, and the vault
// opens.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "vault/test_vault.h"

namespace gatehouse::vault {
namespace {

using namespace testing;

struct Promises {
  std::set<std::uint64_t> kept;
  std::set<std::uint64_t> erased;                // reported
  std::map<std::uint64_t, std::string> secrets;  // data key of each
};

// One life of a process: keeps, erases, rotates. Ends when the disk refuses.
void live(Vault& vault, Promises& promises, std::uint64_t& next, std::mt19937& random) {
  for (int step = 0; step < 12; ++step) {
    const auto number = next++;
    auto record = record_of(vault, number);
    promises.secrets[number] = key_text(record.secrets.data_key);
    if (!vault.keep_and_wait(std::move(record))) return;
    promises.kept.insert(number);
    if (random() % 3 != 0 || promises.kept.empty()) continue;
    auto victim = promises.kept.begin();
    std::advance(victim, static_cast<std::ptrdiff_t>(random() % promises.kept.size()));
    const auto order = erase_order({id_of(*victim)});
    const auto erased = *victim;
    promises.kept.erase(victim);  // from now on it may be either
    if (!vault.begin(order)) return;
    if (!vault.finish(order)) return;
    promises.erased.insert(erased);
  }
}

// As the gateway does at start: the order that a crash left is carried out.
Result<std::unique_ptr<Vault>> open_and_finish(World& world, Disk& disk, const KeyRing& ring) {
  GH_ASSIGN(auto vault, world.open(disk, ring));
  if (const auto order = vault->unfinished()) GH_TRY(vault->finish(*order));
  if (vault->needs_rewrap()) {
    GH_TRY(vault->rewrap());
    GH_TRY(vault->settle_rewrap());
  }
  return vault;
}

void expect_kept(World& world, MemoryDisk& disk, const Promises& promises, const KeyRing& ring,
                 const std::string& when) {
  auto opened = open_and_finish(world, disk, ring);
  ASSERT_TRUE(opened) << when << ": " << opened.error().describe();
  const auto& vault = **opened;
  EXPECT_FALSE(vault.unfinished());
  for (const auto number : promises.kept) {
    const auto record = vault.get(id_of(number), Which::request);
    ASSERT_TRUE(record) << when << " record " << number << ": " << record.error().describe();
    ASSERT_EQ(record->content, content_of(number)) << when;
  }
  for (const auto number : promises.erased) {
    const auto record = vault.get(id_of(number), Which::request);
    ASSERT_FALSE(record) << when << " record " << number << " came back";
  }
  // A key that was being made or erased stands nowhere in the clear, whatever happened.
  const auto everything = disk.everything();
  for (const auto& [number, secret] : promises.secrets)
    ASSERT_FALSE(everything.contains(secret)) << when;
}

TEST(Crash, PowerCutsAtEveryMomentLoseNothingThatWasPromised) {
  for (unsigned seed = 0; seed < 400; ++seed) {
    std::mt19937 random(seed);
    World world;
    Promises promises;
    std::uint64_t next = 1;
    auto disk = std::make_unique<MemoryDisk>();
    bool second = false;  // which key is in force
    for (int life = 0; life < 4; ++life) {
      if (random() % 3 == 0) second = !second;
      const auto ring =
          second ? ring_of(second_key, {first_key}) : ring_of(first_key, {second_key});
      disk->stop_after(1 + random() % 160);
      if (auto vault = open_and_finish(world, *disk, ring)) live(**vault, promises, next, random);
      disk = disk->after_power_cut(random);
      expect_kept(world, *disk, promises, ring,
                  "seed " + std::to_string(seed) + " life " + std::to_string(life));
      if (HasFatalFailure()) return;
    }
  }
}

TEST(Crash, KilledProcessesLoseNothing) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    World world;
    Promises promises;
    std::uint64_t next = 1;
    MemoryDisk disk;
    disk.stop_after(1 + random() % 200);
    const auto ring = ring_of(first_key);
    if (auto vault = open_and_finish(world, disk, ring)) live(**vault, promises, next, random);
    const auto survivor = disk.copy();
    expect_kept(world, *survivor, promises, ring, "seed " + std::to_string(seed));
    if (HasFatalFailure()) return;
  }
}

// Cuts during recovery itself, one after another, until it succeeds.
TEST(Crash, PowerCutsDuringRecovery) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    std::mt19937 random(seed);
    World world;
    Promises promises;
    std::uint64_t next = 1;
    auto disk = std::make_unique<MemoryDisk>();
    const auto ring = ring_of(first_key);
    disk->stop_after(20 + random() % 150);
    if (auto vault = open_and_finish(world, *disk, ring)) live(**vault, promises, next, random);
    for (unsigned calls = 1; calls < 20; ++calls) {
      disk = disk->after_power_cut(random);
      disk->stop_after(calls);
      const auto vault = open_and_finish(world, *disk, ring);
      if (!vault) ASSERT_NE(vault.error().code, ErrorCode::data_loss) << vault.error().describe();
    }
    disk = disk->after_power_cut(random);
    expect_kept(world, *disk, promises, ring, "seed " + std::to_string(seed));
    if (HasFatalFailure()) return;
  }
}

struct Fault {
  Call call;
  const char* name;
  std::vector<int> errors;
};

const std::vector<Fault>& faults() {
  static const std::vector<Fault> all{
      {Call::open, "open", {EIO, EACCES, EMFILE, ENOSPC, EROFS, EINTR}},
      {Call::close, "close", {EIO}},
      {Call::size, "size", {EIO}},
      {Call::pread, "pread", {EIO, EINTR, FaultyDisk::short_transfer}},
      {Call::pwrite, "pwrite", {EIO, ENOSPC, EDQUOT, EROFS, EINTR, FaultyDisk::short_transfer}},
      {Call::truncate, "truncate", {EIO, EROFS}},
      {Call::punch, "punch", {EIO, EOPNOTSUPP}},
      {Call::sync, "sync", {EIO, ENOSPC, EROFS, EINTR}},
      {Call::lock, "lock", {EIO, ENOLCK}},
      {Call::rename, "rename", {EIO, ENOSPC, EROFS}},
      {Call::unlink, "unlink", {EIO, EROFS}},
      {Call::mkdir, "mkdir", {EIO, ENOSPC, EROFS}},
      {Call::list, "list", {EIO, EMFILE}},
  };
  return all;
}

// The same work each time: a new vault, work, opened again under another key, work, pruning.
Promises work_through(FaultyDisk& disk) {
  Promises promises;
  World world;
  std::mt19937 random(1);  // the same each time. NOLINT(cert-msc32-c,cert-msc51-cpp)
  std::uint64_t next = 1;
  for (const auto& ring : {ring_of(first_key), ring_of(second_key, {first_key})}) {
    auto vault = open_and_finish(world, disk, ring);
    if (!vault) {
      EXPECT_NE(vault.error().code, ErrorCode::data_loss) << vault.error().describe();
      continue;
    }
    live(**vault, promises, next, random);
    const auto old = (*vault)->prunable(epoch + std::chrono::seconds(3));
    if (!old || old->empty()) continue;
    Order order = erase_order({});
    order.kind = Order::Kind::prune;
    order.segment = old->front().number;
    if (!(*vault)->begin(order)) continue;
    for (std::uint64_t number = 1; number < 3; ++number) promises.kept.erase(number);
    (void)(*vault)->finish(order);  // what is left of it is carried out at the next start
  }
  return promises;
}

TEST(Crash, EveryCallFailsInTurnWithEveryError) {
  std::map<Call, std::uint64_t> calls;
  {
    MemoryDisk inner;
    FaultyDisk disk(inner);
    work_through(disk);
    for (const Fault& fault : faults()) calls[fault.call] = disk.count(fault.call);
  }
  std::mt19937 random(2);  // the same each time. NOLINT(cert-msc32-c,cert-msc51-cpp)
  int runs = 0;
  const auto ring = ring_of(second_key, {first_key});
  for (const Fault& fault : faults()) {
    for (std::uint64_t nth = 1; nth <= calls[fault.call]; ++nth) {
      for (const int error : fault.errors) {
        MemoryDisk inner;
        FaultyDisk disk(inner);
        disk.plan(fault.call, nth, error);
        const Promises promises = work_through(disk);
        ++runs;
        const std::string when =
            std::string(fault.name) + " " + std::to_string(nth) + " error " + std::to_string(error);
        const auto after_cut = inner.after_power_cut(random);
        World world;
        expect_kept(world, inner, promises, ring, when);
        expect_kept(world, *after_cut, promises, ring, when + ", then a power cut");
        if (HasFatalFailure() || HasNonfatalFailure()) FAIL() << when;
      }
    }
  }
  EXPECT_GT(runs, 500);
  RecordProperty("runs", runs);
}

TEST(Crash, AFullDiskRefusesAndRecovers) {
  World world;
  MemoryDisk disk;
  disk.bytes_limit = 9'000;
  Promises promises;
  {
    auto vault = world.open(disk).value();
    for (std::uint64_t number = 1; number < 100; ++number) {
      if (const auto kept = vault->keep_and_wait(record_of(*vault, number)); !kept) {
        EXPECT_EQ(kept.error().code, ErrorCode::unavailable);
        EXPECT_TRUE(kept.error().message.contains("No space left")) << kept.error().describe();
        break;
      }
      promises.kept.insert(number);
    }
    EXPECT_TRUE(vault->stats().failed);
    EXPECT_FALSE(vault->keep_and_wait(record_of(*vault, 200)));
  }
  EXPECT_GT(promises.kept.size(), 3u);
  disk.bytes_limit = ~std::uint64_t{0};
  expect_kept(world, disk, promises, ring_of(first_key), "after room was made");
}

}  // namespace
}  // namespace gatehouse::vault

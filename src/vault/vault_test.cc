#include "vault/vault.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <latch>
#include <thread>

#include "vault/test_vault.h"

namespace gatehouse::vault {
namespace {

using namespace testing;

std::string get(const Vault& vault, std::uint64_t number) {
  const auto opened = vault.get(id_of(number), Which::request);
  EXPECT_TRUE(opened) << number << ": " << opened.error().describe();
  return opened ? opened->content : "";
}

TEST(Vault, KeepsAndGivesBack) {
  World world;
  MemoryDisk disk;
  auto vault = world.open(disk).value();
  for (std::uint64_t number = 1; number <= 30; ++number)
    ASSERT_TRUE(vault->keep_and_wait(record_of(*vault, number)));
  EXPECT_GT(vault->stats().segments, 3u);
  for (std::uint64_t number = 1; number <= 30; ++number)
    EXPECT_EQ(get(*vault, number), content_of(number));
  EXPECT_EQ(vault->get(id_of(31), Which::request).error().code, ErrorCode::not_found);
  EXPECT_EQ(vault->get(id_of(1), Which::answer).error().code, ErrorCode::not_found);
}

TEST(Vault, WhatIsSealedComesBack) {
  rc::check("any content, any number of subjects", [](const std::string& content) {
    World world;
    MemoryDisk disk;
    auto vault = world.open(disk).value();
    auto record = record_of(*vault, 1);
    record.content = content;
    record.original_bytes = content.size() + *rc::gen::inRange<std::uint64_t>(0, 3);
    const auto original = record.original_bytes;
    record.subjects.resize(*rc::gen::inRange<std::size_t>(0, max_subjects + 1));
    const auto salt = key_text(record.secrets.salt);
    RC_ASSERT(vault->keep_and_wait(std::move(record)).has_value());
    vault.reset();
    vault = world.open(disk).value();
    const auto opened = vault->get(id_of(1), Which::request);
    RC_ASSERT(opened.has_value());
    RC_ASSERT(opened->content == content);
    RC_ASSERT(opened->info.original_bytes == original);
    RC_ASSERT(opened->info.truncated == (original > content.size()));
    RC_ASSERT(key_text(opened->salt) == salt);
  });
}

TEST(Vault, GoesOnAfterReopening) {
  World world;
  MemoryDisk disk;
  for (std::uint64_t life = 0; life < 5; ++life) {
    auto vault = world.open(disk).value();
    for (std::uint64_t number = 1; number <= 4; ++number)
      ASSERT_TRUE(vault->keep_and_wait(record_of(*vault, life * 10 + number)));
  }
  auto vault = world.open(disk).value();
  EXPECT_EQ(vault->stats().records, 20u);
  for (std::uint64_t life = 0; life < 5; ++life)
    for (std::uint64_t number = 1; number <= 4; ++number)
      EXPECT_EQ(get(*vault, life * 10 + number), content_of(life * 10 + number));
}

TEST(Vault, NothingIsInTheClear) {
  World world;
  MemoryDisk disk;
  auto vault = world.open(disk).value();
  auto record = record_of(*vault, 1);
  record.subjects.push_back(vault->subject("ada@example.org").value());
  const auto salt = key_text(record.secrets.salt);
  const auto data_key = key_text(record.secrets.data_key);
  ASSERT_TRUE(vault->keep_and_wait(std::move(record)));
  const auto everything = disk.everything();
  for (const auto& hidden : {content_of(1), salt, data_key, to_hex(bytes_of(salt)),
                             std::string("ada@example.org"), first_key})
    EXPECT_FALSE(everything.contains(hidden));
}

TEST(Vault, EraseLeavesNothingOfTheRecord) {
  World world;
  MemoryDisk disk;
  auto vault = world.open(disk).value();
  for (std::uint64_t number = 1; number <= 9; ++number)
    ASSERT_TRUE(vault->keep_and_wait(record_of(*vault, number)));
  auto record = record_of(*vault, 5, Which::answer);
  const auto subject = vault->subject("Ada@example.org").value();
  record.subjects.push_back(subject);
  ASSERT_TRUE(vault->keep_and_wait(std::move(record)));

  // What stands on the disk for it now is not there afterwards: slots, ciphertext, subject.
  const auto before = disk.copy();
  const auto order = erase_order({id_of(5)});
  ASSERT_TRUE(vault->begin(order));
  ASSERT_TRUE(vault->finish(order));
  std::size_t changed = 0;
  const auto after = disk.everything();
  for (const auto& path : before->files("/vault/")) {
    const std::string& was = before->bytes(path);
    const std::string& is = disk.bytes(path);
    for (std::size_t at = 0; at + 16 <= std::min(was.size(), is.size()); at += 16) {
      const auto piece = std::string_view(was).substr(at, 16);
      if (piece == std::string_view(is).substr(at, 16)) continue;
      // Slots begin alike: which vault key, and the first bytes of an id.
      if (path.contains("/keys/") && at % slot_bytes < 48) continue;
      ++changed;
      EXPECT_FALSE(after.contains(piece)) << path << " at " << at;
    }
  }
  EXPECT_GT(changed, 10u);
  for (const auto which : {Which::request, Which::answer})
    EXPECT_EQ(vault->get(id_of(5), which).error().code, ErrorCode::failed_precondition);
  EXPECT_TRUE(vault->find(subject).value().empty());
  EXPECT_TRUE(vault->look(id_of(5)).value().at(0).erased);
  for (const std::uint64_t number : {1, 2, 3, 4, 6, 7, 8, 9})
    EXPECT_EQ(get(*vault, number), content_of(number));
  vault.reset();
  vault = world.open(disk).value();
  EXPECT_EQ(vault->get(id_of(5), Which::request).error().code, ErrorCode::failed_precondition);
  EXPECT_EQ(get(*vault, 9), content_of(9));
}

TEST(Vault, FindsBySubject) {
  World world;
  MemoryDisk disk;
  auto vault = world.open(disk).value();
  for (std::uint64_t number = 1; number <= 20; ++number) {
    auto record = record_of(*vault, number);
    record.subjects.push_back(vault->subject("nobody@example.org").value());
    if (number % 7 == 0) record.subjects.push_back(vault->subject("+44 20 7946 0958").value());
    ASSERT_TRUE(vault->keep_and_wait(std::move(record)));
  }
  const auto found = vault->find(vault->subject("44-20-79460958").value()).value();
  EXPECT_EQ(found, (std::vector<RecordId>{id_of(7), id_of(14)}));
  EXPECT_TRUE(vault->find(vault->subject("somebody@example.org").value()).value().empty());
  EXPECT_FALSE(vault->subject(" - "));
}

TEST(Vault, ListsTheNewestFirst) {
  World world;
  MemoryDisk disk;
  auto vault = world.open(disk).value();
  for (std::uint64_t number = 1; number <= 20; ++number)
    ASSERT_TRUE(vault->keep_and_wait(record_of(*vault, number)));
  const auto infos = vault->list(7).value();
  ASSERT_EQ(infos.size(), 7u);
  for (std::size_t i = 0; i < infos.size(); ++i) {
    EXPECT_EQ(infos[i].id, id_of(20 - i));
    EXPECT_EQ(infos[i].time, epoch + std::chrono::seconds(20 - i));
  }
  EXPECT_EQ(vault->list(100).value().size(), 20u);
}

Order hold_order(const Vault& vault, const std::string& subject) {
  Order order = erase_order({});
  order.kind = Order::Kind::hold;
  order.hold = {.id = "01990a0b-0c0d-7e0f-8a1b-2c3d4e5f6a7b",
                .by_subject = !subject.empty(),
                .record = id_of(3),
                .subject = {},
                .since = "2026-11-23T17:43:50.123456Z",
                .actor = "cli:ada",
                .reason = "case 12"};
  if (!subject.empty()) order.hold.subject = vault.subject(subject).value();
  return order;
}

TEST(Vault, HoldsCoverRecordsAndSubjects) {
  World world;
  MemoryDisk disk;
  auto vault = world.open(disk).value();
  for (std::uint64_t number = 1; number <= 20; ++number) {
    auto record = record_of(*vault, number);
    if (number == 9) record.subjects.push_back(vault->subject("ada@example.org").value());
    ASSERT_TRUE(vault->keep_and_wait(std::move(record)));
  }
  for (const std::string subject : {"", "ada@example.org"}) {
    const auto order = hold_order(*vault, subject);
    ASSERT_TRUE(vault->begin(order));
    ASSERT_TRUE(vault->finish(order));
    vault.reset();
    vault = world.open(disk).value();
    ASSERT_EQ(vault->holds().size(), 1u);
    const auto held = id_of(subject.empty() ? 3 : 9);
    EXPECT_EQ(vault->held({id_of(3), id_of(9), id_of(1)}).value(), std::vector<RecordId>{held});
    EXPECT_TRUE(vault->look(held).value().at(0).held);
    const auto all = vault->stats().segments;
    EXPECT_EQ(vault->prunable(epoch + std::chrono::hours(1)).value().size(), all - 2)
        << "all but the open one and the held one";
    Order release = order;
    release.kind = Order::Kind::release;
    ASSERT_TRUE(vault->begin(release));
    ASSERT_TRUE(vault->finish(release));
    EXPECT_TRUE(vault->holds().empty());
  }
}

TEST(Vault, PrunesWholeSegmentsByAge) {
  World world;
  MemoryDisk disk;
  auto vault = world.open(disk).value();
  for (std::uint64_t number = 1; number <= 20; ++number)
    ASSERT_TRUE(vault->keep_and_wait(record_of(*vault, number)));
  EXPECT_TRUE(vault->prunable(epoch).value().empty());
  const auto infos = vault->prunable(epoch + std::chrono::seconds(10)).value();
  ASSERT_FALSE(infos.empty());
  for (const auto& info : infos) {
    EXPECT_LT(info.latest, epoch + std::chrono::seconds(10));
    Order order = erase_order({});
    order.kind = Order::Kind::prune;
    order.segment = info.number;
    ASSERT_TRUE(vault->begin(order));
    ASSERT_TRUE(vault->finish(order));
  }
  EXPECT_EQ(vault->get(id_of(1), Which::request).error().code, ErrorCode::not_found);
  EXPECT_EQ(get(*vault, 20), content_of(20));
  const auto left = vault->stats();
  vault.reset();
  vault = world.open(disk).value();
  EXPECT_EQ(vault->stats().records, left.records);
  EXPECT_EQ(vault->stats().bytes, left.bytes);
}

TEST(Vault, AnOldSegmentIsClosedWithoutTraffic) {
  World world;
  MemoryDisk disk;
  auto vault = world.open(disk).value();
  ASSERT_TRUE(vault->keep_and_wait(record_of(*vault, 1)));
  world.clock.advance(std::chrono::hours(25));
  vault->keep_up();
  for (int i = 0; i < 500 && vault->prunable(world.clock.wall()).value().empty(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  EXPECT_EQ(vault->prunable(world.clock.wall()).value().size(), 1u);
  ASSERT_TRUE(vault->keep_and_wait(record_of(*vault, 2)));
  EXPECT_EQ(vault->stats().segments, 2u);
}

TEST(Vault, RefusesWhenFullAndGoesOnWhenThereIsRoom) {
  World world;
  MemoryDisk disk;
  Options options = world.options();
  options.max_bytes = 6'000;
  auto vault = Vault::open(options, ring_of(first_key), world.clock, world.random, &disk).value();
  std::uint64_t number = 1;
  Result<void> kept;
  while (number < 100 && (kept = vault->keep_and_wait(record_of(*vault, number)))) ++number;
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().code, ErrorCode::resource_exhausted);
  EXPECT_TRUE(kept.error().message.contains("vault.max_bytes"));
  EXPECT_FALSE(vault->stats().failed);
  EXPECT_LE(vault->stats().bytes, 6'000u);
  const auto infos = vault->prunable(epoch + std::chrono::hours(1)).value();
  ASSERT_FALSE(infos.empty());
  Order order = erase_order({});
  order.kind = Order::Kind::prune;
  order.segment = infos[0].number;
  ASSERT_TRUE(vault->begin(order));
  ASSERT_TRUE(vault->finish(order));
  EXPECT_TRUE(vault->keep_and_wait(record_of(*vault, number)));
}

TEST(Vault, RotationWrapsEverySlotAnew) {
  World world;
  MemoryDisk disk;
  auto vault = world.open(disk).value();
  for (std::uint64_t number = 1; number <= 20; ++number)
    ASSERT_TRUE(vault->keep_and_wait(record_of(*vault, number)));
  const auto erase = erase_order({id_of(4)});
  ASSERT_TRUE(vault->begin(erase));
  ASSERT_TRUE(vault->finish(erase));
  EXPECT_FALSE(vault->needs_rewrap());
  vault->use(ring_of(second_key, {first_key}));
  EXPECT_TRUE(vault->needs_rewrap());
  ASSERT_TRUE(vault->keep_and_wait(record_of(*vault, 21)));
  const auto old_subject = vault->subject("ada@example.org").value();
  EXPECT_EQ(vault->rewrap().value(), 19u);
  ASSERT_TRUE(vault->settle_rewrap());
  EXPECT_EQ(vault->rewrap().value(), 0u);
  vault.reset();

  EXPECT_EQ(world.open(disk).error().code, ErrorCode::failed_precondition) << "the old key is out";
  vault = world.open(disk, ring_of(second_key)).value();
  for (std::uint64_t number = 1; number <= 21; ++number)
    if (number != 4) EXPECT_EQ(get(*vault, number), content_of(number));
  EXPECT_EQ(vault->get(id_of(4), Which::request).error().code, ErrorCode::failed_precondition);
  EXPECT_EQ(vault->subject("ada@example.org").value(), old_subject) << "records are still found";
  // No slot of the old key is left anywhere.
  const auto old_id = WrappingKey::derive(first_key).id;
  EXPECT_FALSE(disk.everything().contains(std::string(text_of(old_id)))) << "a slot of the old key";
}

TEST(Vault, RefusesWhatDoesNotBelong) {
  World world;
  MemoryDisk disk;
  {
    auto vault = world.open(disk).value();
    for (std::uint64_t number = 1; number <= 20; ++number)
      ASSERT_TRUE(vault->keep_and_wait(record_of(*vault, number)));
    EXPECT_EQ(world.open(disk).error().code, ErrorCode::failed_precondition) << "locked";
  }
  struct Damage {
    const char* what;
    std::function<void(MemoryDisk&)> how;
  };
  const std::string first = "/vault/segments/" + file_name(1, FileKind::segment);
  const std::string last_path = disk.files("/vault/segments/").back();
  const std::vector<Damage> damages{
      {"/vault/identity", [](auto& d) { d.remove("/vault/identity"); }},
      {"/vault/identity", [](auto& d) { d.bytes("/vault/identity")[50] ^= 1; }},
      {"/vault/holds", [](auto& d) { d.remove("/vault/holds"); }},
      {"/vault/holds", [](auto& d) { d.bytes("/vault/holds")[30] ^= 1; }},
      {"/vault/segments/", [&](auto& d) { d.bytes(first)[20] ^= 1; }},
      {"/vault/keys/", [](auto& d) { d.remove("/vault/keys/" + file_name(1, FileKind::keys)); }},
      {"/vault/keys/",
       [](auto& d) { d.bytes("/vault/keys/" + file_name(1, FileKind::keys)).resize(300); }},
      {"does not belong", [](auto& d) { d.open("/vault/segments/notes.txt", O_CREAT, 0); }},
      // In the open segment, before records that were whole.
      {"damaged at offset", [&](auto& d) { d.bytes(last_path)[70] ^= 1; }},
  };
  for (const auto& damage : damages) {
    const auto damaged = disk.copy();
    damage.how(*damaged);
    const auto opened = world.open(*damaged);
    ASSERT_FALSE(opened) << damage.what;
    EXPECT_EQ(opened.error().code, ErrorCode::data_loss) << opened.error().describe();
    EXPECT_TRUE(opened.error().describe().contains(damage.what)) << opened.error().describe();
  }
}

TEST(Vault, EveryFlippedByteOfARecordIsRefused) {
  World world;
  MemoryDisk disk;
  {
    auto vault = world.open(disk).value();
    for (std::uint64_t number = 1; number <= 3; ++number)
      ASSERT_TRUE(vault->keep_and_wait(record_of(*vault, number)));
  }
  world.clock.advance(std::chrono::hours(25));  // closed, so that opening does not repair it
  {
    auto vault = world.open(disk).value();
    ASSERT_TRUE(vault->keep_and_wait(record_of(*vault, 4)));
  }
  for (const auto& path : {std::string("/vault/segments/") + file_name(1, FileKind::segment),
                           std::string("/vault/keys/") + file_name(1, FileKind::keys)}) {
    const std::size_t size = disk.bytes(path).size();
    for (std::size_t at = 0; at < size; ++at) {
      const auto damaged = disk.copy();
      damaged->bytes(path)[at] ^= 0x20;
      const auto opened = world.open(*damaged);
      if (!opened) continue;
      bool noticed = false;
      for (std::uint64_t number = 1; number <= 3; ++number) {
        const auto record = (*opened)->get(id_of(number), Which::request);
        noticed |= !record;
        if (record) EXPECT_EQ(record->content, content_of(number));
      }
      // The empty slot beside a good one may be anything: it is never read as one.
      const bool empty_slot = path.contains("/keys/") && at >= keys_header_bytes &&
                              (at - keys_header_bytes) % entry_bytes >= slot_bytes;
      // Without its last bytes a segment was not closed: it is read as a whole, and closed again.
      const bool closing = path.contains("/segments/") && at + closing_bytes >= size;
      EXPECT_EQ(noticed, !empty_slot && !closing) << path << " at " << at;
    }
  }
}

TEST(Vault, ManyThreadsShareSyncs) {
  World world;
  MemoryDisk disk;
  Options options = world.options();
  options.segment_bytes = 1u << 20;
  auto vault = Vault::open(options, ring_of(first_key), world.clock, world.random, &disk).value();
  std::atomic<int> done{0};
  {
    std::vector<std::jthread> threads;
    threads.reserve(4);
    for (std::uint64_t t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (std::uint64_t i = 0; i < 200; ++i) {
          auto kept =
              vault->keep(record_of(*vault, t * 1'000 + i + 1), [&](const Result<void>& ok) {
                if (ok) ++done;
              });
          EXPECT_TRUE(kept);
          if (i == 100 && t == 0) vault->use(ring_of(second_key, {first_key}));
        }
      });
    }
  }
  vault->close();
  EXPECT_EQ(done, 800);
  EXPECT_LT(vault->stats().groups, 800u);
  vault = Vault::open(options, ring_of(second_key, {first_key}), world.clock, world.random, &disk)
              .value();
  EXPECT_EQ(vault->stats().records, 800u);
  EXPECT_EQ(get(*vault, 3'200), content_of(3'200));
}

TEST(Vault, TheQueueIsBounded) {
  World world;
  MemoryDisk disk;
  Options options = world.options();
  options.max_queued_records = 3;
  std::latch hold(1);  // outlives the writer, which waits for it
  auto vault = Vault::open(options, ring_of(first_key), world.clock, world.random, &disk).value();
  ASSERT_TRUE(vault->keep(record_of(*vault, 1), [&](auto) { hold.wait(); }));
  std::uint64_t taken = 1;
  Result<void> kept;
  while (taken < 10 && (kept = vault->keep(record_of(*vault, taken + 1), [](auto) {}))) ++taken;
  hold.count_down();
  EXPECT_LE(taken, 4u);
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().code, ErrorCode::resource_exhausted);
  EXPECT_GE(vault->stats().refused, 1u);
}

TEST(Vault, OnARealDisk) {
  World world;
  const auto folder = std::filesystem::temp_directory_path() /
                      ("gatehouse-vault-test-" + std::to_string(::getpid()));
  Options options = world.options();
  options.directory = folder.string();
  std::string salt;
  std::filesystem::remove_all(folder);
  {
    auto vault = Vault::open(options, ring_of(first_key), world.clock, world.random).value();
    for (std::uint64_t number = 1; number <= 30; ++number) {
      auto record = record_of(*vault, number);
      if (number == 7) salt = key_text(record.secrets.salt);
      ASSERT_TRUE(vault->keep_and_wait(std::move(record)));
    }
    const auto order = erase_order({id_of(7)});
    ASSERT_TRUE(vault->begin(order));
    ASSERT_TRUE(vault->finish(order));
  }
  auto vault = Vault::open(options, ring_of(first_key), world.clock, world.random).value();
  EXPECT_EQ(vault->get(id_of(7), Which::request).error().code, ErrorCode::failed_precondition);
  EXPECT_EQ(get(*vault, 30), content_of(30));
  for (const auto& item : std::filesystem::recursive_directory_iterator(folder)) {
    if (!item.is_regular_file()) continue;
    EXPECT_EQ(item.status().permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
  vault.reset();
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace gatehouse::vault

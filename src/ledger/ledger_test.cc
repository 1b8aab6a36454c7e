// The log as its users see it: on a real disk, with the real threads.
#include "ledger/ledger.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

#include "ledger/test_log.h"

namespace gatehouse::ledger {
namespace {

const Clock& clock_now() {
  static const SystemClock clock;
  return clock;
}

TEST(Ledger, AppendReadBackReopen) {
  TemporaryDirectory directory;
  const auto options = options_in(directory.path());
  {
    auto ledger = Ledger::open(options, test_key(), clock_now());
    ASSERT_TRUE(ledger) << ledger.error().describe();
    for (std::uint64_t i = 0; i < 600; ++i) {
      ASSERT_EQ((*ledger)->append_and_wait(test_entry(i)).value(), i);
    }
    EXPECT_EQ((*ledger)->stats().size, 600u);
    ASSERT_TRUE((*ledger)->checkpoint_now());
    EXPECT_EQ((*ledger)->stats().checkpoint_size, 600u);
    EXPECT_EQ(read_all(directory.path()).size(), 600u);
    ASSERT_TRUE((*ledger)->close());
    ASSERT_TRUE((*ledger)->close()) << "closing twice is fine";
    EXPECT_EQ((*ledger)->append_and_wait("late").error().code, ErrorCode::failed_precondition);
  }
  auto ledger = Ledger::open(options, test_key(), clock_now());
  ASSERT_TRUE(ledger) << ledger.error().describe();
  EXPECT_EQ((*ledger)->stats().size, 600u);
  EXPECT_EQ((*ledger)->append_and_wait(test_entry(600)).value(), 600u);
  const auto entries = read_all(directory.path());
  ASSERT_EQ(entries.size(), 601u);
  for (std::uint64_t i = 0; i < entries.size(); ++i) EXPECT_EQ(entries[i], test_entry(i));
  EXPECT_EQ((*ledger)->origin(), "log.example/test");
  EXPECT_TRUE((*ledger)->verifier_key().starts_with("log.example/test+"));
}

TEST(Ledger, EntriesOfEveryLength) {
  TemporaryDirectory directory;
  auto options = options_in(directory.path());
  options.segment_bytes = 256u << 10;
  auto ledger = Ledger::open(options, test_key(), clock_now()).value();
  std::vector<std::string> expected;
  for (std::size_t length : {1u, 2u, 61u, 62u, 63u, 64u, 65'535u, 1u, 65'535u, 65'535u, 65'534u}) {
    expected.emplace_back(length, static_cast<char>('a' + expected.size()));
    ASSERT_TRUE(ledger->append_and_wait(expected.back()));
  }
  EXPECT_EQ(ledger->append_and_wait("").error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(ledger->append_and_wait(std::string(65'536, 'x')).error().code,
            ErrorCode::invalid_argument);
  EXPECT_EQ(read_all(directory.path()), expected);
  ASSERT_TRUE(ledger->close());
  EXPECT_EQ(read_all(directory.path()), expected);
}

TEST(Ledger, OneWriterAtATime) {
  TemporaryDirectory directory;
  const auto options = options_in(directory.path());
  auto first = Ledger::open(options, test_key(), clock_now()).value();
  const auto second = Ledger::open(options, test_key(), clock_now());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::failed_precondition);
  ASSERT_TRUE(first->close());
  EXPECT_TRUE(Ledger::open(options, test_key(), clock_now()));
}

TEST(Ledger, RefusesAnotherKeyOrOrigin) {
  TemporaryDirectory directory;
  auto options = options_in(directory.path());
  ASSERT_TRUE(Ledger::open(options, test_key(), clock_now()));
  EXPECT_EQ(Ledger::open(options, test_key(9), clock_now()).error().code,
            ErrorCode::failed_precondition);
  options.origin = "log.example/other";
  EXPECT_EQ(Ledger::open(options, test_key(), clock_now()).error().code,
            ErrorCode::failed_precondition);
}

TEST(Ledger, RefusesADirectoryThatIsSomethingElse) {
  TemporaryDirectory directory;
  directory.write("holiday.jpg", "x");
  EXPECT_EQ(Ledger::open(options_in(directory.path()), test_key(), clock_now()).error().code,
            ErrorCode::failed_precondition);
}

TEST(Ledger, DirectoryMayBeWrittenInManyWays) {
  TemporaryDirectory directory;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(directory.path());
  for (const char* name : {"a", "./b/", "c/d/e", "c/../f"}) {
    auto options = options_in(name);
    for (int life = 0; life < 2; ++life) {
      auto ledger = Ledger::open(options, test_key(), clock_now());
      ASSERT_TRUE(ledger) << name << ": " << ledger.error().describe();
      ASSERT_TRUE((*ledger)->append_and_wait("one"));
      ASSERT_TRUE((*ledger)->close());
    }
    EXPECT_EQ(read_all(name).size(), 2u);
  }
  std::filesystem::create_directory("empty");
  std::filesystem::current_path("empty");
  for (int life = 0; life < 2; ++life) {
    auto ledger = Ledger::open(options_in("."), test_key(), clock_now());
    ASSERT_TRUE(ledger) << ledger.error().describe();
    ASSERT_TRUE((*ledger)->append_and_wait("one"));
  }
  std::filesystem::current_path(before);
}

TEST(Ledger, RefusesBadOptions) {
  TemporaryDirectory directory;
  auto options = options_in(directory.path());
  options.origin = "has space";
  EXPECT_EQ(Ledger::open(options, test_key(), clock_now()).error().code,
            ErrorCode::invalid_argument);
  options = options_in(directory.path());
  options.segment_bytes = 1000;
  EXPECT_EQ(Ledger::open(options, test_key(), clock_now()).error().code,
            ErrorCode::invalid_argument);
}

TEST(Ledger, ManyThreadsGetDenseIndicesInCallbackOrder) {
  TemporaryDirectory directory;
  auto options = options_in(directory.path());
  options.checkpoint_interval = std::chrono::milliseconds(5);
  options.segment_bytes = 256u << 10;
  auto ledger = Ledger::open(options, test_key(), clock_now()).value();
  constexpr int threads = 8;
  constexpr int each = 1500;
  std::vector<std::string> expected(threads * each);
  std::atomic<std::uint64_t> last{0};
  std::atomic<int> wrong{0};
  std::latch done(threads * each);
  {
    std::vector<std::jthread> pool;
    for (int t = 0; t < threads; ++t) {
      pool.emplace_back([&, t] {
        for (int i = 0; i < each; ++i) {
          std::string entry = test_entry(static_cast<std::uint64_t>(t) * each + i);
          ledger->append(entry, [&, entry](Result<std::uint64_t> index) {
            // One writer thread calls back, in order; the next index is the number of calls so far.
            if (!index || *index != last++) ++wrong;
            if (index) expected[*index] = entry;
            done.count_down();
          });
        }
      });
    }
  }
  done.wait();
  EXPECT_EQ(wrong, 0);
  ASSERT_TRUE(ledger->close());
  EXPECT_EQ(ledger->stats().checkpoint_size, expected.size());
  EXPECT_LT(ledger->stats().groups, expected.size() / 2) << "groups are committed together";
  EXPECT_EQ(read_all(directory.path()), expected);
}

TEST(Ledger, QueueIsBounded) {
  TemporaryDirectory directory;
  auto options = options_in(directory.path());
  options.max_queued_entries = 4;
  auto ledger = Ledger::open(options, test_key(), clock_now()).value();
  std::atomic<int> refused{0};
  std::atomic<int> accepted{0};
  // The callback keeps the writer busy, so that the queue fills behind it.
  std::latch filled(1);
  ledger->append("first", [&](Result<std::uint64_t>) { filled.wait(); });
  for (int i = 0; i < 20; ++i) {
    const auto taken = ledger->append(test_entry(i), [&](Result<std::uint64_t> index) {
      EXPECT_TRUE(index);
      ++accepted;
    });
    if (!taken && taken.error().code == ErrorCode::resource_exhausted) ++refused;
  }
  EXPECT_GE(refused, 16);
  filled.count_down();
  ASSERT_TRUE(ledger->close());
  EXPECT_EQ(refused + accepted, 20);
}

TEST(Ledger, WhatNobodyWaitsForIsGathered) {
  TemporaryDirectory directory;
  auto options = options_in(directory.path());
  options.gather_time = std::chrono::minutes(10);
  auto ledger = Ledger::open(options, test_key(), clock_now()).value();
  std::atomic<std::uint64_t> durable{0};
  const auto in_background = [&](std::string entry) {
    ASSERT_TRUE(ledger->append(
        std::move(entry), [&](Result<std::uint64_t> index) { durable += index ? 1 : 0; },
        Urgency::background));
  };
  for (int i = 0; i < 50; ++i) in_background(test_entry(i));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(durable, 0u);
  // Somebody waits: all of them in one sync, in order.
  EXPECT_EQ(ledger->append_and_wait("awaited").value(), 50u);
  EXPECT_EQ(durable, 50u);
  EXPECT_EQ(ledger->stats().groups, 1u);
  in_background("for a checkpoint");
  ASSERT_TRUE(ledger->checkpoint_now());
  EXPECT_EQ(durable, 51u);
  // Too much to keep waiting.
  for (int i = 0; i < 40; ++i) in_background(std::string(30'000, 'x'));
  EXPECT_TRUE(wait_until([&] { return durable > 51; }));
  in_background("for the end");
  ASSERT_TRUE(ledger->close());
  EXPECT_EQ(durable, 92u);
}

TEST(Ledger, GatheredEntriesDoNotWaitForEver) {
  TemporaryDirectory directory;
  auto ledger = Ledger::open(options_in(directory.path()), test_key(), clock_now()).value();
  std::atomic<bool> durable{false};
  ASSERT_TRUE(
      ledger->append("alone", [&](Result<std::uint64_t>) { durable = true; }, Urgency::background));
  EXPECT_TRUE(wait_until([&] { return durable.load(); }));
}

TEST(Ledger, SaysWhenAGroupIsSettled) {
  TemporaryDirectory directory;
  auto options = options_in(directory.path());
  std::atomic<int> told{0};
  std::atomic<int> settled{0};
  options.group_settled = [&] {
    EXPECT_GT(told, 0);
    ++settled;
  };
  auto ledger = Ledger::open(options, test_key(), clock_now()).value();
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(ledger->append(test_entry(i), [&](Result<std::uint64_t>) { ++told; }));
  }
  ASSERT_TRUE(ledger->close());
  EXPECT_EQ(told, 200);
  EXPECT_EQ(static_cast<std::uint64_t>(settled), ledger->stats().groups);
}

TEST(Ledger, CheckpointsComeByThemselves) {
  TemporaryDirectory directory;
  auto options = options_in(directory.path());
  options.checkpoint_interval = std::chrono::milliseconds(20);
  auto ledger = Ledger::open(options, test_key(), clock_now()).value();
  ASSERT_TRUE(ledger->append_and_wait("one"));
  EXPECT_TRUE(wait_until([&] { return ledger->stats().checkpoint_size == 1; }));
}

TEST(Ledger, OldSegmentsAndPartialTilesGo) {
  TemporaryDirectory directory;
  auto options = options_in(directory.path());
  options.segment_bytes = min_segment_bytes;
  options.checkpoint_interval = std::chrono::hours(1);
  auto ledger = Ledger::open(options, test_key(), clock_now()).value();
  for (std::uint64_t i = 0; i < 3000; ++i) {
    ledger->append(test_entry(i), [](Result<std::uint64_t> index) { ASSERT_TRUE(index); });
    if (i % 400 == 0) ASSERT_TRUE(ledger->checkpoint_now());
  }
  ASSERT_TRUE(ledger->close());
  int segments = 0;
  for (const auto& item : std::filesystem::directory_iterator(directory.path() / "wal")) {
    EXPECT_TRUE(item.path().extension() == ".wal") << item.path();
    ++segments;
  }
  EXPECT_LE(segments, 2);
  EXPECT_FALSE(std::filesystem::exists(directory.path() / "tile/0/000.p"));
  EXPECT_TRUE(std::filesystem::exists(directory.path() / "tile/0/011.p"));
  EXPECT_TRUE(std::filesystem::exists(directory.path() / "tile/entries/011.p/184"));
  EXPECT_EQ(read_all(directory.path()).size(), 3000u);
}

TEST(Ledger, ARequestedCheckpointComesSoon) {
  TemporaryDirectory directory;
  auto options = options_in(directory.path());
  options.checkpoint_interval = std::chrono::hours(1);
  options.requested_checkpoint_interval = std::chrono::milliseconds(20);
  auto ledger = Ledger::open(options, test_key(), clock_now()).value();
  for (std::uint64_t i = 0; i < 3; ++i) {
    ASSERT_EQ(ledger->append_and_wait(test_entry(i)).value(), i);
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    EXPECT_EQ(ledger->stats().checkpoint_size, i) << "nobody has asked yet";
    ledger->request_checkpoint(i + 1);  // not there: nothing to ask for
    ledger->request_checkpoint(i);
    ledger->request_checkpoint(i);
    EXPECT_TRUE(wait_until([&] { return ledger->stats().checkpoint_size == i + 1; }));
  }
}

TEST(EntryReader, FollowsAWriter) {
  TemporaryDirectory directory;
  auto options = options_in(directory.path());
  options.segment_bytes = min_segment_bytes;
  options.checkpoint_interval = std::chrono::milliseconds(2);
  auto ledger = Ledger::open(options, test_key(), clock_now()).value();
  auto reader = EntryReader::open(directory.path()).value();
  std::uint64_t index = 0;
  std::string entry;
  EXPECT_FALSE(reader.next(index, entry).value());
  std::uint64_t read = 0;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    ASSERT_TRUE(ledger->append_and_wait(test_entry(i)));
    if (i % 7 != 0) continue;
    while (true) {
      const auto more = reader.next(index, entry);
      ASSERT_TRUE(more) << more.error().describe();
      if (!*more) break;
      ASSERT_EQ(index, read);
      ASSERT_EQ(entry, test_entry(read));
      ++read;
    }
    ASSERT_EQ(read, i + 1);
  }
}

TEST(EntryReader, StartsAnywhere) {
  TemporaryDirectory directory;
  auto options = options_in(directory.path());
  options.segment_bytes = min_segment_bytes;
  auto ledger = Ledger::open(options, test_key(), clock_now()).value();
  for (std::uint64_t i = 0; i < 1500; ++i) ledger->append(test_entry(i), [](auto) {});
  ASSERT_TRUE(ledger->checkpoint_now());
  for (std::uint64_t from : {0u, 1u, 255u, 256u, 700u, 1279u, 1280u, 1499u, 1500u, 9000u}) {
    auto reader = EntryReader::open(directory.path(), from).value();
    std::uint64_t index = 0;
    std::string entry;
    const bool expected = from < 1500;
    ASSERT_EQ(reader.next(index, entry).value(), expected) << from;
    if (expected) EXPECT_EQ(entry, test_entry(from));
  }
  EXPECT_EQ(EntryReader::open("/nonexistent").error().code, ErrorCode::not_found);
}

TEST(EntryReader, ReadsACopyWithoutSegments) {
  TemporaryDirectory directory;
  auto ledger = Ledger::open(options_in(directory.path()), test_key(), clock_now()).value();
  for (std::uint64_t i = 0; i < 300; ++i) ledger->append(test_entry(i), [](auto) {});
  ASSERT_TRUE(ledger->close());
  std::filesystem::remove_all(directory.path() / "wal");
  EXPECT_EQ(read_all(directory.path()).size(), 300u);
}

}  // namespace
}  // namespace gatehouse::ledger

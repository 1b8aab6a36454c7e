// Verification accepts what the log writes and finds whatever was changed afterwards.
#include "ledger/verify.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "ledger/log_files.h"
#include "ledger/memory_log.h"

namespace gatehouse::ledger {
namespace {

TEST(Verify, AcceptsLogsOfManySizes) {
  MemoryDisk disk;
  for (std::uint64_t size : {0u, 1u, 2u, 255u, 256u, 257u, 511u, 512u, 900u, 3000u}) {
    make_log(disk, size);
    const auto report = verify_memory(disk);
    ASSERT_TRUE(report) << size << ": " << report.error().describe();
    EXPECT_EQ(report->checkpoint.size, size);
    EXPECT_EQ(report->entries_after_checkpoint, 0u);
    EXPECT_FALSE(report->writer_running);
  }
}

// Two segments, full and partial tiles of two levels, older partial tiles, a spare segment.
void make_rich_log(MemoryDisk& disk) {
  make_log(disk, 290, {3, 250, 270});
  {
    auto ledger = open_on(disk).value();
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(ledger->append_and_wait(std::string(40'000, 'x')));
  }
  ASSERT_EQ(disk.files("/log/wal").size(), 2u);
  disk.create("/log/wal/next", std::string(min_segment_bytes, '\0'));
  ASSERT_TRUE(verify_memory(disk)) << verify_memory(disk).error().describe();
}

// Which bits of a file to flip: all of a short file; of a long one all bits near its beginning and
// end, and a spread over the rest that is coprime to every structure in it.
std::vector<std::size_t> bits_to_flip(std::size_t bytes, std::size_t step) {
  std::vector<std::size_t> bits;
  for (std::size_t bit = 0; bit < bytes * 8; ++bit) {
    const bool near = bit < 130 * 8 || bit >= bytes * 8 - 40 * 8;
    if (bytes <= 200 || near || bit % step == 0) bits.push_back(bit);
  }
  return bits;
}

void flip(std::string& bytes, std::size_t bit) {
  bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
}

TEST(Verify, FindsEveryFlippedBitInEveryKindOfFile) {
  MemoryDisk disk;
  make_rich_log(disk);
  std::size_t flips = 0;
  for (const std::string& path : disk.files("/log")) {
    std::string& bytes = disk.bytes(path);
    const std::size_t step = path.ends_with("next") ? 99'991 : path.contains("/wal/") ? 2'003 : 199;
    for (const std::size_t bit : bits_to_flip(bytes.size(), step)) {
      flip(bytes, bit);
      const auto report = verify_memory(disk);
      flip(bytes, bit);
      ASSERT_FALSE(report) << path << " bit " << bit;
      ASSERT_EQ(report.error().code, ErrorCode::data_loss) << report.error().describe();
      ASSERT_FALSE(report.error().context.empty());
      ++flips;
    }
  }
  EXPECT_GT(flips, 10'000u);
  EXPECT_TRUE(verify_memory(disk));
}

// Every bit of every structure of a segment: header, a frame's header, its entries, its padding.
TEST(Verify, FindsEveryFlippedBitOfAFrame) {
  MemoryDisk disk;
  {
    auto ledger = open_on(disk).value();
    for (std::uint64_t i = 0; i < 3; ++i) ASSERT_TRUE(ledger->append_and_wait(test_entry(i)));
  }
  std::string& bytes = disk.bytes("/log/wal/" + segment_name(0));
  const std::size_t used =
      segment_header_bytes + 3 * frame_header_bytes + 3 * padded(test_entry(2).size() + 2);
  for (std::size_t bit = 0; bit < used * 8; ++bit) {
    flip(bytes, bit);
    ASSERT_FALSE(verify_memory(disk)) << bit;
    flip(bytes, bit);
  }
}

TEST(Verify, FindsFlippedBitsInAllOfASmallLog) {
  MemoryDisk disk;
  make_log(disk, 5, {2});
  for (const std::string& path : disk.files("/log")) {
    if (path.contains("/wal/")) continue;
    std::string& bytes = disk.bytes(path);
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      flip(bytes, bit);
      ASSERT_FALSE(verify_memory(disk)) << path << " bit " << bit;
      // Without a key of its own the verifier has only the directory's, and still sees it.
      ASSERT_FALSE(verify_log(disk, "/log")) << path << " bit " << bit;
      flip(bytes, bit);
    }
  }
}

TEST(Verify, NamesWhatIsWrong) {
  MemoryDisk disk;
  make_log(disk, 700);
  const auto problem_after = [&](const std::string& path, std::size_t offset) {
    std::string& bytes = disk.bytes("/log/" + path);
    bytes[offset] = static_cast<char>(bytes[offset] ^ 4);
    const auto report = verify_memory(disk);
    bytes[offset] = static_cast<char>(bytes[offset] ^ 4);
    EXPECT_FALSE(report);
    return report ? std::string() : report.error().describe();
  };
  const std::string in_bundle = problem_after("tile/entries/001", 2 + 5);
  EXPECT_TRUE(in_bundle.starts_with("/log/tile/entries/001: entry 256 at offset 2:")) << in_bundle;
  const std::string in_edge_bundle = problem_after("tile/entries/002.p/188", 2 + 5);
  EXPECT_TRUE(in_edge_bundle.starts_with("/log/tile/entries/002.p/188: entry 512 at offset 2:"))
      << in_edge_bundle;
  const std::string in_tile = problem_after("tile/0/001", 3 * 32 + 1);
  EXPECT_TRUE(in_tile.starts_with("/log/tile/0/001: hash 3 at offset 96: expected")) << in_tile;
  const std::string in_edge_tile = problem_after("tile/0/002.p/188", 5 * 32 + 1);
  EXPECT_TRUE(in_edge_tile.starts_with("/log/tile/0/002.p/188: hash 5 at offset 160"))
      << in_edge_tile;
  const std::string in_upper = problem_after("tile/1/000.p/2", 40);
  EXPECT_TRUE(in_upper.starts_with("/log/tile/1/000.p/2: hash 1 at offset 32")) << in_upper;
  const std::string in_checkpoint = problem_after("checkpoint", 60);
  EXPECT_TRUE(in_checkpoint.starts_with("/log/checkpoint: ")) << in_checkpoint;
  const std::string in_length = problem_after("tile/entries/000", 1);
  EXPECT_TRUE(in_length.starts_with("/log/tile/entries/000: entry")) << in_length;
}

TEST(Verify, FindsMissingAndForeignFiles) {
  MemoryDisk disk;
  make_rich_log(disk);
  for (const std::string& path : disk.files("/log")) {
    // A spare segment and superseded partial tiles may be removed; a copy needs no lock file, and
    // no key file when the key is given.
    const bool edge = path.ends_with("/001.p/37") || path.ends_with("/1/000.p/1");
    const bool may_go = path == "/log/wal/next" || path == "/log/lock" || path == "/log/log.vkey" ||
                        (path.contains(".p/") && !edge);
    const auto damaged = disk.copy();
    damaged->remove(path);
    EXPECT_EQ(verify_memory(*damaged).has_value(), may_go) << path;
  }
  for (const char* path : {"/log/extra", "/log/tile/extra", "/log/tile/0/0", "/log/tile/0/002",
                           "/log/tile/entries/002", "/log/tile/2/000.p/1", "/log/wal/extra",
                           "/log/wal/99999999999999999999.wal", "/log/tmp/tile",
                           "/log/tile/0/001.p/38", "/log/tile/0/001.p/0"}) {
    const auto damaged = disk.copy();
    if (std::string_view(path).starts_with("/log/tile/2/")) {
      damaged->mkdir("/log/tile/2", 0);
      damaged->mkdir("/log/tile/2/000.p", 0);
    }
    damaged->create(path, std::string(32, 'x'));
    EXPECT_FALSE(verify_memory(*damaged)) << path;
  }
}

TEST(Verify, RemembersWhatWasSigned) {
  MemoryDisk disk;
  make_log(disk, 300);
  const std::string early = verify_memory(disk)->checkpoint_note;
  make_log(disk, 700);
  const auto later = verify_memory(disk, early);
  ASSERT_TRUE(later) << later.error().describe();
  EXPECT_EQ(later->remembered_size, 300u);
  EXPECT_TRUE(verify_memory(disk, later->checkpoint_note));

  MemoryDisk shorter;
  make_log(shorter, 299);
  const auto rolled_back = verify_memory(shorter, early);
  ASSERT_FALSE(rolled_back);
  EXPECT_TRUE(rolled_back.error().message.contains("rolled back")) << rolled_back.error().message;

  MemoryDisk other;
  {
    auto ledger = open_on(other).value();
    for (int i = 0; i < 500; ++i) {
      ASSERT_TRUE(ledger->append_and_wait("different " + std::to_string(i)));
    }
  }
  const auto forked = verify_memory(other, early);
  ASSERT_FALSE(forked);
  EXPECT_TRUE(forked.error().message.contains("forked")) << forked.error().message;
  EXPECT_EQ(verify_memory(disk, "rubbish").error().code, ErrorCode::invalid_argument);
}

TEST(Verify, RefusesAnotherKey) {
  MemoryDisk disk;
  make_log(disk, 3);
  const VerifyOptions other{.key = make_verifier_key("log.example/test", test_key(9).public_key()),
                            .remembered = {}};
  EXPECT_EQ(verify_log(disk, "/log", other).error().code, ErrorCode::data_loss);
  EXPECT_EQ(verify_log(disk, "/nothing").error().code, ErrorCode::not_found);
}

TEST(Verify, ALogUnderANewKeyIsWrongNotUnreadable) {
  MemoryDisk disk;
  make_log(disk, 300);
  const std::string remembered = verify_memory(disk)->checkpoint_note;
  MemoryDisk replaced;
  {
    auto ledger = Ledger::open(memory_options(), test_key(9), test_clock(), &replaced).value();
    for (std::uint64_t i = 0; i < 400; ++i) ASSERT_TRUE(ledger->append_and_wait(test_entry(i)));
  }
  const auto report = verify_log(replaced, "/log", {.key = {}, .remembered = remembered});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::data_loss);
  EXPECT_TRUE(report.error().message.starts_with(
      "signed by another key than the remembered checkpoint: that one is signed by "
      "log.example/test+"))
      << report.error().message;
  // A remembered checkpoint whose own signature does not hold is no evidence against the log.
  std::string damaged = remembered;
  damaged[damaged.find("\n300\n") + 1] = '2';
  EXPECT_EQ(verify_memory(disk, damaged).error().code, ErrorCode::invalid_argument);
}

TEST(Verify, SeesEntriesThatNoCheckpointCovers) {
  MemoryDisk disk;
  auto ledger = open_on(disk).value();
  for (std::uint64_t i = 0; i < 10; ++i) ASSERT_TRUE(ledger->append_and_wait(test_entry(i)));
  const auto stopped = disk.copy();  // as if the process had been killed here
  const auto report = verify_memory(*stopped);
  ASSERT_TRUE(report) << report.error().describe();
  EXPECT_EQ(report->checkpoint.size, 0u);
  EXPECT_EQ(report->entries_after_checkpoint, 10u);
}

TEST(Verify, WorksBesideAWriter) {
  TemporaryDirectory directory;
  auto options = options_in(directory.path());
  options.segment_bytes = min_segment_bytes;
  options.checkpoint_interval = std::chrono::milliseconds(1);
  auto ledger = Ledger::open(options, test_key(), test_clock()).value();
  std::atomic<bool> stop{false};
  std::jthread writing([&] {
    for (std::uint64_t i = 0; !stop && i < 20'000; ++i) {
      ledger->append(test_entry(i), [](auto) {});
      if (i % 16 == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  });
  RealDisk disk;
  std::string remembered;
  for (int round = 0; round < 40; ++round) {
    const auto report = verify_log(disk, directory.path().string(),
                                   {.key = test_verifier_key(), .remembered = remembered});
    ASSERT_TRUE(report) << round << ": " << report.error().describe();
    EXPECT_TRUE(report->writer_running);
    remembered = report->checkpoint_note;
  }
  stop = true;
  writing.join();
  ASSERT_TRUE(ledger->close());
  EXPECT_TRUE(verify_log(disk, directory.path().string(),
                         {.key = test_verifier_key(), .remembered = remembered}));
}

}  // namespace
}  // namespace gatehouse::ledger

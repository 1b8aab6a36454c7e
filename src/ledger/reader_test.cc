// Reading beside a writer that finishes a frame and begins a new segment at the worst moment.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <thread>

#include "ledger/disk.h"
#include "ledger/test_log.h"
#include "ledger/wal.h"

namespace gatehouse::ledger {
namespace {

// A log with two segments and no checkpoint that covers anything, as a writer leaves it in between.
std::uint64_t make_two_segments(const std::filesystem::path& log) {
  const SystemClock clock;
  TemporaryDirectory directory;
  auto options = options_in(directory.path());
  options.segment_bytes = min_segment_bytes;
  options.checkpoint_interval = std::chrono::hours(24);
  const auto ledger = Ledger::open(options, test_key(), clock).value();
  for (int i = 0; i < 4; ++i)
    EXPECT_TRUE(ledger->append_and_wait(std::string(40'000, static_cast<char>('a' + i))));
  std::filesystem::copy(directory.path(), log, std::filesystem::copy_options::recursive);
  return ledger->stats().size;
}

class Rotation : public ::testing::Test {
 protected:
  Rotation() : log_(directory_.path() / "log"), entries_(make_two_segments(log_)) {
    std::vector<std::filesystem::path> segments;
    for (const auto& item : std::filesystem::directory_iterator(log_ / "wal"))
      if (parse_segment_name(item.path().filename().string())) segments.push_back(item.path());
    std::ranges::sort(segments);
    EXPECT_EQ(segments.size(), 2u);
    first_ = segments.front();
    second_ = segments.back();
    const std::string bytes = read_whole(disk_, first_.string(), max_segment_bytes).value();
    const auto header = parse_segment_header(bytes).value();
    const auto segment = parse_segment(bytes, header.log_id).value();
    torn_at_ = segment.frames.back().offset + frame_header_bytes + 100;
    whole_ = bytes[torn_at_];
  }
  void put(char byte) const {
    const auto file = File::open(disk_, first_.string(), O_RDWR).value();
    ASSERT_TRUE(file.write_at(bytes_of(std::string_view(&byte, 1)), torn_at_));
  }
  void hide_second() const { std::filesystem::rename(second_, directory_.path() / "hidden"); }
  void finish() const {
    put(whole_);
    std::filesystem::rename(directory_.path() / "hidden", second_);
  }
  // Everything, waiting for what is not there yet.
  Result<std::uint64_t> follow() const {
    GH_ASSIGN(auto reader, EntryReader::open(log_));
    std::uint64_t index = 0;
    std::string entry;
    while (true) {
      GH_ASSIGN(const bool more, reader.next(index, entry));
      if (more && index + 1 == entries_) return entries_;
    }
  }

  TemporaryDirectory directory_;
  std::filesystem::path log_;
  std::uint64_t entries_;
  mutable RealDisk disk_;
  std::filesystem::path first_;
  std::filesystem::path second_;
  std::size_t torn_at_ = 0;
  char whole_ = 0;
};

TEST_F(Rotation, IsNotTakenForDamage) {
  std::minstd_rand random(1);
  for (int round = 0; round < 400; ++round) {
    put('!');
    hide_second();
    const auto delay = std::chrono::microseconds(random() % 300);
    std::jthread writer([&] {
      std::this_thread::sleep_for(delay);
      finish();
    });
    const auto read = follow();
    writer.join();
    ASSERT_TRUE(read) << round << ": " << read.error().describe();
  }
}

TEST_F(Rotation, DamageIsFoundStill) {
  put('!');
  const auto read = follow();
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::data_loss);
}

}  // namespace
}  // namespace gatehouse::ledger

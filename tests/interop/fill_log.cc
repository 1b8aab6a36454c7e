// Fills a real log until it has so many entries, and prints its public key. For tests and
// measurements: entries look like those of calls, with ids a millisecond apart.
//
//   fill_log DIRECTORY ENTRIES
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <iostream>
#include <mutex>

#include "base/clock.h"
#include "base/id.h"
#include "base/random.h"
#include "ledger/event.h"
#include "ledger/ledger.h"

namespace {

using namespace gatehouse;

// Less than the ledger's queue, so that it never refuses.
constexpr std::uint64_t most_under_way = 16'384;

std::string entry_at(std::uint64_t index, const Clock& clock, Random& random) {
  ledger::Event event;
  event.id = make_uuid7(clock, random);
  event.time = clock.wall();
  event.type = index % 2 == 0 ? "request.decided" : "request.completed";
  event.node = "gw-1";
  event.actor = R"({"kind":"user","id":"ada","peer":"127.0.0.1:40000"})";
  event.subject = R"({"route":"chat.completions","dialect":"openai","model":"gpt"})";
  event.data = R"({"n":)" + std::to_string(index) + "}";
  return ledger::serialize(event).value();
}

// Counts what is under way and holds up whoever would make it too many.
class UnderWay {
 public:
  void begin() {
    std::unique_lock lock(mutex_);
    fewer_.wait(lock, [&] { return count_ < most_under_way; });
    ++count_;
  }
  void end(bool durable) {
    const std::scoped_lock lock(mutex_);
    failed_ |= !durable;
    if (--count_ == most_under_way / 2 || count_ == 0) fewer_.notify_all();
  }
  bool all_durable() {
    std::unique_lock lock(mutex_);
    fewer_.wait(lock, [&] { return count_ == 0; });
    return !failed_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable fewer_;
  std::uint64_t count_ = 0;
  bool failed_ = false;
};

int fill(const char* directory, std::uint64_t size) {
  const SystemClock clock;
  ledger::Options options;
  options.directory = directory;
  options.origin = "log.example/interop";
  std::array<std::byte, 32> seed;
  seed.fill(std::byte{7});
  const auto opened = ledger::Ledger::open(options, crypto::SigningKey::from_seed(seed), clock);
  if (!opened) {
    std::cerr << "fill_log: " << opened.error().describe() << '\n';
    return 2;
  }
  ledger::Ledger& log = **opened;
  const std::uint64_t before = log.stats().size;
  ManualClock times(WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 1)) +
                    std::chrono::milliseconds(before));
  SeededRandom random(before);
  UnderWay under_way;
  for (std::uint64_t i = before; i < size; ++i) {
    under_way.begin();
    const auto taken = log.append(entry_at(i, times, random), [&](Result<std::uint64_t> index) {
      under_way.end(index.has_value());
    });
    if (!taken) under_way.end(false);
    times.advance(std::chrono::milliseconds(1));
  }
  const bool durable = under_way.all_durable();
  const auto closed = log.close();
  if (!durable || !closed || log.stats().checkpoint_size != std::max(size, before)) {
    std::cerr << "fill_log: the log could not be written\n";
    return 2;
  }
  std::cout << log.verifier_key() << '\n';
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t size = 0;
  const char* end = argc == 3 ? argv[2] + std::strlen(argv[2]) : nullptr;
  if (argc != 3 || std::from_chars(argv[2], end, size).ptr != end || size == 0) {
    std::cerr << "usage: fill_log DIRECTORY ENTRIES\n";
    return 2;
  }
  return fill(argv[1], size);
}

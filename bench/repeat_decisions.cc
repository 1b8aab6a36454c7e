// Makes a large log out of a small real one, for bench/policy_diff: every entry of a gateway's log
// in order, then its calls (request.decided and what came of them) again and again, each with an id
// and a time of its own, until there are so many decisions. The times are the last six days,
// evenly. What data.decision of an outcome names is not mended: nothing of a decision looks at it.
//
//   repeat_decisions SOURCE DIRECTORY DECISIONS [distinct]
//
// With `distinct` each decision with a purpose has one of its own, so that no two are alike.
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <iostream>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "base/random.h"
#include "ledger/ledger.h"

namespace {

using namespace gatehouse;

// Less than the ledger's queue, so that it never refuses.
constexpr std::uint64_t most_under_way = 16'384;

Result<std::vector<std::string>> read_all(const char* directory) {
  GH_ASSIGN(auto reader, ledger::EntryReader::open(directory));
  std::vector<std::string> entries;
  std::uint64_t index = 0;
  std::string entry;
  while (true) {
    GH_ASSIGN(const bool more, reader.next(index, entry));
    if (!more) return entries;
    entries.push_back(entry);
  }
}

bool is_decision(const std::string& entry) {
  return entry.find(R"("type":"request.decided")") != std::string::npos;
}

bool is_of_a_call(const std::string& entry) {
  return is_decision(entry) || entry.find(R"("type":"request.completed")") != std::string::npos;
}

// The value of a text member at the beginning of an event, in place.
void put(std::string& entry, std::string_view name, const std::string& value) {
  const std::string key = "\"" + std::string(name) + "\":\"";
  const std::size_t begin = entry.find(key) + key.size();
  entry.replace(begin, entry.find('"', begin) - begin, value);
}

// Appends, and holds up whoever would have too many under way.
class Appender {
 public:
  explicit Appender(ledger::Ledger& log) : log_(log) {}

  void append(std::string entry) {
    {
      std::unique_lock lock(mutex_);
      fewer_.wait(lock, [&] { return under_way_ < most_under_way; });
      ++under_way_;
    }
    const auto taken = log_.append(std::move(entry),
                                   [this](Result<std::uint64_t> index) { end(index.has_value()); });
    if (!taken) end(false);
  }
  bool all_durable() {
    std::unique_lock lock(mutex_);
    fewer_.wait(lock, [&] { return under_way_ == 0; });
    return !failed_;
  }

 private:
  void end(bool durable) {
    const std::scoped_lock lock(mutex_);
    failed_ |= !durable;
    if (--under_way_ == most_under_way / 2 || under_way_ == 0) fewer_.notify_all();
  }

  ledger::Ledger& log_;
  std::mutex mutex_;
  std::condition_variable fewer_;
  std::uint64_t under_way_ = 0;
  bool failed_ = false;
};

Result<void> repeat(const char* source, const char* directory, std::uint64_t decisions,
                    bool distinct) {
  GH_ASSIGN(const auto entries, read_all(source));
  const SystemClock clock;
  ledger::Options options;
  options.directory = directory;
  options.origin = "log.example/bench";
  std::array<std::byte, 32> seed;
  seed.fill(std::byte{7});
  GH_ASSIGN(auto log, ledger::Ledger::open(options, crypto::SigningKey::from_seed(seed), clock));
  Appender appender(*log);
  std::vector<std::string> calls;
  std::uint64_t made = 0;
  for (const std::string& entry : entries) {
    appender.append(entry);
    made += is_decision(entry) ? 1 : 0;
    if (is_of_a_call(entry)) calls.push_back(entry);
  }
  if (made == 0) return fail(ErrorCode::not_found, "no decision in this log", source);

  const auto step = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::days(6)) /
                    static_cast<std::int64_t>(decisions);
  ManualClock times(clock.wall() - std::chrono::days(6));
  SeededRandom random(decisions);
  for (std::size_t at = 0; made < decisions; at = (at + 1) % calls.size()) {
    std::string entry = calls[at];
    put(entry, "id", make_uuid7(times, random));
    put(entry, "time", format_time(times.wall()));
    if (is_decision(entry)) {
      ++made;
      times.advance(step);
      if (distinct && entry.contains("\"purpose\":\""))
        put(entry, "purpose", "project-" + std::to_string(made));
    }
    appender.append(std::move(entry));
  }
  if (!appender.all_durable()) return fail(ErrorCode::unavailable, "the log could not be written");
  GH_TRY(log->close());
  std::cout << log->stats().size << " entries, " << made << " decisions\n";
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t decisions = 0;
  const bool distinct = argc == 5 && std::string_view(argv[4]) == "distinct";
  const char* end = argc == 4 || distinct ? argv[3] + std::strlen(argv[3]) : nullptr;
  if (end == nullptr || std::from_chars(argv[3], end, decisions).ptr != end || decisions == 0) {
    std::cerr << "usage: repeat_decisions SOURCE DIRECTORY DECISIONS [distinct]\n";
    return 2;
  }
  const auto done = repeat(argv[1], argv[2], decisions, distinct);
  if (done) return 0;
  std::cerr << "repeat_decisions: " << done.error().describe() << '\n';
  return 2;
}

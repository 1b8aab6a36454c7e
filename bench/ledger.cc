// Measures the ledger beside the machine's own limits, in one run: a bare write and fdatasync, and
// SHA-256. Prints Markdown. Built and run by bench/ledger.
//
//   ledger_speed FOLDER [ROUNDS] [SECONDS] [ENTRIES of the large log]
//   ledger_speed --append-until-killed FOLDER        (used by itself)
#include "ledger/ledger.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <latch>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "ledger/disk.h"
#include "ledger/merkle.h"
#include "ledger/proof.h"
#include "ledger/verify.h"

namespace {

using namespace gatehouse;
using Time = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr std::size_t entry_bytes = 500;
// What a frame with one such entry occupies in the log.
constexpr std::size_t record_bytes = 576;

double seconds_since(Time::time_point start) {
  return Seconds(Time::now() - start).count();
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values.empty() ? 0 : values[values.size() / 2];
}

// One measurement: how many a second and how long each took, in microseconds.
struct Sample {
  double rate = 0;
  std::vector<double> micros;

  double at(double share) {
    if (micros.empty()) return 0;
    std::ranges::sort(micros);
    return micros[static_cast<std::size_t>(share * static_cast<double>(micros.size() - 1))];
  }
};

// The medians over the rounds of what belongs to one row.
struct Row {
  std::vector<double> rate, p50, p99, longest;
  void add(Sample sample) {
    rate.push_back(sample.rate);
    p50.push_back(sample.at(0.5));
    p99.push_back(sample.at(0.99));
    longest.push_back(sample.at(1));
  }
};

crypto::SigningKey bench_key() {
  std::array<std::byte, 32> seed;
  seed.fill(std::byte{1});
  return crypto::SigningKey::from_seed(seed);
}

std::string entry_number(std::uint64_t i) {
  std::string entry = fmt::format("{{\"id\":\"{:020}\",\"pad\":\"", i);
  for (std::uint64_t word = i; entry.size() < entry_bytes - 2;
       word = word * 6364136223846793005u + 1)
    entry += static_cast<char>('a' + (word >> 33) % 26);
  return entry + "\"}";
}

std::unique_ptr<ledger::Ledger> open_log(const std::string& folder) {
  static const SystemClock clock;
  ledger::Options options;
  options.directory = folder + "/log";
  options.last_signed = folder + "/signed";
  options.origin = "bench.example/log";
  auto log = ledger::Ledger::open(options, bench_key(), clock);
  if (!log) fmt::print(stderr, "{}\n", log.error().describe());
  GH_CHECK(log.has_value());
  return std::move(*log);
}

// ---- the machine's own limits ---------------------------------------------------------------

class ZeroFile {
 public:
  explicit ZeroFile(const std::string& path) : fd_(::open(path.c_str(), O_RDWR | O_CREAT, 0600)) {
    const std::string zeros(1u << 20, '\0');
    for (std::size_t at = 0; at < bytes; at += zeros.size())
      GH_CHECK(::pwrite(fd_, zeros.data(), zeros.size(), static_cast<off_t>(at)) > 0);
    GH_CHECK(::fsync(fd_) == 0);
  }
  ~ZeroFile() { ::close(fd_); }
  ZeroFile(const ZeroFile&) = delete;
  ZeroFile& operator=(const ZeroFile&) = delete;

  Sample sync_records(double seconds) {
    Sample sample;
    const std::string record(record_bytes, 'x');
    const auto start = Time::now();
    while (seconds_since(start) < seconds) {
      const auto begin = Time::now();
      GH_CHECK(::pwrite(fd_, record.data(), record.size(), static_cast<off_t>(at_)) > 0);
      GH_CHECK(::fdatasync(fd_) == 0);
      sample.micros.push_back(seconds_since(begin) * 1e6);
      at_ = (at_ + record.size()) % (bytes - record.size());
    }
    sample.rate = static_cast<double>(sample.micros.size()) / seconds_since(start);
    return sample;
  }

 private:
  static constexpr std::size_t bytes = 64u << 20;
  int fd_;
  std::size_t at_ = 0;
};

double leaf_hashes_a_second(double seconds) {
  const std::string entry = entry_number(1);
  std::uint64_t count = 0;
  const auto start = Time::now();
  while (seconds_since(start) < seconds) {
    for (int i = 0; i < 1'000; ++i, ++count) (void)ledger::leaf_hash(entry);
  }
  return static_cast<double>(count) / seconds_since(start);
}

// ---- appends --------------------------------------------------------------------------------

// Callers as the gateway's walks are: each has one entry under way and sends the next when that one
// is durable.
Sample durable_appends(ledger::Ledger& log, std::size_t callers, double seconds) {
  struct State {
    std::vector<Time::time_point> sent;
    Sample sample;
    std::latch idle;
    explicit State(std::size_t count) : sent(count), idle(static_cast<std::ptrdiff_t>(count)) {}
  } state(callers);
  const auto start = Time::now();
  std::function<void(std::size_t)> send = [&](std::size_t caller) {
    state.sent[caller] = Time::now();
    const auto taken = log.append(
        entry_number(state.sample.micros.size()), [&, caller](const Result<std::uint64_t>& index) {
          GH_CHECK(index.has_value());
          // Callbacks come on one thread.
          state.sample.micros.push_back(seconds_since(state.sent[caller]) * 1e6);
          if (seconds_since(start) < seconds) return send(caller);
          state.idle.count_down();
        });
    GH_CHECK(taken.has_value());
  };
  for (std::size_t caller = 0; caller < callers; ++caller) send(caller);
  state.idle.wait();
  state.sample.rate = static_cast<double>(state.sample.micros.size()) / seconds_since(start);
  return std::move(state.sample);
}

// The same with a thread for each caller that sleeps until its entry is durable.
Sample appends_of_threads(ledger::Ledger& log, std::size_t callers, double seconds) {
  std::vector<Sample> samples(callers);
  const auto start = Time::now();
  {
    std::vector<std::jthread> threads;
    for (Sample& sample : samples) {
      threads.emplace_back([&] {
        while (seconds_since(start) < seconds) {
          const auto begin = Time::now();
          GH_CHECK(log.append_and_wait(entry_number(sample.micros.size())).has_value());
          sample.micros.push_back(seconds_since(begin) * 1e6);
        }
      });
    }
  }
  Sample all;
  for (const Sample& sample : samples)
    all.micros.insert(all.micros.end(), sample.micros.begin(), sample.micros.end());
  all.rate = static_cast<double>(all.micros.size()) / seconds_since(start);
  return all;
}

// From append() to a receipt in hand, for one caller who asks for it, beside `rate` other entries a
// second (0: as many as 1,000 waiting callers make).
Sample receipts(ledger::Ledger& log, const std::string& folder, double rate, double seconds) {
  std::atomic<bool> stop{false};
  std::jthread load([&] {
    if (rate == 0) {
      (void)durable_appends(log, 1'000, seconds);
      stop = true;
      return;
    }
    const auto start = Time::now();
    for (std::uint64_t sent = 0; seconds_since(start) < seconds;) {
      for (; static_cast<double>(sent) < seconds_since(start) * rate; ++sent)
        GH_CHECK(log.append(entry_number(sent), [](const auto&) {}).has_value());
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    stop = true;
  });
  Sample sample;
  ledger::RealDisk disk;
  const auto start = Time::now();
  while (!stop) {
    const auto begin = Time::now();
    const auto index = log.append_and_wait(entry_number(sample.micros.size()));
    GH_CHECK(index.has_value());
    log.request_checkpoint(*index);
    while (log.stats().checkpoint_size <= *index)
      std::this_thread::sleep_for(std::chrono::microseconds(500));
    GH_CHECK(ledger::make_receipt(disk, folder + "/log", *index).has_value());
    sample.micros.push_back(seconds_since(begin) * 1e6);
  }
  sample.rate = static_cast<double>(sample.micros.size()) / seconds_since(start);
  return sample;
}

// ---- verifying and opening ------------------------------------------------------------------

void fill_log(const std::string& folder, std::uint64_t entries) {
  auto log = open_log(folder);
  std::uint64_t next = log->stats().size;
  while (next < entries) {
    const auto taken = log->append(entry_number(next), [](const auto&) {});
    if (taken) {
      ++next;
    } else {
      GH_CHECK(taken.error().code == ErrorCode::resource_exhausted);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  GH_CHECK(log->close().has_value());
}

double open_seconds(const std::string& folder) {
  const auto start = Time::now();
  const auto log = open_log(folder);
  return seconds_since(start);
}

[[noreturn]] void append_until_killed(const std::string& folder) {
  auto log = open_log(folder);
  while (true) (void)durable_appends(*log, 1'000, 3600);
}

// Opening after SIGKILL under full load: what no checkpoint covers is read and derived again.
double recovery_seconds(const std::string& program, const std::string& folder) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::execl(program.c_str(), program.c_str(), "--append-until-killed", folder.c_str(), nullptr);
    std::_Exit(1);
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(2'500));
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  GH_CHECK(WIFSIGNALED(status));
  return open_seconds(folder);
}

double verified_a_second(const std::string& folder) {
  ledger::RealDisk disk;
  const auto start = Time::now();
  const auto report = ledger::verify_log(disk, folder + "/log");
  if (!report) fmt::print(stderr, "{}\n", report.error().describe());
  GH_CHECK(report.has_value());
  return static_cast<double>(report->checkpoint.size) / seconds_since(start);
}

// ---- the tables -----------------------------------------------------------------------------

std::string thousands(double value) {
  std::string digits = fmt::format("{:.0f}", value);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

void print_row(const std::string& what, const Row& row, double of) {
  fmt::print("| {} | {} | {:.2f} | {} | {} | {} |\n", what, thousands(median(row.rate)),
             median(row.rate) / of, thousands(median(row.p50)), thousands(median(row.p99)),
             thousands(median(row.longest)));
}

void print_target(std::string_view what, double value, bool at_least, double wanted, int digits) {
  const bool met = at_least ? value >= wanted : value <= wanted;
  const auto text = [&](double number) {
    return digits == 0 ? thousands(number) : fmt::format("{:.{}f}", number, digits);
  };
  fmt::print("| {} | {} {} | {} | {} |\n", what, at_least ? ">=" : "<=", text(wanted), text(value),
             met ? "met" : fmt::format("missed, {:.2f} times the target", value / wanted));
}

struct Arguments {
  std::string program;
  std::string folder;
  int rounds = 5;
  double seconds = 2;
  std::uint64_t large = 10'000'000;
};

constexpr std::string_view bare = "write and fdatasync, nothing else";

std::map<std::string, Row> measure_appends(const Arguments& given) {
  std::map<std::string, Row> rows;
  for (int round = 0; round < given.rounds; ++round) {
    const std::string folder = fmt::format("{}/appends-{}", given.folder, round);
    std::filesystem::create_directories(folder);
    {
      ZeroFile file(folder + "/zeros");
      auto log = open_log(folder);
      // Twice, around what it is compared with.
      rows[std::string(bare)].add(file.sync_records(given.seconds / 2));
      rows["1 caller"].add(durable_appends(*log, 1, given.seconds));
      rows[std::string(bare)].add(file.sync_records(given.seconds / 2));
      for (const std::size_t callers : {8, 64, 1'000})
        rows[fmt::format("{} callers", callers)].add(durable_appends(*log, callers, given.seconds));
      rows["1000 threads"].add(appends_of_threads(*log, 1'000, given.seconds));
      rows["receipt, 10,000 entries a second beside it"].add(
          receipts(*log, folder, 10'000, given.seconds));
      rows["receipt, 1000 callers beside it"].add(receipts(*log, folder, 0, given.seconds));
    }
    std::filesystem::remove_all(folder);
  }
  return rows;
}

void run(const Arguments& given) {
  auto rows = measure_appends(given);
  const std::string million = given.folder + "/million";
  fill_log(million, 1'000'000);
  std::vector<double> hashes;
  std::vector<double> verified;
  for (int round = 0; round < given.rounds; ++round) {
    hashes.push_back(leaf_hashes_a_second(0.5));
    verified.push_back(verified_a_second(million));
  }
  const std::string large = given.folder + "/large";
  fill_log(large, given.large);
  std::vector<double> opened;
  std::vector<double> recovered;
  for (int round = 0; round < given.rounds; ++round) {
    opened.push_back(open_seconds(large));
    recovered.push_back(recovery_seconds(given.program, large));
  }

  const double syncs = median(rows[std::string(bare)].rate);
  fmt::print(
      "### Targets\n\n| target | wanted | measured | verdict |\n| --- | --- | --: | --: |\n");
  print_target("durable appends a second, 1,000 waiting callers", median(rows["1000 callers"].rate),
               true, 100'000, 0);
  print_target("their wait, p99, ms", median(rows["1000 callers"].p99) / 1e3, false, 20, 1);
  print_target("one caller, of the machine's own fdatasync rate",
               median(rows["1 caller"].rate) / syncs, true, 0.8, 2);
  print_target("append to receipt, p99, ms, 10,000 entries a second beside it",
               median(rows["receipt, 10,000 entries a second beside it"].p99) / 1e3, false, 250, 0);
  print_target("append to receipt, p99, ms, 1,000 waiting callers beside it",
               median(rows["receipt, 1000 callers beside it"].p99) / 1e3, false, 250, 0);
  print_target("verification, entries a second and core", median(verified), true, 500'000, 0);
  print_target(
      fmt::format("opening a log of {} entries, s", thousands(static_cast<double>(given.large))),
      median(opened), false, 2, 2);

  fmt::print("\n### Durable appends of {}-byte entries\n\n", entry_bytes);
  fmt::print("| who | a second | of the bare rate | p50 µs | p99 µs | longest µs |\n");
  fmt::print("| --- | --: | --: | --: | --: | --: |\n");
  for (const auto& name :
       {std::string(bare), std::string("1 caller"), std::string("8 callers"),
        std::string("64 callers"), std::string("1000 callers"), std::string("1000 threads"),
        std::string("receipt, 10,000 entries a second beside it"),
        std::string("receipt, 1000 callers beside it")})
    print_row(name, rows[name], syncs);

  fmt::print("\n### Reading\n\n| what | |\n| --- | --: |\n");
  fmt::print("| leaf hashes a second, one core (SHA-256 of {} bytes) | {} |\n", entry_bytes + 1,
             thousands(median(hashes)));
  fmt::print("| entries verified a second, one core | {} |\n", thousands(median(verified)));
  fmt::print("| of the hashing limit | {:.2f} |\n", median(verified) / median(hashes));
  fmt::print("| opening {} entries after a stop, ms | {:.0f} |\n",
             thousands(static_cast<double>(given.large)), median(opened) * 1e3);
  fmt::print("| opening them after SIGKILL under full load, ms | {:.0f} |\n",
             median(recovered) * 1e3);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 2 && arguments[0] == "--append-until-killed")
    append_until_killed(arguments[1]);
  if (arguments.empty()) {
    fmt::print(stderr, "usage: ledger_speed FOLDER [ROUNDS] [SECONDS] [ENTRIES]\n");
    return 2;
  }
  Arguments given{.program = std::filesystem::read_symlink("/proc/self/exe").string(),
                  .folder = arguments[0]};
  if (arguments.size() > 1) given.rounds = std::stoi(arguments[1]);
  if (arguments.size() > 2) given.seconds = std::stod(arguments[2]);
  if (arguments.size() > 3) given.large = std::stoull(arguments[3]);
  run(given);
  return 0;
}

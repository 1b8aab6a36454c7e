// Durable appends a second with 1, 8, 64 and 1,000 callers that each wait for their entry, beside
// what the same disk gives to a bare fdatasync loop in the same run; and how fast a log is verified
// and opened. Entries have 500 bytes. The directory is GATEHOUSE_BENCH_DIR, else the present one.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <vector>

#include "ledger/disk.h"
#include "ledger/ledger.h"
#include "ledger/verify.h"

namespace {

using namespace gatehouse;
using Time = std::chrono::steady_clock;

constexpr std::size_t entry_bytes = 500;

class BenchDirectory {
 public:
  BenchDirectory() {
    const char* base = std::getenv("GATEHOUSE_BENCH_DIR");  // NOLINT(concurrency-mt-unsafe)
    std::string pattern = std::string(base != nullptr ? base : ".") + "/ledger-bench-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~BenchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  BenchDirectory(const BenchDirectory&) = delete;
  BenchDirectory& operator=(const BenchDirectory&) = delete;
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

crypto::SigningKey bench_key() {
  std::array<std::byte, 32> seed;
  seed.fill(std::byte{1});
  return crypto::SigningKey::from_seed(seed);
}

std::unique_ptr<ledger::Ledger> open_log(const std::string& directory) {
  static const SystemClock clock;
  ledger::Options options;
  options.directory = directory;
  options.origin = "bench.example/log";
  auto log = ledger::Ledger::open(options, bench_key(), clock);
  GH_CHECK(log.has_value());
  return std::move(*log);
}

std::string entry_number(std::uint64_t i) {
  std::string entry = "{\"id\":\"" + std::to_string(i) + "\",\"pad\":\"";
  entry.resize(entry_bytes - 2, 'p');
  return entry + "\"}";
}

void report_waits(benchmark::State& state, std::vector<double>& micros) {
  if (micros.empty()) return;
  std::ranges::sort(micros);
  const auto at = [&](double share) {
    return micros[static_cast<std::size_t>(share * static_cast<double>(micros.size() - 1))];
  };
  state.counters["p50_us"] = at(0.5);
  state.counters["p99_us"] = at(0.99);
  state.counters["max_us"] = micros.back();
}

// What the disk gives: one entry's bytes written into a file full of zeros, then fdatasync.
void BM_BareFdatasync(benchmark::State& state) {
  const BenchDirectory directory;
  const std::string path = directory.path() + "/file";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT, 0600);
  constexpr std::size_t file_bytes = 64u << 20;
  const std::string zeros(1u << 20, '\0');
  for (std::size_t at = 0; at < file_bytes; at += zeros.size()) {
    GH_CHECK(::pwrite(fd, zeros.data(), zeros.size(), static_cast<off_t>(at)) > 0);
  }
  GH_CHECK(::fsync(fd) == 0);
  const std::string bytes(576, 'x');
  std::size_t at = 0;
  std::vector<double> micros;
  for (auto _ : state) {
    const auto start = Time::now();
    GH_CHECK(::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(at)) > 0);
    GH_CHECK(::fdatasync(fd) == 0);
    micros.push_back(std::chrono::duration<double, std::micro>(Time::now() - start).count());
    at = (at + bytes.size()) % (file_bytes - bytes.size());
  }
  ::close(fd);
  state.SetItemsProcessed(state.iterations());
  report_waits(state, micros);
}
BENCHMARK(BM_BareFdatasync)->UseRealTime()->MinTime(3);

// Callers as the gateway's: each has one entry under way and sends the next from its callback.
class Callers {
 public:
  Callers(ledger::Ledger& log, std::size_t count) : log_(log), started_(count) {}

  void run(std::chrono::milliseconds time) {
    until_ = Time::now() + time;
    running_ = started_.size();
    for (std::size_t i = 0; i < started_.size(); ++i) send(i);
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [&] { return running_ == 0; });
  }

  std::uint64_t done() const { return done_; }
  std::vector<double>& micros() { return micros_; }

 private:
  void send(std::size_t caller) {
    started_[caller] = Time::now();
    log_.append(entry_number(caller), [this, caller](Result<std::uint64_t> index) {
      GH_CHECK(index.has_value());
      const auto now = Time::now();
      // Callbacks come on one thread.
      micros_.push_back(std::chrono::duration<double, std::micro>(now - started_[caller]).count());
      ++done_;
      if (now < until_) {
        send(caller);
        return;
      }
      const std::scoped_lock lock(mutex_);
      if (--running_ == 0) idle_.notify_one();
    });
  }

  ledger::Ledger& log_;
  std::vector<Time::time_point> started_;
  Time::time_point until_;
  std::vector<double> micros_;
  std::uint64_t done_ = 0;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::size_t running_ = 0;
};

void BM_DurableAppends(benchmark::State& state) {
  const BenchDirectory directory;
  auto log = open_log(directory.path() + "/log");
  Callers callers(*log, static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) callers.run(std::chrono::seconds(4));
  const auto stats = log->stats();
  state.SetItemsProcessed(static_cast<std::int64_t>(callers.done()));
  state.counters["groups/s"] =
      benchmark::Counter(static_cast<double>(stats.groups), benchmark::Counter::kIsRate);
  state.counters["uncovered"] = static_cast<double>(stats.size - stats.checkpoint_size);
  report_waits(state, callers.micros());
  GH_CHECK(log->close().has_value());
}
BENCHMARK(BM_DurableAppends)->Arg(1)->Arg(8)->Arg(64)->Arg(1000)->UseRealTime()->Iterations(1);

// One entry, then a checkpoint on demand: the price of an immediate receipt.
void BM_AppendAndCheckpoint(benchmark::State& state) {
  const BenchDirectory directory;
  auto log = open_log(directory.path() + "/log");
  std::vector<double> micros;
  for (auto _ : state) {
    const auto start = Time::now();
    GH_CHECK(log->append_and_wait(entry_number(1)).has_value());
    GH_CHECK(log->checkpoint_now().has_value());
    micros.push_back(std::chrono::duration<double, std::micro>(Time::now() - start).count());
  }
  report_waits(state, micros);
}
BENCHMARK(BM_AppendAndCheckpoint)->UseRealTime()->MinTime(2);

// A log of a million entries: verified, and opened.
class MillionEntries : public benchmark::Fixture {
 public:
  static constexpr std::uint64_t entries = 1'000'000;

  void SetUp(const benchmark::State&) override {
    if (directory_) return;
    directory_ = std::make_unique<BenchDirectory>();
    auto log = open_log(directory_->path() + "/log");
    for (std::uint64_t i = 0; i < entries;) {
      std::atomic<bool> refused{false};
      log->append(entry_number(i), [&](Result<std::uint64_t> index) {
        if (!index) refused = true;
      });
      if (refused) {
        GH_CHECK(log->append_and_wait(entry_number(i)).has_value() ||
                 log->checkpoint_now().has_value());
      }
      ++i;
      if (i % 32'768 == 0) GH_CHECK(log->checkpoint_now().has_value());
    }
    GH_CHECK(log->close().has_value());
  }

 protected:
  static inline std::unique_ptr<BenchDirectory> directory_;
};

BENCHMARK_DEFINE_F(MillionEntries, Verify)(benchmark::State& state) {
  ledger::RealDisk disk;
  std::uint64_t size = 0;
  for (auto _ : state) {
    const auto report = ledger::verify_log(disk, directory_->path() + "/log");
    GH_CHECK(report.has_value());
    size = report->checkpoint.size;
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(size));
}
BENCHMARK_REGISTER_F(MillionEntries, Verify)
    ->UseRealTime()
    ->Iterations(2)
    ->Unit(benchmark::kMillisecond);

BENCHMARK_DEFINE_F(MillionEntries, Open)(benchmark::State& state) {
  for (auto _ : state) {
    auto log = open_log(directory_->path() + "/log");
    benchmark::DoNotOptimize(log);
  }
}
BENCHMARK_REGISTER_F(MillionEntries, Open)
    ->UseRealTime()
    ->Iterations(3)
    ->Unit(benchmark::kMillisecond);

}  // namespace

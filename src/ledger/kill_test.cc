// kill -9 under load on a real disk: a child process appends and reports what was acknowledged, the
// parent kills it at a random moment, opens the log itself, and looks for everything reported.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <thread>

#include "base/file.h"
#include "ledger/log_files.h"
#include "ledger/memory_log.h"

namespace gatehouse::ledger {
namespace {

constexpr const char* child_directory = "GATEHOUSE_LEDGER_TEST_CHILD";
constexpr int child_pipe = 3;

struct Acknowledged {
  std::uint64_t index;
  Digest leaf;
};

Options kill_options(const std::string& directory) {
  Options options = options_in(directory);
  options.last_signed = directory + "-signed";
  options.segment_bytes = 512u << 10;
  options.checkpoint_interval = std::chrono::milliseconds(3);
  return options;
}

// Runs only in the child, which the test below starts; ends by being killed.
TEST(LedgerKill, DISABLED_Child) {
  const char* directory = std::getenv(child_directory);  // NOLINT(concurrency-mt-unsafe)
  if (directory == nullptr) GTEST_SKIP() << "started by LedgerKill.FiftyTimes only";
  auto ledger = Ledger::open(kill_options(directory), test_key(), test_clock());
  ASSERT_TRUE(ledger) << ledger.error().describe();
  std::vector<std::jthread> threads;
  for (unsigned t = 0; t < 3; ++t) {
    threads.emplace_back([&ledger, t] {
      std::mt19937_64 random(t + static_cast<std::uint64_t>(::getpid()) * 8);
      while (true) {
        std::string entry = std::to_string(random()) + std::string(random() % 400, 'k');
        const Digest leaf = leaf_hash(entry);
        (*ledger)->append(std::move(entry), [leaf](Result<std::uint64_t> index) {
          if (!index) std::_Exit(7);
          const Acknowledged line{.index = *index, .leaf = leaf};
          // Shorter than PIPE_BUF, so whole or not at all.
          if (::write(child_pipe, &line, sizeof line) != sizeof line) std::_Exit(8);
        });
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 300));
      }
    });
  }
}

pid_t start_child(const std::string& directory, int pipe_end) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::dup2(pipe_end, child_pipe);
  ::dup2(::open("/dev/null", O_WRONLY), STDOUT_FILENO);
  ::setenv(child_directory, directory.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): only thread
  ::execl("/proc/self/exe", "ledger_test", "--gtest_filter=LedgerKill.DISABLED_Child",
          "--gtest_also_run_disabled_tests", nullptr);
  std::_Exit(9);
}

// Reads what the child reports until `until`, then kills it and reads the rest.
void watch_and_kill(pid_t child, int pipe_end, std::chrono::milliseconds after_first,
                    std::map<std::uint64_t, Digest>& promised) {
  using Clock = std::chrono::steady_clock;
  auto until = Clock::now() + std::chrono::seconds(30);
  bool killed = false;
  bool first = true;
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    pollfd wait{.fd = pipe_end, .events = POLLIN, .revents = 0};
    const int timeout = killed ? -1 : static_cast<int>(std::max<std::int64_t>(left.count(), 0));
    const int ready = ::poll(&wait, 1, timeout);
    if (!killed && (ready == 0 || Clock::now() >= until)) {
      ::kill(child, SIGKILL);
      killed = true;
      continue;
    }
    Acknowledged line;
    if (::read(pipe_end, &line, sizeof line) != sizeof line) break;
    const auto [at, added] = promised.emplace(line.index, line.leaf);
    ASSERT_TRUE(added) << "index " << line.index << " was given out twice";
    if (std::exchange(first, false)) until = Clock::now() + after_first;
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << status;
}

void expect_promises_kept(const std::string& directory,
                          const std::map<std::uint64_t, Digest>& promised) {
  const auto entries = read_all(directory);
  for (const auto& [index, leaf] : promised) {
    ASSERT_LT(index, entries.size());
    ASSERT_EQ(leaf_hash(entries[index]), leaf) << "entry " << index;
  }
}

TEST(LedgerKill, FiftyTimes) {
  TemporaryDirectory temporary;
  const std::string directory = (temporary.path() / "log").string();
  std::mt19937 random(std::random_device{}());
  std::map<std::uint64_t, Digest> promised;
  std::string remembered;
  RealDisk disk;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(50);
  int kills = 0;
  for (; kills < 50 && std::chrono::steady_clock::now() < deadline; ++kills) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const pid_t child = start_child(directory, ends[1]);
    ::close(ends[1]);
    watch_and_kill(child, ends[0], std::chrono::milliseconds(random() % 120), promised);
    ::close(ends[0]);
    ASSERT_FALSE(HasFatalFailure());
    const auto seen = read_file(directory + "/checkpoint");
    ASSERT_TRUE(seen);
    // Every second time the next child does the recovery.
    if (kills % 2 == 0) {
      auto ledger = Ledger::open(kill_options(directory), test_key(), test_clock());
      ASSERT_TRUE(ledger) << ledger.error().describe();
      ASSERT_TRUE((*ledger)->close());
      for (const std::string& earlier : {remembered, *seen}) {
        const auto report =
            verify_log(disk, directory, {.key = test_verifier_key(), .remembered = earlier});
        ASSERT_TRUE(report) << report.error().describe();
      }
    }
    remembered = *seen;
    expect_promises_kept(directory, promised);
    ASSERT_FALSE(HasFatalFailure());
  }
  EXPECT_GT(promised.size(), 100u);
  // On a very slow disk the time runs out first; the kills that were made still count.
  EXPECT_GE(kills, 10);
  RecordProperty("kills", kills);
}

}  // namespace
}  // namespace gatehouse::ledger

// A log on a MemoryDisk, for tests that damage it, cut its power or make its disk fail.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "ledger/fake_disk.h"
#include "ledger/proof.h"
#include "ledger/test_log.h"
#include "ledger/verify.h"

namespace gatehouse::ledger {

inline const Clock& test_clock() {
  static const SystemClock clock;
  return clock;
}

// Hours between checkpoints: they come when the test asks for them.
inline Options memory_options() {
  Options options = options_in("/log");
  options.last_signed = "/signed";
  options.segment_bytes = min_segment_bytes;
  options.checkpoint_interval = std::chrono::hours(24);
  return options;
}

inline Result<std::unique_ptr<Ledger>> open_on(Disk& disk) {
  set_log_level(LogLevel::off);  // the disks here fail on purpose, thousands of times
  return Ledger::open(memory_options(), test_key(), test_clock(), &disk);
}

// A closed log of `count` entries with a checkpoint after each of `checkpoints`.
inline void make_log(MemoryDisk& disk, std::uint64_t count,
                     const std::vector<std::uint64_t>& checkpoints = {}) {
  auto ledger = open_on(disk);
  ASSERT_TRUE(ledger) << ledger.error().describe();
  for (std::uint64_t i = (*ledger)->stats().size; i < count; ++i) {
    if (std::ranges::find(checkpoints, i) != checkpoints.end()) {
      ASSERT_TRUE((*ledger)->checkpoint_now());
    }
    (*ledger)->append(test_entry(i), [](Result<std::uint64_t> index) { ASSERT_TRUE(index); });
  }
  ASSERT_TRUE((*ledger)->close());
}

inline VerifierKey test_verifier_key() {
  return make_verifier_key("log.example/test", test_key().public_key());
}

inline Result<VerifyReport> verify_memory(MemoryDisk& disk, std::string remembered = {}) {
  return verify_log(disk, "/log",
                    {.key = test_verifier_key(), .remembered = std::move(remembered)});
}

}  // namespace gatehouse::ledger

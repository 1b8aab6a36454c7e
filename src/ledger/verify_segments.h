// The part of verification that reads the write-ahead segments. Internal to verify.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ledger/disk.h"
#include "ledger/log_files.h"
#include "ledger/merkle.h"

namespace gatehouse::ledger {

struct SegmentsCheck {
  Disk& disk;
  const LogPaths& paths;
  Digest log_id;
  std::uint64_t checkpoint_size = 0;
  bool writer_running = false;
  // Called with every entry in the segments, in order.
  std::function<Result<void>(std::uint64_t index, std::string_view entry, const Digest& leaf,
                             const std::string& segment)>
      on_entry;
};

struct SegmentsSeen {
  std::uint64_t segments = 0;
  std::uint64_t end = 0;  // index after the last entry
  std::uint64_t files = 0;
};

// data_loss naming file and offset when anything is not as docs/ledger-format.md says.
Result<SegmentsSeen> check_segments(const SegmentsCheck& check);

}  // namespace gatehouse::ledger

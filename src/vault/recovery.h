// Opening the vault's files after anything: which segments there are, where each ends, and what of
// the last group was being written when the machine stopped.
#pragma once

#include <map>
#include <optional>

#include "vault/segment.h"

namespace gatehouse::vault {

struct SegmentState {
  SegmentHeader header;
  std::uint64_t end = segment_header_bytes;  // of its frames
  Closing summary;                           // so far, when it is not closed
  bool closed = false;

  std::uint64_t file_bytes() const {
    return end + (closed ? closing_bytes : 0) + keys_header_bytes +
           std::uint64_t{summary.records} * entry_bytes;
  }
  void note(const FrameHeader& record);
};

// By number. `being_pruned` may be half destroyed and is left out. Unclosed segments but the last
// are closed. data_loss: damage that no crash can cause; nothing was changed then.
Result<std::map<std::uint64_t, SegmentState>> recover_segments(
    Disk& disk, const Paths& paths, const VaultId& vault, const KeyRing& ring,
    std::optional<std::uint64_t> being_pruned);

}  // namespace gatehouse::vault

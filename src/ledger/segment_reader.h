// Reads the frames of write-ahead segments one at a time from the files, beside a writer that may
// be adding to them. For one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "ledger/disk.h"
#include "ledger/wal.h"

namespace gatehouse::ledger {

class SegmentReader {
 public:
  // not_found when the segment is gone (its entries are in full bundles then).
  static Result<SegmentReader> open(Disk& disk, const std::string& path);

  const SegmentHeader& header() const { return header_; }
  const std::string& path() const { return file_.path(); }
  std::uint64_t position() const { return next_; }  // index of the first entry not yet read

  // The next frame; false when there is none (yet). A frame that is not whole ends the segment:
  // `broken` then says what is wrong with it, empty when only zeros follow. The same frame may be
  // whole at the next call, when the writer was in the middle of it.
  Result<bool> next();
  const Frame& frame() const { return frame_; }  // valid until the next call
  const std::string& broken() const { return broken_; }
  // Passes over frames that end at or before `index`, without checking their digests.
  Result<void> skip_to(std::uint64_t index);

 private:
  SegmentReader(File file, SegmentHeader header);
  Result<std::string> read_frame_bytes();

  File file_;
  SegmentHeader header_;
  std::uint64_t next_ = 0;
  std::size_t offset_ = segment_header_bytes;
  std::string bytes_;
  Frame frame_;
  std::string broken_;
};

}  // namespace gatehouse::ledger

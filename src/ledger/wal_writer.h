// Puts frames into preallocated segments under <log>/wal/ and makes each durable with one
// fdatasync. The writer thread owns a WalWriter; only prepare_spare() may run on another thread at
// the same time (the caller sees to it that one of them runs at once).
//
// A segment is allocated and filled with zeros before its first frame, because fdatasync is fastest
// when the file system has nothing to note. Its header is durable before it gets its final name.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "ledger/disk.h"
#include "ledger/wal.h"

namespace gatehouse::ledger {

struct WalIdentity {
  Digest log_id;
  crypto::Digest salt_key;  // from which the salt of each segment is derived
};

class WalWriter {
 public:
  WalWriter(Disk& disk, std::string directory, std::size_t segment_bytes, WalIdentity identity);

  // Goes on in an existing segment, behind its last frame.
  Result<void> resume(std::uint64_t first, std::size_t segment_bytes, const Digest& salt,
                      std::size_t end_offset);

  // Payload bytes that the present segment still has room for; 0 when there is no segment.
  std::size_t room() const;
  double fill() const;  // of the present segment, 0 to 1

  // Writes one frame and returns when it is durable. The payload must fit into room().
  Result<void> write(std::uint64_t first, std::string_view payload, std::span<const Digest> leaves);

  // Makes the next segment on disk, nameless yet.
  Result<void> prepare_spare() const;
  // Takes the spare, which must exist, as the segment that begins with entry `first`.
  Result<void> rotate(std::uint64_t first);

  std::string spare_path() const { return directory_ + "/next"; }
  std::string path_of(std::uint64_t first) const { return directory_ + "/" + segment_name(first); }

 private:
  Disk& disk_;
  std::string directory_;
  std::size_t segment_bytes_;  // of segments made from now on
  WalIdentity identity_;
  std::optional<File> file_;
  std::size_t file_bytes_ = 0;
  std::size_t offset_ = 0;
  Digest salt_{};
  std::string frame_;  // the bytes of one write, kept for its capacity
};

}  // namespace gatehouse::ledger

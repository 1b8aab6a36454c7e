// One segment of the vault on a disk: its content file and its key file, which live and die
// together. Any thread, each with a Segment of its own; the caller sees to it that one thread at a
// time appends, and that one at a time erases, wraps anew or destroys.
//
// Promises
//   1. erase() returns when key, salt, subject hashes and ciphertext are overwritten and synced,
//      the keys before the rest.
//   2. rewrap() has a whole slot under one key or the other at every moment.
//   3. Nothing here copies a slot to another file.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "vault/disk.h"
#include "vault/envelope.h"
#include "vault/format.h"

namespace gatehouse::vault {

struct Paths {
  explicit Paths(const std::string& directory)
      : root(directory), segments(directory + "/segments"), keys(directory + "/keys") {}
  std::string segment(std::uint64_t number) const {
    return segments + "/" + file_name(number, FileKind::segment);
  }
  std::string keys_of(std::uint64_t number) const {
    return keys + "/" + file_name(number, FileKind::keys);
  }
  std::string root;
  std::string segments;
  std::string keys;
};

// A record where it lies.
struct Located {
  FrameHeader header;
  std::uint64_t offset = 0;  // of its frame
  std::string subjects;      // hashes, as they stand there; zeros when it was erased
};

class Segment {
 public:
  // Makes both files, durable, the keys first.
  static Result<Segment> create(Disk& disk, const Paths& paths, const SegmentHeader& header);
  static Result<Segment> open(Disk& disk, const Paths& paths, std::uint64_t number);

  const SegmentHeader& header() const { return header_; }
  Result<std::uint64_t> content_bytes() const { return content_.size(); }
  // The entries that the key file has room for.
  Result<std::uint32_t> entries() const;

  // Calls `each` for the frames from the first one to `end` until it says false. Returns where it
  // ended: before `end` only where it was told to, or where no whole header stands.
  using Visitor = std::function<Result<bool>(const Located&)>;
  Result<std::uint64_t> walk(std::uint64_t end, const Visitor& each) const;
  Result<std::optional<Closing>> closing(std::uint64_t size) const;

  // Absent when the record was erased. data_loss when a slot is there and does not open.
  Result<std::optional<RecordSecrets>> secrets(const KeyRing& ring,
                                               const FrameHeader& record) const;
  Result<bool> erased(const FrameHeader& record) const;
  Result<std::string> content(const Located& record, const RecordSecrets& secrets) const;

  // Writes frames and entries where the last ones ended, and waits until both are durable.
  Result<void> append(std::string_view frames, std::uint64_t offset, std::string_view entries,
                      std::uint32_t first_entry) const;
  Result<void> close_with(const Closing& closing, std::uint64_t offset) const;
  // Forgets what stands behind: frames that were being written when the machine stopped.
  Result<void> cut(std::uint64_t end, std::uint32_t entries) const;

  // Writes the headers and everything from a frame on once more, and syncs. After a sync that
  // failed the kernel shows bytes that it will not try to write again.
  Result<void> confirm(std::uint64_t from, std::uint64_t end, std::uint32_t first_entry) const;

  Result<void> erase(const std::vector<Located>& records) const;
  // Wraps the first `entries` records under the ring's current key; returns how many were not.
  Result<std::uint64_t> rewrap(const KeyRing& ring, std::uint64_t end, Random& random) const;
  // Overwrites every key, then removes both files.
  static Result<void> destroy(Disk& disk, const Paths& paths, std::uint64_t number);

 private:
  Segment(File content, File keys, const SegmentHeader& header)
      : content_(std::move(content)), keys_(std::move(keys)), header_(header) {}
  Result<std::string> entry(std::uint32_t number) const;
  Result<bool> rewrap_record(const KeyRing& ring, const FrameHeader& record, Random& random,
                             std::vector<std::uint64_t>& stale) const;

  File content_;
  File keys_;
  SegmentHeader header_;
};

}  // namespace gatehouse::vault

// The bytes of the write-ahead segments, the log's source of truth (docs/ledger-format.md gives
// every offset). Pure functions; wal_writer.h puts these bytes on a disk.
//
//   segment = header (128) ‖ frame* ‖ zeros up to segment_bytes        all integers big-endian
//   frame   = header (64) ‖ (length, 2 ‖ entry)* ‖ zeros up to a multiple of 64
//
// Invariants
//   1. A frame is one group: written once, made durable by one fdatasync, then acknowledged.
//   2. A frame is written only after the entries below its `durable` are on stable storage. So a
//      broken frame that is followed by a whole one with a larger `durable` was damaged later; a
//      broken frame at the very end is the group that was being written when the machine stopped.
//   3. The digest of a frame covers its header and every entry; the padding and the unused rest of
//      a segment are zeros. No byte of a segment is free.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ledger/merkle.h"

namespace gatehouse::ledger {

inline constexpr std::size_t segment_header_bytes = 128;
inline constexpr std::size_t frame_header_bytes = 64;
inline constexpr std::size_t frame_alignment = 64;
inline constexpr std::size_t max_frame_payload = 8u << 20;
inline constexpr std::size_t min_segment_bytes = 128u << 10;  // room for the longest entry
inline constexpr std::size_t max_segment_bytes = 1u << 30;

struct SegmentHeader {
  std::uint64_t first = 0;          // index of the first entry in the segment
  std::uint64_t segment_bytes = 0;  // length of the file
  Digest log_id{};                  // SHA-256 of the log's verifier key, as text
  Digest salt{};                    // unknown to those who write entries: nobody can forge a frame
};

std::string encode(const SegmentHeader& header);
Result<SegmentHeader> parse_segment_header(std::string_view bytes);

std::string segment_name(std::uint64_t first);  // "00000000000000001234.wal"
std::optional<std::uint64_t> parse_segment_name(std::string_view name);

struct FrameHeader {
  std::uint32_t count = 0;
  std::uint64_t first = 0;
  std::uint64_t durable = 0;
  std::uint32_t payload_bytes = 0;
  Digest digest{};
};

std::size_t padded(std::size_t bytes);  // up to a multiple of frame_alignment
inline std::size_t frame_bytes(std::size_t payload) {
  return frame_header_bytes + padded(payload);
}

// `leaves` are the leaf hashes of the entries in the payload.
std::string encode_frame_header(const Digest& salt, std::uint64_t first, std::uint64_t durable,
                                std::size_t payload_bytes, std::span<const Digest> leaves);
// Only the shape, not the digest.
Result<FrameHeader> parse_frame_header(std::string_view bytes);

struct Frame {
  FrameHeader header;
  std::size_t offset = 0;  // in the segment
  std::string_view payload;
  std::vector<std::string_view> entries;
  std::vector<Digest> leaves;

  std::uint64_t end() const { return header.first + header.count; }
  std::size_t next_offset() const { return offset + frame_bytes(header.payload_bytes); }
};

// The whole frame at `offset` of a segment, digest and padding checked; entries start at `first`.
Result<Frame> parse_frame(std::string_view segment, std::size_t offset, const Digest& salt,
                          std::uint64_t first);

enum class SegmentEnd {
  clean,    // zeros after the last frame
  torn,     // a broken frame with nothing whole behind it
  damaged,  // a broken frame although a later one is whole
};

struct Segment {
  SegmentHeader header;
  std::vector<Frame> frames;
  std::uint64_t end = 0;       // index after the last entry
  std::size_t end_offset = 0;  // after the last whole frame
  SegmentEnd state = SegmentEnd::clean;
  Error problem;  // why not clean; message names the offset
};

// Reads all frames; views into `bytes`. Error: the segment header is wrong or not of this log, or
// the file's length is not the one in the header.
Result<Segment> parse_segment(std::string_view bytes, const Digest& log_id);

bool all_zero(std::string_view bytes);

}  // namespace gatehouse::ledger

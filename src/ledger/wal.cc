#include "ledger/wal.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "ledger/tile.h"

namespace gatehouse::ledger {

namespace {

constexpr std::string_view segment_magic = "GHWALSEG";
constexpr std::string_view frame_magic = "GHFR";
constexpr std::uint32_t format_version = 1;
// The part of a frame header that stands before its digest.
constexpr std::size_t frame_fields_bytes = 32;

Error malformed(std::string message) {
  return {ErrorCode::data_loss, std::move(message), {}};
}

void put32(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>((value >> shift) & 0xff);
}

void put64(std::string& out, std::uint64_t value) {
  put32(out, static_cast<std::uint32_t>(value >> 32));
  put32(out, static_cast<std::uint32_t>(value));
}

std::uint32_t get32(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i)
    value = (value << 8) | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

std::uint64_t get64(std::string_view bytes, std::size_t at) {
  return (std::uint64_t{get32(bytes, at)} << 32) | get32(bytes, at + 4);
}

Digest get_digest(std::string_view bytes, std::size_t at) {
  Digest digest;
  std::memcpy(digest.data(), bytes.data() + at, digest.size());
  return digest;
}

Digest frame_digest(const Digest& salt, std::string_view fields, std::span<const Digest> leaves) {
  return crypto::sha256(salt, bytes_of(fields), std::as_bytes(leaves));
}

// Whether somewhere behind `from` stands a whole frame that was written when entry `index` was
// durable already.
bool later_frame_exists(std::string_view segment, std::size_t from, const Digest& salt,
                        std::uint64_t index) {
  for (std::size_t at = from; at + frame_header_bytes <= segment.size(); at += frame_alignment) {
    if (segment.substr(at, frame_magic.size()) != frame_magic) continue;
    const auto header = parse_frame_header(segment.substr(at, frame_header_bytes));
    if (header && header->durable > index && parse_frame(segment, at, salt, header->first)) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::string encode(const SegmentHeader& header) {
  std::string out(segment_magic);
  put32(out, format_version);
  put32(out, 0);
  put64(out, header.first);
  put64(out, header.segment_bytes);
  out += text_of(header.log_id);
  out += text_of(header.salt);
  out += text_of(crypto::sha256(bytes_of(out)));
  return out;
}

Result<SegmentHeader> parse_segment_header(std::string_view bytes) {
  if (bytes.size() < segment_header_bytes) {
    return std::unexpected(malformed("the segment is shorter than its header"));
  }
  bytes = bytes.substr(0, segment_header_bytes);
  SegmentHeader header{.first = get64(bytes, 16),
                       .segment_bytes = get64(bytes, 24),
                       .log_id = get_digest(bytes, 32),
                       .salt = get_digest(bytes, 64)};
  // One spelling: magic, version, zeros and digest are all in the comparison.
  if (encode(header) != bytes) {
    return std::unexpected(malformed("offset 0: the segment header is damaged"));
  }
  if (header.first > max_tree_size || header.segment_bytes < min_segment_bytes ||
      header.segment_bytes > max_segment_bytes) {
    return std::unexpected(malformed("offset 16: the segment header makes no sense"));
  }
  return header;
}

std::string segment_name(std::uint64_t first) {
  return fmt::format("{:020}.wal", first);
}

std::optional<std::uint64_t> parse_segment_name(std::string_view name) {
  if (name.size() != 24 || !name.ends_with(".wal")) return std::nullopt;
  const auto first = parse_uint(name.substr(0, 20));
  if (!first || *first > max_tree_size) return std::nullopt;
  return first;
}

std::size_t padded(std::size_t bytes) {
  return (bytes + frame_alignment - 1) / frame_alignment * frame_alignment;
}

std::string encode_frame_header(const Digest& salt, std::uint64_t first, std::uint64_t durable,
                                std::size_t payload_bytes, std::span<const Digest> leaves) {
  std::string out;
  out.reserve(frame_header_bytes);
  out += frame_magic;
  put32(out, static_cast<std::uint32_t>(leaves.size()));
  put64(out, first);
  put64(out, durable);
  put32(out, static_cast<std::uint32_t>(payload_bytes));
  put32(out, 0);
  out += text_of(frame_digest(salt, out, leaves));
  return out;
}

Result<FrameHeader> parse_frame_header(std::string_view bytes) {
  if (bytes.size() < frame_header_bytes) return std::unexpected(malformed("no room for a frame"));
  FrameHeader header{.count = get32(bytes, 4),
                     .first = get64(bytes, 8),
                     .durable = get64(bytes, 16),
                     .payload_bytes = get32(bytes, 24),
                     .digest = get_digest(bytes, frame_fields_bytes)};
  // An entry takes at least three bytes of payload.
  if (!bytes.starts_with(frame_magic) || get32(bytes, 28) != 0 || header.count == 0 ||
      header.payload_bytes > max_frame_payload || header.count > header.payload_bytes / 3 ||
      header.first > max_tree_size || header.durable > header.first) {
    return std::unexpected(malformed("not a frame header"));
  }
  return header;
}

Result<Frame> parse_frame(std::string_view segment, std::size_t offset, const Digest& salt,
                          std::uint64_t first) {
  if (offset > segment.size()) return std::unexpected(malformed("no room for a frame"));
  const std::string_view bytes = segment.substr(offset);
  Frame frame;
  frame.offset = offset;
  GH_ASSIGN(frame.header, parse_frame_header(bytes));
  if (frame.header.first != first) {
    return std::unexpected(malformed(
        fmt::format("the frame begins at entry {}, expected {}", frame.header.first, first)));
  }
  const std::size_t payload = frame.header.payload_bytes;
  if (bytes.size() < frame_bytes(payload)) {
    return std::unexpected(malformed("the frame reaches over the end of the segment"));
  }
  frame.payload = bytes.substr(frame_header_bytes, payload);
  auto entries = split_bundle(frame.payload, frame.header.count);
  if (!entries) return std::unexpected(malformed("the entries do not fill the frame"));
  frame.entries = std::move(*entries);
  frame.leaves.reserve(frame.entries.size());
  for (const std::string_view entry : frame.entries) frame.leaves.push_back(leaf_hash(entry));
  if (frame_digest(salt, bytes.substr(0, frame_fields_bytes), frame.leaves) !=
      frame.header.digest) {
    return std::unexpected(malformed("the digest of the frame does not match its bytes"));
  }
  if (!all_zero(bytes.substr(frame_header_bytes + payload, padded(payload) - payload))) {
    return std::unexpected(malformed("the padding of the frame is not zero"));
  }
  return frame;
}

Result<Segment> parse_segment(std::string_view bytes, const Digest& log_id) {
  Segment segment;
  GH_ASSIGN(segment.header, parse_segment_header(bytes));
  if (segment.header.log_id != log_id) {
    return std::unexpected(malformed("offset 32: the segment belongs to another log"));
  }
  if (segment.header.segment_bytes != bytes.size()) {
    return std::unexpected(malformed(fmt::format("the file has {} bytes, its header says {}",
                                                 bytes.size(), segment.header.segment_bytes)));
  }
  segment.end = segment.header.first;
  segment.end_offset = segment_header_bytes;
  while (true) {
    auto frame = parse_frame(bytes, segment.end_offset, segment.header.salt, segment.end);
    if (!frame) {
      segment.problem = std::move(frame).error();
      break;
    }
    segment.end = frame->end();
    segment.end_offset = frame->next_offset();
    segment.frames.push_back(std::move(*frame));
  }
  if (all_zero(bytes.substr(segment.end_offset))) {
    segment.problem = {};
    return segment;
  }
  segment.problem.message = fmt::format("offset {}: broken frame where entry {} should begin: {}",
                                        segment.end_offset, segment.end, segment.problem.message);
  segment.state = later_frame_exists(bytes, segment.end_offset + frame_alignment,
                                     segment.header.salt, segment.end)
                      ? SegmentEnd::damaged
                      : SegmentEnd::torn;
  return segment;
}

bool all_zero(std::string_view bytes) {
  return bytes.empty() ||
         (bytes.front() == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

}  // namespace gatehouse::ledger

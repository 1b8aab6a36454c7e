// The bytes of the vault's files (docs/vault-format.md gives every offset). Pure functions; what
// reads them does not trust them. All integers are big-endian.
//
//   segments/<N>.seg = header (64) ‖ frame* ‖ [closing (64)]
//   frame            = header (64) ‖ subject hash (16) * ‖ sealed ‖ zeros up to a multiple of 64
//   keys/<N>.keys    = header (64) ‖ zeros (192) ‖ entry (256) *
//   entry            = slot A (128) ‖ slot B (128); at rest one of them is zeros
//
// Invariants
//   1. A frame's header outlives its content: it says where the next frame begins, so it is never
//      changed. What an erase overwrites is its body, and both slots of its entry.
//   2. A slot never crosses a sector of 512 bytes.
//   3. No field has an identifier or content in the clear.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace gatehouse::vault {

using VaultId = std::array<std::byte, 16>;
using RecordId = std::array<std::byte, 16>;     // the bytes of the UUID of the decision
using SubjectHash = std::array<std::byte, 16>;  // first half of an HMAC-SHA-256
using KeyId = std::array<std::byte, 8>;         // which vault key: derived from the key itself

inline constexpr std::size_t segment_header_bytes = 64;
inline constexpr std::size_t frame_header_bytes = 64;
inline constexpr std::size_t closing_bytes = 64;
inline constexpr std::size_t frame_alignment = 64;
inline constexpr std::size_t max_subjects = 64;
inline constexpr std::size_t seal_overhead = 28;  // nonce and tag
inline constexpr std::size_t max_content_bytes = 1u << 30;
inline constexpr std::size_t keys_header_bytes = 256;
inline constexpr std::size_t slot_bytes = 128;
inline constexpr std::size_t entry_bytes = 2 * slot_bytes;
inline constexpr std::size_t slot_fields_bytes = 36;  // before what is sealed
inline constexpr std::size_t slot_secret_bytes = 64;  // data key ‖ salt

// Which part of a call a record is.
enum class Which : std::uint8_t { request = 1, answer = 2, tool_arguments = 3 };
std::string_view to_string(Which which);
Result<Which> parse_which(std::string_view text);

Result<RecordId> parse_record_id(std::string_view uuid);
std::string to_string(const RecordId& id);  // lower case, with hyphens

struct SegmentHeader {
  std::uint64_t number = 0;
  std::uint64_t created = 0;  // microseconds since the epoch
  VaultId vault{};
};
enum class FileKind { segment, keys };
std::string encode(const SegmentHeader& header, FileKind kind);
Result<SegmentHeader> parse_segment_header(std::string_view bytes, FileKind kind);

// "00000000000000000007.seg"
std::string file_name(std::uint64_t number, FileKind kind);
std::optional<std::uint64_t> parse_file_name(std::string_view name, FileKind kind);

struct FrameHeader {
  Which which = Which::request;
  bool truncated = false;  // the content goes on beyond what was kept
  std::uint16_t subjects = 0;
  std::uint64_t time = 0;  // microseconds since the epoch
  RecordId id{};
  std::uint32_t entry = 0;           // number of its entry in the key file
  std::uint32_t sealed_bytes = 0;    // 28 more than what was kept
  std::uint64_t original_bytes = 0;  // of the content, also where less was kept
  std::uint64_t durable = 0;  // offset below which all was on stable storage when this was written

  std::size_t body_bytes() const;  // subjects, sealed and padding
  std::size_t frame_bytes() const { return frame_header_bytes + body_bytes(); }
  std::size_t kept_bytes() const { return sealed_bytes - seal_overhead; }
};
// The checksum covers vault and segment too: a frame means nothing in another place.
std::string encode(const FrameHeader& header, const SegmentHeader& segment);
Result<FrameHeader> parse_frame_header(std::string_view bytes, const SegmentHeader& segment);
// What content is sealed with: everything above but `durable`, and the subject hashes.
std::string content_context(const FrameHeader& header, const SegmentHeader& segment,
                            std::string_view subject_bytes);

// The last 64 bytes of a segment that was closed in peace, so that opening need not read it all.
struct Closing {
  std::uint32_t records = 0;
  std::uint64_t latest = 0;  // time of the last record
  RecordId first_id{};       // smallest and largest
  RecordId last_id{};
};
std::string encode(const Closing& closing, const SegmentHeader& segment);
Result<Closing> parse_closing(std::string_view bytes, const SegmentHeader& segment);

struct Slot {
  KeyId key{};
  RecordId id{};
  Which which = Which::request;
  std::string sealed;  // 92 bytes
};
std::string encode(const Slot& slot);
Result<Slot> parse_slot(std::string_view bytes);
// What a slot is sealed with: its place in the vault, whose it is, and under which key.
std::string slot_context(const Slot& slot, const SegmentHeader& segment, std::uint32_t entry);

std::string encode_subjects(const std::vector<SubjectHash>& subjects);
std::vector<SubjectHash> parse_subjects(std::string_view bytes);

bool all_zero(std::string_view bytes);

}  // namespace gatehouse::vault

#include "vault/format.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "base/id.h"
#include "base/text.h"
#include "crypto/crypto.h"

namespace gatehouse::vault {
namespace {

constexpr std::string_view segment_magic = "GHVAULTS";
constexpr std::string_view keys_magic = "GHVAULTK";
constexpr std::string_view frame_magic = "GHVR";
constexpr std::string_view closing_magic = "GHVE";
constexpr std::string_view slot_magic = "GHVK";
constexpr std::uint32_t format_version = 1;
constexpr std::size_t frame_checked_bytes = 56;  // before the checksum
constexpr std::size_t frame_context_bytes = 48;  // without `durable`
constexpr std::size_t closing_checked_bytes = 56;
constexpr std::size_t header_checked_bytes = 48;
constexpr std::uint8_t truncated_flag = 1;
constexpr std::size_t name_digits = 20;

std::unexpected<Error> malformed(std::string message) {
  return fail(ErrorCode::data_loss, std::move(message));
}

void put16(std::string& out, std::uint16_t value) {
  out += static_cast<char>(value >> 8);
  out += static_cast<char>(value & 0xff);
}
void put32(std::string& out, std::uint32_t value) {
  put16(out, static_cast<std::uint16_t>(value >> 16));
  put16(out, static_cast<std::uint16_t>(value & 0xffff));
}
void put64(std::string& out, std::uint64_t value) {
  put32(out, static_cast<std::uint32_t>(value >> 32));
  put32(out, static_cast<std::uint32_t>(value));
}
template <std::size_t size>
void put(std::string& out, const std::array<std::byte, size>& value) {
  out += text_of(value);
}

std::uint64_t get(std::string_view bytes, std::size_t at, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i)
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}
template <class Array>
Array get_array(std::string_view bytes, std::size_t at) {
  Array value;
  std::memcpy(value.data(), bytes.data() + at, value.size());
  return value;
}

std::string checksum(std::string_view place, std::string_view fields, std::size_t bytes) {
  return std::string(text_of(crypto::sha256(bytes_of(place), bytes_of(fields))).substr(0, bytes));
}

std::string place_of(const SegmentHeader& segment) {
  std::string place(text_of(segment.vault));
  put64(place, segment.number);
  return place;
}

std::string_view suffix_of(FileKind kind) {
  return kind == FileKind::segment ? ".seg" : ".keys";
}

Result<Which> which_from(std::uint64_t number) {
  if (number < 1 || number > 3) return malformed("no such kind of record");
  return static_cast<Which>(number);
}

void put_frame_context(std::string& out, const FrameHeader& header) {
  out += frame_magic;
  out += static_cast<char>(header.which);
  out += static_cast<char>(header.truncated ? truncated_flag : 0);
  put16(out, header.subjects);
  put64(out, header.time);
  put(out, header.id);
  put32(out, header.entry);
  put32(out, header.sealed_bytes);
  put64(out, header.original_bytes);
}

}  // namespace

std::string_view to_string(Which which) {
  switch (which) {
    case Which::request:
      return "request";
    case Which::answer:
      return "answer";
    case Which::tool_arguments:
      return "tool_arguments";
  }
  return "request";
}

Result<Which> parse_which(std::string_view text) {
  for (const Which which : {Which::request, Which::answer, Which::tool_arguments})
    if (to_string(which) == text) return which;
  return fail(ErrorCode::invalid_argument, "expected request, answer or tool_arguments");
}

Result<RecordId> parse_record_id(std::string_view uuid) {
  if (!is_uuid(uuid))
    return fail(ErrorCode::invalid_argument,
                "\"" + printable(utf8_prefix(uuid, 64)) +
                    "\" is no record id; it is the id of a decision, as in Gatehouse-Entry");
  std::string digits(uuid);
  std::erase(digits, '-');
  GH_ASSIGN(const std::string bytes, from_hex(digits));
  return get_array<RecordId>(bytes, 0);
}

std::string to_string(const RecordId& id) {
  std::string text = to_hex(id);
  for (const std::size_t at : {8, 13, 18, 23}) text.insert(at, 1, '-');
  return text;
}

std::string encode(const SegmentHeader& header, FileKind kind) {
  std::string out(kind == FileKind::segment ? segment_magic : keys_magic);
  put32(out, format_version);
  put32(out, 0);
  put64(out, header.number);
  put64(out, header.created);
  put(out, header.vault);
  out += checksum({}, out, segment_header_bytes - header_checked_bytes);
  if (kind == FileKind::keys) out.resize(keys_header_bytes, '\0');
  return out;
}

Result<SegmentHeader> parse_segment_header(std::string_view bytes, FileKind kind) {
  const auto magic = kind == FileKind::segment ? segment_magic : keys_magic;
  const std::size_t whole = kind == FileKind::segment ? segment_header_bytes : keys_header_bytes;
  if (bytes.size() < whole || !bytes.starts_with(magic))
    return malformed("the file does not begin with a header of a vault");
  const auto fields = bytes.substr(0, header_checked_bytes);
  if (checksum({}, fields, segment_header_bytes - header_checked_bytes) !=
          bytes.substr(header_checked_bytes, segment_header_bytes - header_checked_bytes) ||
      !all_zero(bytes.substr(segment_header_bytes, whole - segment_header_bytes)))
    return malformed("the header is damaged");
  if (get(bytes, 8, 4) != format_version || get(bytes, 12, 4) != 0)
    return fail(ErrorCode::failed_precondition,
                "the file is of a newer version of the vault's format");
  SegmentHeader header;
  header.number = get(bytes, 16, 8);
  header.created = get(bytes, 24, 8);
  header.vault = get_array<VaultId>(bytes, 32);
  return header;
}

std::string file_name(std::uint64_t number, FileKind kind) {
  return fmt::format("{:020}{}", number, suffix_of(kind));
}

std::optional<std::uint64_t> parse_file_name(std::string_view name, FileKind kind) {
  if (name.size() != name_digits + suffix_of(kind).size() || !name.ends_with(suffix_of(kind)))
    return std::nullopt;
  return parse_uint(name.substr(0, name_digits));
}

std::size_t FrameHeader::body_bytes() const {
  const std::size_t bytes = subjects * sizeof(SubjectHash) + sealed_bytes;
  return (bytes + frame_alignment - 1) / frame_alignment * frame_alignment;
}

std::string encode(const FrameHeader& header, const SegmentHeader& segment) {
  std::string out;
  out.reserve(frame_header_bytes);
  put_frame_context(out, header);
  put64(out, header.durable);
  out += checksum(place_of(segment), out, frame_header_bytes - frame_checked_bytes);
  return out;
}

Result<FrameHeader> parse_frame_header(std::string_view bytes, const SegmentHeader& segment) {
  if (bytes.size() < frame_header_bytes || !bytes.starts_with(frame_magic))
    return malformed("there is no frame");
  const auto fields = bytes.substr(0, frame_checked_bytes);
  if (checksum(place_of(segment), fields, frame_header_bytes - frame_checked_bytes) !=
      bytes.substr(frame_checked_bytes, frame_header_bytes - frame_checked_bytes))
    return malformed("the header of a frame is damaged");
  FrameHeader header;
  GH_ASSIGN(header.which, which_from(get(bytes, 4, 1)));
  const auto flags = get(bytes, 5, 1);
  header.truncated = (flags & truncated_flag) != 0;
  header.subjects = static_cast<std::uint16_t>(get(bytes, 6, 2));
  header.time = get(bytes, 8, 8);
  header.id = get_array<RecordId>(bytes, 16);
  header.entry = static_cast<std::uint32_t>(get(bytes, 32, 4));
  header.sealed_bytes = static_cast<std::uint32_t>(get(bytes, 36, 4));
  header.original_bytes = get(bytes, 40, 8);
  header.durable = get(bytes, 48, 8);
  if ((flags & ~std::uint64_t{truncated_flag}) != 0 || header.subjects > max_subjects ||
      header.sealed_bytes < seal_overhead ||
      header.sealed_bytes > max_content_bytes + seal_overhead)
    return malformed("the header of a frame says what cannot be");
  return header;
}

std::string content_context(const FrameHeader& header, const SegmentHeader& segment,
                            std::string_view subject_bytes) {
  std::string context("gatehouse/vault/record/v1");
  context += '\0';
  context += place_of(segment);
  context.reserve(context.size() + frame_context_bytes + subject_bytes.size());
  put_frame_context(context, header);
  context += subject_bytes;
  return context;
}

std::string encode(const Closing& closing, const SegmentHeader& segment) {
  std::string out(closing_magic);
  put32(out, closing.records);
  put64(out, closing.latest);
  put(out, closing.first_id);
  put(out, closing.last_id);
  put64(out, 0);
  out += checksum(place_of(segment), out, closing_bytes - closing_checked_bytes);
  return out;
}

Result<Closing> parse_closing(std::string_view bytes, const SegmentHeader& segment) {
  if (bytes.size() != closing_bytes || !bytes.starts_with(closing_magic))
    return malformed("the segment was not closed");
  const auto fields = bytes.substr(0, closing_checked_bytes);
  if (checksum(place_of(segment), fields, closing_bytes - closing_checked_bytes) !=
          bytes.substr(closing_checked_bytes) ||
      get(bytes, 48, 8) != 0)
    return malformed("the end of the segment is damaged");
  Closing closing;
  closing.records = static_cast<std::uint32_t>(get(bytes, 4, 4));
  closing.latest = get(bytes, 8, 8);
  closing.first_id = get_array<RecordId>(bytes, 16);
  closing.last_id = get_array<RecordId>(bytes, 32);
  return closing;
}

std::string encode(const Slot& slot) {
  std::string out(slot_magic);
  put(out, slot.key);
  put(out, slot.id);
  out += static_cast<char>(slot.which);
  out.resize(slot_fields_bytes, '\0');
  out += slot.sealed;
  GH_CHECK(out.size() == slot_bytes);
  return out;
}

Result<Slot> parse_slot(std::string_view bytes) {
  if (bytes.size() != slot_bytes || !bytes.starts_with(slot_magic))
    return malformed("the slot of a key is damaged");
  Slot slot;
  slot.key = get_array<KeyId>(bytes, 4);
  slot.id = get_array<RecordId>(bytes, 12);
  GH_ASSIGN(slot.which, which_from(get(bytes, 28, 1)));
  if (!all_zero(bytes.substr(29, slot_fields_bytes - 29)))
    return malformed("the slot of a key is damaged");
  slot.sealed = bytes.substr(slot_fields_bytes);
  return slot;
}

std::string slot_context(const Slot& slot, const SegmentHeader& segment, std::uint32_t entry) {
  std::string context("gatehouse/vault/slot/v1");
  context += '\0';
  context += place_of(segment);
  put32(context, entry);
  put(context, slot.key);
  put(context, slot.id);
  context += static_cast<char>(slot.which);
  return context;
}

std::string encode_subjects(const std::vector<SubjectHash>& subjects) {
  std::string out;
  for (const auto& subject : subjects) put(out, subject);
  return out;
}

std::vector<SubjectHash> parse_subjects(std::string_view bytes) {
  std::vector<SubjectHash> subjects;
  for (std::size_t at = 0; at + sizeof(SubjectHash) <= bytes.size(); at += sizeof(SubjectHash))
    subjects.push_back(get_array<SubjectHash>(bytes, at));
  return subjects;
}

bool all_zero(std::string_view bytes) {
  return std::ranges::all_of(bytes, [](char byte) { return byte == '\0'; });
}

}  // namespace gatehouse::vault

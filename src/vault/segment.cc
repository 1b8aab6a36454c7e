#include "vault/segment.h"

#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"

namespace gatehouse::vault {
namespace {

// A header and as many subject hashes as there can be, in one read.
constexpr std::size_t head_bytes = frame_header_bytes + max_subjects * sizeof(SubjectHash);

std::uint64_t entry_offset(std::uint32_t entry) {
  return keys_header_bytes + std::uint64_t{entry} * entry_bytes;
}

Result<SegmentHeader> read_header(const File& file, FileKind kind) {
  const auto bytes =
      file.read_at(kind == FileKind::segment ? segment_header_bytes : keys_header_bytes, 0);
  if (!bytes) return std::unexpected(bytes.error());
  auto header = parse_segment_header(*bytes, kind);
  if (!header) return std::unexpected(std::move(header).error().within(file.path()));
  return header;
}

Result<File> create_file(Disk& disk, const std::string& path, const std::string& bytes) {
  GH_ASSIGN(File file, File::open(disk, path, O_RDWR | O_CREAT | O_TRUNC));
  GH_TRY(file.write_at(bytes_of(bytes), 0));
  GH_TRY(file.sync());
  return file;
}

}  // namespace

Result<Segment> Segment::create(Disk& disk, const Paths& paths, const SegmentHeader& header) {
  GH_ASSIGN(File keys,
            create_file(disk, paths.keys_of(header.number), encode(header, FileKind::keys)));
  GH_TRY(sync_directory(disk, paths.keys));
  GH_ASSIGN(File content,
            create_file(disk, paths.segment(header.number), encode(header, FileKind::segment)));
  GH_TRY(sync_directory(disk, paths.segments));
  return Segment(std::move(content), std::move(keys), header);
}

Result<Segment> Segment::open(Disk& disk, const Paths& paths, std::uint64_t number) {
  GH_ASSIGN(File content, File::open(disk, paths.segment(number), O_RDWR));
  GH_ASSIGN(const SegmentHeader header, read_header(content, FileKind::segment));
  GH_ASSIGN(File keys, File::open(disk, paths.keys_of(number), O_RDWR));
  GH_ASSIGN(const SegmentHeader keys_header, read_header(keys, FileKind::keys));
  if (header.number != number || keys_header.number != number ||
      keys_header.vault != header.vault || keys_header.created != header.created)
    return fail(ErrorCode::data_loss, "the segment and its keys do not belong together",
                content.path());
  return Segment(std::move(content), std::move(keys), header);
}

Result<std::uint32_t> Segment::entries() const {
  GH_ASSIGN(const std::uint64_t bytes, keys_.size());
  return static_cast<std::uint32_t>((bytes - keys_header_bytes + entry_bytes - 1) / entry_bytes);
}

Result<std::uint64_t> Segment::walk(std::uint64_t end, const Visitor& each) const {
  std::uint64_t at = segment_header_bytes;
  while (at < end) {
    GH_ASSIGN(const std::string bytes, content_.read_at(head_bytes, at));
    const auto header = parse_frame_header(bytes, header_);
    if (!header || at + header->frame_bytes() > end) return at;
    Located located{*header, at, {}};
    located.subjects = std::string_view(bytes)
                           .substr(frame_header_bytes)
                           .substr(0, header->subjects * sizeof(SubjectHash));
    GH_ASSIGN(const bool go_on, each(located));
    if (!go_on) return at;
    at += header->frame_bytes();
  }
  return at;
}

Result<std::optional<Closing>> Segment::closing(std::uint64_t size) const {
  if (size < segment_header_bytes + closing_bytes) return std::nullopt;
  GH_ASSIGN(const std::string bytes, content_.read_at(closing_bytes, size - closing_bytes));
  auto closing = parse_closing(bytes, header_);
  if (!closing) return std::nullopt;
  return *closing;
}

Result<std::string> Segment::entry(std::uint32_t number) const {
  GH_ASSIGN(std::string bytes, keys_.read_at(entry_bytes, entry_offset(number)));
  bytes.resize(entry_bytes, '\0');
  return bytes;
}

Result<std::optional<RecordSecrets>> Segment::secrets(const KeyRing& ring,
                                                      const FrameHeader& record) const {
  GH_ASSIGN(const std::string slots, entry(record.entry));
  if (all_zero(slots)) return std::nullopt;
  Error problem{ErrorCode::data_loss, "no slot opens", {}};
  for (std::size_t at = 0; at < slots.size(); at += slot_bytes) {
    const auto slot = std::string_view(slots).substr(at, slot_bytes);
    if (all_zero(slot)) continue;
    auto opened = unwrap(ring, slot, record, header_);
    if (opened) return std::move(*opened);
    // A missing key says more than a slot that was being written.
    if (problem.code != ErrorCode::failed_precondition) problem = opened.error();
  }
  return std::unexpected(
      std::move(problem).within(fmt::format("{}: entry {}", keys_.path(), record.entry)));
}

Result<bool> Segment::erased(const FrameHeader& record) const {
  GH_ASSIGN(const std::string slots, entry(record.entry));
  return all_zero(slots);
}

Result<std::string> Segment::content(const Located& record, const RecordSecrets& secrets) const {
  GH_ASSIGN(const std::string body,
            content_.read_at(record.header.body_bytes(), record.offset + frame_header_bytes));
  const std::size_t subjects = record.header.subjects * sizeof(SubjectHash);
  if (body.size() != record.header.body_bytes() ||
      !all_zero(std::string_view(body).substr(subjects + record.header.sealed_bytes)))
    return fail(ErrorCode::data_loss, "the record is damaged",
                fmt::format("{}: offset {}", content_.path(), record.offset));
  const auto context =
      content_context(record.header, header_, std::string_view(body).substr(0, subjects));
  auto content = crypto::open_sealed(
      secrets.data_key.bytes(),
      bytes_of(std::string_view(body).substr(subjects, record.header.sealed_bytes)),
      bytes_of(context));
  if (!content)
    return std::unexpected(std::move(content).error().within(
        fmt::format("{}: offset {}", content_.path(), record.offset)));
  return content;
}

Result<void> Segment::append(std::string_view frames, std::uint64_t offset,
                             std::string_view entries, std::uint32_t first_entry) const {
  GH_TRY(content_.write_at(bytes_of(frames), offset));
  GH_TRY(keys_.write_at(bytes_of(entries), entry_offset(first_entry)));
  GH_TRY(content_.sync());
  return keys_.sync();
}

Result<void> Segment::close_with(const Closing& closing, std::uint64_t offset) const {
  GH_TRY(content_.write_at(bytes_of(encode(closing, header_)), offset));
  return content_.sync();
}

Result<void> Segment::cut(std::uint64_t end, std::uint32_t entries) const {
  GH_ASSIGN(const std::uint64_t size, content_.size());
  GH_ASSIGN(const std::uint64_t keys_size, keys_.size());
  const std::uint64_t keys_end = entry_offset(entries);
  if (keys_size > keys_end) {
    GH_TRY(keys_.wipe(keys_end, keys_size - keys_end));
    GH_TRY(keys_.sync());
    GH_TRY(keys_.truncate(keys_end));
    GH_TRY(keys_.sync());
  }
  if (size <= end) return {};
  GH_TRY(content_.truncate(end));
  return content_.sync();
}

Result<void> Segment::confirm(std::uint64_t from, std::uint64_t end,
                              std::uint32_t first_entry) const {
  const auto again = [](const File& file, std::uint64_t begin, std::uint64_t stop) -> Result<void> {
    constexpr std::uint64_t piece_bytes = 1u << 20;
    for (std::uint64_t at = begin; at < stop; at += piece_bytes) {
      GH_ASSIGN(const std::string piece, file.read_at(std::min(piece_bytes, stop - at), at));
      GH_TRY(file.write_at(bytes_of(piece), at));
    }
    return {};
  };
  GH_ASSIGN(const std::uint64_t keys_size, keys_.size());
  GH_TRY(again(content_, 0, segment_header_bytes));
  GH_TRY(again(content_, from, end));
  GH_TRY(again(keys_, 0, keys_header_bytes));
  GH_TRY(again(keys_, entry_offset(first_entry), keys_size));
  GH_TRY(content_.sync());
  return keys_.sync();
}

Result<void> Segment::erase(const std::vector<Located>& records) const {
  for (const auto& record : records)
    GH_TRY(keys_.wipe(entry_offset(record.header.entry), entry_bytes));
  GH_TRY(keys_.sync());
  for (const auto& record : records)
    GH_TRY(content_.wipe(record.offset + frame_header_bytes, record.header.body_bytes()));
  GH_TRY(content_.sync());
  for (const auto& record : records)
    content_.punch(record.offset + frame_header_bytes, record.header.body_bytes());
  return {};
}

// Writes the new slot; `stale` gets the place of the old one, which may go when the new is durable.
Result<bool> Segment::rewrap_record(const KeyRing& ring, const FrameHeader& record, Random& random,
                                    std::vector<std::uint64_t>& stale) const {
  auto found = secrets(ring, record);
  // What does not open under any key cannot be saved, and must not hold up the rest.
  if (!found && found.error().code == ErrorCode::data_loss) return false;
  if (!found) return std::unexpected(found.error());
  const std::optional<RecordSecrets> opened = std::move(*found);
  if (!opened) return false;
  GH_ASSIGN(const std::string slots, entry(record.entry));
  KeyRing now;
  now.current = ring.current;
  const auto slot_at = [&](std::size_t at) {
    return std::string_view(slots).substr(at, slot_bytes);
  };
  // The slot of the present key stays. An interrupted run may have left another beside it, and
  // may have failed to sync this one: written again, so that it is durable before the other goes.
  for (const std::size_t at : {std::size_t{0}, slot_bytes}) {
    if (!unwrap(now, slot_at(at), record, header_)) continue;
    const std::uint64_t place = entry_offset(record.entry);
    if (!all_zero(slot_at(slot_bytes - at)))
      GH_TRY(keys_.write_at(bytes_of(slot_at(at)), place + at));
    stale.push_back(place + slot_bytes - at);
    return false;
  }
  const std::size_t old = unwrap(ring, slot_at(0), record, header_) ? 0 : slot_bytes;
  GH_TRY(keys_.write_at(bytes_of(wrap(ring.current, *opened, record, header_, random)),
                        entry_offset(record.entry) + slot_bytes - old));
  stale.push_back(entry_offset(record.entry) + old);
  return true;
}

Result<std::uint64_t> Segment::rewrap(const KeyRing& ring, std::uint64_t end,
                                      Random& random) const {
  std::uint64_t count = 0;
  std::vector<std::uint64_t> stale;
  GH_TRY(walk(end, [&](const Located& record) -> Result<bool> {
    GH_ASSIGN(const bool wrapped, rewrap_record(ring, record.header, random, stale));
    count += wrapped ? 1 : 0;
    return true;
  }));
  GH_TRY(keys_.sync());
  for (const auto offset : stale) GH_TRY(keys_.wipe(offset, slot_bytes));
  if (!stale.empty()) GH_TRY(keys_.sync());
  return count;
}

Result<void> Segment::destroy(Disk& disk, const Paths& paths, std::uint64_t number) {
  const auto wipe_file = [&](const std::string& path) -> Result<void> {
    const auto file = File::open(disk, path, O_RDWR);
    if (!file && file.error().code == ErrorCode::not_found) return {};
    if (!file) return std::unexpected(file.error());
    GH_ASSIGN(const std::uint64_t size, file->size());
    GH_TRY(file->wipe(0, size));
    return file->sync();
  };
  GH_TRY(wipe_file(paths.keys_of(number)));
  GH_TRY(wipe_file(paths.segment(number)));
  GH_TRY(remove_file(disk, paths.segment(number)));
  GH_TRY(sync_directory(disk, paths.segments));
  GH_TRY(remove_file(disk, paths.keys_of(number)));
  return sync_directory(disk, paths.keys);
}

}  // namespace gatehouse::vault

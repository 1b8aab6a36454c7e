// See recovery.h.
//
// Invariants used
//   1. Keys are made before their segment and removed after it, each step durable before the next:
//      keys without a segment hold nothing, a segment without keys is damage.
//   2. A frame was written when everything below its `durable` was on stable storage. So only the
//      frames from the last header's `durable` on can be torn; a broken header before one with a
//      larger `durable` is damage.
//   3. A record whose slots are zeros was erased, or never acknowledged; its body may go.
#include "vault/recovery.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

namespace gatehouse::vault {
namespace {

constexpr std::size_t search_piece_bytes = 1u << 20;

struct Found {
  std::vector<std::uint64_t> segments;
  std::vector<std::uint64_t> keys;
};

Result<std::vector<std::uint64_t>> numbers_in(Disk& disk, const std::string& directory,
                                              FileKind kind) {
  GH_ASSIGN(const auto names, list_directory(disk, directory));
  std::vector<std::uint64_t> numbers;
  for (const auto& name : names) {
    const auto number = parse_file_name(name, kind);
    if (!number)
      return fail(ErrorCode::data_loss, "this file does not belong here; move it away",
                  std::string(directory).append("/").append(name));
    numbers.push_back(*number);
  }
  return numbers;
}

// Keys whose segment was never made, or is destroyed already.
Result<void> drop_orphans(Disk& disk, const Paths& paths, const Found& found) {
  for (const auto number : found.segments) {
    if (std::ranges::binary_search(found.keys, number)) continue;
    return fail(ErrorCode::data_loss,
                "the keys of this segment are missing: restore " + paths.keys_of(number) +
                    " from the backup, or move the segment away; its content cannot be read again",
                paths.segment(number));
  }
  for (const auto number : found.keys)
    if (!std::ranges::binary_search(found.segments, number))
      GH_TRY(Segment::destroy(disk, paths, number));
  return {};
}

// A whole frame behind `from` that was written when the bytes at `from` were durable already.
Result<bool> later_frame_exists(Disk& disk, const Paths& paths, const SegmentHeader& header,
                                std::uint64_t from, std::uint64_t size) {
  GH_ASSIGN(const File file, File::open(disk, paths.segment(header.number), 0));
  for (std::uint64_t at = from; at < size; at += search_piece_bytes) {
    GH_ASSIGN(const std::string piece, file.read_at(search_piece_bytes, at));
    for (std::size_t i = 0; i + frame_header_bytes <= piece.size(); i += frame_alignment) {
      const auto frame =
          parse_frame_header(std::string_view(piece).substr(i, frame_header_bytes), header);
      if (frame && frame->durable > from) return true;
    }
  }
  return false;
}

// What of the last group did not reach the disk whole is wiped: nobody was told that it was kept.
Result<void> wipe_torn(const Segment& segment, const KeyRing& ring,
                       const std::vector<Located>& last_group) {
  std::vector<Located> torn;
  for (const auto& record : last_group) {
    auto opened = segment.secrets(ring, record.header);
    if (!opened && opened.error().code != ErrorCode::data_loss)
      return std::unexpected(std::move(opened).error());
    const std::optional<RecordSecrets> secrets = opened ? std::move(*opened) : std::nullopt;
    if (secrets) {
      const auto content = segment.content(record, *secrets);
      if (content) continue;
      if (content.error().code != ErrorCode::data_loss) return std::unexpected(content.error());
    }
    torn.push_back(record);
  }
  return torn.empty() ? Result<void>() : segment.erase(torn);
}

Result<SegmentState> recover_open_segment(Disk& disk, const Paths& paths, const Segment& segment,
                                          std::uint64_t size, const KeyRing& ring) {
  SegmentState state{.header = segment.header(), .summary = {}};
  std::vector<Located> last_group;
  GH_ASSIGN(state.end, segment.walk(size, [&](const Located& record) -> Result<bool> {
    if (record.header.entry != state.summary.records) return false;
    std::erase_if(last_group,
                  [&](const Located& other) { return other.offset < record.header.durable; });
    last_group.push_back(record);
    state.note(record.header);
    return true;
  }));
  GH_ASSIGN(const bool damaged, later_frame_exists(disk, paths, state.header, state.end, size));
  if (damaged)
    return fail(ErrorCode::data_loss,
                fmt::format("the segment is damaged at offset {}, before records that were whole: "
                            "restore it from the backup",
                            state.end),
                paths.segment(state.header.number));
  GH_TRY(segment.cut(state.end, state.summary.records));
  GH_TRY(wipe_torn(segment, ring, last_group));
  const bool any = !last_group.empty();
  GH_TRY(segment.confirm(any ? last_group.front().offset : state.end, state.end,
                         any ? last_group.front().header.entry : state.summary.records));
  return state;
}

Result<SegmentState> recover_segment(Disk& disk, const Paths& paths, std::uint64_t number,
                                     const VaultId& vault, const KeyRing& ring) {
  GH_ASSIGN(const Segment segment, Segment::open(disk, paths, number));
  if (segment.header().vault != vault)
    return fail(ErrorCode::data_loss, "this segment belongs to another vault",
                paths.segment(number));
  GH_ASSIGN(const std::uint64_t size, segment.content_bytes());
  GH_ASSIGN(const auto closing, segment.closing(size));
  if (!closing) return recover_open_segment(disk, paths, segment, size, ring);
  GH_ASSIGN(const std::uint32_t entries, segment.entries());
  if (entries < closing->records)
    return fail(ErrorCode::data_loss,
                fmt::format("{} keys of {} are missing: restore the file from the backup",
                            closing->records - entries, closing->records),
                paths.keys_of(number));
  return SegmentState{
      .header = segment.header(), .end = size - closing_bytes, .summary = *closing, .closed = true};
}

// True when the making of the last segment was cut off: nothing was ever in it.
Result<bool> never_used(Disk& disk, const Paths& paths, std::uint64_t number) {
  GH_ASSIGN(const File content, File::open(disk, paths.segment(number), 0));
  GH_ASSIGN(const std::uint64_t size, content.size());
  GH_ASSIGN(const File keys, File::open(disk, paths.keys_of(number), 0));
  GH_ASSIGN(const std::uint64_t keys_size, keys.size());
  GH_ASSIGN(const std::string bytes, content.read_at(segment_header_bytes, 0));
  return size <= segment_header_bytes && keys_size <= keys_header_bytes &&
         !parse_segment_header(bytes, FileKind::segment);
}

}  // namespace

void SegmentState::note(const FrameHeader& record) {
  summary.latest = std::max(summary.latest, record.time);
  if (summary.records == 0 || record.id < summary.first_id) summary.first_id = record.id;
  if (summary.records == 0 || summary.last_id < record.id) summary.last_id = record.id;
  ++summary.records;
}

Result<std::map<std::uint64_t, SegmentState>> recover_segments(
    Disk& disk, const Paths& paths, const VaultId& vault, const KeyRing& ring,
    std::optional<std::uint64_t> being_pruned) {
  Found found;
  GH_ASSIGN(found.segments, numbers_in(disk, paths.segments, FileKind::segment));
  GH_ASSIGN(found.keys, numbers_in(disk, paths.keys, FileKind::keys));
  if (being_pruned) {
    std::erase(found.segments, *being_pruned);
    std::erase(found.keys, *being_pruned);
  }
  GH_TRY(drop_orphans(disk, paths, found));
  GH_TRY(sync_directory(disk, paths.keys));
  GH_TRY(sync_directory(disk, paths.segments));
  std::map<std::uint64_t, SegmentState> states;
  for (const auto number : found.segments) {
    const bool last = number == found.segments.back();
    if (last) {
      GH_ASSIGN(const bool unused, never_used(disk, paths, number));
      if (unused) {
        GH_TRY(Segment::destroy(disk, paths, number));
        continue;
      }
    }
    GH_ASSIGN(SegmentState state, recover_segment(disk, paths, number, vault, ring));
    if (!last && !state.closed) {
      GH_ASSIGN(const Segment segment, Segment::open(disk, paths, number));
      GH_TRY(segment.close_with(state.summary, state.end));
      state.closed = true;
    }
    states.emplace(number, state);
  }
  return states;
}

}  // namespace gatehouse::vault

#include "ledger/verify_segments.h"

#include <fmt/core.h>

#include <chrono>
#include <optional>
#include <thread>

#include "ledger/wal.h"

namespace gatehouse::ledger {

namespace {

// How often, and after which pause, a frame that is not whole is read again beside a writer that
// may be in the middle of it.
constexpr int rereads = 5;
constexpr std::chrono::milliseconds reread_pause(20);

Error wrong(std::string message, std::string path) {
  return {ErrorCode::data_loss, std::move(message), std::move(path)};
}

struct ReadSegment {
  std::string bytes;
  Segment contents;
};

Result<ReadSegment> read_segment(const SegmentsCheck& check, const std::string& path) {
  ReadSegment segment;
  GH_ASSIGN(segment.bytes, read_whole(check.disk, path, max_segment_bytes));
  auto contents = parse_segment(segment.bytes, check.log_id);
  if (!contents) return std::unexpected(std::move(contents).error().within(path));
  segment.contents = std::move(*contents);
  return segment;
}

// The segment, read again while its end is not whole and the writer is still at work.
Result<ReadSegment> read_settled_segment(const SegmentsCheck& check, const std::string& path) {
  GH_ASSIGN(auto segment, read_segment(check, path));
  for (int i = 0; check.writer_running && i < rereads; ++i) {
    if (segment.contents.state == SegmentEnd::clean) break;
    std::this_thread::sleep_for(reread_pause);
    GH_ASSIGN(segment, read_segment(check, path));
  }
  return segment;
}

// The next segment waits without a name: zeros, or already with a header in front of them.
Result<void> check_spare(const SegmentsCheck& check, const std::string& path) {
  auto bytes = read_whole(check.disk, path, max_segment_bytes);
  if (!bytes) return std::unexpected(std::move(bytes).error());
  const std::string_view view(*bytes);
  if (all_zero(view)) return {};
  const auto header = parse_segment_header(view);
  if (header && all_zero(view.substr(segment_header_bytes))) return {};
  return std::unexpected(wrong("a prepared segment must be all zeros", path));
}

Result<void> check_end(const SegmentsCheck& check, const Segment& segment, bool last,
                       const std::string& path) {
  if (segment.state == SegmentEnd::clean) return {};
  if (last && check.writer_running && segment.state == SegmentEnd::torn) return {};
  std::string message = segment.problem.message;
  if (last && segment.state == SegmentEnd::torn) {
    message += " (opening the log for writing wipes a group that was never acknowledged)";
  }
  return std::unexpected(wrong(std::move(message), path));
}

}  // namespace

Result<SegmentsSeen> check_segments(const SegmentsCheck& check) {
  GH_ASSIGN(const auto items, list_directory(check.disk, check.paths.wal));
  SegmentsSeen seen;
  std::optional<std::uint64_t> expected;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::string path = check.paths.wal + '/' + items[i].name;
    if (items[i].kind == ItemKind::file && items[i].name == "next") {
      if (!check.writer_running) GH_TRY(check_spare(check, path));
      ++seen.files;
      continue;
    }
    const auto first = parse_segment_name(items[i].name);
    if (items[i].kind != ItemKind::file || !first) {
      return std::unexpected(wrong("this does not belong here", path));
    }
    auto segment = read_settled_segment(check, path);
    if (!segment && segment.error().code == ErrorCode::not_found && check.writer_running) {
      expected.reset();  // the writer no longer needed it
      continue;
    }
    if (!segment) return std::unexpected(std::move(segment).error());
    if (segment->contents.header.first != *first) {
      return std::unexpected(wrong(
          fmt::format("its header says it begins with entry {}", segment->contents.header.first),
          path));
    }
    if (expected && *expected != *first) {
      return std::unexpected(
          wrong(fmt::format("the segment before it ends with entry {}", *expected), path));
    }
    const std::uint64_t needed = check.checkpoint_size / 256 * 256;
    if (!expected && !check.writer_running && *first > needed) {
      return std::unexpected(wrong(
          fmt::format("the entries from {} on should be in a segment before it", needed), path));
    }
    const bool last = i + 1 == items.size() || !parse_segment_name(items[i + 1].name);
    GH_TRY(check_end(check, segment->contents, last, path));
    for (const Frame& frame : segment->contents.frames) {
      for (std::size_t k = 0; k < frame.entries.size(); ++k) {
        GH_TRY(check.on_entry(frame.header.first + k, frame.entries[k], frame.leaves[k], path));
      }
    }
    expected = seen.end = segment->contents.end;
    ++seen.segments;
    ++seen.files;
  }
  if (seen.segments > 0 && seen.end < check.checkpoint_size) {
    return std::unexpected(wrong(fmt::format("the segments end with entry {}, the checkpoint "
                                             "covers {}",
                                             seen.end, check.checkpoint_size),
                                 check.paths.wal));
  }
  return seen;
}

}  // namespace gatehouse::ledger

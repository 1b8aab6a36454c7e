#include "ledger/segment_reader.h"

#include <fcntl.h>
#include <fmt/core.h>

namespace gatehouse::ledger {

SegmentReader::SegmentReader(File file, SegmentHeader header)
    : file_(std::move(file)), header_(header), next_(header.first) {}

Result<SegmentReader> SegmentReader::open(Disk& disk, const std::string& path) {
  GH_ASSIGN(File file, File::open(disk, path, O_RDONLY));
  GH_ASSIGN(const std::string bytes, file.read_at(segment_header_bytes, 0));
  auto header = parse_segment_header(bytes);
  if (!header) return std::unexpected(std::move(header).error().within(path));
  return SegmentReader(std::move(file), *header);
}

Result<std::string> SegmentReader::read_frame_bytes() {
  GH_ASSIGN(std::string bytes, file_.read_at(frame_header_bytes, offset_));
  const auto header = parse_frame_header(bytes);
  if (!header) {
    if (!all_zero(bytes)) broken_ = header.error().message;
    return std::string();
  }
  return file_.read_at(frame_bytes(header->payload_bytes), offset_);
}

Result<bool> SegmentReader::next() {
  broken_.clear();
  GH_ASSIGN(bytes_, read_frame_bytes());
  if (bytes_.empty()) return false;
  auto frame = parse_frame(bytes_, 0, header_.salt, next_);
  if (!frame) {
    broken_ = fmt::format("offset {}: broken frame where entry {} should begin: {}", offset_, next_,
                          frame.error().message);
    return false;
  }
  frame_ = std::move(*frame);
  next_ = frame_.end();
  offset_ += frame_.next_offset();
  return true;
}

Result<void> SegmentReader::skip_to(std::uint64_t index) {
  while (true) {
    GH_ASSIGN(const std::string bytes, file_.read_at(frame_header_bytes, offset_));
    const auto header = parse_frame_header(bytes);
    if (!header || header->first != next_ || header->first + header->count > index) return {};
    next_ += header->count;
    offset_ += frame_bytes(header->payload_bytes);
  }
}

}  // namespace gatehouse::ledger

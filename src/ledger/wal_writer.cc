#include "ledger/wal_writer.h"

#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"

namespace gatehouse::ledger {

namespace {

// Zeros are made durable in steps of this size, so that a group's fdatasync, which may come at any
// moment, does not wait behind a whole segment.
constexpr std::size_t zero_block_bytes = 2u << 20;

}  // namespace

WalWriter::WalWriter(Disk& disk, std::string directory, std::size_t segment_bytes,
                     WalIdentity identity)
    : disk_(disk),
      directory_(std::move(directory)),
      segment_bytes_(segment_bytes),
      identity_(identity) {}

Result<void> WalWriter::resume(std::uint64_t first, std::size_t segment_bytes, const Digest& salt,
                               std::size_t end_offset) {
  GH_ASSIGN(file_, File::open(disk_, path_of(first), O_RDWR));
  file_bytes_ = segment_bytes;
  offset_ = end_offset;
  salt_ = salt;
  return {};
}

std::size_t WalWriter::room() const {
  if (!file_ || file_bytes_ - offset_ < frame_header_bytes) return 0;
  const std::size_t left = file_bytes_ - offset_ - frame_header_bytes;
  return left / frame_alignment * frame_alignment;
}

double WalWriter::fill() const {
  return file_ ? static_cast<double>(offset_) / static_cast<double>(file_bytes_) : 1.0;
}

Result<void> WalWriter::write(std::uint64_t first, std::string_view payload,
                              std::span<const Digest> leaves) {
  GH_CHECK(payload.size() <= room());
  // Every group is durable before the next is written, so all entries before this frame are.
  frame_.clear();
  frame_.reserve(frame_bytes(payload.size()));
  frame_ += encode_frame_header(salt_, first, first, payload.size(), leaves);
  frame_ += payload;
  frame_.resize(frame_bytes(payload.size()), '\0');
  GH_TRY(file_->write_at(bytes_of(frame_), offset_));
  GH_TRY(file_->fdatasync());
  offset_ += frame_.size();
  return {};
}

Result<void> WalWriter::prepare_spare() const {
  GH_ASSIGN(const File file, File::open(disk_, spare_path(), O_RDWR | O_CREAT | O_TRUNC));
  GH_TRY(file.allocate(segment_bytes_));
  const std::string zeros(std::min(zero_block_bytes, segment_bytes_), '\0');
  for (std::size_t at = 0; at < segment_bytes_; at += zeros.size()) {
    const std::size_t count = std::min(zeros.size(), segment_bytes_ - at);
    GH_TRY(file.write_at(bytes_of(zeros).first(count), at));
    GH_TRY(file.fdatasync());
  }
  return file.fsync();
}

Result<void> WalWriter::rotate(std::uint64_t first) {
  GH_ASSIGN(File next, File::open(disk_, spare_path(), O_RDWR));
  const SegmentHeader header{
      .first = first,
      .segment_bytes = segment_bytes_,
      .log_id = identity_.log_id,
      .salt = crypto::derive_key(identity_.salt_key, fmt::format("wal segment {}", first))};
  GH_TRY(next.write_at(bytes_of(encode(header)), 0));
  GH_TRY(next.fdatasync());
  const std::string path = path_of(first);
  if (const int result = disk_.rename(spare_path(), path); result < 0) {
    return std::unexpected(disk_error(result, "rename", path));
  }
  GH_TRY(sync_directory(disk_, directory_));
  next.renamed(path);
  file_ = std::move(next);
  file_bytes_ = segment_bytes_;
  offset_ = segment_header_bytes;
  salt_ = header.salt;
  return {};
}

}  // namespace gatehouse::ledger

#include "ledger/last_signed.h"

#include <fcntl.h>

#include "base/text.h"

namespace gatehouse::ledger {

LastSigned::LastSigned(Disk& disk, std::string directory, std::string_view origin)
    : disk_(disk), directory_(std::move(directory)) {
  path_ = directory_ + '/' + to_hex(crypto::sha256(bytes_of(origin)));
}

Result<void> LastSigned::prepare() const {
  if (!enabled()) return {};
  GH_TRY(make_directories(disk_, directory_));
  return sync_directory(disk_, parent_directory(directory_));
}

Result<std::optional<Checkpoint>> LastSigned::read(const VerifierKey& log) const {
  if (!enabled()) return std::nullopt;
  const auto note = read_whole(disk_, path_, max_note_bytes);
  if (!note && note.error().code == ErrorCode::not_found) return std::nullopt;
  if (!note) return std::unexpected(note.error());
  auto opened = open_checkpoint(*note, log);
  if (opened) return std::move(opened->checkpoint);
  return fail(ErrorCode::failed_precondition,
              "what was signed last for this origin is not signed by the log's present key, or the "
              "file is damaged: " +
                  opened.error().message,
              path_);
}

Result<void> LastSigned::write(std::string_view checkpoint_note) const {
  if (!enabled()) return {};
  const std::string temporary = path_ + ".next";
  {
    GH_ASSIGN(const File file, File::open(disk_, temporary, O_WRONLY | O_CREAT | O_TRUNC));
    GH_TRY(file.write_at(bytes_of(checkpoint_note), 0));
    GH_TRY(file.fsync());
  }
  if (const int result = disk_.rename(temporary, path_); result < 0) {
    return std::unexpected(disk_error(result, "rename", path_));
  }
  return sync_directory(disk_, directory_);
}

}  // namespace gatehouse::ledger

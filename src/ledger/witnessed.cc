#include "ledger/witnessed.h"

#include <fcntl.h>

#include <cerrno>

#include "ledger/checkpoint.h"

namespace gatehouse::ledger {

std::string witnessed_path(const LogPaths& paths) {
  return paths.root + "/checkpoint.witnessed";
}

Result<std::optional<std::string>> read_witnessed(Disk& disk, const LogPaths& paths,
                                                  const VerifierKey& log) {
  const std::string path = witnessed_path(paths);
  auto note = read_whole(disk, path, max_checkpoint_bytes);
  if (!note && note.error().code == ErrorCode::not_found) return std::nullopt;
  if (!note) return std::unexpected(std::move(note).error());
  if (const auto opened = open_checkpoint(*note, log); !opened) {
    return fail(ErrorCode::data_loss, opened.error().message, path);
  }
  return std::move(*note);
}

Result<void> store_witnessed(Disk& disk, const LogPaths& paths, std::string_view note) {
  // In tmp/, which opening the log empties after a crash.
  const std::string temporary = paths.temporary + "/checkpoint.witnessed";
  {
    GH_ASSIGN(const File file, File::open(disk, temporary, O_WRONLY | O_CREAT | O_TRUNC));
    GH_TRY(file.write_at(bytes_of(note), 0));
    GH_TRY(file.fsync());
  }
  if (const int result = disk.rename(temporary, witnessed_path(paths)); result < 0) {
    return std::unexpected(disk_error(result, "rename", witnessed_path(paths)));
  }
  return sync_directory(disk, paths.root);
}

Result<void> remove_witnessed(Disk& disk, const LogPaths& paths) {
  const int result = disk.unlink(witnessed_path(paths));
  if (result == -ENOENT) return {};
  if (result < 0) return std::unexpected(disk_error(result, "unlink", witnessed_path(paths)));
  return sync_directory(disk, paths.root);
}

Result<std::string> served_checkpoint(Disk& disk, const LogPaths& paths, const VerifierKey& log) {
  GH_ASSIGN(auto witnessed, read_witnessed(disk, paths, log));
  if (witnessed) return std::move(*witnessed);
  return read_whole(disk, paths.checkpoint, max_checkpoint_bytes);
}

Result<std::string> checkpoint_for(Disk& disk, const LogPaths& paths, const VerifierKey& log,
                                   std::uint64_t index) {
  GH_ASSIGN(auto witnessed, read_witnessed(disk, paths, log));
  if (witnessed) {
    GH_ASSIGN(const auto opened, open_checkpoint(*witnessed, log));
    if (index < opened.checkpoint.size) return std::move(*witnessed);
  }
  return read_whole(disk, paths.checkpoint, max_checkpoint_bytes);
}

}  // namespace gatehouse::ledger

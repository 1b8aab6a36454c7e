// Small whole files. Blocking; any thread.
//
// Invariant of write_file_atomically: the target name always points at a whole file; the temporary
// file is removed when anything fails before the rename.
#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/descriptor.h"
#include "base/os.h"
#include "base/random.h"
#include "base/text.h"

namespace gatehouse {
namespace {

std::unexpected<Error> os_failure(std::string_view action, const std::filesystem::path& path) {
  return std::unexpected(os_error(errno, action, path.string()));
}

Result<void> write_all(int file, std::string_view content, const std::filesystem::path& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(file, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return os_failure("write", path);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> write_new_file(const std::filesystem::path& path, std::string_view content,
                            unsigned mode) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return os_failure("create", path);
  GH_TRY(write_all(file.get(), content, path));
  if (::fchmod(file.get(), static_cast<mode_t>(mode)) != 0) return os_failure("set mode of", path);
  if (::fsync(file.get()) != 0) return os_failure("sync", path);
  if (!file.close()) return os_failure("close", path);
  return {};
}

Result<void> sync_folder(const std::filesystem::path& folder) {
  const Descriptor handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!handle) return os_failure("open", folder);
  if (::fsync(handle.get()) != 0) return os_failure("sync", folder);
  return {};
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

std::filesystem::path temporary_name_for(const std::filesystem::path& path) {
  std::byte random[8];
  SystemRandom().fill(random);
  return folder_of(path) / ("." + path.filename().string() + "." + to_hex(random) + ".tmp");
}

}  // namespace

Result<std::string> read_file(const std::filesystem::path& path, std::size_t max_bytes) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return os_failure("open", path);
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return os_failure("examine", path);

  std::string content;
  if (S_ISREG(status.st_mode))
    content.reserve(std::min(static_cast<std::size_t>(status.st_size), max_bytes));
  char buffer[16 * 1024];
  while (true) {
    const ssize_t got = ::read(file.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return os_failure("read", path);
    if (got == 0) return content;
    if (static_cast<std::size_t>(got) > max_bytes - content.size())
      return fail(ErrorCode::resource_exhausted,
                  "larger than the limit of " + std::to_string(max_bytes) + " bytes",
                  path.string());
    content.append(buffer, static_cast<std::size_t>(got));
  }
}

Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view content,
                                   unsigned mode) {
  const std::filesystem::path temporary = temporary_name_for(path);
  if (auto written = write_new_file(temporary, content, mode); !written) {
    ::unlink(temporary.c_str());
    return written;
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    auto failure = os_failure("replace", path);
    ::unlink(temporary.c_str());
    return failure;
  }
  return sync_folder(folder_of(path));
}

Result<void> create_file_atomically(const std::filesystem::path& path, std::string_view content,
                                    unsigned mode) {
  const std::filesystem::path temporary = temporary_name_for(path);
  auto created = write_new_file(temporary, content, mode);
  // A second name for a whole file: unlike rename, link never replaces what another one made.
  if (created && ::link(temporary.c_str(), path.c_str()) != 0) created = os_failure("create", path);
  ::unlink(temporary.c_str());
  GH_TRY(std::move(created));
  return sync_folder(folder_of(path));
}

}  // namespace gatehouse

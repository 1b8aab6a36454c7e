#include "vault/disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

namespace gatehouse::vault {
namespace {

constexpr std::size_t wipe_piece_bytes = 256u << 10;

// The kernel's -1 and errno as one number.
template <class Call>
auto kernel(Call call) {
  const auto result = call();
  return result < 0 ? static_cast<decltype(call())>(-errno) : result;
}

// A call that a signal interrupted is made again.
template <class Call>
auto uninterrupted(Call call) {
  auto result = call();
  while (result == -EINTR) result = call();
  return result;
}

}  // namespace

int RealDisk::open(const std::string& path, int flags, unsigned mode) {
  return kernel([&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); });
}

int RealDisk::close(int fd) {
  // Not again after EINTR: on Linux the descriptor is gone then.
  return ::close(fd) < 0 ? -errno : 0;
}

std::int64_t RealDisk::size(int fd) {
  struct stat status;
  return ::fstat(fd, &status) < 0 ? -errno : status.st_size;
}

ssize_t RealDisk::pread(int fd, void* to, std::size_t count, std::uint64_t offset) {
  return kernel([&] { return ::pread(fd, to, count, static_cast<off_t>(offset)); });
}

ssize_t RealDisk::pwrite(int fd, const void* from, std::size_t count, std::uint64_t offset) {
  return kernel([&] { return ::pwrite(fd, from, count, static_cast<off_t>(offset)); });
}

int RealDisk::truncate(int fd, std::uint64_t bytes) {
  return kernel([&] { return ::ftruncate(fd, static_cast<off_t>(bytes)); });
}

int RealDisk::punch(int fd, std::uint64_t offset, std::uint64_t count) {
  return kernel([&] {
    return ::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                       static_cast<off_t>(count));
  });
}

int RealDisk::sync(int fd) {
  return kernel([&] { return ::fsync(fd); });
}

int RealDisk::lock(int fd) {
  return kernel([&] { return ::flock(fd, LOCK_EX | LOCK_NB); });
}

int RealDisk::rename(const std::string& from, const std::string& to) {
  return kernel([&] { return ::rename(from.c_str(), to.c_str()); });
}

int RealDisk::unlink(const std::string& path) {
  return kernel([&] { return ::unlink(path.c_str()); });
}

int RealDisk::mkdir(const std::string& path, unsigned mode) {
  return kernel([&] { return ::mkdir(path.c_str(), mode); });
}

int RealDisk::list(const std::string& path, std::vector<std::string>& names) {
  const auto closer = [](DIR* directory) { ::closedir(directory); };
  const std::unique_ptr<DIR, decltype(closer)> directory(::opendir(path.c_str()), closer);
  if (!directory) return -errno;
  while (true) {
    errno = 0;
    const dirent* item = ::readdir(directory.get());  // NOLINT(concurrency-mt-unsafe): own stream
    if (item == nullptr) return -errno;
    const std::string_view name = item->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
}

Error disk_error(int negative_errno, std::string_view call, std::string_view path) {
  const int number = -negative_errno;
  return {.code = number == ENOENT ? ErrorCode::not_found : ErrorCode::unavailable,
          .message = fmt::format("{}: {}", call, std::generic_category().message(number)),
          .context = std::string(path)};
}

Result<File> File::open(Disk& disk, std::string path, int flags, unsigned mode) {
  const int fd = uninterrupted([&] { return disk.open(path, flags, mode); });
  if (fd < 0) return std::unexpected(disk_error(fd, "open", path));
  return File(disk, fd, std::move(path));
}

File& File::operator=(File&& other) noexcept {
  std::swap(disk_, other.disk_);
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  return *this;
}

File::~File() {
  // Whoever needs the bytes to be on disk has synced; close() has nothing to add.
  if (fd_ >= 0) disk_->close(fd_);
}

Result<std::uint64_t> File::size() const {
  const std::int64_t bytes = disk_->size(fd_);
  if (bytes < 0) return std::unexpected(disk_error(static_cast<int>(bytes), "stat", path_));
  return static_cast<std::uint64_t>(bytes);
}

Result<void> File::write_at(Bytes bytes, std::uint64_t offset) const {
  while (!bytes.empty()) {
    const ssize_t written =
        uninterrupted([&] { return disk_->pwrite(fd_, bytes.data(), bytes.size(), offset); });
    if (written < 0) return std::unexpected(disk_error(static_cast<int>(written), "write", path_));
    if (written == 0) return std::unexpected(disk_error(-EIO, "write", path_));
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return {};
}

Result<std::string> File::read_at(std::size_t count, std::uint64_t offset) const {
  std::string bytes(count, '\0');
  std::size_t have = 0;
  while (have < count) {
    const ssize_t got = uninterrupted(
        [&] { return disk_->pread(fd_, bytes.data() + have, count - have, offset + have); });
    if (got < 0) return std::unexpected(disk_error(static_cast<int>(got), "read", path_));
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

Result<void> File::wipe(std::uint64_t offset, std::uint64_t count) const {
  const std::string zeros(std::min<std::uint64_t>(count, wipe_piece_bytes), '\0');
  while (count > 0) {
    const auto piece = std::min<std::uint64_t>(count, zeros.size());
    GH_TRY(write_at(bytes_of(std::string_view(zeros).substr(0, piece)), offset));
    offset += piece;
    count -= piece;
  }
  return {};
}

Result<void> File::truncate(std::uint64_t bytes) const {
  const int result = uninterrupted([&] { return disk_->truncate(fd_, bytes); });
  if (result < 0) return std::unexpected(disk_error(result, "truncate", path_));
  return {};
}

void File::punch(std::uint64_t offset, std::uint64_t count) const {
  disk_->punch(fd_, offset, count);
}

Result<void> File::sync() const {
  const int result = uninterrupted([&] { return disk_->sync(fd_); });
  if (result < 0) return std::unexpected(disk_error(result, "sync", path_));
  return {};
}

Result<void> sync_directory(Disk& disk, const std::string& path) {
  GH_ASSIGN(const File directory, File::open(disk, path, O_RDONLY | O_DIRECTORY));
  return directory.sync();
}

Result<void> make_directory(Disk& disk, const std::string& path) {
  const int result = disk.mkdir(path, 0700);
  if (result < 0 && result != -EEXIST) return std::unexpected(disk_error(result, "mkdir", path));
  return {};
}

Result<void> remove_file(Disk& disk, const std::string& path) {
  const int result = disk.unlink(path);
  if (result < 0 && result != -ENOENT) return std::unexpected(disk_error(result, "unlink", path));
  return {};
}

Result<std::vector<std::string>> list_directory(Disk& disk, const std::string& path) {
  std::vector<std::string> names;
  const int result = disk.list(path, names);
  if (result < 0) return std::unexpected(disk_error(result, "list", path));
  std::ranges::sort(names);
  return names;
}

Result<std::string> read_small(Disk& disk, const std::string& path, std::size_t max_bytes) {
  GH_ASSIGN(const File file, File::open(disk, path, O_RDONLY));
  GH_ASSIGN(const std::uint64_t size, file.size());
  if (size > max_bytes) {
    return fail(ErrorCode::resource_exhausted,
                fmt::format("the file has {} bytes, at most {} make sense", size, max_bytes), path);
  }
  return file.read_at(size, 0);
}

Result<void> replace_file(Disk& disk, const std::string& directory, const std::string& name,
                          std::string_view content) {
  const std::string path = directory + "/" + name;
  const std::string fresh = path + ".new";
  {
    GH_ASSIGN(const File file, File::open(disk, fresh, O_WRONLY | O_CREAT | O_TRUNC));
    GH_TRY(file.write_at(bytes_of(content), 0));
    GH_TRY(file.sync());
  }
  if (const int result = disk.rename(fresh, path); result < 0)
    return std::unexpected(disk_error(result, "rename", path));
  return sync_directory(disk, directory);
}

}  // namespace gatehouse::vault

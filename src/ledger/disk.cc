#include "ledger/disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <memory>
#include <system_error>
#include <thread>

namespace gatehouse::ledger {

namespace {

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

ItemKind kind_of(int directory, const dirent& item) {
  if (item.d_type == DT_REG) return ItemKind::file;
  if (item.d_type == DT_DIR) return ItemKind::directory;
  struct stat status;
  if (item.d_type != DT_UNKNOWN ||
      ::fstatat(directory, item.d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return ItemKind::other;
  }
  if (S_ISREG(status.st_mode)) return ItemKind::file;
  return S_ISDIR(status.st_mode) ? ItemKind::directory : ItemKind::other;
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

int RealDisk::fallocate(int fd, std::uint64_t bytes) {
  return kernel([&] { return ::fallocate(fd, 0, 0, static_cast<off_t>(bytes)); });
}

int RealDisk::fdatasync(int fd) {
  return kernel([&] { return ::fdatasync(fd); });
}

int RealDisk::fsync(int fd) {
  return kernel([&] { return ::fsync(fd); });
}

void RealDisk::start_writeback(int fd) {
  // Whether it worked the fsync will tell.
  ::sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

int RealDisk::lock(int fd) {
  return kernel([&] { return ::flock(fd, LOCK_EX | LOCK_NB); });
}

int RealDisk::probe_lock(int fd) {
  const int held = kernel([&] { return ::flock(fd, LOCK_SH | LOCK_NB); });
  if (held == 0) ::flock(fd, LOCK_UN);
  return held;
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

int RealDisk::rmdir(const std::string& path) {
  return kernel([&] { return ::rmdir(path.c_str()); });
}

int RealDisk::list(const std::string& path, std::vector<DirectoryItem>& items) {
  const auto closer = [](DIR* directory) { ::closedir(directory); };
  const std::unique_ptr<DIR, decltype(closer)> directory(::opendir(path.c_str()), closer);
  if (!directory) return -errno;
  while (true) {
    errno = 0;
    const dirent* item = ::readdir(directory.get());  // NOLINT(concurrency-mt-unsafe): own stream
    if (item == nullptr) return -errno;
    const std::string_view name = item->d_name;
    if (name == "." || name == "..") continue;
    items.push_back({.name = std::string(name), .kind = kind_of(::dirfd(directory.get()), *item)});
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

Result<void> File::allocate(std::uint64_t bytes) const {
  const int result = uninterrupted([&] { return disk_->fallocate(fd_, bytes); });
  // A file system that cannot preallocate is as good: the zeros are written anyway.
  if (result < 0 && result != -EOPNOTSUPP) {
    return std::unexpected(disk_error(result, "fallocate", path_));
  }
  return {};
}

Result<void> File::fdatasync() const {
  const int result = uninterrupted([&] { return disk_->fdatasync(fd_); });
  if (result < 0) return std::unexpected(disk_error(result, "fdatasync", path_));
  return {};
}

Result<void> File::fsync() const {
  const int result = uninterrupted([&] { return disk_->fsync(fd_); });
  if (result < 0) return std::unexpected(disk_error(result, "fsync", path_));
  return {};
}

Result<bool> take_exclusive_lock(Disk& disk, const File& file) {
  constexpr int tries = 20;
  constexpr std::chrono::milliseconds pause(50);
  int result = 0;
  for (int i = 0; i < tries; ++i) {
    if (i > 0) std::this_thread::sleep_for(pause);
    result = uninterrupted([&] { return disk.lock(file.descriptor()); });
    if (result != -EWOULDBLOCK) break;
  }
  if (result == -EWOULDBLOCK) return false;
  if (result < 0) return std::unexpected(disk_error(result, "flock", file.path()));
  return true;
}

Result<std::string> read_whole(Disk& disk, const std::string& path, std::size_t max_bytes) {
  GH_ASSIGN(const File file, File::open(disk, path, O_RDONLY));
  GH_ASSIGN(const std::uint64_t size, file.size());
  if (size > max_bytes) {
    return fail(ErrorCode::resource_exhausted,
                fmt::format("the file has {} bytes, at most {} make sense", size, max_bytes), path);
  }
  return file.read_at(size, 0);
}

Result<void> sync_directory(Disk& disk, const std::string& path) {
  GH_ASSIGN(const File directory, File::open(disk, path, O_RDONLY | O_DIRECTORY));
  return directory.fsync();
}

Result<void> make_directory(Disk& disk, const std::string& path) {
  const int result = disk.mkdir(path, 0750);
  if (result < 0 && result != -EEXIST) return std::unexpected(disk_error(result, "mkdir", path));
  return {};
}

Result<void> make_directories(Disk& disk, const std::string& path) {
  const int result = disk.mkdir(path, 0750);
  if (result == -ENOENT && parent_directory(path) != path) {
    GH_TRY(make_directories(disk, parent_directory(path)));
    return make_directory(disk, path);
  }
  if (result < 0 && result != -EEXIST) return std::unexpected(disk_error(result, "mkdir", path));
  return {};
}

std::string parent_directory(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<std::vector<DirectoryItem>> list_directory(Disk& disk, const std::string& path) {
  std::vector<DirectoryItem> items;
  const int result = disk.list(path, items);
  if (result < 0 && result != -ENOENT) return std::unexpected(disk_error(result, "list", path));
  std::ranges::sort(items, {}, &DirectoryItem::name);
  return items;
}

}  // namespace gatehouse::ledger

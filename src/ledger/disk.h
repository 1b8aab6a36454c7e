// Every system call the ledger makes, behind one interface, so that tests can make each of them
// fail, write short or forget what was not synced. One call here is one call to the kernel; like
// the kernel, a call returns a negative errno instead of failing otherwise. Thread-safe.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/text.h"

namespace gatehouse::ledger {

enum class ItemKind { file, directory, other };

struct DirectoryItem {
  std::string name;
  ItemKind kind = ItemKind::other;
};

class Disk {
 public:
  virtual ~Disk() = default;

  virtual int open(const std::string& path, int flags, unsigned mode) = 0;  // a descriptor
  virtual int close(int fd) = 0;
  virtual std::int64_t size(int fd) = 0;
  virtual ssize_t pread(int fd, void* to, std::size_t count, std::uint64_t offset) = 0;
  virtual ssize_t pwrite(int fd, const void* from, std::size_t count, std::uint64_t offset) = 0;
  virtual int fallocate(int fd, std::uint64_t bytes) = 0;
  virtual int fdatasync(int fd) = 0;
  virtual int fsync(int fd) = 0;  // of a file or a directory
  // Begins to write what was not synced; promises nothing, makes a later fsync shorter.
  virtual void start_writeback(int fd) = 0;
  virtual int lock(int fd) = 0;  // exclusive, at once or -EWOULDBLOCK; ends with the descriptor
  // -EWOULDBLOCK when somebody holds the exclusive lock; otherwise takes a shared one and gives it
  // back, so that a lock() at that instant fails.
  virtual int probe_lock(int fd) = 0;

  virtual int rename(const std::string& from, const std::string& to) = 0;
  virtual int unlink(const std::string& path) = 0;
  virtual int mkdir(const std::string& path, unsigned mode) = 0;
  virtual int rmdir(const std::string& path) = 0;
  virtual int list(const std::string& path, std::vector<DirectoryItem>& items) = 0;
};

// The kernel's.
class RealDisk final : public Disk {
 public:
  int open(const std::string& path, int flags, unsigned mode) override;
  int close(int fd) override;
  std::int64_t size(int fd) override;
  ssize_t pread(int fd, void* to, std::size_t count, std::uint64_t offset) override;
  ssize_t pwrite(int fd, const void* from, std::size_t count, std::uint64_t offset) override;
  int fallocate(int fd, std::uint64_t bytes) override;
  int fdatasync(int fd) override;
  int fsync(int fd) override;
  void start_writeback(int fd) override;
  int lock(int fd) override;
  int probe_lock(int fd) override;
  int rename(const std::string& from, const std::string& to) override;
  int unlink(const std::string& path) override;
  int mkdir(const std::string& path, unsigned mode) override;
  int rmdir(const std::string& path) override;
  int list(const std::string& path, std::vector<DirectoryItem>& items) override;
};

// A refusal of the disk as an error: `unavailable` (not_found for ENOENT), naming call and path.
Error disk_error(int negative_errno, std::string_view call, std::string_view path);

// An open file of a Disk: closes itself, carries its path into errors, retries short transfers.
class File {
 public:
  static Result<File> open(Disk& disk, std::string path, int flags, unsigned mode = 0640);
  File(File&& other) noexcept
      : disk_(other.disk_), fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}
  File& operator=(File&& other) noexcept;
  ~File();

  const std::string& path() const { return path_; }
  void renamed(std::string path) { path_ = std::move(path); }
  int descriptor() const { return fd_; }
  Result<std::uint64_t> size() const;
  Result<void> write_at(Bytes bytes, std::uint64_t offset) const;
  // Up to `count` bytes; fewer only at the end of the file.
  Result<std::string> read_at(std::size_t count, std::uint64_t offset) const;
  Result<void> allocate(std::uint64_t bytes) const;
  Result<void> fdatasync() const;
  Result<void> fsync() const;
  void start_writeback() const { disk_->start_writeback(fd_); }

 private:
  File(Disk& disk, int fd, std::string path) : disk_(&disk), fd_(fd), path_(std::move(path)) {}
  Disk* disk_;
  int fd_;
  std::string path_;
};

// Takes the exclusive lock; false when somebody else keeps it. Tries for a second, because a
// verifier's probe_lock() holds it for an instant, and that must not stop a gateway from starting.
Result<bool> take_exclusive_lock(Disk& disk, const File& file);

// resource_exhausted when the file is larger than `max_bytes`.
Result<std::string> read_whole(Disk& disk, const std::string& path, std::size_t max_bytes);
Result<void> sync_directory(Disk& disk, const std::string& path);
// Creates a directory; one that exists is fine.
Result<void> make_directory(Disk& disk, const std::string& path);
// The same with all directories above it.
Result<void> make_directories(Disk& disk, const std::string& path);
// "a/b" -> "a", "/a" -> "/", "a" -> "."
std::string parent_directory(const std::string& path);
// Sorted by name. A directory that does not exist is empty.
Result<std::vector<DirectoryItem>> list_directory(Disk& disk, const std::string& path);

}  // namespace gatehouse::ledger

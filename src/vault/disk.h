// Every system call the vault makes, behind one small interface, so that tests can make each of
// them fail, write short or forget what was not synced. Like the kernel, a call returns a negative
// errno instead of failing otherwise. Thread-safe.
//
// The ledger has an interface of the same kind; the two rooms do not link each other, and the vault
// needs calls the ledger must not have (truncate, punch).
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

namespace gatehouse::vault {

class Disk {
 public:
  virtual ~Disk() = default;

  virtual int open(const std::string& path, int flags, unsigned mode) = 0;  // a descriptor
  virtual int close(int fd) = 0;
  virtual std::int64_t size(int fd) = 0;
  virtual ssize_t pread(int fd, void* to, std::size_t count, std::uint64_t offset) = 0;
  virtual ssize_t pwrite(int fd, const void* from, std::size_t count, std::uint64_t offset) = 0;
  virtual int truncate(int fd, std::uint64_t bytes) = 0;
  // Gives the blocks of a range back to the file system; it reads as zeros afterwards.
  virtual int punch(int fd, std::uint64_t offset, std::uint64_t count) = 0;
  virtual int sync(int fd) = 0;  // of a file or a directory
  virtual int lock(int fd) = 0;  // exclusive, at once or -EWOULDBLOCK; ends with the descriptor
  virtual int rename(const std::string& from, const std::string& to) = 0;
  virtual int unlink(const std::string& path) = 0;
  virtual int mkdir(const std::string& path, unsigned mode) = 0;
  virtual int list(const std::string& path, std::vector<std::string>& names) = 0;
};

// The kernel's.
class RealDisk final : public Disk {
 public:
  int open(const std::string& path, int flags, unsigned mode) override;
  int close(int fd) override;
  std::int64_t size(int fd) override;
  ssize_t pread(int fd, void* to, std::size_t count, std::uint64_t offset) override;
  ssize_t pwrite(int fd, const void* from, std::size_t count, std::uint64_t offset) override;
  int truncate(int fd, std::uint64_t bytes) override;
  int punch(int fd, std::uint64_t offset, std::uint64_t count) override;
  int sync(int fd) override;
  int lock(int fd) override;
  int rename(const std::string& from, const std::string& to) override;
  int unlink(const std::string& path) override;
  int mkdir(const std::string& path, unsigned mode) override;
  int list(const std::string& path, std::vector<std::string>& names) override;
};

// A refusal of the disk as an error: `unavailable` (not_found for ENOENT), naming call and path.
Error disk_error(int negative_errno, std::string_view call, std::string_view path);

// An open file of a Disk: closes itself, carries its path into errors, goes on after short
// transfers and interrupted calls.
class File {
 public:
  // Files of the vault are readable by their owner only.
  static Result<File> open(Disk& disk, std::string path, int flags, unsigned mode = 0600);
  File(File&& other) noexcept
      : disk_(other.disk_), fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}
  File& operator=(File&& other) noexcept;
  ~File();

  const std::string& path() const { return path_; }
  int descriptor() const { return fd_; }
  Result<std::uint64_t> size() const;
  Result<void> write_at(Bytes bytes, std::uint64_t offset) const;
  // Up to `count` bytes; fewer only at the end of the file.
  Result<std::string> read_at(std::size_t count, std::uint64_t offset) const;
  // Zeros over a range, a piece at a time.
  Result<void> wipe(std::uint64_t offset, std::uint64_t count) const;
  Result<void> truncate(std::uint64_t bytes) const;
  // What a file system cannot punch stays as it is: zeros by then.
  void punch(std::uint64_t offset, std::uint64_t count) const;
  Result<void> sync() const;

 private:
  File(Disk& disk, int fd, std::string path) : disk_(&disk), fd_(fd), path_(std::move(path)) {}
  Disk* disk_;
  int fd_;
  std::string path_;
};

Result<void> sync_directory(Disk& disk, const std::string& path);
Result<void> make_directory(Disk& disk, const std::string& path);  // one that exists is fine
Result<void> remove_file(Disk& disk, const std::string& path);     // one that is gone is fine
Result<std::vector<std::string>> list_directory(Disk& disk, const std::string& path);  // sorted

// The whole of a small file; not_found, or resource_exhausted when it is larger than `max_bytes`.
Result<std::string> read_small(Disk& disk, const std::string& path, std::size_t max_bytes);
// Temporary file beside it, sync, rename, sync of `directory`: the old or the new content, whole.
Result<void> replace_file(Disk& disk, const std::string& directory, const std::string& name,
                          std::string_view content);

}  // namespace gatehouse::vault

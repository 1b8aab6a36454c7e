// Disks for tests. MemoryDisk is a file system that knows what was synced and can lose the rest,
// sector by sector and name by name, as a power cut does. FaultyDisk makes one call of another disk
// fail, or write short. Both may be used from any thread.
#pragma once

#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ledger/disk.h"

namespace gatehouse::ledger {

class MemoryDisk final : public Disk {
 public:
  // What a machine finds after its power was cut: everything synced, and of the rest whatever
  // `random` pleases.
  std::unique_ptr<MemoryDisk> after_power_cut(std::mt19937& random) const {
    const std::scoped_lock lock(mutex_);
    auto survivor = std::make_unique<MemoryDisk>();
    survivor->root_ = survive(*root_, random);
    return survivor;
  }

  // A copy of everything as it is.
  std::unique_ptr<MemoryDisk> copy() const {
    const std::scoped_lock lock(mutex_);
    auto twin = std::make_unique<MemoryDisk>();
    twin->root_ = copy_directory(*root_);
    return twin;
  }

  // What Linux does when a sync fails: the bytes stay visible but will not be tried again.
  void forget_unsynced(int fd) {
    const std::scoped_lock lock(mutex_);
    if (const auto found = open_.find(fd); found != open_.end() && found->second.file) {
      found->second.file->dirty.clear();
    }
  }

  // From the `calls`-th changing call from now on the machine is off: everything fails, and
  // `frozen()` is the state at that moment.
  void stop_after(std::uint64_t calls) {
    const std::scoped_lock lock(mutex_);
    stop_in_ = static_cast<std::int64_t>(calls);
  }
  bool stopped() const {
    const std::scoped_lock lock(mutex_);
    return stopped_;
  }

  std::uint64_t bytes_limit = ~std::uint64_t{0};  // the size of the disk; more is ENOSPC

  int open(const std::string& path, int flags, unsigned) override {
    const std::scoped_lock lock(mutex_);
    const auto [directory, name] = parent(path);
    if (!directory) return -ENOENT;
    const auto found = directory->now.find(name);
    if (name.empty() || (found != directory->now.end() && found->second.directory)) {
      return remember(
          {.file = nullptr, .directory = name.empty() ? directory : found->second.directory});
    }
    if (found == directory->now.end()) {
      if ((flags & O_CREAT) == 0) return -ENOENT;
      if (!change()) return -EIO;
      directory->now[name] = {.file = std::make_shared<FileNode>(), .directory = nullptr};
    }
    auto file = directory->now[name].file;
    if ((flags & O_TRUNC) != 0 && !file->data.empty()) {
      if (!change()) return -EIO;
      file->data.clear();
      file->truncated = true;
      file->dirty.clear();
    }
    return remember({.file = file, .directory = nullptr});
  }

  int close(int fd) override {
    const std::scoped_lock lock(mutex_);
    const auto found = open_.find(fd);
    if (found == open_.end()) return -EBADF;
    if (found->second.file && found->second.file->locked_by == fd)
      found->second.file->locked_by = -1;
    open_.erase(found);
    return 0;
  }

  std::int64_t size(int fd) override {
    const std::scoped_lock lock(mutex_);
    const auto file = file_of(fd);
    return file ? static_cast<std::int64_t>(file->data.size()) : -EBADF;
  }

  ssize_t pread(int fd, void* to, std::size_t count, std::uint64_t offset) override {
    const std::scoped_lock lock(mutex_);
    const auto file = file_of(fd);
    if (!file) return -EBADF;
    if (offset >= file->data.size()) return 0;
    count = std::min(count, file->data.size() - offset);
    std::memcpy(to, file->data.data() + offset, count);
    return static_cast<ssize_t>(count);
  }

  ssize_t pwrite(int fd, const void* from, std::size_t count, std::uint64_t offset) override {
    const std::scoped_lock lock(mutex_);
    const auto file = file_of(fd);
    if (!file) return -EBADF;
    if (!change()) return -EIO;
    if (offset + count > file->data.size()) {
      if (used() + offset + count - file->data.size() > bytes_limit) return -ENOSPC;
      file->data.resize(offset + count);
    }
    std::memcpy(file->data.data() + offset, from, count);
    file->dirty.emplace_back(offset, count);
    return static_cast<ssize_t>(count);
  }

  int fallocate(int fd, std::uint64_t bytes) override {
    const std::scoped_lock lock(mutex_);
    const auto file = file_of(fd);
    if (!file) return -EBADF;
    if (!change()) return -EIO;
    if (bytes > file->data.size()) {
      if (used() + bytes - file->data.size() > bytes_limit) return -ENOSPC;
      const std::size_t from = file->data.size();
      file->data.resize(bytes);
      file->dirty.emplace_back(from, bytes - from);
    }
    return 0;
  }

  int fdatasync(int fd) override { return fsync(fd); }

  int fsync(int fd) override {
    const std::scoped_lock lock(mutex_);
    const auto found = open_.find(fd);
    if (found == open_.end()) return -EBADF;
    if (!change()) return -EIO;
    ++syncs;
    if (found->second.directory) {
      found->second.directory->durable = found->second.directory->now;
      return 0;
    }
    FileNode& file = *found->second.file;
    if (std::exchange(file.truncated, false)) file.durable.clear();
    for (const auto& [offset, count] : file.dirty) apply(file.durable, file.data, offset, count);
    file.dirty.clear();
    return 0;
  }

  void start_writeback(int) override {}

  int lock(int fd) override {
    const std::scoped_lock lock(mutex_);
    const auto file = file_of(fd);
    if (!file) return -EBADF;
    if (file->locked_by != -1 && file->locked_by != fd) return -EWOULDBLOCK;
    file->locked_by = fd;
    return 0;
  }

  int probe_lock(int fd) override {
    const std::scoped_lock lock(mutex_);
    const auto file = file_of(fd);
    if (!file) return -EBADF;
    return file->locked_by != -1 && file->locked_by != fd ? -EWOULDBLOCK : 0;
  }

  int rename(const std::string& from, const std::string& to) override {
    const std::scoped_lock lock(mutex_);
    const auto [source, old_name] = parent(from);
    const auto [target, new_name] = parent(to);
    if (!source || !target || !source->now.contains(old_name)) return -ENOENT;
    if (!change()) return -EIO;
    target->now[new_name] = source->now[old_name];
    source->now.erase(old_name);
    return 0;
  }

  int unlink(const std::string& path) override {
    const std::scoped_lock lock(mutex_);
    const auto [directory, name] = parent(path);
    if (!directory || !directory->now.contains(name)) return -ENOENT;
    if (!change()) return -EIO;
    directory->now.erase(name);
    return 0;
  }

  int mkdir(const std::string& path, unsigned) override {
    const std::scoped_lock lock(mutex_);
    const auto [directory, name] = parent(path);
    if (!directory) return -ENOENT;
    if (directory->now.contains(name)) return -EEXIST;
    if (!change()) return -EIO;
    directory->now[name] = {.file = nullptr, .directory = std::make_shared<DirectoryNode>()};
    return 0;
  }

  int rmdir(const std::string& path) override {
    const std::scoped_lock lock(mutex_);
    const auto [directory, name] = parent(path);
    if (!directory || !directory->now.contains(name)) return -ENOENT;
    if (!directory->now[name].directory) return -ENOTDIR;
    if (!directory->now[name].directory->now.empty()) return -ENOTEMPTY;
    if (!change()) return -EIO;
    directory->now.erase(name);
    return 0;
  }

  int list(const std::string& path, std::vector<DirectoryItem>& items) override {
    const std::scoped_lock lock(mutex_);
    const auto directory = directory_at(path);
    if (!directory) return -ENOENT;
    for (const auto& [name, entry] : directory->now) {
      items.push_back(
          {.name = name, .kind = entry.directory ? ItemKind::directory : ItemKind::file});
    }
    return 0;
  }

  // For tests that damage files or look for one.
  std::vector<std::string> files(const std::string& under = "") const {
    const std::scoped_lock lock(mutex_);
    std::vector<std::string> found;
    collect(*root_, "", found);
    std::erase_if(found, [&](const std::string& path) { return !path.starts_with(under); });
    return found;
  }
  // The bytes of a file, to be changed at will. Only while nothing else uses the disk.
  std::string& bytes(const std::string& path) {
    const auto [directory, name] = parent(path);
    return directory->now.at(name).file->data;
  }
  void remove(const std::string& path) {
    const auto [directory, name] = parent(path);
    directory->now.erase(name);
  }
  void create(const std::string& path, std::string content) {
    const auto [directory, name] = parent(path);
    auto file = std::make_shared<FileNode>();
    file->data = file->durable = std::move(content);
    directory->now[name] = {.file = std::move(file), .directory = nullptr};
  }

  std::atomic<std::uint64_t> changes{0};  // calls that changed something or synced
  std::atomic<std::uint64_t> syncs{0};

 private:
  struct FileNode {
    std::string data;                                        // what a reader sees
    std::string durable;                                     // what is on the platter
    std::vector<std::pair<std::size_t, std::size_t>> dirty;  // written and not synced
    bool truncated = false;
    int locked_by = -1;
  };
  struct DirectoryNode;
  struct Entry {
    std::shared_ptr<FileNode> file;
    std::shared_ptr<DirectoryNode> directory;
    bool operator==(const Entry&) const = default;
  };
  struct DirectoryNode {
    std::map<std::string, Entry> now;
    std::map<std::string, Entry> durable;
  };

  // Counts a changing call; false when the machine is off.
  bool change() {
    ++changes;
    if (stop_in_ > 0 && --stop_in_ == 0) stopped_ = true;
    return !stopped_;
  }

  static void apply(std::string& to, const std::string& from, std::size_t offset,
                    std::size_t count) {
    if (offset >= from.size()) return;
    count = std::min(count, from.size() - offset);
    if (to.size() < offset + count) to.resize(offset + count);
    std::memcpy(to.data() + offset, from.data() + offset, count);
  }

  static std::shared_ptr<FileNode> survive(const FileNode& file, std::mt19937& random) {
    auto survivor = std::make_shared<FileNode>();
    survivor->durable = file.durable;
    if (file.truncated && (random() & 1) != 0) survivor->durable.clear();
    constexpr std::size_t sector = 512;
    for (const auto& [offset, count] : file.dirty) {
      // A cut loses all, nothing, or any sectors of a write.
      const unsigned mood = random() % 3;
      for (std::size_t at = offset; at < offset + count;) {
        const std::size_t end = std::min((at / sector + 1) * sector, offset + count);
        if (mood == 1 || (mood == 2 && (random() & 1) != 0)) {
          apply(survivor->durable, file.data, at, end - at);
        }
        at = end;
      }
    }
    survivor->data = survivor->durable;
    return survivor;
  }

  static std::shared_ptr<DirectoryNode> survive(const DirectoryNode& node, std::mt19937& random) {
    auto survivor = std::make_shared<DirectoryNode>();
    std::set<std::string> names;
    for (const auto& [name, entry] : node.now) names.insert(name);
    for (const auto& [name, entry] : node.durable) names.insert(name);
    for (const std::string& name : names) {
      const auto now = node.now.find(name);
      const auto before = node.durable.find(name);
      const bool same =
          now != node.now.end() && before != node.durable.end() && now->second == before->second;
      const bool take_now = same || (random() & 1) != 0;
      const Entry* entry = nullptr;
      if (take_now && now != node.now.end()) entry = &now->second;
      if (!take_now && before != node.durable.end()) entry = &before->second;
      if (entry == nullptr) continue;
      survivor->now[name] =
          entry->file ? Entry{.file = survive(*entry->file, random), .directory = nullptr}
                      : Entry{.file = nullptr, .directory = survive(*entry->directory, random)};
    }
    survivor->durable = survivor->now;
    return survivor;
  }

  static std::shared_ptr<DirectoryNode> copy_directory(const DirectoryNode& node) {
    auto twin = std::make_shared<DirectoryNode>();
    for (const auto& [name, entry] : node.now) {
      Entry& mine = twin->now[name];
      if (entry.directory) {
        mine.directory = copy_directory(*entry.directory);
      } else {
        mine.file = std::make_shared<FileNode>();
        mine.file->data = mine.file->durable = entry.file->data;
      }
    }
    twin->durable = twin->now;
    return twin;
  }

  static void collect(const DirectoryNode& node, const std::string& prefix,
                      std::vector<std::string>& out) {
    for (const auto& [name, entry] : node.now) {
      if (entry.directory) {
        collect(*entry.directory, prefix + "/" + name, out);
      } else {
        out.push_back(prefix + "/" + name);
      }
    }
  }

  static std::uint64_t used_by(const DirectoryNode& node) {
    std::uint64_t total = 0;
    for (const auto& [name, entry] : node.now) {
      total += entry.directory ? used_by(*entry.directory) : entry.file->data.size();
    }
    return total;
  }
  std::uint64_t used() const { return bytes_limit == ~std::uint64_t{0} ? 0 : used_by(*root_); }

  std::shared_ptr<DirectoryNode> directory_at(const std::string& path) const {
    auto node = root_;
    std::size_t at = 0;
    while (at < path.size() && node) {
      const std::size_t end = std::min(path.find('/', at), path.size());
      const std::string name = path.substr(at, end - at);
      at = end + 1;
      if (name.empty()) continue;
      const auto found = node->now.find(name);
      node = found == node->now.end() ? nullptr : found->second.directory;
    }
    return node;
  }

  std::pair<std::shared_ptr<DirectoryNode>, std::string> parent(const std::string& path) const {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return {root_, path};
    return {directory_at(path.substr(0, slash)), path.substr(slash + 1)};
  }

  struct Opened {
    std::shared_ptr<FileNode> file;
    std::shared_ptr<DirectoryNode> directory;
  };
  int remember(Opened opened) {
    open_[next_fd_] = std::move(opened);
    return next_fd_++;
  }
  std::shared_ptr<FileNode> file_of(int fd) const {
    const auto found = open_.find(fd);
    return found == open_.end() ? nullptr : found->second.file;
  }

  mutable std::mutex mutex_;
  std::shared_ptr<DirectoryNode> root_ = std::make_shared<DirectoryNode>();
  std::map<int, Opened> open_;
  int next_fd_ = 100;
  std::int64_t stop_in_ = 0;
  bool stopped_ = false;
};

enum class Call {
  open,
  close,
  size,
  pread,
  pwrite,
  fallocate,
  fdatasync,
  fsync,
  lock,
  rename,
  unlink,
  mkdir,
  rmdir,
  list
};

// Makes the `nth` call (from 1) of one kind fail with `error`; error 0 makes a pwrite or pread do
// only a part. With `sticky`, all later calls of the kind fail too, as on a full or dead disk.
class FaultyDisk final : public Disk {
 public:
  explicit FaultyDisk(MemoryDisk& inner) : inner_(inner) {}

  void plan(Call call, std::uint64_t nth, int error, bool sticky = false) {
    const std::scoped_lock lock(mutex_);
    call_ = call;
    nth_ = nth;
    error_ = error;
    sticky_ = sticky;
    counts_.clear();
    fired_ = false;
  }
  bool fired() const {
    const std::scoped_lock lock(mutex_);
    return fired_;
  }
  std::uint64_t count(Call call) {
    const std::scoped_lock lock(mutex_);
    return counts_[call];
  }

  int open(const std::string& path, int flags, unsigned mode) override {
    const int error = next(Call::open);
    return error != 0 ? -error : inner_.open(path, flags, mode);
  }
  int close(int fd) override {
    const int error = next(Call::close);
    const int result = inner_.close(fd);
    return error != 0 ? -error : result;
  }
  std::int64_t size(int fd) override {
    const int error = next(Call::size);
    return error != 0 ? -error : inner_.size(fd);
  }
  ssize_t pread(int fd, void* to, std::size_t count, std::uint64_t offset) override {
    const int error = next(Call::pread);
    if (error == short_transfer) return inner_.pread(fd, to, (count + 1) / 2, offset);
    return error != 0 ? -error : inner_.pread(fd, to, count, offset);
  }
  ssize_t pwrite(int fd, const void* from, std::size_t count, std::uint64_t offset) override {
    const int error = next(Call::pwrite);
    if (error == 0) return inner_.pwrite(fd, from, count, offset);
    // A write that fails may have written a part.
    const ssize_t part = inner_.pwrite(fd, from, (count + 1) / 2, offset);
    return error == short_transfer ? part : -error;
  }
  int fallocate(int fd, std::uint64_t bytes) override {
    const int error = next(Call::fallocate);
    return error != 0 ? -error : inner_.fallocate(fd, bytes);
  }
  int fdatasync(int fd) override { return sync(Call::fdatasync, fd); }
  int fsync(int fd) override { return sync(Call::fsync, fd); }
  void start_writeback(int fd) override { inner_.start_writeback(fd); }
  int lock(int fd) override {
    const int error = next(Call::lock);
    return error != 0 ? -error : inner_.lock(fd);
  }
  int probe_lock(int fd) override { return inner_.probe_lock(fd); }
  int rename(const std::string& from, const std::string& to) override {
    const int error = next(Call::rename);
    return error != 0 ? -error : inner_.rename(from, to);
  }
  int unlink(const std::string& path) override {
    const int error = next(Call::unlink);
    return error != 0 ? -error : inner_.unlink(path);
  }
  int mkdir(const std::string& path, unsigned mode) override {
    const int error = next(Call::mkdir);
    return error != 0 ? -error : inner_.mkdir(path, mode);
  }
  int rmdir(const std::string& path) override {
    const int error = next(Call::rmdir);
    return error != 0 ? -error : inner_.rmdir(path);
  }
  int list(const std::string& path, std::vector<DirectoryItem>& items) override {
    const int error = next(Call::list);
    return error != 0 ? -error : inner_.list(path, items);
  }

  static constexpr int short_transfer = -1;

 private:
  int sync(Call call, int fd) {
    const int error = next(call);
    if (error == 0) return inner_.fsync(fd);
    if (error != EINTR) inner_.forget_unsynced(fd);
    return -error;
  }

  int next(Call call) {
    const std::scoped_lock lock(mutex_);
    const std::uint64_t number = ++counts_[call];
    if (call != call_ || nth_ == 0) return 0;
    if (number != nth_ && !(sticky_ && number > nth_)) return 0;
    fired_ = true;
    return error_;
  }

  MemoryDisk& inner_;
  mutable std::mutex mutex_;
  Call call_ = Call::open;
  std::uint64_t nth_ = 0;
  int error_ = 0;
  bool sticky_ = false;
  bool fired_ = false;
  std::map<Call, std::uint64_t> counts_;
};

}  // namespace gatehouse::ledger

// Disks for tests. MemoryDisk is a file system that knows what was synced and can lose the rest,
// sector by sector and name by name, as a power cut does. FaultyDisk makes one call of another disk
// fail, or write short. Both may be used from any thread.
#pragma once

#include <fcntl.h>

#include <algorithm>
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

#include "vault/disk.h"

namespace gatehouse::vault {

class MemoryDisk final : public Disk {
 public:
  // What a machine finds after its power was cut: everything synced, and of the rest whatever
  // `random` pleases.
  std::unique_ptr<MemoryDisk> after_power_cut(std::mt19937& random) const {
    const std::scoped_lock lock(mutex_);
    auto survivor = std::make_unique<MemoryDisk>();
    survivor->directories_ = survivor->durable_directories_ = directories_;
    std::set<std::string> names;
    for (const auto& [path, file] : files_) names.insert(path);
    for (const auto& [path, file] : durable_files_) names.insert(path);
    for (const auto& path : names) {
      const auto now = files_.find(path);
      const auto before = durable_files_.find(path);
      const bool same =
          now != files_.end() && before != durable_files_.end() && now->second == before->second;
      const bool take_now = same || (random() & 1) != 0;
      const auto& from = take_now ? files_ : durable_files_;
      const auto found = from.find(path);
      if (found != from.end()) survivor->files_[path] = survive(*found->second, random);
    }
    survivor->durable_files_ = survivor->files_;
    return survivor;
  }

  // A copy of everything as it is: what a killed process leaves.
  std::unique_ptr<MemoryDisk> copy() const {
    const std::scoped_lock lock(mutex_);
    auto twin = std::make_unique<MemoryDisk>();
    twin->directories_ = twin->durable_directories_ = directories_;
    for (const auto& [path, file] : files_) {
      auto node = std::make_shared<Node>();
      node->data = node->durable = file->data;
      twin->files_[path] = node;
    }
    twin->durable_files_ = twin->files_;
    return twin;
  }

  // From the `calls`-th changing call from now on the machine is off: everything fails.
  void stop_after(std::uint64_t calls) {
    const std::scoped_lock lock(mutex_);
    stop_in_ = static_cast<std::int64_t>(calls);
    stopped_ = false;
  }

  // Linux after a sync that failed: the bytes stay visible and will not be tried again.
  void forget_unsynced(int fd) {
    const std::scoped_lock lock(mutex_);
    if (const auto found = open_.find(fd); found != open_.end() && found->second.file)
      found->second.file->dirty.clear();
  }

  std::uint64_t bytes_limit = ~std::uint64_t{0};

  int open(const std::string& path, int flags, unsigned) override {
    const std::scoped_lock lock(mutex_);
    if (directories_.contains(path)) return remember({nullptr, path});
    if (!directories_.contains(parent(path))) return -ENOENT;
    auto found = files_.find(path);
    if (found == files_.end()) {
      if ((flags & O_CREAT) == 0) return -ENOENT;
      if (!change()) return -EIO;
      found = files_.emplace(path, std::make_shared<Node>()).first;
    }
    if ((flags & O_TRUNC) != 0 && !found->second->data.empty()) {
      if (!change()) return -EIO;
      found->second->data.clear();
      found->second->resized = true;
    }
    return remember({found->second, {}});
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
  int truncate(int fd, std::uint64_t bytes) override {
    const std::scoped_lock lock(mutex_);
    const auto file = file_of(fd);
    if (!file) return -EBADF;
    if (!change()) return -EIO;
    file->data.resize(bytes);
    file->resized = true;
    return 0;
  }
  int punch(int fd, std::uint64_t offset, std::uint64_t count) override {
    const std::scoped_lock lock(mutex_);
    const auto file = file_of(fd);
    if (!file) return -EBADF;
    if (!change()) return -EIO;
    if (offset >= file->data.size()) return 0;
    count = std::min<std::uint64_t>(count, file->data.size() - offset);
    std::memset(file->data.data() + offset, 0, count);
    file->dirty.emplace_back(offset, count);
    return 0;
  }
  int sync(int fd) override {
    const std::scoped_lock lock(mutex_);
    const auto found = open_.find(fd);
    if (found == open_.end()) return -EBADF;
    if (!change()) return -EIO;
    ++syncs;
    if (!found->second.file) {
      sync_names(found->second.directory);
      return 0;
    }
    Node& file = *found->second.file;
    if (std::exchange(file.resized, false)) file.durable.resize(file.data.size());
    for (const auto& [offset, count] : file.dirty) apply(file.durable, file.data, offset, count);
    file.dirty.clear();
    return 0;
  }
  int lock(int fd) override {
    const std::scoped_lock lock(mutex_);
    const auto file = file_of(fd);
    if (!file) return -EBADF;
    if (file->locked_by != -1 && file->locked_by != fd) return -EWOULDBLOCK;
    file->locked_by = fd;
    return 0;
  }
  int rename(const std::string& from, const std::string& to) override {
    const std::scoped_lock lock(mutex_);
    if (!files_.contains(from)) return -ENOENT;
    if (!change()) return -EIO;
    files_[to] = files_[from];
    files_.erase(from);
    return 0;
  }
  int unlink(const std::string& path) override {
    const std::scoped_lock lock(mutex_);
    if (!files_.contains(path)) return -ENOENT;
    if (!change()) return -EIO;
    files_.erase(path);
    return 0;
  }
  int mkdir(const std::string& path, unsigned) override {
    const std::scoped_lock lock(mutex_);
    if (directories_.contains(path)) return -EEXIST;
    if (!change()) return -EIO;
    directories_.insert(path);
    return 0;
  }
  int list(const std::string& path, std::vector<std::string>& names) override {
    const std::scoped_lock lock(mutex_);
    if (!directories_.contains(path)) return -ENOENT;
    for (const auto& [name, file] : files_)
      if (parent(name) == path) names.push_back(name.substr(path.size() + 1));
    return 0;
  }

  // For tests that look into files or damage one.
  std::vector<std::string> files(const std::string& under = "") const {
    const std::scoped_lock lock(mutex_);
    std::vector<std::string> found;
    for (const auto& [path, file] : files_)
      if (path.starts_with(under)) found.push_back(path);
    return found;
  }
  std::string& bytes(const std::string& path) { return files_.at(path)->data; }
  void remove(const std::string& path) { files_.erase(path); }
  // Everything that is or could still be on the platter.
  std::string everything() const {
    const std::scoped_lock lock(mutex_);
    std::string all;
    for (const auto& [path, file] : files_) all += path + "\n" + file->data + "\n" + file->durable;
    for (const auto& [path, file] : durable_files_) all += file->data + "\n" + file->durable;
    return all;
  }
  std::uint64_t changes = 0;
  std::uint64_t syncs = 0;

 private:
  struct Node {
    std::string data;                                        // what a reader sees
    std::string durable;                                     // what is on the platter
    std::vector<std::pair<std::size_t, std::size_t>> dirty;  // written and not synced
    bool resized = false;
    int locked_by = -1;
  };
  using Files = std::map<std::string, std::shared_ptr<Node>>;
  struct Opened {
    std::shared_ptr<Node> file;
    std::string directory;
  };

  static std::string parent(const std::string& path) { return path.substr(0, path.rfind('/')); }
  bool change() {
    ++changes;
    if (stop_in_ > 0) {
      --stop_in_;
      stopped_ = stop_in_ == 0;
    }
    return !stopped_;
  }
  static void apply(std::string& to, const std::string& from, std::size_t offset,
                    std::size_t count) {
    if (offset >= from.size()) return;
    count = std::min(count, from.size() - offset);
    if (to.size() < offset + count) to.resize(offset + count);
    std::memcpy(to.data() + offset, from.data() + offset, count);
  }
  static std::shared_ptr<Node> survive(const Node& file, std::mt19937& random) {
    auto survivor = std::make_shared<Node>();
    survivor->durable = file.durable;
    if (file.resized && (random() & 1) != 0) survivor->durable.resize(file.data.size());
    constexpr std::size_t sector = 512;
    for (const auto& [offset, count] : file.dirty) {
      const unsigned mood = random() % 3;  // all of a write is lost, nothing, or any sectors
      for (std::size_t at = offset; at < offset + count;) {
        const std::size_t end = std::min((at / sector + 1) * sector, offset + count);
        if (mood == 1 || (mood == 2 && (random() & 1) != 0))
          apply(survivor->durable, file.data, at, end - at);
        at = end;
      }
    }
    survivor->data = survivor->durable;
    return survivor;
  }
  void sync_names(const std::string& directory) {
    std::erase_if(durable_files_, [&](const auto& one) { return parent(one.first) == directory; });
    for (const auto& [path, file] : files_)
      if (parent(path) == directory) durable_files_[path] = file;
  }
  std::uint64_t used() const {
    std::uint64_t total = 0;
    for (const auto& [path, file] : files_) total += file->data.size();
    return total;
  }
  int remember(Opened opened) {
    open_[next_fd_] = std::move(opened);
    return next_fd_++;
  }
  std::shared_ptr<Node> file_of(int fd) const {
    const auto found = open_.find(fd);
    return found == open_.end() ? nullptr : found->second.file;
  }

  mutable std::mutex mutex_;
  Files files_;
  Files durable_files_;
  std::set<std::string> directories_{""};
  std::set<std::string> durable_directories_{""};
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
  truncate,
  punch,
  sync,
  lock,
  rename,
  unlink,
  mkdir,
  list
};

// Makes the `nth` call (from 1) of one kind fail with `error`; short_transfer makes a pwrite or
// pread do only a part.
class FaultyDisk final : public Disk {
 public:
  static constexpr int short_transfer = -1;
  explicit FaultyDisk(MemoryDisk& inner) : inner_(inner) {}

  void plan(Call call, std::uint64_t nth, int error) {
    const std::scoped_lock lock(mutex_);
    call_ = call;
    nth_ = nth;
    error_ = error;
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
  int truncate(int fd, std::uint64_t bytes) override {
    const int error = next(Call::truncate);
    return error != 0 ? -error : inner_.truncate(fd, bytes);
  }
  int punch(int fd, std::uint64_t offset, std::uint64_t count) override {
    const int error = next(Call::punch);
    return error != 0 ? -error : inner_.punch(fd, offset, count);
  }
  int sync(int fd) override {
    const int error = next(Call::sync);
    if (error == 0) return inner_.sync(fd);
    if (error != EINTR) inner_.forget_unsynced(fd);
    return -error;
  }
  int lock(int fd) override {
    const int error = next(Call::lock);
    return error != 0 ? -error : inner_.lock(fd);
  }
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
  int list(const std::string& path, std::vector<std::string>& names) override {
    const int error = next(Call::list);
    return error != 0 ? -error : inner_.list(path, names);
  }

 private:
  int next(Call call) {
    const std::scoped_lock lock(mutex_);
    const std::uint64_t number = ++counts_[call];
    if (call != call_ || number != nth_) return 0;
    fired_ = true;
    return error_;
  }

  MemoryDisk& inner_;
  mutable std::mutex mutex_;
  Call call_ = Call::open;
  std::uint64_t nth_ = 0;
  int error_ = 0;
  bool fired_ = false;
  std::map<Call, std::uint64_t> counts_;
};

}  // namespace gatehouse::vault

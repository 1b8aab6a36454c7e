// A copy is taken in this order: the key and the checkpoint are read, then the tiles and bundles
// the checkpoint covers, which exist because the writer syncs them before it publishes a
// checkpoint, and never change. A partial one may be overtaken meanwhile; then the full one has it.
//
// Invariants
//   1. What the checkpoint of an earlier copy covers is kept and never written again, so that a log
//      that was changed since does not pass unseen: here by a length, else by the verifier.
//   2. The copy's checkpoint never covers what the copy does not have, also after a power cut.
#include "ledger/copy.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <vector>

#include "base/file.h"
#include "ledger/disk.h"
#include "ledger/log_files.h"
#include "ledger/witnessed.h"

namespace gatehouse::ledger {

namespace {

// Levels of tiles, and the bundles as the one without a number.
std::vector<std::optional<unsigned>> levels_in(std::uint64_t size) {
  std::vector<std::optional<unsigned>> levels{std::nullopt};
  for (unsigned level = 0; hashes_at(level, size) > 0; ++level) levels.emplace_back(level);
  return levels;
}

// What is not full, on every level.
std::vector<TileName> edge_of(std::uint64_t size) {
  std::vector<TileName> edge;
  for (const auto level : levels_in(size)) {
    const std::uint64_t hashes = hashes_at(level.value_or(0), size);
    if (hashes % tile_width == 0) continue;
    edge.push_back({.level = level,
                    .index = hashes / tile_width,
                    .width = static_cast<unsigned>(hashes % tile_width)});
  }
  return edge;
}

class Copier {
 public:
  Copier(const std::string& from, const std::string& to) : from_(from), to_(to) {}

  Result<CopyReport> run() {
    GH_TRY(read_source());
    GH_TRY(look_at_target());
    GH_TRY(copy_tiles());
    GH_TRY(publish());
    return report_;
  }

 private:
  Result<void> read_source();
  Result<void> read_witnessed_source();
  Result<void> look_at_target();
  Result<std::uint64_t> read_checkpoint_size(const std::string& path);
  Result<void> copy_tiles();
  Result<void> copy_tile(const TileName& name);
  Result<bool> has(const TileName& name);
  Result<std::string> bytes_of_tile(const TileName& name);
  Result<void> write(const std::string& path, std::string_view bytes);
  Result<void> publish();
  Result<void> sync_everything();
  void remove_overtaken();

  RealDisk disk_;
  LogPaths from_;
  LogPaths to_;
  VerifierKey key_;
  std::optional<std::string> witnessed_;  // the cosigned checkpoint
  std::uint64_t witnessed_size_ = 0;
  std::string checkpoint_;
  std::uint64_t size_ = 0;
  std::uint64_t size_before_ = 0;  // of an earlier copy
  std::uint64_t witnessed_before_ = 0;
  CopyReport report_;
};

Result<void> Copier::read_source() {
  auto key = read_verifier_key(disk_, from_.verifier_key);
  if (!key && key.error().code == ErrorCode::not_found)
    return fail(ErrorCode::not_found, "there is no log here", from_.root);
  if (!key) return std::unexpected(std::move(key).error());
  key_ = std::move(*key);
  GH_TRY(read_witnessed_source());  // before the checkpoint, which is never behind it
  GH_ASSIGN(checkpoint_, read_whole(disk_, from_.checkpoint, max_checkpoint_bytes));
  const auto opened = open_checkpoint(checkpoint_, key_);
  if (!opened) return fail(ErrorCode::data_loss, opened.error().message, from_.checkpoint);
  report_.size = size_ = opened->checkpoint.size;
  return {};
}

Result<void> Copier::read_witnessed_source() {
  GH_ASSIGN(witnessed_, read_witnessed(disk_, from_, key_));
  if (!witnessed_) return {};
  GH_ASSIGN(const auto opened, open_checkpoint(*witnessed_, key_));
  witnessed_size_ = opened.checkpoint.size;
  return {};
}

// Nothing, or an earlier copy of this log.
Result<void> Copier::look_at_target() {
  GH_ASSIGN(const auto items, list_directory(disk_, to_.root));
  if (items.empty()) {
    GH_TRY(make_directories(disk_, to_.root));
    return write(to_.verifier_key, to_string(key_) + "\n");
  }
  const auto key = read_verifier_key(disk_, to_.verifier_key);
  const bool written_to = std::ranges::any_of(
      items, [](const DirectoryItem& item) { return item.name == "wal" || item.name == "lock"; });
  if (!key || written_to || to_string(*key) != to_string(key_))
    return fail(ErrorCode::failed_precondition,
                "this is not empty and not an earlier copy of the same log; name another folder",
                to_.root);
  const auto before = read_checkpoint(disk_, to_.checkpoint, key_);
  if (!before && before.error().code == ErrorCode::not_found)
    return {};  // interrupted the first time
  if (!before) return std::unexpected(before.error());
  size_before_ = before->checkpoint.size;
  GH_ASSIGN(const auto witnessed_before, read_checkpoint_size(witnessed_path(to_)));
  witnessed_before_ = witnessed_before;
  if (size_before_ <= size_) return {};
  return fail(ErrorCode::data_loss,
              fmt::format("the log was rolled back: the copy in {} has {} entries, the log {}",
                          to_.root, size_before_, size_),
              from_.checkpoint);
}

// 0 when there is none.
Result<std::uint64_t> Copier::read_checkpoint_size(const std::string& path) {
  const auto found = read_checkpoint(disk_, path, key_);
  if (!found && found.error().code == ErrorCode::not_found) return 0;
  if (!found) return std::unexpected(found.error());
  return found->checkpoint.size;
}

Result<void> Copier::copy_tiles() {
  for (const auto level : levels_in(size_)) {
    const std::uint64_t full = hashes_at(level.value_or(0), size_) / tile_width;
    for (std::uint64_t index = 0; index < full; ++index)
      GH_TRY(copy_tile({.level = level, .index = index}));
  }
  for (const TileName& name : edge_of(size_)) GH_TRY(copy_tile(name));
  // A reader of the cosigned checkpoint needs its right edge, where that is not full by now.
  for (const TileName& name : edge_of(witnessed_size_)) {
    const bool full = name.index < hashes_at(name.level.value_or(0), size_) / tile_width;
    if (!full) GH_TRY(copy_tile(name));
  }
  return {};
}

Result<void> Copier::copy_tile(const TileName& name) {
  GH_ASSIGN(const bool there, has(name));
  if (there) return {};
  GH_ASSIGN(const std::string bytes, bytes_of_tile(name));
  return write(to_.tile(name), bytes);
}

// Full ones that the earlier copy's checkpoint covers; they never change again.
Result<bool> Copier::has(const TileName& name) {
  const std::uint64_t full_before = hashes_at(name.level.value_or(0), size_before_) / tile_width;
  if (!name.is_full() || name.index >= full_before) return false;
  const auto ours = File::open(disk_, to_.tile(name), O_RDONLY);
  if (!ours) return false;
  GH_ASSIGN(const auto original, File::open(disk_, from_.tile(name), O_RDONLY));
  GH_ASSIGN(const std::uint64_t have, ours->size());
  GH_ASSIGN(const std::uint64_t wanted, original.size());
  if (have == wanted) return true;
  return fail(ErrorCode::data_loss,
              fmt::format("the log was changed: this file had {} bytes when it was copied to {}, "
                          "now it has {}",
                          have, to_.root, wanted),
              from_.tile(name));
}

Result<std::string> Copier::bytes_of_tile(const TileName& name) {
  if (!name.level) return read_bundle(disk_, from_, name);
  GH_ASSIGN(const auto hashes, read_tile(disk_, from_, name));
  return encode_tile(hashes);
}

Result<void> Copier::write(const std::string& path, std::string_view bytes) {
  GH_TRY(make_directories(disk_, parent_directory(path)));
  const std::string unfinished = path + ".part";
  {
    GH_ASSIGN(const File file, File::open(disk_, unfinished, O_WRONLY | O_CREAT | O_TRUNC));
    GH_TRY(file.write_at(gatehouse::bytes_of(bytes), 0));
  }
  const int renamed = disk_.rename(unfinished, path);
  if (renamed < 0) return std::unexpected(disk_error(renamed, "rename", path));
  ++report_.new_files;
  return {};
}

Result<void> Copier::publish() {
  GH_TRY(sync_everything());
  GH_TRY(write_file_atomically(to_.checkpoint, checkpoint_, 0640));
  ++report_.new_files;
  if (witnessed_ && witnessed_size_ >= witnessed_before_) {
    GH_TRY(write_file_atomically(witnessed_path(to_), *witnessed_, 0640));
    ++report_.new_files;
  } else {
    witnessed_size_ = witnessed_before_;  // what the earlier copy has of witnesses stays true
  }
  remove_overtaken();
  return {};
}

// Once, instead of once for each of many thousand small files.
Result<void> Copier::sync_everything() {
  GH_ASSIGN(const File root, File::open(disk_, to_.root, O_RDONLY | O_DIRECTORY));
  if (::syncfs(root.descriptor()) != 0)
    return std::unexpected(disk_error(-errno, "syncfs", to_.root));
  return {};
}

// The partial tiles of earlier copies whose full ones are there now: until then somebody may hold
// a checkpoint that needs them. What cannot be removed does no harm.
void Copier::remove_overtaken() {
  const auto wanted = edge_of(witnessed_size_);
  auto before = edge_of(size_before_);
  std::ranges::copy(edge_of(witnessed_before_), std::back_inserter(before));
  for (TileName name : before) {
    const bool is_wanted = std::ranges::any_of(wanted, [&](const TileName& other) {
      return other.level == name.level && other.index == name.index;
    });
    const bool is_full = name.index < hashes_at(name.level.value_or(0), size_) / tile_width;
    if (is_wanted || name.is_full() || !is_full) continue;
    name.width = tile_width;
    const std::string partials = to_.tile(name) + ".p";
    const auto items = list_directory(disk_, partials);
    if (!items) continue;
    for (const DirectoryItem& item : *items) disk_.unlink(partials + '/' + item.name);
    disk_.rmdir(partials);
  }
}

}  // namespace

Result<CopyReport> copy_log(const std::string& from, const std::string& to) {
  return Copier(from, to).run();
}

}  // namespace gatehouse::ledger

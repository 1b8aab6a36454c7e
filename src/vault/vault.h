// Sealed content that can be erased (docs/vault-format.md). The ledger says that something was said
// and has its salted digest; the vault has what was said, and the salt.
//
// Promises
//   1. keep() reports success only after content, key and salt are on stable storage.
//   2. An erase that was reported stays erased: key, salt, subject hashes and ciphertext are
//      overwritten in place and synced. Nothing else ever held them.
//   3. What a hold covers is neither erased nor pruned, at whatever moment the process dies.
//   4. Opening after any crash loses nothing that was reported.
//   5. When the disk refuses a record, the vault fails: everything later is refused until the
//      process is restarted. When it is full (max_bytes), records are refused until there is room.
//
// One writer thread seals and writes records; many share a sync. keep() may be called from any
// thread and never blocks; its callbacks run on the writer thread: short, and never waiting for it.
// All else blocks for the disk and may be called from any thread but a loop's; orders (begin,
// finish) one at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "vault/envelope.h"
#include "vault/format.h"
#include "vault/order.h"

namespace gatehouse::vault {

class Disk;  // disk.h: the system calls, replaceable in tests

struct Options {
  std::string directory;
  std::uint64_t segment_bytes = 64u << 20;
  std::chrono::hours segment_age{24};
  std::uint64_t max_bytes = 16ull << 30;
  std::size_t max_queued_bytes = 128u << 20;
  std::size_t max_queued_records = 16'384;
  // Called on the writer thread after the callbacks of a group: a place to wake who was told.
  std::function<void()> group_settled;
};

struct NewRecord {
  RecordId id{};
  Which which = Which::request;
  std::string content;
  std::uint64_t original_bytes = 0;  // more than content has, when it was cut
  WallTime time;
  std::vector<SubjectHash> subjects;  // at most max_subjects
  RecordSecrets secrets;
};

// What there is to know of a record without opening it.
struct RecordInfo {
  RecordId id{};
  Which which = Which::request;
  WallTime time;
  std::uint64_t bytes = 0;  // kept
  std::uint64_t original_bytes = 0;
  bool truncated = false;
  bool erased = false;
  bool held = false;
  std::size_t subjects = 0;
  std::uint64_t segment = 0;
};

struct OpenedRecord {
  RecordInfo info;
  std::string content;
  Key salt;
};

struct SegmentInfo {
  std::uint64_t number = 0;
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  WallTime created;
  WallTime latest;  // time of its last record
};

struct Stats {
  std::uint64_t records = 0;  // erased ones too
  std::uint64_t bytes = 0;    // of all files
  std::uint64_t segments = 0;
  std::size_t queued = 0;
  std::uint64_t kept = 0;     // since the start
  std::uint64_t refused = 0;  // since the start: full, queue full, disk
  std::uint64_t groups = 0;   // syncs
  bool failed = false;
  std::string failure;
};

using Kept = std::move_only_function<void(Result<void>)>;

class Vault {
 public:
  // Opens or makes it; recovers after a crash. `keys.current` is the key in force from now on;
  // whoever finds needs_rewrap() true calls rewrap(). failed_precondition: locked by another
  // process, or sealed with a key that is not in the ring. `disk` null: the real one.
  static Result<std::unique_ptr<Vault>> open(Options options, KeyRing keys, const Clock& clock,
                                             Random& random, Disk* disk = nullptr);
  ~Vault();  // close()

  // Takes the record. Then `done` runs once, when it is durable or refused. An error says that it
  // was not taken and `done` never runs (resource_exhausted: queue full; failed_precondition:
  // closed; unavailable: the disk failed).
  Result<void> keep(NewRecord record, Kept done);
  Result<void> keep_and_wait(NewRecord record);

  RecordSecrets new_secrets() const;
  // An identifier as somebody writes it -> its hash. invalid_argument when nothing is left of it.
  Result<SubjectHash> subject(std::string_view identifier) const;

  // Durable records of an id, erased ones too. not_found when there are none.
  Result<std::vector<RecordInfo>> look(const RecordId& id) const;
  // failed_precondition when it was erased.
  Result<OpenedRecord> get(const RecordId& id, Which which) const;
  // Ids of records with this subject, erased ones left out, oldest first.
  Result<std::vector<RecordId>> find(const SubjectHash& subject) const;
  // The newest first, at most `limit`.
  Result<std::vector<RecordInfo>> list(std::size_t limit) const;

  std::vector<Hold> holds() const;
  // The ids that are held, by record or by a subject found in a record of theirs.
  Result<std::vector<RecordId>> held(const std::vector<RecordId>& ids) const;
  // Closed segments whose last record is older than that and has no hold on it, oldest first.
  Result<std::vector<SegmentInfo>> prunable(WallTime older_than) const;

  // The order is on stable storage when begin() returns; then its event goes into the ledger, then
  // finish() carries it out and forgets it. What is left by a crash is unfinished().
  Result<void> begin(const Order& order);
  Result<void> finish(const Order& order);
  Result<void> withdraw();  // its event could not be recorded, so it never was
  std::optional<Order> unfinished() const;

  // A new key in force; the ones before still open. Then rewrap() brings every slot under it, and
  // settle_rewrap() notes that the old key is no longer needed.
  void use(KeyRing keys);
  bool needs_rewrap() const;
  KeyId key_in_force() const;
  KeyId key_of_identity() const;
  Result<std::uint64_t> rewrap();
  Result<void> settle_rewrap();

  Stats stats() const;
  // Lets the writer close a segment that has become too old.
  void keep_up();
  // Writes what is queued, closes. Idempotent.
  void close();

  struct Impl;

 private:
  explicit Vault(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gatehouse::vault

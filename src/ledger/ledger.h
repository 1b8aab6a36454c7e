// The append-only log: C2SP tlog-tiles on a local disk (docs/ledger-format.md).
//
// Promises
//   1. append() reports an index only after the entry is on stable storage (fdatasync).
//   2. Indices are dense, in the order in which the writer took the entries.
//   3. No acknowledged entry is lost and no two checkpoints ever contradict each other, whatever
//      moment the process dies in.
//   4. A log that is older than what was signed for it, a backup put back, is not gone on with
//      (Options::last_signed).
//   5. When the disk refuses, the log fails: every later append is refused until the process is
//      restarted; it never continues over a hole.
//
// One writer thread owns the write-ahead segments; a publisher thread derives tiles and checkpoints
// from what is durable; a third keeps the next segment ready. append() may be called from any
// thread and never blocks. Callbacks run on the writer thread: short, and never waiting for it
// (append_and_wait, checkpoint_now and close would).
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "crypto/crypto.h"

namespace gatehouse::ledger {

class Disk;  // disk.h: the system calls of the writer, replaceable in tests

struct Options {
  std::filesystem::path directory;
  std::string origin;  // C2SP checkpoint origin, at most 255 bytes, no space or '+'
  // Where what was signed last is remembered, apart from the log (last_signed.h); empty: nowhere.
  std::filesystem::path last_signed;
  std::chrono::milliseconds checkpoint_interval{1'000};
  // The same while somebody waits for one, see request_checkpoint().
  std::chrono::milliseconds requested_checkpoint_interval{50};
  std::size_t max_queued_entries = 65'536;
  std::size_t max_queued_bytes = 64u << 20;
  std::size_t segment_bytes = 64u << 20;
  // How long entries nobody waits for may gather, so that one sync serves many of them.
  std::chrono::milliseconds gather_time{25};
  // Called on the writer thread after the callbacks of a group: a place to wake who was told.
  std::function<void()> group_settled;
};

// Whether a caller is held up until the entry is durable.
enum class Urgency { awaited, background };

struct Stats {
  std::uint64_t size = 0;             // durable entries
  std::uint64_t integrated = 0;       // entries covered by tiles
  std::uint64_t checkpoint_size = 0;  // entries covered by the last signed checkpoint
  std::size_t queued = 0;
  std::uint64_t groups = 0;  // fsyncs
  bool failed = false;
  std::string failure;
};

using Durable = std::move_only_function<void(Result<std::uint64_t> index)>;

class Ledger {
 public:
  // Opens or creates; recovers after a crash; takes the directory's lock (failed_precondition when
  // another process holds it, and when the log is older than what was signed). `disk` null: the
  // real one.
  static Result<std::unique_ptr<Ledger>> open(Options options, crypto::SigningKey key,
                                              const Clock& clock, Disk* disk = nullptr);
  ~Ledger();  // close()

  // Takes the entry (1 to 65,535 bytes). Then `done` runs once, on the writer thread, when the
  // entry is durable or the disk has failed. An error says that the entry was not taken and `done`
  // will never run (invalid_argument: its size; resource_exhausted: queue full;
  // failed_precondition: closed; unavailable: the disk failed, message says how).
  Result<void> append(std::string entry, Durable done, Urgency urgency = Urgency::awaited);
  Result<std::uint64_t> append_and_wait(std::string entry);

  // Waits until everything appended before is covered by a signed checkpoint.
  Result<void> checkpoint_now();

  // Asks for a checkpoint that covers the durable entry `index` soon: as soon as the last one is
  // requested_checkpoint_interval old. Does not wait; stats().checkpoint_size tells. Any thread.
  void request_checkpoint(std::uint64_t index);

  Stats stats() const;
  const std::string& origin() const;
  std::string verifier_key() const;  // C2SP vkey of this log

  // Drains the queue, writes the last checkpoint, releases the lock. Idempotent.
  Result<void> close();

  struct Impl;

 private:
  explicit Ledger(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Takes the log in options.directory for the newest there is: remembers its present checkpoint as
// the last one signed. For an operator who knows (gatehouse audit resume). failed_precondition:
// another process has the log open, or something newer is remembered already; data_loss: the
// checkpoint does not hold.
Result<std::uint64_t> remember_as_last_signed(Disk& disk, const Options& options,
                                              const crypto::SigningKey& key);

// Reads entries in order, from the files alone, without the writer's lock; sees at least what was
// durable when it was opened. For one thread.
class EntryReader {
 public:
  static Result<EntryReader> open(const std::filesystem::path& directory, std::uint64_t from = 0);
  // False at the end. `entry` is overwritten.
  Result<bool> next(std::uint64_t& index, std::string& entry);
  EntryReader(EntryReader&&) noexcept;
  EntryReader& operator=(EntryReader&&) noexcept;
  ~EntryReader();

  struct Impl;

 private:
  explicit EntryReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gatehouse::ledger

// The log's three threads and what they share.
//
//   append() ──► queue ──► writer: one frame, one fdatasync, callbacks ──► backlog ──► publisher:
//   tiles, bundles, checkpoint at least once an interval, removal of old segments
//   and beside them the preparer, which fills the next segment with zeros before it is needed
//
// Invariants
//   1. Everything under `mutex` is shared; `wal` belongs to the writer (but for its spare, which
//      belongs to the preparer while it is `preparing`), `publisher` to the publisher thread; all
//      of it to the opener until the threads start.
//   2. Nobody holds `mutex` across a system call or a callback, except stop() when all is over.
//   3. durable >= integrated >= published, each only grows.
//   4. After the first refusal of the disk `failure` is set and never cleared; the threads stop
//      touching the files.
//   5. Memory is bounded: the queue by the options, the backlog by max_queued_bytes (the writer
//      waits, so the queue fills, so append() refuses).
#include "ledger/ledger.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/log.h"
#include "ledger/disk.h"
#include "ledger/event.h"
#include "ledger/last_signed.h"
#include "ledger/log_files.h"
#include "ledger/publisher.h"
#include "ledger/recovery.h"
#include "ledger/wal_writer.h"

namespace gatehouse::ledger {

namespace {

// A group is at most this long, so that a waiter behind it does not wait for a huge write.
constexpr std::size_t max_group_bytes = 4u << 20;
// The publisher is woken before its next checkpoint is due when this much has piled up.
constexpr std::size_t backlog_wake_bytes = 1u << 20;
// So much is written at once even if nobody waits for it.
constexpr std::size_t gather_bytes = 1u << 20;
// From so many callers on, a group waits for company: until as many entries are there as there were
// callers around at the last sync, but no longer than that sync took. So callers who come back with
// their next entry share one sync instead of falling apart into groups that wait for each other.
// A lone caller is never held up.
constexpr std::size_t company = 4;
constexpr std::chrono::milliseconds longest_wait_for_company{1};
// From this fill of the first segment on, the next one is prepared.
constexpr double spare_from_fill = 0.25;

static_assert(max_group_bytes <= max_frame_payload);
static_assert(min_segment_bytes >=
              segment_header_bytes + frame_header_bytes + 2 + max_entry_bytes + frame_alignment);

// Entries on their way, already in the form in which frames and bundles hold them.
struct Batch {
  std::string payload;  // (length, 2 ‖ entry)*
  std::vector<Digest> leaves;
  std::vector<std::size_t> ends;  // where each entry ends in the payload
  std::vector<Durable> done;
  bool awaited = false;  // somebody waits for one of them

  std::size_t count() const { return leaves.size(); }
};

enum class Spare { none, preparing, ready };

// What a thread does in the background of traffic waits for it where they share a core. Only a
// tenth of it at the worst, which is more than deriving tiles takes.
void give_way_to_traffic() {
  constexpr int nice = 10;
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), nice);
}

}  // namespace

struct Ledger::Impl {
  Impl(Options given, const crypto::SigningKey& signing_key, const Clock& given_clock,
       Disk* given_disk)
      : options(std::move(given)),
        key(signing_key),
        clock(given_clock),
        disk(given_disk != nullptr ? *given_disk : own_disk),
        paths(options.directory.string()),
        identity(identity_of(options.origin, key)),
        wal(disk, paths.wal, options.segment_bytes, identity.wal),
        last_signed(disk, options.last_signed.string(), options.origin),
        publisher(disk, paths, last_signed, identity.verifier, key) {}

  Result<void> start();
  Result<void> take_lock();
  Result<void> stop();

  Result<void> append(const std::string& entry, Durable done, Urgency urgency);
  std::optional<Error> refusal(std::size_t bytes) const;
  Error failed() const;  // only after a failure
  void fail_with(const Error& error);

  void write_loop();
  bool may_gather() const;
  void wait_for_company(std::unique_lock<std::mutex>& lock);
  void write_batch(Batch& batch, std::uint64_t first);
  Result<std::size_t> write_group(const Batch& batch, std::size_t begin, std::uint64_t first);
  Result<void> make_room(std::uint64_t first);
  void hand_over(Batch& batch, std::size_t count);

  void publish_loop();
  bool publisher_has_work() const;
  std::chrono::milliseconds checkpoint_interval() const;
  bool checkpoint_due() const;
  Result<void> publish_step(std::unique_lock<std::mutex>& lock);
  Result<void> publish(const std::vector<Batch>& batches, bool checkpoint);
  Result<void> remove_old_segments(std::unique_lock<std::mutex>& lock);

  void prepare_loop();

  const Options options;
  const crypto::SigningKey key;
  const Clock& clock;
  RealDisk own_disk;
  Disk& disk;
  const LogPaths paths;
  const LogIdentity identity;
  std::optional<File> lock_file;
  WalWriter wal;
  const LastSigned last_signed;
  Publisher publisher;

  mutable std::mutex mutex;
  std::condition_variable writer_wake;     // queue, closing, failure
  std::condition_variable publisher_wake;  // backlog, wanted checkpoint, stop, failure
  std::condition_variable preparer_wake;   // spare wanted, stop, failure
  std::condition_variable progress;        // published, backlog taken, spare ready, failure

  Batch queue;
  std::size_t expected = 0;  // entries the writer waits for company of; 0: it does not
  std::size_t around = 0;    // callers there were at the last sync, those it served included
  SteadyTime::duration last_sync{};
  std::size_t in_flight = 0;  // entries the writer has taken and not settled
  std::size_t in_flight_bytes = 0;
  std::uint64_t next_index = 0;  // of the next entry to be queued
  bool closing = false;
  bool closed = false;

  std::uint64_t durable = 0;
  std::uint64_t integrated = 0;
  std::uint64_t published = 0;
  std::uint64_t groups = 0;
  std::optional<Error> failure;

  std::uint64_t handed_over = 0;  // entries that are integrated or in the backlog
  std::vector<Batch> backlog;     // durable, not integrated
  std::size_t backlog_bytes = 0;
  std::uint64_t wanted_checkpoint = 0;     // at once
  std::uint64_t requested_checkpoint = 0;  // soon
  SteadyTime last_checkpoint;
  bool writer_done = false;
  Spare spare = Spare::none;
  bool spare_wanted = false;
  std::uint64_t segment_first = 0;  // of the segment being written
  std::deque<ClosedSegment> closed_segments;

  std::thread writer;
  std::thread publishing;
  std::thread preparing;
  std::mutex stop_mutex;  // close() from several threads
};

// ---- start and stop -------------------------------------------------------------------------

Result<void> Ledger::Impl::take_lock() {
  GH_TRY(make_directories(disk, paths.root));
  GH_ASSIGN(lock_file, File::open(disk, paths.lock, O_RDWR | O_CREAT));
  GH_ASSIGN(const bool locked, take_exclusive_lock(disk, *lock_file));
  if (locked) return {};
  return fail(
      ErrorCode::failed_precondition,
      "another process has this log open, probably a gateway that runs on this data folder; "
      "stop it first (the lock is on this file: fuser shows who holds it)",
      paths.lock);
}

Result<void> Ledger::Impl::start() {
  GH_TRY(take_lock());
  GH_ASSIGN(auto recovered, recover(disk, paths, last_signed, identity, wal, publisher));
  durable = handed_over = integrated = published = next_index = recovered.size;
  closed_segments.assign(recovered.closed.begin(), recovered.closed.end());
  segment_first = recovered.active_first;
  last_checkpoint = clock.steady();
  writer = std::thread([this] { write_loop(); });
  publishing = std::thread([this] { publish_loop(); });
  preparing = std::thread([this] { prepare_loop(); });
  return {};
}

Result<void> Ledger::Impl::stop() {
  const std::scoped_lock once(stop_mutex);
  {
    const std::scoped_lock lock(mutex);
    closing = true;
  }
  writer_wake.notify_all();
  if (writer.joinable()) writer.join();
  {
    const std::scoped_lock lock(mutex);
    writer_done = true;
  }
  publisher_wake.notify_all();
  preparer_wake.notify_all();
  if (publishing.joinable()) publishing.join();
  if (preparing.joinable()) preparing.join();
  const std::scoped_lock lock(mutex);
  if (!closed && spare == Spare::ready && !failure) disk.unlink(wal.spare_path());
  closed = true;
  progress.notify_all();
  lock_file.reset();
  if (failure) return std::unexpected(*failure);
  return {};
}

// ---- append: any thread ---------------------------------------------------------------------

Result<void> Ledger::Impl::append(const std::string& entry, Durable done, Urgency urgency) {
  if (entry.empty() || entry.size() > max_entry_bytes) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("an entry has 1 to {} bytes, not {}", max_entry_bytes, entry.size()));
  }
  const Digest leaf = leaf_hash(entry);  // here, on the caller's core, not on the writer's
  bool wake = false;
  {
    const std::scoped_lock lock(mutex);
    if (auto refused = refusal(entry.size())) return std::unexpected(std::move(*refused));
    const bool slept = queue.count() == 0 || may_gather();
    append_to_bundle(queue.payload, entry);
    queue.leaves.push_back(leaf);
    queue.ends.push_back(queue.payload.size());
    queue.done.push_back(std::move(done));
    queue.awaited |= urgency == Urgency::awaited;
    ++next_index;
    wake = (slept && (queue.count() == 1 || !may_gather())) || queue.count() == expected;
  }
  if (wake) writer_wake.notify_one();
  return {};
}

std::optional<Error> Ledger::Impl::refusal(std::size_t bytes) const {
  if (failure) return failed();
  if (closing) return Error{ErrorCode::failed_precondition, "the ledger is closed", {}};
  if (queue.count() + in_flight >= options.max_queued_entries ||
      queue.payload.size() + in_flight_bytes + bytes > options.max_queued_bytes) {
    return Error{ErrorCode::resource_exhausted,
                 fmt::format("the ledger's queue is full ({} entries, {} bytes)",
                             queue.count() + in_flight, queue.payload.size() + in_flight_bytes),
                 {}};
  }
  return std::nullopt;
}

Error Ledger::Impl::failed() const {
  // NOLINTNEXTLINE(bugprone-unchecked-optional-access)
  return {ErrorCode::unavailable, "the ledger cannot write: " + failure->describe(), {}};
}

void Ledger::Impl::fail_with(const Error& error) {
  {
    const std::scoped_lock lock(mutex);
    if (failure) return;
    failure = error;
  }
  log_error("ledger: the disk refused; nothing more is recorded until a restart",
            {{"detail", error.describe()}});
  writer_wake.notify_all();
  publisher_wake.notify_all();
  preparer_wake.notify_all();
  progress.notify_all();
}

// ---- the writer thread ----------------------------------------------------------------------

// Whether the queue may go on gathering entries instead of being written at once.
bool Ledger::Impl::may_gather() const {
  return !queue.awaited && queue.payload.size() < gather_bytes && !closing && !failure &&
         wanted_checkpoint <= durable;
}

void Ledger::Impl::write_loop() {
  std::size_t last_count = 0;
  std::size_t last_bytes = 0;
  while (true) {
    // The next queue gets the room that the last one needed: appending then only copies.
    Batch batch;
    batch.payload.reserve(last_bytes);
    batch.leaves.reserve(last_count);
    batch.ends.reserve(last_count);
    batch.done.reserve(last_count);
    std::uint64_t first = 0;
    {
      std::unique_lock lock(mutex);
      writer_wake.wait(lock, [&] { return queue.count() > 0 || closing || failure; });
      if (queue.count() == 0) return;
      if (may_gather()) {
        writer_wake.wait_for(lock, options.gather_time, [this] { return !may_gather(); });
      } else {
        wait_for_company(lock);
      }
      std::swap(batch, queue);
      last_count = in_flight = batch.count();
      last_bytes = in_flight_bytes = batch.payload.size();
      first = durable;
    }
    write_batch(batch, first);
  }
}

void Ledger::Impl::wait_for_company(std::unique_lock<std::mutex>& lock) {
  if (around < company || queue.count() >= around) return;
  expected = around;
  const auto longest = std::min<SteadyTime::duration>(last_sync, longest_wait_for_company);
  writer_wake.wait_for(lock, longest,
                       [this] { return queue.count() >= expected || closing || failure; });
  expected = 0;
}

// Settles every entry of the batch: durable and called back, or refused.
void Ledger::Impl::write_batch(Batch& batch, std::uint64_t first) {
  std::size_t written = 0;
  while (written < batch.count()) {
    const SteadyTime begin = clock.steady();
    const auto group = write_group(batch, written, first + written);
    if (!group) {
      fail_with(group.error());
      break;
    }
    {
      const std::scoped_lock lock(mutex);
      durable += *group;
      ++groups;
      last_sync = clock.steady() - begin;
      around = queue.count() + *group;
    }
    for (const std::size_t end = written + *group; written < end; ++written) {
      batch.done[written](first + written);
    }
    if (options.group_settled) options.group_settled();
  }
  std::optional<Error> error;
  {
    const std::scoped_lock lock(mutex);
    in_flight = in_flight_bytes = 0;
    if (failure) error = failed();
  }
  if (error) {
    for (std::size_t i = written; i < batch.count(); ++i) batch.done[i](std::unexpected(*error));
    if (options.group_settled) options.group_settled();
  }
  hand_over(batch, written);
}

// Writes as many entries from `begin` on as make one frame; returns how many.
Result<std::size_t> Ledger::Impl::write_group(const Batch& batch, std::size_t begin,
                                              std::uint64_t first) {
  {
    const std::scoped_lock lock(mutex);
    if (failure) return std::unexpected(*failure);
  }
  const std::size_t start = begin == 0 ? 0 : batch.ends[begin - 1];
  if (batch.ends[begin] - start > wal.room()) GH_TRY(make_room(first));
  const std::size_t limit = start + std::min(wal.room(), max_group_bytes);
  const auto last = std::upper_bound(batch.ends.begin() + static_cast<std::ptrdiff_t>(begin),
                                     batch.ends.end(), limit);
  const auto end = static_cast<std::size_t>(last - batch.ends.begin());
  GH_TRY(wal.write(first,
                   std::string_view(batch.payload).substr(start, batch.ends[end - 1] - start),
                   std::span(batch.leaves).subspan(begin, end - begin)));
  return end - begin;
}

// Goes over to the next segment.
Result<void> Ledger::Impl::make_room(std::uint64_t first) {
  {
    std::unique_lock lock(mutex);
    spare_wanted = true;
    preparer_wake.notify_one();
    progress.wait(lock, [&] { return spare == Spare::ready || failure; });
    if (failure) return std::unexpected(*failure);
  }
  GH_TRY(wal.rotate(first));
  const std::scoped_lock lock(mutex);
  spare = Spare::none;
  spare_wanted = true;  // a log that fills segments will fill this one
  preparer_wake.notify_one();
  closed_segments.push_back({.first = segment_first, .end = first});
  segment_first = first;
  return {};
}

// Gives the durable entries of the batch to the publisher.
void Ledger::Impl::hand_over(Batch& batch, std::size_t count) {
  if (count == 0) return;
  batch.done.clear();
  batch.leaves.resize(count);
  batch.payload.resize(batch.ends[count - 1]);
  const double fill = wal.fill();
  std::unique_lock lock(mutex);
  progress.wait(lock, [&] { return backlog_bytes < options.max_queued_bytes || failure; });
  if (failure) return;
  handed_over += count;
  backlog_bytes += batch.payload.size();
  backlog.push_back(std::move(batch));
  if (fill > spare_from_fill && !std::exchange(spare_wanted, true)) preparer_wake.notify_one();
  // Otherwise the publisher sleeps until its next checkpoint is due.
  if (backlog.size() == 1 || publisher_has_work()) publisher_wake.notify_one();
}

// ---- the publisher thread -------------------------------------------------------------------

std::chrono::milliseconds Ledger::Impl::checkpoint_interval() const {
  if (requested_checkpoint <= published) return options.checkpoint_interval;
  return std::min(options.checkpoint_interval, options.requested_checkpoint_interval);
}

bool Ledger::Impl::checkpoint_due() const {
  if (handed_over == published) return false;
  if (writer_done || (wanted_checkpoint > published && handed_over >= wanted_checkpoint)) {
    return true;
  }
  return clock.steady() >= last_checkpoint + checkpoint_interval();
}

bool Ledger::Impl::publisher_has_work() const {
  return backlog_bytes >= backlog_wake_bytes || checkpoint_due();
}

void Ledger::Impl::publish_loop() {
  give_way_to_traffic();
  std::unique_lock lock(mutex);
  while (!failure) {
    if (publisher_has_work()) {
      if (const auto done = publish_step(lock); !done) {
        lock.unlock();
        fail_with(done.error());
        return;
      }
    } else if (writer_done) {
      return;
    } else if (handed_over > published) {
      const auto until_due = last_checkpoint + checkpoint_interval() - clock.steady();
      publisher_wake.wait_for(lock, std::max(until_due, SteadyTime::duration(0)));
    } else {
      publisher_wake.wait(lock);
    }
  }
}

// One round: the backlog, then a checkpoint if one is due.
// The lock is held on entry and on return, not in between.
Result<void> Ledger::Impl::publish_step(std::unique_lock<std::mutex>& lock) {
  const bool checkpoint = checkpoint_due();
  if (checkpoint) last_checkpoint = clock.steady();
  const std::vector<Batch> batches = std::exchange(backlog, {});
  backlog_bytes = 0;
  progress.notify_all();
  lock.unlock();
  const auto done = publish(batches, checkpoint);
  lock.lock();
  GH_TRY(done);
  integrated = publisher.integrated();
  published = publisher.published();
  progress.notify_all();
  return checkpoint ? remove_old_segments(lock) : Result<void>();
}

Result<void> Ledger::Impl::publish(const std::vector<Batch>& batches, bool checkpoint) {
  for (const Batch& batch : batches) GH_TRY(publisher.integrate(batch.payload, batch.leaves));
  if (checkpoint && publisher.integrated() > publisher.published()) GH_TRY(publisher.publish());
  return {};
}

// Segments whose every entry is in a full bundle under the checkpoint have done their work.
Result<void> Ledger::Impl::remove_old_segments(std::unique_lock<std::mutex>& lock) {
  while (!closed_segments.empty() && closed_segments.front().end <= publisher.bundled()) {
    const std::string path = wal.path_of(closed_segments.front().first);
    closed_segments.pop_front();
    lock.unlock();
    const int result = disk.unlink(path);
    const auto synced = sync_directory(disk, paths.wal);
    lock.lock();
    if (result < 0) return std::unexpected(disk_error(result, "unlink", path));
    GH_TRY(synced);
  }
  return {};
}

// ---- the preparer thread --------------------------------------------------------------------

void Ledger::Impl::prepare_loop() {
  give_way_to_traffic();
  std::unique_lock lock(mutex);
  while (true) {
    preparer_wake.wait(
        lock, [&] { return (spare_wanted && spare == Spare::none) || writer_done || failure; });
    if (writer_done || failure) return;
    spare = Spare::preparing;
    lock.unlock();
    if (const auto prepared = wal.prepare_spare(); !prepared) {
      fail_with(prepared.error());
      return;
    }
    lock.lock();
    spare = Spare::ready;
    progress.notify_all();
  }
}

// ---- the door -------------------------------------------------------------------------------

Ledger::Ledger(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Ledger::~Ledger() {
  // Who wants to know whether closing went well calls close().
  (void)close();
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): a key is small and copied once
Result<std::unique_ptr<Ledger>> Ledger::open(Options options, crypto::SigningKey key,
                                             const Clock& clock, Disk* disk) {
  if (const auto name = check_key_name(options.origin); !name) {
    return fail(ErrorCode::invalid_argument, name.error().message, "origin");
  }
  if (options.segment_bytes < min_segment_bytes || options.segment_bytes > max_segment_bytes) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("a segment has {} to {} bytes", min_segment_bytes, max_segment_bytes),
                "segment_bytes");
  }
  options.directory = options.directory.lexically_normal();
  if (!options.directory.has_filename()) options.directory = options.directory.parent_path();
  auto impl = std::make_unique<Impl>(std::move(options), key, clock, disk);
  GH_TRY(impl->start());
  return std::unique_ptr<Ledger>(new Ledger(std::move(impl)));
}

// The entry is copied once, into the queue.
// NOLINTNEXTLINE(performance-unnecessary-value-param)
Result<void> Ledger::append(std::string entry, Durable done, Urgency urgency) {
  return impl_->append(entry, std::move(done), urgency);
}

Result<std::uint64_t> Ledger::append_and_wait(std::string entry) {
  struct Waiter {
    std::mutex mutex;
    std::condition_variable wake;
    std::optional<Result<std::uint64_t>> result;
  };
  const auto waiter = std::make_shared<Waiter>();
  GH_TRY(append(std::move(entry), [waiter](Result<std::uint64_t> result) {
    const std::scoped_lock lock(waiter->mutex);
    waiter->result = std::move(result);
    waiter->wake.notify_one();
  }));
  std::unique_lock lock(waiter->mutex);
  waiter->wake.wait(lock, [&] { return waiter->result.has_value(); });
  // NOLINTNEXTLINE(bugprone-unchecked-optional-access)
  return std::move(*waiter->result);
}

Result<void> Ledger::checkpoint_now() {
  Impl& impl = *impl_;
  std::unique_lock lock(impl.mutex);
  const std::uint64_t target = impl.next_index;
  impl.wanted_checkpoint = std::max(impl.wanted_checkpoint, target);
  impl.writer_wake.notify_one();  // what was left to gather is wanted now
  impl.publisher_wake.notify_one();
  impl.progress.wait(lock, [&] { return impl.published >= target || impl.failure || impl.closed; });
  if (impl.published >= target) return {};
  if (impl.failure) return std::unexpected(impl.failed());
  return fail(ErrorCode::failed_precondition, "the ledger is closed");
}

void Ledger::request_checkpoint(std::uint64_t index) {
  Impl& impl = *impl_;
  {
    const std::scoped_lock lock(impl.mutex);
    if (index < impl.requested_checkpoint || index >= impl.durable) return;
    // Everything durable, so that of many who ask at once one wakes the publisher.
    impl.requested_checkpoint = impl.durable;
  }
  impl.publisher_wake.notify_one();
}

Stats Ledger::stats() const {
  const Impl& impl = *impl_;
  const std::scoped_lock lock(impl.mutex);
  Stats stats;
  stats.size = impl.durable;
  stats.integrated = impl.integrated;
  stats.checkpoint_size = impl.published;
  stats.queued = impl.queue.count() + impl.in_flight;
  stats.groups = impl.groups;
  stats.failed = impl.failure.has_value();
  if (impl.failure) stats.failure = impl.failure->describe();
  return stats;
}

const std::string& Ledger::origin() const {
  return impl_->options.origin;
}

std::string Ledger::verifier_key() const {
  return to_string(impl_->identity.verifier);
}

Result<std::uint64_t> remember_as_last_signed(Disk& disk, const Options& options,
                                              const crypto::SigningKey& key) {
  const LogPaths paths(options.directory.string());
  const LastSigned last_signed(disk, options.last_signed.string(), options.origin);
  const VerifierKey verifier = identity_of(options.origin, key).verifier;
  GH_ASSIGN(const File lock, File::open(disk, paths.lock, O_RDWR));
  GH_ASSIGN(const bool locked, take_exclusive_lock(disk, lock));
  if (!locked)
    return fail(ErrorCode::failed_precondition, "another process has this log open", paths.lock);
  GH_ASSIGN(const std::string note, read_whole(disk, paths.checkpoint, max_checkpoint_bytes));
  auto present = open_checkpoint(note, verifier);
  if (!present) return std::unexpected(std::move(present).error().within(paths.checkpoint));
  GH_TRY(last_signed.prepare());
  GH_ASSIGN(const auto remembered, last_signed.read(verifier));
  if (remembered && remembered->size > present->checkpoint.size) {
    return fail(ErrorCode::failed_precondition,
                fmt::format("{} entries were signed before, the log has {}: it is not the newest",
                            remembered->size, present->checkpoint.size),
                last_signed.path());
  }
  GH_TRY(last_signed.write(note));
  return present->checkpoint.size;
}

Result<void> Ledger::close() {
  return impl_->stop();
}

}  // namespace gatehouse::ledger

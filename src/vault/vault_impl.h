// Internal to the room: what the writer, the orders and the door (vault_writer.cc, vault_orders.cc,
// vault.cc) share.
//
// The writer thread and what operators do beside it.
//
//   keep() ──► queue ──► writer: seal, one write of frames, one of keys, two syncs, callbacks
//
// Invariants
//   1. Everything under `mutex` is shared; `active` belongs to the writer (to the opener until the
//      thread starts). Nobody holds `mutex` across a system call or a callback.
//   2. `segments` knows of a record only when it is durable: whoever looks sees nothing else.
//   3. Orders, rewrapping and pruning hold `operators`, so that one of them changes files at a
//      time. The writer never does: it only adds behind the end.
//   4. A group is sealed under the ring it was taken with; use() returns when no older group is
//      under way, so a rewrap that follows sees every slot of the old key.
//   5. After the first refusal of the disk `failure` is set and never cleared.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "vault/disk.h"
#include "vault/recovery.h"
#include "vault/segment.h"
#include "vault/vault.h"

namespace gatehouse::vault {

inline std::uint64_t micros(WallTime time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}
inline WallTime wall(std::uint64_t micros) {
  return WallTime(std::chrono::microseconds(static_cast<std::int64_t>(micros)));
}

struct Queued {
  NewRecord record;
  Kept done;
};

// Frames and entries of one group, as they will stand in the files.
struct Group {
  std::string frames;
  std::string entries;
  std::vector<FrameHeader> headers;
};

// Whether one of the holds covers the record.
bool is_held(const std::vector<Hold>& holds, const Located& record);

struct Vault::Impl {
  Impl(Options given, KeyRing given_ring, const Clock& given_clock, Random& given_random,
       Disk* given_disk)
      : options(std::move(given)),
        clock(given_clock),
        random(given_random),
        disk(given_disk != nullptr ? *given_disk : own_disk),
        paths(options.directory),
        ring(std::make_shared<const KeyRing>(std::move(given_ring))) {}

  Result<void> start();
  Result<void> take_lock();
  Result<void> load_identity();
  Result<void> load_orders();
  void stop();

  Result<void> keep(NewRecord record, Kept done);
  std::optional<Error> refusal(std::size_t bytes) const;
  void fail_with(const Error& error);

  void write_loop();
  std::vector<Queued> take_group();
  void write_group(std::vector<Queued> group, const KeyRing& keys);
  Result<void> write_records(const std::vector<Queued>& group, const KeyRing& keys);
  Result<void> make_segment();
  Result<void> close_active();
  bool active_is_old() const;
  SegmentState active_state() const;
  Group seal(const SegmentState& state, const std::vector<Queued>& group,
             const KeyRing& keys) const;

  std::vector<SegmentState> states() const;
  using Places = std::map<std::uint64_t, std::vector<Located>>;
  Result<void> walk(const SegmentState& state, const Segment& segment,
                    const Segment::Visitor& each) const;
  Result<Places> locate(const std::set<RecordId>& ids) const;
  Result<RecordInfo> info_of(const Segment& segment, const Located& record,
                             const std::vector<Hold>& now) const;

  Result<void> carry_out(const Order& order);
  Result<void> erase(const std::vector<RecordId>& ids);
  Result<void> change_holds(const Order& order);
  Result<void> prune(std::uint64_t number);

  const Options options;
  const Clock& clock;
  Random& random;
  RealDisk own_disk;
  Disk& disk;
  const Paths paths;
  std::optional<File> lock_file;
  Identity identity;  // its key changes under `mutex`, the rest never

  mutable std::mutex mutex;
  std::condition_variable writer_wake;  // queue, closing, old segment
  std::condition_variable progress;     // a group is done
  std::shared_ptr<const KeyRing> ring;
  std::deque<Queued> queue;
  std::size_t queued_bytes = 0;  // the group under way too
  std::size_t in_flight = 0;
  bool closing = false;
  bool looking_at_age = false;
  std::map<std::uint64_t, SegmentState> segments;
  std::uint64_t next_number = 1;
  std::uint64_t bytes = 0;
  std::uint64_t records = 0;
  std::uint64_t kept = 0;
  std::uint64_t refused = 0;
  std::uint64_t groups = 0;
  std::optional<Error> failure;
  std::vector<Hold> holds;
  std::optional<Order> order;

  std::optional<Segment> active;
  std::uint64_t active_number = 0;

  mutable std::mutex operators;
  std::mutex stop_mutex;
  std::thread writer;
};

}  // namespace gatehouse::vault

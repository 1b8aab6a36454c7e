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
#include "vault/vault.h"

#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <thread>

#include "base/log.h"
#include "base/text.h"
#include "vault/disk.h"
#include "vault/recovery.h"
#include "vault/segment.h"

namespace gatehouse::vault {
namespace {

constexpr std::size_t max_group_bytes = 8u << 20;

std::uint64_t micros(WallTime time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}
WallTime wall(std::uint64_t micros) {
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

Error full() {
  return {ErrorCode::resource_exhausted,
          "the vault is full: raise vault.max_bytes, or shorten vault.retention",
          {}};
}

}  // namespace

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

// ---- start and stop -------------------------------------------------------------------------

Result<void> Vault::Impl::take_lock() {
  GH_ASSIGN(lock_file, File::open(disk, paths.root + "/lock", O_RDWR | O_CREAT));
  const int result = disk.lock(lock_file->descriptor());
  if (result == -EWOULDBLOCK)
    return fail(ErrorCode::failed_precondition, "another process has this vault open",
                paths.root + "/lock");
  if (result < 0) return std::unexpected(disk_error(result, "flock", paths.root + "/lock"));
  return {};
}

Result<void> Vault::Impl::load_identity() {
  const std::string path = paths.root + "/identity";
  auto bytes_read = read_small(disk, path, identity_bytes);
  if (bytes_read) {
    auto parsed = parse_identity(*bytes_read, *ring);
    if (!parsed) return std::unexpected(std::move(parsed).error().within(path));
    identity = *parsed;
    return {};
  }
  if (bytes_read.error().code != ErrorCode::not_found) return std::unexpected(bytes_read.error());
  GH_ASSIGN(const auto present, list_directory(disk, paths.segments));
  if (!present.empty())
    return fail(ErrorCode::data_loss, "the file is missing, and there are records: restore it",
                path);
  identity = Identity::make(ring->current, random);
  GH_TRY(replace_file(disk, paths.root, "holds", encode(std::vector<Hold>())));
  return replace_file(disk, paths.root, "identity", encode(identity, ring->current, random));
}

Result<void> Vault::Impl::load_orders() {
  const std::string path = paths.root + "/holds";
  auto text = read_small(disk, path, max_holds * 4096);
  if (!text && text.error().code == ErrorCode::not_found)
    return fail(ErrorCode::data_loss,
                "the file is missing: restore it, or make it again from the events vault.held and "
                "vault.released; without it nothing is known of legal holds",
                path);
  if (!text) return std::unexpected(text.error());
  auto parsed = parse_holds(*text);
  if (!parsed) return std::unexpected(std::move(parsed).error().within(path));
  holds = std::move(*parsed);
  const auto waiting = read_small(disk, paths.root + "/order", max_order_bytes);
  if (!waiting && waiting.error().code == ErrorCode::not_found) return {};
  if (!waiting) return std::unexpected(waiting.error());
  auto unfinished = parse_order(*waiting);
  if (!unfinished)
    return std::unexpected(std::move(unfinished).error().within(paths.root + "/order"));
  order = std::move(*unfinished);
  return {};
}

Result<void> Vault::Impl::start() {
  for (const auto& directory : {paths.root, paths.segments, paths.keys})
    GH_TRY(make_directory(disk, directory));
  GH_TRY(sync_directory(disk, paths.root));
  GH_TRY(take_lock());
  GH_TRY(load_identity());
  GH_TRY(load_orders());
  std::optional<std::uint64_t> pruned;
  if (order && order->kind == Order::Kind::prune) pruned = order->segment;
  GH_ASSIGN(segments, recover_segments(disk, paths, identity.vault, *ring, pruned));
  for (const auto& [number, state] : segments) {
    bytes += state.file_bytes();
    records += state.summary.records;
    next_number = number + 1;
  }
  if (pruned) next_number = std::max(next_number, *pruned + 1);
  if (!segments.empty() && !segments.rbegin()->second.closed) {
    active_number = segments.rbegin()->first;
    GH_ASSIGN(active, Segment::open(disk, paths, active_number));
  }
  writer = std::thread([this] { write_loop(); });
  return {};
}

void Vault::Impl::stop() {
  const std::scoped_lock once(stop_mutex);
  {
    const std::scoped_lock lock(mutex);
    closing = true;
  }
  writer_wake.notify_all();
  if (writer.joinable()) writer.join();
  active.reset();
  lock_file.reset();
}

// ---- keep: any thread -----------------------------------------------------------------------

Result<void> Vault::Impl::keep(NewRecord record, Kept done) {
  if (record.content.size() > max_content_bytes || record.subjects.size() > max_subjects)
    return fail(ErrorCode::invalid_argument, "the record is larger than the vault's format allows");
  {
    const std::scoped_lock lock(mutex);
    if (auto no = refusal(record.content.size())) {
      ++refused;
      return std::unexpected(std::move(*no));
    }
    queued_bytes += record.content.size();
    queue.push_back({std::move(record), std::move(done)});
  }
  writer_wake.notify_one();
  return {};
}

std::optional<Error> Vault::Impl::refusal(std::size_t content_bytes) const {
  if (failure)
    return Error{ErrorCode::unavailable, "the vault cannot write: " + failure->describe(), {}};
  if (closing) return Error{ErrorCode::failed_precondition, "the vault is closed", {}};
  // One record always fits into an empty queue, however large.
  if (queue.size() + in_flight >= options.max_queued_records ||
      (queued_bytes > 0 && queued_bytes + content_bytes > options.max_queued_bytes))
    return Error{ErrorCode::resource_exhausted, "the vault's queue is full", {}};
  return std::nullopt;
}

void Vault::Impl::fail_with(const Error& error) {
  {
    const std::scoped_lock lock(mutex);
    if (failure) return;
    failure = error;
  }
  log_error("vault: the disk refused; no content is kept until a restart",
            {{"detail", error.describe()}});
}

// ---- the writer thread ----------------------------------------------------------------------

std::vector<Queued> Vault::Impl::take_group() {
  std::vector<Queued> group;
  std::size_t size = 0;
  while (!queue.empty() &&
         (group.empty() || size + queue.front().record.content.size() <= max_group_bytes)) {
    size += queue.front().record.content.size();
    group.push_back(std::move(queue.front()));
    queue.pop_front();
  }
  in_flight = group.size();
  return group;
}

void Vault::Impl::write_loop() {
  std::unique_lock lock(mutex);
  while (true) {
    writer_wake.wait(lock, [&] { return !queue.empty() || closing || looking_at_age; });
    if (std::exchange(looking_at_age, false) && active_is_old() && !failure) {
      lock.unlock();
      if (const auto closed = close_active(); !closed) fail_with(closed.error());
      lock.lock();
    }
    if (queue.empty() && closing) return;
    if (queue.empty()) continue;
    auto group = take_group();
    std::size_t size = 0;
    for (const auto& one : group) size += one.record.content.size();
    const auto keys = ring;
    lock.unlock();
    write_group(std::move(group), *keys);
    if (options.group_settled) options.group_settled();
    lock.lock();
    in_flight = 0;
    queued_bytes -= size;
    progress.notify_all();
  }
}

void Vault::Impl::write_group(std::vector<Queued> group, const KeyRing& keys) {
  Result<void> written;
  {
    const std::scoped_lock lock(mutex);
    if (failure) written = std::unexpected(*failure);
  }
  if (written) written = write_records(group, keys);
  if (!written && written.error().code != ErrorCode::resource_exhausted) fail_with(written.error());
  {
    const std::scoped_lock lock(mutex);
    (written ? kept : refused) += group.size();
  }
  for (auto& one : group) {
    wipe(one.record.content);
    one.done(written);
  }
}

bool Vault::Impl::active_is_old() const {
  if (!active || segments.at(active_number).summary.records == 0) return false;
  return clock.wall() - wall(active->header().created) >= options.segment_age;
}

Result<void> Vault::Impl::close_active() {
  const SegmentState state = active_state();
  // Whoever calls this has an active segment. NOLINTNEXTLINE(bugprone-unchecked-optional-access)
  GH_TRY(active->close_with(state.summary, state.end));
  active.reset();
  const std::scoped_lock lock(mutex);
  segments.at(active_number).closed = true;
  bytes += closing_bytes;
  return {};
}

Result<void> Vault::Impl::make_segment() {
  bool finished = false;
  if (active) {
    const std::scoped_lock lock(mutex);
    finished = segments.at(active_number).end >= options.segment_bytes || active_is_old();
  }
  if (finished) GH_TRY(close_active());
  if (active) return {};
  SegmentHeader header{.created = micros(clock.wall()), .vault = identity.vault};
  {
    const std::scoped_lock lock(mutex);
    header.number = next_number++;
  }
  GH_ASSIGN(active, Segment::create(disk, paths, header));
  const std::scoped_lock lock(mutex);
  active_number = header.number;
  const auto made = segments.emplace(header.number, SegmentState{.header = header, .summary = {}});
  bytes += made.first->second.file_bytes();
  return {};
}

SegmentState Vault::Impl::active_state() const {
  const std::scoped_lock lock(mutex);
  return segments.at(active_number);
}

Group Vault::Impl::seal(const SegmentState& state, const std::vector<Queued>& group,
                        const KeyRing& keys) const {
  Group sealed;
  for (const auto& [record, done] : group) {
    FrameHeader header;
    header.which = record.which;
    header.truncated = record.original_bytes > record.content.size();
    header.subjects = static_cast<std::uint16_t>(record.subjects.size());
    header.time = micros(record.time);
    header.id = record.id;
    header.entry = state.summary.records + static_cast<std::uint32_t>(sealed.headers.size());
    header.sealed_bytes = static_cast<std::uint32_t>(record.content.size() + seal_overhead);
    header.original_bytes = std::max<std::uint64_t>(record.original_bytes, record.content.size());
    header.durable = state.end;
    const auto subjects = encode_subjects(record.subjects);
    const auto context = content_context(header, state.header, subjects);
    sealed.frames += encode(header, state.header);
    sealed.frames += subjects;
    sealed.frames += crypto::seal(record.secrets.data_key.bytes(), bytes_of(record.content),
                                  bytes_of(context), random);
    sealed.frames.resize((sealed.frames.size() + frame_alignment - 1) / frame_alignment *
                         frame_alignment);
    sealed.entries += wrap(keys.current, record.secrets, header, state.header, random);
    sealed.entries.append(slot_bytes, '\0');
    sealed.headers.push_back(header);
  }
  return sealed;
}

Result<void> Vault::Impl::write_records(const std::vector<Queued>& group, const KeyRing& keys) {
  std::uint64_t wanted = 0;
  for (const auto& one : group) {
    wanted += frame_header_bytes + max_subjects * sizeof(SubjectHash) + seal_overhead +
              frame_alignment + entry_bytes + one.record.content.size();
  }
  {
    const std::scoped_lock lock(mutex);
    if (bytes + wanted > options.max_bytes) return std::unexpected(full());
  }
  GH_TRY(make_segment());
  const SegmentState before = active_state();
  const Group sealed = seal(before, group, keys);
  // make_segment() made one. NOLINTNEXTLINE(bugprone-unchecked-optional-access)
  GH_TRY(active->append(sealed.frames, before.end, sealed.entries, before.summary.records));
  const std::scoped_lock lock(mutex);
  auto& state = segments.at(active_number);
  for (const auto& header : sealed.headers) state.note(header);
  state.end += sealed.frames.size();
  bytes += sealed.frames.size() + sealed.entries.size();
  records += sealed.headers.size();
  ++groups;
  return {};
}

// ---- looking --------------------------------------------------------------------------------

std::vector<SegmentState> Vault::Impl::states() const {
  const std::scoped_lock lock(mutex);
  std::vector<SegmentState> copy;
  copy.reserve(segments.size());
  for (const auto& [number, state] : segments) copy.push_back(state);
  return copy;
}

// Every frame up to what was durable, or an error: nobody may take half for all.
Result<void> Vault::Impl::walk(const SegmentState& state, const Segment& segment,
                               const Segment::Visitor& each) const {
  bool stopped = false;
  GH_ASSIGN(const std::uint64_t at,
            segment.walk(state.end, [&](const Located& record) -> Result<bool> {
              GH_ASSIGN(const bool go_on, each(record));
              stopped = !go_on;
              return go_on;
            }));
  if (stopped || at == state.end) return {};
  return fail(
      ErrorCode::data_loss,
      fmt::format("the segment is damaged at offset {}; what is behind cannot be found", at),
      paths.segment(state.header.number));
}

Result<Vault::Impl::Places> Vault::Impl::locate(const std::set<RecordId>& ids) const {
  Places places;
  if (ids.empty()) return places;
  for (const auto& state : states()) {
    const auto first = ids.lower_bound(state.summary.first_id);
    if (state.summary.records == 0 || first == ids.end() || state.summary.last_id < *first)
      continue;
    GH_ASSIGN(const Segment segment, Segment::open(disk, paths, state.header.number));
    GH_TRY(walk(state, segment, [&](const Located& record) -> Result<bool> {
      if (ids.contains(record.header.id)) places[state.header.number].push_back(record);
      return true;
    }));
  }
  return places;
}

namespace {

bool covers(const Hold& hold, const Located& record) {
  if (!hold.by_subject) return hold.record == record.header.id;
  const auto subjects = parse_subjects(record.subjects);
  return std::ranges::count(subjects, hold.subject) > 0;
}

bool is_held(const std::vector<Hold>& holds, const Located& record) {
  return std::ranges::any_of(holds, [&](const Hold& hold) { return covers(hold, record); });
}

}  // namespace

Result<RecordInfo> Vault::Impl::info_of(const Segment& segment, const Located& record,
                                        const std::vector<Hold>& now) const {
  RecordInfo info;
  info.id = record.header.id;
  info.which = record.header.which;
  info.time = wall(record.header.time);
  info.bytes = record.header.kept_bytes();
  info.original_bytes = record.header.original_bytes;
  info.truncated = record.header.truncated;
  GH_ASSIGN(info.erased, segment.erased(record.header));
  info.held = !info.erased && is_held(now, record);
  info.subjects = record.header.subjects;
  info.segment = segment.header().number;
  return info;
}

// ---- orders ---------------------------------------------------------------------------------

Result<void> Vault::Impl::carry_out(const Order& given) {
  switch (given.kind) {
    case Order::Kind::erase:
      return erase(given.records);
    case Order::Kind::hold:
    case Order::Kind::release:
      return change_holds(given);
    case Order::Kind::prune:
      return prune(given.segment);
  }
  return {};
}

Result<void> Vault::Impl::erase(const std::vector<RecordId>& ids) {
  GH_ASSIGN(const auto places, locate({ids.begin(), ids.end()}));
  for (const auto& [number, located] : places) {
    GH_ASSIGN(const Segment segment, Segment::open(disk, paths, number));
    GH_TRY(segment.erase(located));
  }
  return {};
}

Result<void> Vault::Impl::change_holds(const Order& given) {
  std::vector<Hold> next;
  {
    const std::scoped_lock lock(mutex);
    next = holds;
  }
  std::erase_if(next, [&](const Hold& hold) { return hold.id == given.hold.id; });
  if (given.kind == Order::Kind::hold) next.push_back(given.hold);
  GH_TRY(replace_file(disk, paths.root, "holds", encode(next)));
  const std::scoped_lock lock(mutex);
  holds = std::move(next);
  return {};
}

Result<void> Vault::Impl::prune(std::uint64_t number) {
  {
    const std::scoped_lock lock(mutex);
    if (const auto known = segments.find(number); known != segments.end()) {
      bytes -= known->second.file_bytes();
      records -= known->second.summary.records;
      segments.erase(known);
    }
  }
  return Segment::destroy(disk, paths, number);
}

// ---- the door -------------------------------------------------------------------------------

Vault::Vault(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Vault::~Vault() {
  close();
}

Result<std::unique_ptr<Vault>> Vault::open(Options options, KeyRing keys, const Clock& clock,
                                           Random& random, Disk* disk) {
  auto impl = std::make_unique<Impl>(std::move(options), std::move(keys), clock, random, disk);
  GH_TRY(impl->start());
  return std::unique_ptr<Vault>(new Vault(std::move(impl)));
}

Result<void> Vault::keep(NewRecord record, Kept done) {
  return impl_->keep(std::move(record), std::move(done));
}

Result<void> Vault::keep_and_wait(NewRecord record) {
  struct Waiter {
    std::mutex mutex;
    std::condition_variable wake;
    std::optional<Result<void>> result;
  };
  const auto waiter = std::make_shared<Waiter>();
  GH_TRY(keep(std::move(record), [waiter](Result<void> result) {
    const std::scoped_lock lock(waiter->mutex);
    waiter->result = std::move(result);
    waiter->wake.notify_one();
  }));
  std::unique_lock lock(waiter->mutex);
  waiter->wake.wait(lock, [&] { return waiter->result.has_value(); });
  // NOLINTNEXTLINE(bugprone-unchecked-optional-access)
  return std::move(*waiter->result);
}

RecordSecrets Vault::new_secrets() const {
  return RecordSecrets::make(impl_->random);
}

Result<SubjectHash> Vault::subject(std::string_view identifier) const {
  const auto canonical = canonical_subject(identifier);
  if (canonical.empty())
    return fail(ErrorCode::invalid_argument, "an identifier has letters or digits");
  return hash_subject(impl_->identity.index, canonical);
}

Result<std::vector<RecordInfo>> Vault::look(const RecordId& id) const {
  GH_ASSIGN(const auto places, impl_->locate({id}));
  const auto now = holds();
  std::vector<RecordInfo> infos;
  for (const auto& [number, located] : places) {
    GH_ASSIGN(const Segment segment, Segment::open(impl_->disk, impl_->paths, number));
    for (const auto& record : located) {
      GH_ASSIGN(infos.emplace_back(), impl_->info_of(segment, record, now));
    }
  }
  if (infos.empty())
    return fail(ErrorCode::not_found, "the vault has nothing of " + to_string(id) +
                                          ": its content was not kept, or was pruned");
  return infos;
}

Result<OpenedRecord> Vault::get(const RecordId& id, Which which) const {
  const std::scoped_lock once(impl_->operators);  // not in the middle of an erase
  GH_ASSIGN(const auto places, impl_->locate({id}));
  const auto now = holds();
  std::shared_ptr<const KeyRing> ring;
  {
    const std::scoped_lock lock(impl_->mutex);
    ring = impl_->ring;
  }
  for (const auto& [number, located] : places) {
    const auto record = std::ranges::find_if(
        located, [which](const Located& one) { return one.header.which == which; });
    if (record == located.end()) continue;
    GH_ASSIGN(const Segment segment, Segment::open(impl_->disk, impl_->paths, number));
    GH_ASSIGN(const auto secrets, segment.secrets(*ring, record->header));
    if (!secrets)
      return fail(ErrorCode::failed_precondition,
                  "the " + std::string(to_string(which)) + " of " + to_string(id) +
                      " was erased; its key and its salt are destroyed");
    OpenedRecord opened;
    GH_ASSIGN(opened.info, impl_->info_of(segment, *record, now));
    GH_ASSIGN(opened.content, segment.content(*record, *secrets));
    opened.salt = secrets->salt;
    return opened;
  }
  return fail(ErrorCode::not_found, "the vault has no " + std::string(to_string(which)) + " of " +
                                        to_string(id) + ": it was not kept, or was pruned");
}

Result<std::vector<RecordId>> Vault::find(const SubjectHash& subject) const {
  std::set<RecordId> found;
  for (const auto& state : impl_->states()) {
    GH_ASSIGN(const Segment segment, Segment::open(impl_->disk, impl_->paths, state.header.number));
    GH_TRY(impl_->walk(state, segment, [&](const Located& record) -> Result<bool> {
      const auto subjects = parse_subjects(record.subjects);
      if (std::ranges::count(subjects, subject) == 0) return true;
      GH_ASSIGN(const bool erased, segment.erased(record.header));
      if (!erased) found.insert(record.header.id);
      return true;
    }));
  }
  return std::vector<RecordId>(found.begin(), found.end());
}

Result<std::vector<RecordInfo>> Vault::list(std::size_t limit) const {
  const auto now = holds();
  std::vector<RecordInfo> infos;
  auto states = impl_->states();
  std::ranges::reverse(states);
  for (const auto& state : states) {
    if (infos.size() >= limit) break;
    GH_ASSIGN(const Segment segment, Segment::open(impl_->disk, impl_->paths, state.header.number));
    std::deque<Located> last;
    GH_TRY(impl_->walk(state, segment, [&](const Located& record) -> Result<bool> {
      last.push_back(record);
      if (last.size() > limit - infos.size()) last.pop_front();
      return true;
    }));
    std::ranges::reverse(last);
    for (const auto& record : last) {
      GH_ASSIGN(infos.emplace_back(), impl_->info_of(segment, record, now));
    }
  }
  return infos;
}

std::vector<Hold> Vault::holds() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->holds;
}

Result<std::vector<RecordId>> Vault::held(const std::vector<RecordId>& ids) const {
  const auto now = holds();
  if (now.empty()) return std::vector<RecordId>();
  GH_ASSIGN(const auto places, impl_->locate({ids.begin(), ids.end()}));
  std::set<RecordId> held;
  for (const auto& [number, located] : places)
    for (const auto& record : located)
      if (is_held(now, record)) held.insert(record.header.id);
  return std::vector<RecordId>(held.begin(), held.end());
}

Result<std::vector<SegmentInfo>> Vault::prunable(WallTime older_than) const {
  const auto now = holds();
  std::vector<SegmentInfo> infos;
  for (const auto& state : impl_->states()) {
    if (!state.closed || wall(state.summary.latest) >= older_than) continue;
    bool held = false;
    if (!now.empty()) {
      GH_ASSIGN(const Segment segment,
                Segment::open(impl_->disk, impl_->paths, state.header.number));
      GH_TRY(impl_->walk(state, segment, [&](const Located& record) -> Result<bool> {
        held = is_held(now, record);
        return !held;
      }));
    }
    if (held) continue;
    infos.push_back({state.header.number, state.summary.records, state.file_bytes(),
                     wall(state.header.created), wall(state.summary.latest)});
  }
  return infos;
}

Result<void> Vault::begin(const Order& order) {
  const std::scoped_lock once(impl_->operators);
  const auto text = encode(order);
  if (text.size() > max_order_bytes)
    return fail(ErrorCode::invalid_argument, "the order is too large");
  GH_TRY(replace_file(impl_->disk, impl_->paths.root, "order", text));
  const std::scoped_lock lock(impl_->mutex);
  impl_->order = order;
  return {};
}

Result<void> Vault::finish(const Order& order) {
  {
    const std::scoped_lock once(impl_->operators);
    GH_TRY(impl_->carry_out(order));
  }
  return withdraw();
}

Result<void> Vault::withdraw() {
  const std::scoped_lock once(impl_->operators);
  GH_TRY(remove_file(impl_->disk, impl_->paths.root + "/order"));
  GH_TRY(sync_directory(impl_->disk, impl_->paths.root));
  const std::scoped_lock lock(impl_->mutex);
  impl_->order.reset();
  return {};
}

std::optional<Order> Vault::unfinished() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->order;
}

void Vault::use(KeyRing keys) {
  std::unique_lock lock(impl_->mutex);
  impl_->ring = std::make_shared<const KeyRing>(std::move(keys));
  impl_->progress.wait(lock, [&] { return impl_->in_flight == 0; });
}

bool Vault::needs_rewrap() const {
  return key_in_force() != key_of_identity();
}

KeyId Vault::key_in_force() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->ring->current.id;
}

KeyId Vault::key_of_identity() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->identity.key;
}

Result<std::uint64_t> Vault::rewrap() {
  const std::scoped_lock once(impl_->operators);
  std::shared_ptr<const KeyRing> ring;
  {
    const std::scoped_lock lock(impl_->mutex);
    ring = impl_->ring;
  }
  std::uint64_t count = 0;
  for (const auto& state : impl_->states()) {
    GH_ASSIGN(const Segment segment, Segment::open(impl_->disk, impl_->paths, state.header.number));
    GH_ASSIGN(const std::uint64_t wrapped, segment.rewrap(*ring, state.end, impl_->random));
    count += wrapped;
  }
  return count;
}

Result<void> Vault::settle_rewrap() {
  const std::scoped_lock once(impl_->operators);
  Identity identity;
  std::shared_ptr<const KeyRing> ring;
  {
    const std::scoped_lock lock(impl_->mutex);
    identity = impl_->identity;
    ring = impl_->ring;
  }
  GH_TRY(replace_file(impl_->disk, impl_->paths.root, "identity",
                      encode(identity, ring->current, impl_->random)));
  const std::scoped_lock lock(impl_->mutex);
  impl_->identity.key = ring->current.id;
  return {};
}

Stats Vault::stats() const {
  const std::scoped_lock lock(impl_->mutex);
  Stats stats;
  stats.records = impl_->records;
  stats.bytes = impl_->bytes;
  stats.segments = impl_->segments.size();
  stats.queued = impl_->queue.size() + impl_->in_flight;
  stats.kept = impl_->kept;
  stats.refused = impl_->refused;
  stats.groups = impl_->groups;
  const auto& failure = impl_->failure;
  stats.failed = failure.has_value();
  if (failure) stats.failure = failure->describe();
  return stats;
}

void Vault::keep_up() {
  {
    const std::scoped_lock lock(impl_->mutex);
    impl_->looking_at_age = true;
  }
  impl_->writer_wake.notify_one();
}

void Vault::close() {
  impl_->stop();
}

}  // namespace gatehouse::vault

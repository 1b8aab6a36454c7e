// Starting, stopping, and the writer thread; see vault_impl.h.
#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "vault/vault_impl.h"

namespace gatehouse::vault {
namespace {

constexpr std::size_t max_group_bytes = 8u << 20;

Error full() {
  return {ErrorCode::resource_exhausted,
          "the vault is full: raise vault.max_bytes, or shorten vault.retention",
          {}};
}

}  // namespace

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

}  // namespace gatehouse::vault

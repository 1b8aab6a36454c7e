// The door: what vault.h promises, over vault_impl.h.
#include "vault/vault.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "vault/vault_impl.h"

namespace gatehouse::vault {

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

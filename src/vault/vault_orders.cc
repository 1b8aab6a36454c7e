// Finding records, and carrying out what operators order; see vault_impl.h.
#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "vault/vault_impl.h"

namespace gatehouse::vault {

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

}  // namespace

bool is_held(const std::vector<Hold>& holds, const Located& record) {
  return std::ranges::any_of(holds, [&](const Hold& hold) { return covers(hold, record); });
}

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

}  // namespace gatehouse::vault

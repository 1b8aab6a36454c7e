#include "inspect/begin_filter.h"

#include <algorithm>
#include <bit>

#include "inspect/byte_shares.h"

namespace gatehouse::inspect {
namespace {

using Beginning = BeginFilter::Beginning;

// Bytes: shorter stretches are not worth a call.
constexpr std::size_t least_for_windows = 64;

double cost_of(const Beginning& one) {
  double cost = share_of(one.before);
  for (const ByteSet& bytes : one.bytes) cost *= share_of(bytes);
  return cost;
}

bool is_within(const Beginning& one, const Beginning& other) {
  bool within = (one.before & ~other.before).none();
  for (std::size_t i = 0; i < BeginFilter::depth && within; ++i)
    within = (one.bytes[i] & ~other.bytes[i]).none();
  return within;
}

Beginning both(const Beginning& one, const Beginning& other) {
  Beginning all{one.group, one.before | other.before, {}};
  for (std::size_t i = 0; i < BeginFilter::depth; ++i) all.bytes[i] = one.bytes[i] | other.bytes[i];
  return all;
}

}  // namespace

// The frequent ones first, but one of each group before all others.
void BeginFilter::build(std::span<const Beginning> beginnings) {
  std::vector<Bucket> sorted;
  for (const Beginning& one : beginnings) sorted.push_back({one, cost_of(one)});
  std::ranges::sort(sorted, std::ranges::greater(), &Bucket::cost);
  std::vector<Bucket> buckets;
  std::array<bool, most_groups> known{};
  for (const Bucket& one : sorted)
    if (!std::exchange(known[one.all.group], true)) buckets.push_back(one);
  for (const Bucket& one : sorted) put(buckets, one);
  fill_tables(buckets);
}

// Whether the group may have one more bucket. Some are kept for every group: where patterns are
// wide most of a text is asked for their beginnings alone, which are rare if they are not mixed.
bool BeginFilter::has_room(std::span<const Bucket> buckets, std::size_t group) {
  std::array<std::size_t, most_groups> used{};
  for (const Bucket& bucket : buckets) ++used[bucket.all.group];
  std::size_t taken = 0;
  for (std::size_t i = 0; i < most_groups; ++i)
    taken += i == group || used[i] == 0 ? used[i] : std::max(used[i], kept_buckets);
  return taken < most_buckets;
}

// Into the bucket of its group that it makes the least more frequent, or one of its own.
void BeginFilter::put(std::vector<Bucket>& buckets, const Bucket& one) {
  Bucket* best = nullptr;
  Bucket merged;
  double least = has_room(buckets, one.all.group) ? one.cost : 2;
  for (Bucket& bucket : buckets) {
    if (bucket.all.group != one.all.group) continue;
    if (is_within(one.all, bucket.all)) return;
    Bucket with{both(one.all, bucket.all), 0};
    with.cost = cost_of(with.all);
    if (with.cost - bucket.cost >= least) continue;
    least = with.cost - bucket.cost;
    merged = with;
    best = &bucket;
  }
  if (best == nullptr) {
    buckets.push_back(one);
  } else {
    *best = merged;
  }
}

void BeginFilter::fill_tables(std::span<const Bucket> buckets) {
  std::array<std::vector<WindowFilter::Window>, most_groups> windows;
  for (std::size_t number = 0; number < buckets.size(); ++number) {
    const Beginning& all = buckets[number].all;
    const Buckets bit = Buckets{1} << number;
    of_groups_[all.group] |= bit;
    std::ranges::copy_n(all.bytes.begin(), WindowFilter::window_bytes,
                        windows[all.group].emplace_back().begin());
    for (unsigned byte = 0; byte < 256; ++byte) {
      if (all.before.test(byte)) before_[byte] |= bit;
      for (std::size_t i = 0; i < depth; ++i)
        if (all.bytes[i].test(byte)) tables_[i][byte] |= bit;
    }
  }
  for (std::size_t group = 0; group < most_groups; ++group)
    if (!windows[group].empty()) windows_[group].build(windows[group]);
}

inline BeginFilter::Buckets BeginFilter::whole_at(const unsigned char* bytes, Buckets left) const {
  for (std::size_t i = 0; i < depth / 2; ++i) left &= tables_[i][bytes[i]];
  if (left == 0) return 0;
  for (std::size_t i = depth / 2; i < depth; ++i) left &= tables_[i][bytes[i]];
  return left;
}

BeginFilter::Groups BeginFilter::groups_of(Buckets buckets) const {
  unsigned groups = 0;
  for (std::size_t i = 0; i < most_groups; ++i)
    groups |= static_cast<unsigned>((buckets & of_groups_[i]) != 0) << i;
  return static_cast<Groups>(groups);
}

BeginFilter::Buckets BeginFilter::buckets_of(Groups groups) const {
  Buckets buckets = 0;
  for (std::size_t i = 0; i < most_groups; ++i)
    if ((groups >> i & 1U) != 0) buckets |= of_groups_[i];
  return buckets;
}

void BeginFilter::find(std::string_view text, std::size_t at, std::size_t to, Groups wanted,
                       bool guarded, std::vector<Place>& found) const {
  const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
  const auto take = [&](std::size_t place, Buckets left) {
    if (left != 0) found.push_back({place, groups_of(left)});
  };
  const Buckets buckets = buckets_of(wanted);
  const auto before = [&](std::size_t place) {
    return guarded ? buckets & before_[bytes[place - 1]] : buckets;
  };
  const std::size_t whole = std::min(to, text.size() - std::min(text.size(), depth - 1));
  if (std::has_single_bit(wanted)) {
    const WindowFilter& windows = windows_[static_cast<std::size_t>(std::countr_zero(wanted))];
    WindowFilter::Hits hits;
    while (at + least_for_windows <= whole) {
      const std::size_t size = std::min(WindowFilter::block, whole - at);
      for (const WindowFilter::Hit& hit : windows.find(text, at, size, hits))
        take(at + hit.at, whole_at(bytes + at + hit.at, before(at + hit.at)));
      at += size;
    }
  }
  for (; at < whole; ++at) take(at, whole_at(bytes + at, before(at)));
  for (; at < to; ++at) {
    Buckets left = before(at);
    for (std::size_t i = 0; at + i < text.size(); ++i) left &= tables_[i][bytes[at + i]];
    take(at, left);
  }
}

}  // namespace gatehouse::inspect

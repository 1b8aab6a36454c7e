#include "gateway/recent_entries.h"

#include <bit>
#include <cstring>
#include <span>

#include "base/id.h"
#include "base/result.h"
#include "base/text.h"

namespace gatehouse::gateway {

std::optional<EntryKey> entry_key(std::string_view uuid) {
  if (!is_uuid(uuid)) return std::nullopt;
  std::string digits;
  for (const char c : uuid)
    if (c != '-') digits += c;
  const auto bytes = from_hex(digits);
  EntryKey key{};
  if (!bytes || bytes->size() != key.size()) return std::nullopt;
  std::memcpy(key.data(), bytes->data(), key.size());
  return key;
}

std::string to_string(const EntryKey& key) {
  std::string text = to_hex(std::as_bytes(std::span(key)));
  for (const std::size_t at : {8u, 13u, 18u, 23u}) text.insert(at, 1, '-');
  return text;
}

RecentEntries::RecentEntries(std::size_t slots)
    : mask_(slots - 1), entries_(slots), outcomes_(slots) {
  GH_CHECK(std::has_single_bit(slots));
}

// The end of a UUIDv7 is random.
std::size_t RecentEntries::slot(const EntryKey& key) const {
  std::uint64_t bits = 0;
  std::memcpy(&bits, key.data() + 8, sizeof bits);
  return (bits >> 8) & mask_;
}

void RecentEntries::note(const EntryKey& id, std::uint64_t index) {
  const std::scoped_lock lock(mutex_);
  entries_[slot(id)] = Place{.id = id, .index = index};
}

void RecentEntries::note_outcome(const EntryKey& decision, const EntryKey& id,
                                 std::uint64_t index) {
  const std::scoped_lock lock(mutex_);
  entries_[slot(id)] = Place{.id = id, .index = index};
  outcomes_[slot(decision)] = Outcome{.decision = decision, .place = {.id = id, .index = index}};
}

std::optional<std::uint64_t> RecentEntries::find(const EntryKey& id) const {
  const std::scoped_lock lock(mutex_);
  const auto& entry = entries_[slot(id)];
  if (!entry || entry->id != id) return std::nullopt;
  return entry->index;
}

std::optional<RecentEntries::Place> RecentEntries::find_outcome(const EntryKey& decision) const {
  const std::scoped_lock lock(mutex_);
  const auto& outcome = outcomes_[slot(decision)];
  if (!outcome || outcome->decision != decision) return std::nullopt;
  return outcome->place;
}

}  // namespace gatehouse::gateway

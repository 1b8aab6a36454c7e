// Where the entries of the latest calls stand in the ledger, by id, so that a receipt that is asked
// for right after its answer needs no search. Bounded: a table in which a newer entry takes the
// place of an older one; what is not here any more is found in the log. Thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::gateway {

using EntryKey = std::array<std::uint8_t, 16>;  // the bits of a UUID

std::optional<EntryKey> entry_key(std::string_view uuid);  // lower case, 36 characters
std::string to_string(const EntryKey& key);

class RecentEntries {
 public:
  explicit RecentEntries(std::size_t slots = 65'536);  // a power of two

  // `decision` is what the entry is the outcome of.
  void note(const EntryKey& id, std::uint64_t index);
  void note_outcome(const EntryKey& decision, const EntryKey& id, std::uint64_t index);

  struct Place {
    EntryKey id{};
    std::uint64_t index = 0;
  };
  std::optional<std::uint64_t> find(const EntryKey& id) const;
  std::optional<Place> find_outcome(const EntryKey& decision) const;

 private:
  struct Outcome {
    EntryKey decision{};
    Place place;
  };
  std::size_t slot(const EntryKey& key) const;

  const std::size_t mask_;
  mutable std::mutex mutex_;
  std::vector<std::optional<Place>> entries_;
  std::vector<std::optional<Outcome>> outcomes_;
};

}  // namespace gatehouse::gateway

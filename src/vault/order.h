// What operators decided and the vault must remember: legal holds, and the one order that is being
// carried out. Both are small text files with a digest at the end, replaced as a whole
// (docs/vault-format.md). They hold no content, no salt and no key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "vault/format.h"

namespace gatehouse::vault {

// Whatever falls under a hold is neither erased nor pruned.
struct Hold {
  std::string id;  // UUID of the hold, also of its event
  bool by_subject = false;
  RecordId record{};      // when not by subject
  SubjectHash subject{};  // when by subject
  std::string since;      // RFC 3339
  std::string actor;
  std::string reason;
};

std::string encode(const std::vector<Hold>& holds);
Result<std::vector<Hold>> parse_holds(std::string_view text);
inline constexpr std::size_t max_holds = 10'000;

// An order is on disk before its event is in the ledger, and removed when it was carried out: so
// what the ledger says was erased is erased, whatever moment the process died in.
struct Order {
  enum class Kind : std::uint8_t { erase, hold, release, prune };
  Kind kind = Kind::erase;
  std::string event;              // the entry of the ledger, whole
  std::string event_id;           // its UUID
  std::vector<RecordId> records;  // erase: all records of these ids
  Hold hold;                      // hold; release: only its id
  std::uint64_t segment = 0;      // prune
};
inline constexpr std::size_t max_erased_at_once = 1'000;
inline constexpr std::size_t max_order_bytes = 256u << 10;

std::string encode(const Order& order);
Result<Order> parse_order(std::string_view text);

}  // namespace gatehouse::vault

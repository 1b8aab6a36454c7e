// What the ledger says was used: the fold over its entries that outlives a restart.
//
// A decision that reserves something has it in its data, and so has the outcome that settles it:
//
//   "limits":[{"limit":"team-month","key":"team=red","unit":"money","window":"month","reserved":1200}]
//   "limits":[{…,"charged":310}]          with "decision", the id of the decision
//
// Nothing leaves before its decision is on stable storage, so nothing is used that the fold does
// not know. A decision whose outcome never came (the process was killed) stays charged with all it
// had reserved. What was charged at once, with nothing reserved before, has only the second form.
// `budget.reset` empties counters. docs/events.md describes the members.
//
// The text form of a tally is kept in a file, under a keyed digest, so that a start reads only what
// came after it. It is a cache: without it the whole ledger says the same.
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "crypto/crypto.h"
#include "limits/book.h"
#include "limits/meter.h"

namespace gatehouse::limits {

class Tally {
 public:
  Tally();
  ~Tally();
  Tally(Tally&&) noexcept;
  Tally& operator=(Tally&&) noexcept;

  // Index of the next entry to apply; entries below it are skipped.
  std::uint64_t next_index() const { return next_index_; }
  // Error: data_loss, the entry is none of ours. Nothing was applied then.
  Result<void> apply(std::uint64_t index, std::string_view entry);

  // Puts what is charged into the counters of the book.
  void fill(Book& book, WallTime now) const;

  // Without what counts no more.
  std::string serialize(WallTime now) const;
  static Result<Tally> parse(std::string_view text);

  // The same, under a digest with the deployment's key.
  std::string seal(const crypto::Digest& key, WallTime now) const;
  static Result<Tally> open(const crypto::Digest& key, std::string_view sealed);

  std::int64_t used(const std::string& family, const std::string& key, WallTime now);
  // How many changes were applied; grows.
  std::uint64_t charges() const { return charges_; }
  std::size_t counters() const { return meters_.size(); }
  std::size_t pending() const { return pending_.size(); }

 private:
  using MeterKey = std::pair<std::string, std::string>;  // family, key
  struct Pending {
    MeterKey meter;
    Meter::Ticket ticket;
    std::int64_t reserved = 0;
  };
  struct Change;
  struct Reader;
  Meter& meter_of(const MeterKey& key, const Window& window, WallTime time);
  void apply_charges(const Change& change);
  void apply_reset(const Change& change);

  std::uint64_t next_index_ = 0;
  std::uint64_t charges_ = 0;
  std::map<MeterKey, Meter> meters_;
  std::unordered_map<std::string, std::vector<Pending>> pending_;  // by id of the decision
  std::unique_ptr<Reader> reader_;
};

}  // namespace gatehouse::limits

// Making the database again from the ledger, and beginning a new ledger with the state of an old
// one. Both hold the ledger's lock, so no gateway runs meanwhile (failed_precondition when one
// does). Blocking; from the command line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "gateway/config.h"
#include "ledger/checkpoint.h"
#include "store/compare.h"

namespace gatehouse::gateway {

struct Rebuilt {
  std::uint64_t entries = 0;  // of the ledger, folded
  std::size_t keys = 0;
  std::size_t models = 0;
  std::string backup;                     // where the old database is now; empty: there was none
  std::optional<std::size_t> sessions;    // taken along, when asked for
  std::vector<store::Difference> before;  // between the old database and the ledger
  std::string before_problem;             // why that could not be said
};

// Writes the new database beside the old one, keeps the old one under another name, renames. What
// the process dies in, the data folder has the old database, the new one, or none, which the next
// start makes again.
Result<Rebuilt> rebuild_database(const Config& config, const Clock& clock, Random& random,
                                 bool keep_sessions);

struct CarryOver {
  std::filesystem::path old_ledger;
  std::optional<ledger::VerifierKey> key;  // the old log's; absent: it must be of this deployment
  bool leave_unsigned = false;  // go on although changes after its last checkpoint are left behind
  bool keep_sessions = false;
  std::string actor;
};

struct CarriedOver {
  std::string log;  // the old log's vkey
  ledger::Checkpoint checkpoint;
  std::size_t events = 0;         // written now
  std::size_t already = 0;        // by an earlier run that was cut off
  std::uint64_t left_behind = 0;  // changes after the checkpoint
  Rebuilt database;
};

// Verifies the old log whole, folds it up to its last signed checkpoint, and writes that state into
// the configured log as its first state events, each naming the log, size and root it was taken
// from. Refused when that log has state events of its own.
Result<CarriedOver> carry_over(const Config& config, const Clock& clock, Random& random,
                               const CarryOver& what);

}  // namespace gatehouse::gateway

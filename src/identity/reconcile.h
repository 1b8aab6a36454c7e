// Folding a log directory into state, and comparing a database file with it. Reads files only,
// needs no lock and no secret: also beside a running gateway, and on copies. Blocking; for one
// thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ledger/note.h"
#include "store/compare.h"
#include "store/state.h"

namespace gatehouse::identity {

inline constexpr std::uint64_t to_the_end = std::numeric_limits<std::uint64_t>::max();

// Reads a log once, from its first entry on, and applies its state events.
class LedgerFold {
 public:
  explicit LedgerFold(std::filesystem::path ledger_directory)
      : directory_(std::move(ledger_directory)) {}

  // Called with every state event before it is applied; an error ends the fold.
  std::function<Result<void>(std::uint64_t index, std::string_view entry)> on_event;

  // Goes on up to `end`, or to the end of the log. Error: context names the entry.
  Result<void> advance(std::uint64_t end = to_the_end);

  const store::State& state() const { return state_; }
  std::uint64_t events() const { return events_; }

 private:
  std::filesystem::path directory_;
  store::State state_;
  std::uint64_t events_ = 0;
};

struct ReconcileReport {
  std::vector<store::Difference> differences;
  std::uint64_t applied = 0;       // entries the database has seen, and so the fold compared with
  std::uint64_t ledger_size = 0;   // entries read
  std::uint64_t events = 0;        // state events below `applied`
  std::uint64_t events_after = 0;  // behind it: not in the database yet, and not compared
  std::uint64_t checkpoint_size = 0;
  std::uint64_t proven = 0;     // state events shown to be under the signed checkpoint
  std::uint64_t unsigned_ = 0;  // state events no checkpoint covers yet
  std::size_t keys = 0;
  std::size_t models = 0;
  std::uint64_t sessions = 0;  // rows that no event explains and none should
};

// `key`: whose log it has to be; absent: the one in the directory. Errors: data_loss: the database
// cannot be read as one, or the ledger's state events do not stand under its signature; every other
// code: it could not be carried out.
Result<ReconcileReport> reconcile(const std::filesystem::path& ledger_directory,
                                  const std::filesystem::path& database,
                                  const std::optional<ledger::VerifierKey>& key);

}  // namespace gatehouse::identity

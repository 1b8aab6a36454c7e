// The counters of a running node and what keeps them over a restart: the book that calls are
// admitted by, the tally that follows the ledger, and the tally's file. At start the tally is read,
// brought up to the end of the ledger and put into the book; so a node that was killed goes on with
// what was used, and calls that were under way count with their worst case.
//
// book() from any thread; keep_up() and reset() from any, one at a time inside.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "crypto/crypto.h"
#include "gateway/config_limits.h"
#include "ledger/ledger.h"
#include "limits/book.h"
#include "limits/tally.h"
#include "policy/policy.h"

namespace gatehouse::gateway {

class BudgetKeeper {
 public:
  struct Options {
    std::filesystem::path file;              // of the tally
    std::filesystem::path ledger_directory;  // of the open ledger
    std::string node;
    crypto::Digest key{};  // of the file's digest
  };
  static Result<std::unique_ptr<BudgetKeeper>> open(Options options, ledger::Ledger& ledger,
                                                    const Clock& clock, Random& random);

  limits::Book& book() { return book_; }
  const limits::Book& book() const { return book_; }

  // The limits of a snapshot: those of the configuration, and those that policies bring in the
  // terms of @limit. Error: a policy names one that is not there.
  Result<std::shared_ptr<const limits::Rules>> compile(const BudgetsConfig& budgets,
                                                       const policy::PolicySet& policies);

  // Takes what came into the ledger since, writes the file, forgets empty counters. By a timer, and
  // at the end.
  Result<void> keep_up();

  // Empties the counters of a limit, or the one of `key`, and says so in the ledger first. Returns
  // how many were not empty.
  Result<std::size_t> reset(std::string_view limit, const std::optional<std::string>& key,
                            std::string_view actor);

  // {"limits":[{name, unit, amount, window, …, "counters":[{key, used, left, …}]}]}
  std::string list_json(const BudgetsConfig& budgets);

 private:
  BudgetKeeper(Options options, ledger::Ledger& ledger, const Clock& clock, Random& random)
      : options_(std::move(options)), ledger_(ledger), clock_(clock), random_(random) {}
  Result<void> follow();

  const Options options_;
  ledger::Ledger& ledger_;
  const Clock& clock_;
  Random& random_;
  limits::Book book_;
  std::mutex mutex_;  // of the tally
  limits::Tally tally_;
  std::uint64_t saved_ = 0;  // index of the file
};

}  // namespace gatehouse::gateway

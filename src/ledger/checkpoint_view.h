// The log as one signed checkpoint covers it, read from its tiles and bundles: entries, proofs, and
// looking for an entry where its id says it should be. Needs no lock and never reads the whole log,
// so that it can answer strangers. For one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ledger/checkpoint.h"
#include "ledger/disk.h"
#include "ledger/log_files.h"
#include "ledger/proof.h"
#include "ledger/query.h"

namespace gatehouse::ledger {

class CheckpointView {
 public:
  // Under the last checkpoint the log signed. `disk` must outlive the view.
  static Result<CheckpointView> open(Disk& disk, const std::string& directory);
  // Under the one that a receipt for this entry is to have: the cosigned one if it covers it.
  static Result<CheckpointView> open_for(Disk& disk, const std::string& directory,
                                         std::uint64_t index);

  const Checkpoint& checkpoint() const { return checkpoint_; }

  // failed_precondition when the checkpoint does not cover it.
  Result<std::string> entry(std::uint64_t index);
  Result<InclusionReceipt> prove(std::uint64_t index);

  // By id, a UUIDv7: a bisection over the bundles, then those in which an entry of that time may
  // have come to stand. Absent: it is not there, or a clock that was set put it elsewhere
  // (find_entry() in query.h would find it).
  Result<std::optional<FoundEntry>> find(std::string_view id);

  // The first entry from `from` on that is `wanted`, among the `most` that follow.
  using Wanted = std::function<bool(std::string_view entry)>;
  Result<std::optional<FoundEntry>> find_from(std::uint64_t from, std::uint64_t most,
                                              const Wanted& wanted);

 private:
  CheckpointView(Disk& disk, LogPaths paths, std::string note, Checkpoint checkpoint);
  static Result<CheckpointView> under(Disk& disk, LogPaths paths, const VerifierKey& key,
                                      std::string note);
  TileName bundle_of(std::uint64_t index) const;
  Result<void> load(std::uint64_t index);
  Result<std::string> first_id(std::uint64_t bundle) const;
  Error not_covered(std::uint64_t index) const;

  Disk* disk_;
  LogPaths paths_;
  std::string note_;
  Checkpoint checkpoint_;
  Subtrees subtrees_;
  // The bundle that was read last.
  std::optional<std::uint64_t> loaded_;
  std::unique_ptr<std::string> bytes_ = std::make_unique<std::string>();  // does not move
  std::vector<std::string_view> entries_;                                 // into *bytes_
};

}  // namespace gatehouse::ledger

// One checkpoint of our own log, read from its directory, and what can be proven about it from the
// tiles beside it. For one thread; reads the disk.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "ledger/checkpoint.h"
#include "ledger/disk.h"
#include "ledger/log_files.h"
#include "ledger/merkle.h"

namespace gatehouse::witness {

class LogView {
 public:
  // The log's present checkpoint.
  static Result<LogView> read(ledger::Disk& disk, const std::string& directory,
                              const ledger::VerifierKey& log);

  const ledger::Checkpoint& checkpoint() const { return checkpoint_; }
  const std::string& note() const { return note_; }
  const ledger::VerifierKey& log() const { return log_; }

  // Empty from size 0 and from the size of the checkpoint. `from` is at most that size.
  Result<std::vector<ledger::Digest>> prove(std::uint64_t from) const;
  // The root of the first `size` entries.
  Result<ledger::Digest> root_at(std::uint64_t size) const;

 private:
  LogView(ledger::VerifierKey log, std::string note, ledger::Checkpoint checkpoint,
          ledger::Subtrees subtrees)
      : log_(std::move(log)),
        note_(std::move(note)),
        checkpoint_(std::move(checkpoint)),
        subtrees_(std::move(subtrees)) {}
  ledger::VerifierKey log_;
  std::string note_;
  ledger::Checkpoint checkpoint_;
  ledger::Subtrees subtrees_;
};

}  // namespace gatehouse::witness

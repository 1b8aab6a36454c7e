// The cosigned checkpoint of a log, <dir>/checkpoint.witnessed: the last checkpoint of the log that
// a quorum of witnesses cosigned, the log's own signature first. It is written by whoever speaks to
// the witnesses (witness/), beside the publisher, which owns <dir>/checkpoint and is always as far
// or further. Nothing else changes hands between the two.
//
// Every tile that the cosigned checkpoint needs is there at every moment: the publisher keeps the
// partial tiles of every checkpoint it published until the full tile is in place.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "ledger/disk.h"
#include "ledger/log_files.h"

namespace gatehouse::ledger {

std::string witnessed_path(const LogPaths& paths);

// Absent when there is none. data_loss when it is not a checkpoint signed by `log`.
Result<std::optional<std::string>> read_witnessed(Disk& disk, const LogPaths& paths,
                                                  const VerifierKey& log);

// Puts the note in place, durable. One caller at a time.
Result<void> store_witnessed(Disk& disk, const LogPaths& paths, std::string_view note);
// For a log that is no longer witnessed: an old cosigned checkpoint would be served for ever.
Result<void> remove_witnessed(Disk& disk, const LogPaths& paths);

// What a log gives to the public as its checkpoint: the cosigned one, or, where there is none, the
// one that only the log has signed. not_found: no log here.
Result<std::string> served_checkpoint(Disk& disk, const LogPaths& paths, const VerifierKey& log);

// The same for a receipt: the cosigned one only if it covers the entry.
Result<std::string> checkpoint_for(Disk& disk, const LogPaths& paths, const VerifierKey& log,
                                   std::uint64_t index);

}  // namespace gatehouse::ledger

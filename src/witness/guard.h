// Before a log is gone on with: do its witnesses know more of it than its directory holds? A backup
// that was put back, or a second installation with the same key, shows here, because the witnesses
// remember what was signed. Blocks, for the witnesses' timeout at most; needs no running loop.
#pragma once

#include <vector>

#include "base/result.h"
#include "ledger/disk.h"
#include "witness/round.h"

namespace gatehouse::witness {

struct GuardReport {
  std::size_t asked = 0;
  std::size_t answered = 0;           // cosigned the present checkpoint
  bool quorum = false;                // they are a quorum
  std::vector<std::string> problems;  // "w1: status 404: …", of those that did not
};

// Submits the log's present checkpoint, which must cover every durable entry, to all witnesses.
// failed_precondition: one of them knows more entries, or another root; the message says who, what,
// and what to do. unavailable: `required` and no quorum answered.
Result<GuardReport> check_before_start(ledger::Disk& disk, const Witnesses& witnesses,
                                       bool required);

}  // namespace gatehouse::witness

// Copies what a log has published, beside a running writer: the state of one signed checkpoint,
// whole, without the write-ahead segments. verify_log() accepts the copy; it is for reading and
// checking, a gateway cannot go on writing to it. For one thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace gatehouse::ledger {

struct CopyReport {
  std::uint64_t size = 0;       // entries of the checkpoint that was copied
  std::uint64_t new_files = 0;  // written; what an earlier copy had is kept
};

// `to` is made, or brought up to date when it holds an earlier copy of the same log. The checkpoint
// is put in place last. Errors: failed_precondition when `to` holds something else; data_loss when
// the log's checkpoint does not hold or covers less than the earlier copy's.
Result<CopyReport> copy_log(const std::string& from, const std::string& to);

}  // namespace gatehouse::ledger

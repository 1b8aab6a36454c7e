// The newest checkpoint that was signed for this log, remembered apart from the log's directory.
// It is durable before the same checkpoint becomes visible in the log. A log directory that was put
// back from a backup is then seen to be older than what was signed for it: going on from there
// would sign other entries under numbers that are taken, which is a fork.
//
// One file a log, `<directory>/<hex of SHA-256(origin)>`, which holds the checkpoint as a signed
// note. The opener uses it while the log is opened, the publishing thread afterwards.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "ledger/checkpoint.h"
#include "ledger/disk.h"

namespace gatehouse::ledger {

class LastSigned {
 public:
  // An empty directory name: nothing is remembered and nothing refused.
  LastSigned(Disk& disk, std::string directory, std::string_view origin);

  bool enabled() const { return !directory_.empty(); }
  const std::string& path() const { return path_; }

  // Makes the directory.
  Result<void> prepare() const;
  // Absent when there is none. failed_precondition: it is there and not signed by this log.
  Result<std::optional<Checkpoint>> read(const VerifierKey& log) const;
  // Returns when it is durable.
  Result<void> write(std::string_view checkpoint_note) const;

 private:
  Disk& disk_;
  std::string directory_;
  std::string path_;
};

}  // namespace gatehouse::ledger

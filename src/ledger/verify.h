// Verifies a log directory from its bytes alone: derives every hash again from the entries and
// compares it with every stored tile, checks the signature, consistency with an earlier checkpoint,
// and the write-ahead segments down to the last padding byte. Every byte of every file in the
// directory is covered, so any flipped bit is found; of cosignatures only those by witnesses of the
// given policy. Works beside a running writer: what changes
// under its hands is then left to the next run. For one thread; changes nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "ledger/checkpoint.h"
#include "ledger/disk.h"
#include "ledger/trust_policy.h"

namespace gatehouse::ledger {

struct VerifyOptions {
  std::optional<VerifierKey> key;  // absent: the one in the directory, which proves less
  std::string remembered;          // an earlier checkpoint of this log as a signed note; or empty
  // The log must be one of the policy's logs, if it lists any, and its cosigned checkpoint must
  // have the policy's quorum. Outlives the call; null: cosignatures are not verified.
  const TrustPolicy* policy = nullptr;
};

// What was found in checkpoint.witnessed.
struct WitnessedReport {
  Checkpoint checkpoint;
  std::vector<WitnessedBy> witnesses;  // of the policy; empty without one
  std::size_t unverified = 0;          // signatures by keys that are not known here
};

struct VerifyReport {
  std::string verifier_key;
  Checkpoint checkpoint;
  std::string checkpoint_note;  // its bytes, worth remembering
  std::uint64_t entries_after_checkpoint = 0;
  std::uint64_t files = 0;  // read and found right
  std::optional<std::uint64_t> remembered_size;
  std::optional<WitnessedReport> witnessed;
  bool writer_running = false;
  std::vector<std::string> notes;  // what was not or could not be checked, and why
};

// Error data_loss: the log is wrong; context is the file, message what was expected and found.
// Every other code: the verification could not be carried out.
Result<VerifyReport> verify_log(Disk& disk, const std::string& directory,
                                const VerifyOptions& options = {});

}  // namespace gatehouse::ledger

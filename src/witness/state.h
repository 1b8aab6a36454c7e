// What a witness remembers and the one decision it makes: whether to cosign a checkpoint. The state
// folder:
//
//   witness.vkey       who this witness is; made once, by `gatehouse witness init`
//   known              every log ever cosigned, one line each, and a MAC: a state that is missing
//   is
//                      told from a log that is new
//   logs/<hash>        the last checkpoint cosigned for a log: its text, the log's signatures, ours
//   tmp/               files without a name yet
//   lock               flock(2): one witness on one folder
//
// Promises
//   1. A cosignature leaves only after the checkpoint under it is on stable storage.
//   2. Looking at the last size and storing the next is one step: nobody comes in between.
//   3. No two roots are ever cosigned for one size of one log, whenever the process dies.
//   4. A state that is damaged, or missing for a known log, refuses to open. It is never replaced
//   by
//      an empty one.
//
// Thread-safe. What it cannot see: that the whole folder was replaced by an older copy of itself.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/crypto.h"
#include "ledger/cosignature.h"
#include "ledger/disk.h"
#include "ledger/note.h"
#include "ledger/witness_protocol.h"

namespace gatehouse::witness {

// Both keys are derived from the secret and the name, so that two witnesses that share a secret by
// mistake have different keys all the same.
struct WitnessIdentity {
  ledger::CosignerKey cosigner;
  crypto::SigningKey signing;
  crypto::Digest state_key;  // of the MAC in `known`

  static WitnessIdentity derive(std::string_view name, const Secret& secret);
};

struct WitnessAnswer {
  int status = 500;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  // For the log of the witness: whose checkpoint, and why it was refused.
  std::string origin;
  std::string reason;
  std::uint64_t size = 0;
};

class WitnessState {
 public:
  // Makes the folder of a new witness. already_exists when there is one.
  static Result<void> create(ledger::Disk& disk, const std::string& directory,
                             const WitnessIdentity& identity);

  // Takes the lock and reads everything. failed_precondition: no folder of a witness, another
  // witness' folder, or somebody else runs on it; data_loss: damaged or missing.
  static Result<std::unique_ptr<WitnessState>> open(ledger::Disk& disk, std::string directory,
                                                    WitnessIdentity identity,
                                                    std::vector<ledger::VerifierKey> logs,
                                                    const Clock& clock);

  // Judges the body of an add-checkpoint request; cosigns, stores, answers. Blocks for the disk.
  WitnessAnswer add_checkpoint(std::string_view body);

  // The stored checkpoint of the log with this origin hash.
  std::optional<std::string> latest(std::string_view origin_hash) const;
  std::size_t known_logs() const;

 private:
  struct Stored {
    ledger::WitnessedHead head;
    std::string note;
  };

  WitnessState(ledger::Disk& disk, std::string directory, WitnessIdentity identity,
               std::vector<ledger::VerifierKey> logs, const Clock& clock);
  Result<void> take_lock();
  Result<void> check_identity() const;
  Result<void> empty_temporary() const;
  Result<void> read_known();
  Result<void> read_logs();
  Result<Stored> read_stored(const std::string& hash) const;
  Result<void> write(const std::string& name, std::string_view bytes);
  Result<void> store(const std::string& hash, Stored next);
  std::vector<ledger::VerifierKey> keys_of(std::string_view origin) const;
  std::string path(std::string_view name) const { return directory_ + '/' + std::string(name); }

  ledger::Disk& disk_;
  const std::string directory_;
  const WitnessIdentity identity_;
  const std::vector<ledger::VerifierKey> logs_;
  const Clock& clock_;
  std::optional<ledger::File> lock_;

  mutable std::mutex mutex_;
  std::map<std::string, Stored, std::less<>> stored_;  // by origin hash
  std::vector<std::string> known_;                     // origin hashes in `known`
  bool failed_ = false;  // a name on the disk is uncertain; nothing more is cosigned
};

}  // namespace gatehouse::witness

// What operators do with kept content, each act an event of the ledger first: read, search, erase,
// hold, release, prune, rotate. Whoever opens a control plane has one. Thread-safe; blocks for the
// disk: not for loop threads. The vault itself is asked directly by the walk (keep.h).
//
// Promises
//   1. Nothing is read, erased, held, released, pruned or wrapped anew without an event that says
//      who did it, durable before the act.
//   2. What the ledger says was erased, held, released or pruned is so once open() has returned,
//      whatever moment the process before died in.
//   3. An erase of what is under a hold is refused, and the refusal is an event too.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "gateway/config.h"
#include "ledger/ledger.h"
#include "vault/vault.h"

namespace gatehouse::gateway {

class VaultKeeper {
 public:
  // `derived_key`: the vault key where the configuration names none; old records under it open in
  // any case. Finishes what a crash left, and brings every record under the key in force.
  static Result<std::unique_ptr<VaultKeeper>> open(const Config& config,
                                                   const crypto::Digest& derived_key,
                                                   ledger::Ledger& ledger, const Clock& clock,
                                                   Random& random);

  vault::Vault& vault() { return *vault_; }

  // `actor` in all of these: who did it, for the event ("cli:root").
  Result<vault::OpenedRecord> read(const vault::RecordId& id, vault::Which which, bool with_salt,
                                   std::string_view actor);
  Result<std::vector<vault::RecordId>> find(std::string_view identifier, std::string_view actor);

  struct Erased {
    std::vector<vault::RecordId> erased;
    std::vector<vault::RecordId> held;  // not erased
  };
  // All records of these ids. failed_precondition when holds are on all of them; not_found when the
  // vault has none of them, or all of them are erased.
  Result<Erased> erase(const std::vector<vault::RecordId>& ids, std::string_view reason,
                       std::string_view actor);
  Result<Erased> erase_subject(std::string_view identifier, std::string_view reason,
                               std::string_view actor);

  Result<vault::Hold> hold(const vault::RecordId& id, std::string_view reason,
                           std::string_view actor);
  Result<vault::Hold> hold_subject(std::string_view identifier, std::string_view reason,
                                   std::string_view actor);
  Result<vault::Hold> release(std::string_view hold_id, std::string_view reason,
                              std::string_view actor);

  // Brings every record under the vault key of `config`, whose vault.old_key (or the derived key)
  // must be the one in force. Returns how many records were wrapped anew.
  Result<std::uint64_t> rewrap(const Config& config, std::string_view actor);

  // For a timer: prunes what is older than the retention, and goes on with an order that the disk
  // did not let finish.
  Result<void> keep_up(std::chrono::milliseconds retention);

 private:
  VaultKeeper(const Config& config, const crypto::Digest& derived_key, ledger::Ledger& ledger,
              const Clock& clock, Random& random);
  vault::KeyRing ring_of(const Config& config) const;
  Result<void> finish_unfinished();
  Result<void> carry_out(const vault::Order& order);
  Result<void> record(std::string_view type, std::string_view actor, std::string subject,
                      std::string data);
  Result<std::string> event(std::string_view type, std::string_view actor, std::string subject,
                            std::string data, std::string& id);
  Result<Erased> erase_all(std::vector<vault::RecordId> ids, const std::string& subject_hash,
                           std::string_view reason, std::string_view actor);
  Result<vault::Hold> put_hold(vault::Hold hold, std::string_view reason, std::string_view actor);
  Result<std::uint64_t> rewrap_all(std::string_view actor);

  std::unique_ptr<vault::Vault> vault_;
  ledger::Ledger& ledger_;
  const std::filesystem::path ledger_directory_;
  const std::string node_;
  const vault::WrappingKey derived_;
  const Clock& clock_;
  Random& random_;
  std::mutex mutex_;  // one act at a time, so that events and files agree in order
};

}  // namespace gatehouse::gateway

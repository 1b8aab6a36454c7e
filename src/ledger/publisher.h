// Derives tiles, bundles and checkpoints from durable entries and makes them durable in the order
// that keeps every published checkpoint provable. The publishing thread owns a Publisher.
//
// Invariants
//   1. A file gets its final name only when its bytes are on stable storage.
//   2. A checkpoint is put in place only after the names and bytes of every tile and bundle it
//      needs are on stable storage.
//   3. What is signed is remembered apart from the log before it is put in place.
//   4. Only entries that are durable in the write-ahead segments come in here; so whatever lies in
//      tile/ after a crash is right, and what is missing is derived again.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ledger/checkpoint.h"
#include "ledger/disk.h"
#include "ledger/last_signed.h"
#include "ledger/log_files.h"
#include "ledger/tree_edge.h"

namespace gatehouse::ledger {

class Publisher {
 public:
  Publisher(Disk& disk, LogPaths paths, LastSigned last_signed, VerifierKey identity,
            const crypto::SigningKey& key);

  // Goes on from a published checkpoint. `bundle` holds the entries of the bundle that is not full.
  void resume(TreeEdge edge, std::string bundle);

  // Takes the next entries: their bundle bytes (length ‖ entry)* and leaf hashes.
  Result<void> integrate(std::string_view payload, std::span<const Digest> leaves);
  // Makes everything integrated durable, then signs and publishes a checkpoint of it.
  Result<void> publish();

  std::uint64_t integrated() const { return edge_.size(); }
  std::uint64_t published() const { return published_; }
  // Entries below this are in full bundles that a published checkpoint covers.
  std::uint64_t bundled() const { return published_ / tile_width * tile_width; }

  // After a crash: the directories above the right edge are made durable again, and partial tiles
  // of tiles that are full by now are removed.
  Result<void> tidy_after_crash();

 private:
  Result<void> put(const TileName& name, std::string_view bytes);
  Result<void> put_partials();
  Result<void> put_checkpoint();
  Result<void> settle_files();
  Result<void> settle_name(const std::string& temporary, const std::string& path);
  Result<void> make_parents(const std::string& path);
  Result<void> sync_names();
  Result<void> remove_partials(const TileName& tile);
  Result<void> remove_superseded(std::uint64_t before);
  Result<void> tidy_edge(std::optional<unsigned> level);

  Disk& disk_;
  LogPaths paths_;
  LastSigned last_signed_;
  VerifierKey identity_;
  const crypto::SigningKey& key_;
  TreeEdge edge_;
  std::string bundle_;  // entries since the last full bundle
  std::uint64_t published_ = 0;
  // Written under a temporary name, not synced yet.
  struct Unsettled {
    File file;
    std::string path;  // the name it is to have
  };
  std::vector<Unsettled> unsettled_;
  std::set<std::string> unsynced_directories_;
};

}  // namespace gatehouse::ledger

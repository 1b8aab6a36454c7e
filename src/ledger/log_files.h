// Where things lie in a log directory, and reading tiles and bundles back. Reading needs no lock.
//
//   <dir>/checkpoint  log.vkey  lock  tile/…  wal/<first>.wal  wal/next  tmp/…
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "ledger/checkpoint.h"
#include "ledger/disk.h"
#include "ledger/merkle.h"
#include "ledger/tile.h"

namespace gatehouse::ledger {

struct LogPaths {
  explicit LogPaths(std::string root_directory);

  std::string root;
  std::string checkpoint;
  std::string verifier_key;
  std::string lock;
  std::string wal;
  std::string temporary;

  std::string tile(const TileName& name) const { return root + '/' + to_path(name); }
};

inline constexpr std::size_t max_checkpoint_bytes = max_note_bytes;

// The directory's own key file: exactly one verifier key and a newline.
Result<VerifierKey> read_verifier_key(Disk& disk, const std::string& path);
Result<SignedCheckpoint> read_checkpoint(Disk& disk, const std::string& path,
                                         const VerifierKey& log);

// The first `width` hashes of the tile: from the partial tile, or the full one when that is gone.
Result<std::vector<Digest>> read_tile(Disk& disk, const LogPaths& paths, TileName name);
// The bytes of an entry bundle, the same way.
Result<std::string> read_bundle(Disk& disk, const LogPaths& paths, TileName name);

// Where the first `count` entries of a bundle end; absent when there are fewer.
std::optional<std::size_t> bundle_prefix(std::string_view bytes, unsigned count);

// Hashes of a tree of `size` leaves for merkle.h, read from its tiles. Keeps the tiles it has read.
Subtrees stored_subtrees(Disk& disk, const LogPaths& paths, std::uint64_t size);

}  // namespace gatehouse::ledger

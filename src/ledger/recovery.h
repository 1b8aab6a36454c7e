// Opens a log directory: makes a new one, or brings one that stopped at any moment back to exactly
// the entries that are on disk. Runs before the ledger's threads start.
//
// What it refuses (data_loss, naming the file): anything that contradicts the last signed
// checkpoint, a damaged frame that is not the last one, segments with a gap between them. And
// (failed_precondition) a log that is older than what was signed for it; see last_signed.h.
// What it repairs: a torn last group (never acknowledged) is wiped, leftovers of interrupted
// writes are removed, entries the checkpoint does not cover are written to disk once more, because
// after a failed fdatasync the page cache may show bytes that the disk does not have.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "ledger/disk.h"
#include "ledger/last_signed.h"
#include "ledger/log_files.h"
#include "ledger/publisher.h"
#include "ledger/wal_writer.h"

namespace gatehouse::ledger {

struct LogIdentity {
  VerifierKey verifier;
  WalIdentity wal;
};

// A segment that is no longer written to: entries [first, end).
struct ClosedSegment {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
};

struct Recovered {
  std::uint64_t size = 0;          // durable entries
  std::uint64_t active_first = 0;  // first entry of the segment that is written to
  std::vector<ClosedSegment> closed;
};

LogIdentity identity_of(const std::string& origin, const crypto::SigningKey& key);

// Makes the directories, log.vkey, the checkpoint of the empty tree and the first segment where
// they are not there yet; then recovers. Afterwards everything found is published.
Result<Recovered> recover(Disk& disk, const LogPaths& paths, const LastSigned& last_signed,
                          const LogIdentity& identity, WalWriter& wal, Publisher& publisher);

}  // namespace gatehouse::ledger

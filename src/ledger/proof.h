// Receipts: C2SP tlog-proof files, made from a log directory and checked with the log's public key
// and the entry alone. docs/audit.md shows one.
//
//   c2sp.org/tlog-proof@v1
//   extra <base64>          optional, not authenticated; Gatehouse writes none
//   index <decimal>
//   <base64 of a hash>      from the sibling of the leaf up
//   <blank line>
//   <checkpoint, a signed note>
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ledger/checkpoint.h"
#include "ledger/disk.h"
#include "ledger/merkle.h"
#include "ledger/trust_policy.h"

namespace gatehouse::ledger {

struct InclusionReceipt {
  std::optional<std::string> extra;
  std::uint64_t index = 0;
  std::vector<Digest> hashes;
  std::string checkpoint;  // the note, verbatim
};

Result<InclusionReceipt> parse_receipt(std::string_view text);
std::string to_string(const InclusionReceipt& receipt);

// The checkpoint under which `entry` is proven to stand at receipt.index. Error: the signature, the
// proof or the entry does not hold; the message says which.
Result<Checkpoint> check_receipt(const InclusionReceipt& receipt, const VerifierKey& log,
                                 std::string_view entry);

// The same with a trust policy: the checkpoint must be signed by one of its logs and have its
// quorum of cosignatures.
Result<WitnessedCheckpoint> check_witnessed_receipt(const InclusionReceipt& receipt,
                                                    const TrustPolicy& policy,
                                                    std::string_view entry);

// From a log directory, under its cosigned checkpoint (witnessed.h) where there is one that covers
// the entry, otherwise under its present checkpoint. failed_precondition: no checkpoint covers the
// entry yet.
Result<InclusionReceipt> make_receipt(Disk& disk, const std::string& directory,
                                      std::uint64_t index);

}  // namespace gatehouse::ledger

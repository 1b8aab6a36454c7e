// What a log and a witness say to each other (C2SP tlog-witness v1.0.0), as values. Pure functions;
// the witness and the client are in witness/.
//
//   POST <submission prefix>/add-checkpoint            200  cosignature lines
//     old <size>\n                                     409  <size>\n, type text/x.tlog.size
//     <base64 of a hash>\n        0 to 63 of them      400, 403, 404, 422
//     \n
//     <checkpoint, a signed note>
//   GET <monitoring prefix>/<hex SHA-256 of the origin>/checkpoint
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ledger/checkpoint.h"
#include "ledger/merkle.h"
#include "ledger/note.h"

namespace gatehouse::ledger {

struct AddCheckpointRequest {
  std::uint64_t old_size = 0;  // of the checkpoint the witness is believed to have cosigned last
  std::vector<Digest> proof;
  std::string checkpoint;  // the note, verbatim
};

// "old 18446744073709551615\n", 63 lines of 45 bytes, a blank line, the note.
inline constexpr std::size_t max_add_checkpoint_bytes =
    25 + (max_proof_hashes * 45) + 1 + max_note_bytes;
inline constexpr std::string_view known_size_type = "text/x.tlog.size";

Result<AddCheckpointRequest> parse_add_checkpoint(std::string_view body);
std::string to_string(const AddCheckpointRequest& request);

// The body of a 409.
Result<std::uint64_t> parse_known_size(std::string_view body);
std::string known_size_body(std::uint64_t size);

// How a log is named in the monitoring address: 64 hexadecimal digits.
std::string origin_hash(std::string_view origin);

// ---- what a witness answers -------------------------------------------------------------------

// The last checkpoint a witness cosigned; of a log it has never cosigned, the empty tree.
struct WitnessedHead {
  std::uint64_t size = 0;
  Digest root = empty_root();
};

struct WitnessVerdict {
  int status = 0;         // 200: cosign and store `checkpoint`
  std::string reason;     // of a refusal, for people
  Checkpoint checkpoint;  // from 403 on it was read, from 400 and 409 on it is signed
  std::vector<NoteSignature> log_signatures;  // those of the checkpoint that hold
};

// The rules of tlog-witness in their order. `keys` are those the witness trusts for the origin of
// the checkpoint; none makes it a 404.
WitnessVerdict judge_add_checkpoint(const AddCheckpointRequest& request,
                                    std::span<const VerifierKey> keys, const WitnessedHead& latest);
// Whose checkpoint the request brings.
Result<std::string> origin_of(const AddCheckpointRequest& request);

}  // namespace gatehouse::ledger

// Checkpoints (C2SP tlog-checkpoint v1.0.0): what the log signs. Pure functions.
//
//   <origin>\n<size, decimal>\n<base64 of the root>\n[extension lines]
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "ledger/merkle.h"
#include "ledger/note.h"

namespace gatehouse::ledger {

struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  Digest root{};
  std::string extensions;  // whole lines, usually none
};

Result<Checkpoint> parse_checkpoint(std::string_view note_text);
std::string to_string(const Checkpoint& checkpoint);

// A checkpoint as a signed note.
std::string sign_checkpoint(const Checkpoint& checkpoint, const VerifierKey& as,
                            const crypto::SigningKey& key);

struct SignedCheckpoint {
  Checkpoint checkpoint;
  std::size_t unknown_signatures = 0;
};
// Parses the note, verifies it with the log's key, whose name must be the origin.
Result<SignedCheckpoint> open_checkpoint(std::string_view note_bytes, const VerifierKey& log);

}  // namespace gatehouse::ledger

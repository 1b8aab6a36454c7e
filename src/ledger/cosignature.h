// Cosignatures (C2SP tlog-cosignature v1.0.1), the Ed25519 kind: a witness says that at this time
// the checkpoint was the largest consistent one it had seen of that log. Pure functions.
//
//   signature = time, 8 bytes big-endian seconds since 1970 ‖ Ed25519 signature, 64 bytes
//   signed    = "cosignature/v1\n" ‖ "time " decimal "\n" ‖ the note's text with its last newline
//   key       = "<name>+<8 hex digits of the key id>+base64(0x04 ‖ public key)"
//
// The signed message does not hold the witness' name: one key must never serve two witnesses.
// ML-DSA-44 cosignatures (type 0x06) are not made and cannot be verified: OpenSSL 3.0 and libsodium
// do not have the algorithm. They are passed over like every signature by an unknown key.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/crypto.h"
#include "ledger/note.h"

namespace gatehouse::ledger {

// A type of its own, so that a log's key cannot be taken for a witness' key.
struct CosignerKey {
  std::string name;
  std::uint32_t id = 0;
  crypto::PublicKey key{};
};

CosignerKey make_cosigner_key(std::string_view name, const crypto::PublicKey& key);
Result<CosignerKey> parse_cosigner_key(std::string_view text);
std::string to_string(const CosignerKey& key);

// `time` in seconds since 1970, 1 to 2^63 - 1.
NoteSignature cosign(std::string_view note_text, std::uint64_t time, const CosignerKey& as,
                     const crypto::SigningKey& key);

struct HeldCosignature {
  std::size_t cosigner = 0;  // position in the list of keys that was given
  std::uint64_t time = 0;
};

// The cosignatures by these keys, one for each at most. permission_denied when a signature claims
// one of the keys and does not hold. Signatures by other keys are ignored; none at all is no error.
Result<std::vector<HeldCosignature>> verify_cosignatures(const Note& note,
                                                         std::span<const CosignerKey> cosigners);

}  // namespace gatehouse::ledger

// Signed notes and verifier keys (C2SP signed-note v1.0.0). Only Ed25519 signatures are made and
// verified here, those of witnesses in cosignature.h; all others are passed over. Pure functions.
//
//   text, ends in a newline, at least one line
//   <blank line>
//   — <key name> base64(key id, 4 bytes big-endian ‖ signature)      one or more
//
// A verifier key is written "<name>+<8 hex digits of the key id>+base64(0x01 ‖ public key)".
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/crypto.h"

namespace gatehouse::ledger {

inline constexpr std::size_t max_note_bytes = 256u << 10;
inline constexpr std::size_t max_note_signatures = 64;
inline constexpr std::size_t max_key_name_bytes = 255;

struct VerifierKey {
  std::string name;
  std::uint32_t id = 0;
  crypto::PublicKey key{};
};

// A verifier key of any type, as its text has it.
struct AnyVerifierKey {
  std::string name;
  std::uint32_t id = 0;
  std::uint8_t type = 0;  // signature_type_*, or one that is not known here
  std::string key;        // the bytes after the type
};

inline constexpr std::uint8_t signature_type_ed25519 = 0x01;
inline constexpr std::uint8_t signature_type_cosignature = 0x04;         // cosignature.h
inline constexpr std::uint8_t signature_type_ml_dsa_cosignature = 0x06;  // cannot be verified here

struct NoteSignature {
  std::string name;
  std::uint32_t key_id = 0;
  std::string signature;  // the bytes after the key id
};

struct Note {
  std::string text;  // with its last newline
  std::vector<NoteSignature> signatures;
};

// A key name is UTF-8 without control characters, white space or '+', 1 to 255 bytes.
Result<void> check_key_name(std::string_view name);
VerifierKey make_verifier_key(std::string_view name, const crypto::PublicKey& key);
Result<VerifierKey> parse_verifier_key(std::string_view text);
std::string to_string(const VerifierKey& key);

// The first 4 bytes of SHA-256(name ‖ 0x0A ‖ type ‖ key).
std::uint32_t make_key_id(std::string_view name, std::uint8_t type, std::string_view key);
// The id is compared with name and key where the type says how it is made.
Result<AnyVerifierKey> parse_any_verifier_key(std::string_view text);
std::string to_string(const AnyVerifierKey& key);

Result<Note> parse_note(std::string_view bytes);
std::string to_string(const Note& note);
// Signature lines alone, as a witness answers them; one or more.
Result<std::vector<NoteSignature>> parse_note_signatures(std::string_view lines);
std::string to_string(const NoteSignature& signature);  // with its newline
NoteSignature sign_note(std::string_view text, const VerifierKey& as,
                        const crypto::SigningKey& key);

// permission_denied unless at least one signature is by one of `keys`; a signature that claims one
// of them and does not hold refuses the note. Signatures by other keys are ignored; their number
// is returned, so that a caller who knows all signers can insist on zero.
Result<std::size_t> verify_note(const Note& note, std::span<const VerifierKey> keys);

}  // namespace gatehouse::ledger

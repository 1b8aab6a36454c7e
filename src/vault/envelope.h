// The keys of the vault. Each record has a random data key and a random salt of its own; both are
// wrapped together, in the slot of the record, by a key derived from the vault key. Who destroys
// the slot destroys them: nothing else has them. Pure but for randomness; thread-safe.
//
//   vault key (file, environment, command) ──HKDF──► wrapping key ──► slots: data key, salt
//                                          └─HKDF──► key id (which vault key this is)
//   wrapping key ──► the vault's own index key (random, made once) ──HMAC──► subject hashes
//
// The index key is wrapped and not derived, so that rotation of the vault key leaves it as it is
// and records go on being found.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "crypto/crypto.h"
#include "vault/format.h"

namespace gatehouse::vault {

// Wiped when dropped.
class Key {
 public:
  Key() = default;
  explicit Key(const crypto::Digest& bytes) : bytes_(bytes) {}
  Key(const Key&) = default;
  Key& operator=(const Key&) = default;
  ~Key();
  const crypto::Digest& bytes() const { return bytes_; }

 private:
  crypto::Digest bytes_{};
};

struct RecordSecrets {
  Key data_key;
  Key salt;
  static RecordSecrets make(Random& random);
};

struct WrappingKey {
  KeyId id{};
  Key key;
  static WrappingKey derive(std::string_view vault_key);
};

// The key in force, and older ones that still open what they wrapped.
struct KeyRing {
  WrappingKey current;
  std::vector<WrappingKey> older;
  const WrappingKey* find(const KeyId& id) const;
};

// A whole slot, 128 bytes.
std::string wrap(const WrappingKey& key, const RecordSecrets& secrets, const FrameHeader& record,
                 const SegmentHeader& segment, Random& random);
// failed_precondition: wrapped by a key that is not in the ring. data_loss: it does not open.
Result<RecordSecrets> unwrap(const KeyRing& ring, std::string_view slot, const FrameHeader& record,
                             const SegmentHeader& segment);

// What identifies the vault: made once, changed only by a rotation.
struct Identity {
  VaultId vault{};
  KeyId key{};  // the vault key in force when it was written
  Key index;    // of subject hashes
  static Identity make(const WrappingKey& key, Random& random);
};
inline constexpr std::size_t identity_bytes = 100;
std::string encode(const Identity& identity, const WrappingKey& key, Random& random);
// failed_precondition when it was wrapped by a key that is not in the ring.
Result<Identity> parse_identity(std::string_view bytes, const KeyRing& ring);

// One person's identifier in one form: mail addresses in lower case, telephone numbers as digits,
// everything else in lower case without spaces, hyphens and dots. Empty when nothing is left.
std::string canonical_subject(std::string_view identifier);
SubjectHash hash_subject(const Key& index, std::string_view canonical);

void wipe(std::string& text);

}  // namespace gatehouse::vault

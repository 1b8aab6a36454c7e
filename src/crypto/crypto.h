// Digests, keyed hashes, sealing and signatures; thin over OpenSSL 3 and libsodium.
// All functions are thread-safe. A failure inside the libraries that no input can cause is a
// GH_CHECK; what an input can cause is a Result.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"
#include "base/text.h"

namespace gatehouse::crypto {

using Digest = std::array<std::byte, 32>;

Digest sha256(Bytes data);                 // FIPS 180-4
Digest sha256(Bytes first, Bytes second);  // of the concatenation
Digest sha256(Bytes first, Bytes second, Bytes third);

// The same, of data that comes in pieces.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(Sha256Stream&&) noexcept;
  Sha256Stream& operator=(Sha256Stream&&) noexcept;
  void update(Bytes data);
  Digest finish();  // once

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

Digest hmac_sha256(Bytes key, Bytes data);  // RFC 2104
// HKDF-SHA-256 (RFC 5869), 32 bytes, empty salt: one deployment key, many purposes.
Digest derive_key(Bytes key, std::string_view purpose);
bool equal_constant_time(Bytes a, Bytes b);  // false at once when the lengths differ

// AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce. Sealed = nonce ‖ ciphertext ‖ tag.
// One key seals at most 2^32 messages; callers derive keys by purpose.
std::string seal(const Digest& key, Bytes plaintext, Bytes associated, Random& random);
Result<std::string> open_sealed(const Digest& key, Bytes sealed, Bytes associated);

// Ed25519 (RFC 8032).
using PublicKey = std::array<std::byte, 32>;
using Signature = std::array<std::byte, 64>;

class SigningKey {
 public:
  static SigningKey from_seed(const std::array<std::byte, 32>& seed);
  static SigningKey generate(Random& random);
  ~SigningKey();  // wipes
  SigningKey(const SigningKey&) = default;
  SigningKey& operator=(const SigningKey&) = default;

  const PublicKey& public_key() const { return public_; }
  std::array<std::byte, 32> seed() const;
  Signature sign(Bytes message) const;

 private:
  SigningKey() = default;
  std::array<std::byte, 64> secret_{};
  PublicKey public_{};
};

bool verify(const PublicKey& key, Bytes message, const Signature& signature);

}  // namespace gatehouse::crypto

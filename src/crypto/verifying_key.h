// Public keys of others and their signatures, as JSON Web Algorithms name them (RFC 7518, RFC
// 8037). Verification only; over OpenSSL 3. Immutable; any thread may use one key at a time with
// others.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/text.h"

namespace gatehouse::crypto {

// There is no member for "none" and none for a keyed hash, so nothing can be read as one.
enum class SignatureAlgorithm : std::uint8_t {
  rs256,
  rs384,
  rs512,
  ps256,
  ps384,
  ps512,
  es256,
  es384,
  es512,
  eddsa,  // Ed25519
};
std::string_view to_string(SignatureAlgorithm algorithm);  // "RS256", …
std::optional<SignatureAlgorithm> parse_signature_algorithm(std::string_view name);

enum class Curve : std::uint8_t { p256, p384, p521 };
std::size_t coordinate_size(Curve curve);

class VerifyingKey {
 public:
  // Big-endian without sign. 2048 to 8192 bits, an odd exponent of at most 32 bits.
  static Result<VerifyingKey> rsa(Bytes modulus, Bytes exponent);
  // Both of coordinate_size(curve); the point is on the curve.
  static Result<VerifyingKey> ec(Curve curve, Bytes x, Bytes y);
  static Result<VerifyingKey> ed25519(Bytes x);

  // Whether a signature of this algorithm can be of this key: an algorithm goes with one kind of
  // key and, for ECDSA, one curve (RFC 7518 section 3.4).
  bool fits(SignatureAlgorithm algorithm) const;
  // False also for a signature that is malformed. ECDSA signatures are R ‖ S of fixed size.
  bool verify(SignatureAlgorithm algorithm, Bytes message, Bytes signature) const;

 private:
  enum class Kind : std::uint8_t { rsa, p256, p384, p521, ed25519 };
  VerifyingKey(Kind kind, std::shared_ptr<void> key) : kind_(kind), key_(std::move(key)) {}
  static Result<VerifyingKey> make(Kind kind, const char* type, void* parameters);

  Kind kind_;
  std::shared_ptr<void> key_;  // EVP_PKEY
};

}  // namespace gatehouse::crypto

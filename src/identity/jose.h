// The signed forms of JOSE, read strictly: compact JWS (RFC 7515), public JWKs and sets of them
// (RFC 7517), thumbprints (RFC 7638). Bytes from outside: bounded, no duplicate members, no
// encoding that has two readings. Pure; inside of identity/ and for who issues tokens.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "crypto/crypto.h"
#include "crypto/verifying_key.h"

namespace gatehouse::identity {

using Json = nlohmann::json;

inline constexpr std::size_t max_token_bytes = 16u << 10;
inline constexpr std::size_t max_key_set_bytes = 256u << 10;
inline constexpr std::size_t max_keys_in_set = 64;

// One object; refuses duplicate names at any level, more than 16 levels, ill-formed UTF-8.
Result<Json> parse_object(std::string_view text, std::size_t max_bytes);

// Members of an object, empty or nothing where they are absent or of another type.
std::string text_member(const Json& object, const char* name);
std::optional<double> number_member(const Json& object, const char* name);
// A NumericDate (RFC 7519 section 2) that a clock can show; nothing when absent or no such number.
std::optional<WallTime> time_member(const Json& object, const char* name);
// A text or a list of texts.
std::optional<std::vector<std::string>> texts_member(const Json& object, const char* name);

struct Jwk {
  std::string kid;
  std::optional<crypto::SignatureAlgorithm> algorithm;  // the only one it is for
  crypto::VerifyingKey key;
  std::string thumbprint;  // SHA-256, base64url
  std::string ed25519;     // the 32 bytes, of such a key
  bool usable_for(crypto::SignatureAlgorithm wanted) const {
    return (!algorithm || *algorithm == wanted) && key.fits(wanted);
  }
};

// A public key for signatures. Refused: a symmetric key, a private one, one for encryption.
Result<Jwk> parse_jwk(const Json& object);

class JwkSet {
 public:
  // Keys that cannot be used are left out (RFC 7517 section 5); a set without any is an error.
  static Result<JwkSet> parse(std::string_view text);
  void add(Jwk key) { keys_.push_back(std::move(key)); }
  // Without a kid only the single key of a set that the algorithm fits.
  const Jwk* find(std::string_view kid, crypto::SignatureAlgorithm algorithm) const;
  const std::vector<Jwk>& keys() const { return keys_; }

 private:
  std::vector<Jwk> keys_;
};

// A compact JWS taken apart, not verified. The views look into the token.
struct CompactJws {
  Json header;
  Json claims;
  crypto::SignatureAlgorithm algorithm = crypto::SignatureAlgorithm::rs256;
  std::string kid;
  std::string type;  // lower case, without "application/"
  std::string_view signed_part;
  std::string signature;
};

// Refused here already: an algorithm that is none of ours, "crit", "b64", a key or an address of
// one in the header where `allow_jwk` is false.
Result<CompactJws> parse_jws(std::string_view token, bool allow_jwk = false);

bool verify(const CompactJws& jws, const crypto::VerifyingKey& key);

// Makes one with EdDSA. `header` without "alg".
std::string sign_jws(Json header, const Json& claims, const crypto::SigningKey& key);
Json to_jwk(const crypto::PublicKey& key);
std::string thumbprint_of(const crypto::PublicKey& key);

}  // namespace gatehouse::identity

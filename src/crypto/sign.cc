// Ed25519 over libsodium, which refuses keys and signatures of small order or not canonical.
// Thread-safe.
#include <sodium.h>

#include <algorithm>

#include "crypto/crypto.h"

namespace gatehouse::crypto {
namespace {

static_assert(crypto_sign_SEEDBYTES == 32 && crypto_sign_PUBLICKEYBYTES == 32 &&
              crypto_sign_SECRETKEYBYTES == 64 && crypto_sign_BYTES == 64);

void ready() {
  static const bool started = sodium_init() >= 0;
  GH_CHECK(started);
}

const unsigned char* raw(Bytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

template <std::size_t size>
unsigned char* raw(std::array<std::byte, size>& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

}  // namespace

SigningKey SigningKey::from_seed(const std::array<std::byte, 32>& seed) {
  ready();
  SigningKey key;
  GH_CHECK(crypto_sign_seed_keypair(raw(key.public_), raw(key.secret_), raw(Bytes(seed))) == 0);
  return key;
}

SigningKey SigningKey::generate(Random& random) {
  std::array<std::byte, 32> seed;
  random.fill(seed);
  SigningKey key = from_seed(seed);
  sodium_memzero(seed.data(), seed.size());
  return key;
}

SigningKey::~SigningKey() {
  sodium_memzero(secret_.data(), secret_.size());
}

// libsodium's secret key is the seed followed by the public key.
std::array<std::byte, 32> SigningKey::seed() const {
  std::array<std::byte, 32> seed;
  std::ranges::copy(Bytes(secret_).first(seed.size()), seed.begin());
  return seed;
}

Signature SigningKey::sign(Bytes message) const {
  Signature signature;
  GH_CHECK(crypto_sign_detached(raw(signature), nullptr, raw(message), message.size(),
                                raw(Bytes(secret_))) == 0);
  return signature;
}

bool verify(const PublicKey& key, Bytes message, const Signature& signature) {
  ready();
  return crypto_sign_verify_detached(raw(Bytes(signature)), raw(message), message.size(),
                                     raw(Bytes(key))) == 0;
}

}  // namespace gatehouse::crypto

// SHA-256, HMAC, HKDF over OpenSSL's EVP. Thread-safe: algorithms are fetched once and shared,
// contexts are one a thread and reused, because allocating and fetching cost more than hashing a
// short message.
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <initializer_list>
#include <memory>

#include "crypto/crypto.h"

namespace gatehouse::crypto {
namespace {

template <auto release>
struct Release {
  template <class T>
  void operator()(T* pointer) const {
    release(pointer);
  }
};

using DigestContext = std::unique_ptr<EVP_MD_CTX, Release<EVP_MD_CTX_free>>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, Release<EVP_MAC_CTX_free>>;
using KdfContext = std::unique_ptr<EVP_KDF_CTX, Release<EVP_KDF_CTX_free>>;

char sha256_name[] = "SHA256";

const unsigned char* raw(Bytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

const EVP_MD* sha256_algorithm() {
  static const EVP_MD* const algorithm = [] {
    EVP_MD* fetched = EVP_MD_fetch(nullptr, sha256_name, nullptr);
    GH_CHECK(fetched != nullptr);
    return fetched;
  }();
  return algorithm;
}

Digest hash(std::initializer_list<Bytes> parts) {
  thread_local const DigestContext context(EVP_MD_CTX_new());
  GH_CHECK(context != nullptr);
  GH_CHECK(EVP_DigestInit_ex2(context.get(), sha256_algorithm(), nullptr) == 1);
  for (const Bytes part : parts)
    GH_CHECK(EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1);
  Digest digest;
  GH_CHECK(EVP_DigestFinal_ex(context.get(), reinterpret_cast<unsigned char*>(digest.data()),
                              nullptr) == 1);
  return digest;
}

MacContext make_hmac_context() {
  static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  GH_CHECK(algorithm != nullptr);
  MacContext context(EVP_MAC_CTX_new(algorithm));
  GH_CHECK(context != nullptr);
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256_name, 0),
      OSSL_PARAM_construct_end()};
  GH_CHECK(EVP_MAC_CTX_set_params(context.get(), params) == 1);
  return context;
}

}  // namespace

struct Sha256Stream::Impl {
  DigestContext context{EVP_MD_CTX_new()};
};

Sha256Stream::Sha256Stream() : impl_(std::make_unique<Impl>()) {
  GH_CHECK(impl_->context != nullptr);
  GH_CHECK(EVP_DigestInit_ex2(impl_->context.get(), sha256_algorithm(), nullptr) == 1);
}
Sha256Stream::~Sha256Stream() = default;
Sha256Stream::Sha256Stream(Sha256Stream&&) noexcept = default;
Sha256Stream& Sha256Stream::operator=(Sha256Stream&&) noexcept = default;

void Sha256Stream::update(Bytes data) {
  GH_CHECK(EVP_DigestUpdate(impl_->context.get(), data.data(), data.size()) == 1);
}

Digest Sha256Stream::finish() {
  Digest digest;
  GH_CHECK(EVP_DigestFinal_ex(impl_->context.get(), reinterpret_cast<unsigned char*>(digest.data()),
                              nullptr) == 1);
  return digest;
}

Digest sha256(Bytes data) {
  return hash({data});
}

Digest sha256(Bytes first, Bytes second) {
  return hash({first, second});
}

Digest sha256(Bytes first, Bytes second, Bytes third) {
  return hash({first, second, third});
}

Digest hmac_sha256(Bytes key, Bytes data) {
  thread_local const MacContext context = make_hmac_context();
  // A null key means "the key of last time" to EVP_MAC_init; an empty key must not.
  static constexpr unsigned char empty_key = 0;
  const unsigned char* const key_bytes = key.empty() ? &empty_key : raw(key);
  GH_CHECK(EVP_MAC_init(context.get(), key_bytes, key.size(), nullptr) == 1);
  GH_CHECK(EVP_MAC_update(context.get(), raw(data), data.size()) == 1);
  Digest digest;
  std::size_t written = 0;
  GH_CHECK(EVP_MAC_final(context.get(), reinterpret_cast<unsigned char*>(digest.data()), &written,
                         digest.size()) == 1);
  GH_CHECK(written == digest.size());
  return digest;
}

Digest derive_key(Bytes key, std::string_view purpose) {
  static EVP_KDF* const algorithm = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  GH_CHECK(algorithm != nullptr);
  const KdfContext context(EVP_KDF_CTX_new(algorithm));
  GH_CHECK(context != nullptr);
  // OSSL_PARAM is not const-correct; the library only reads these.
  void* const key_bytes = const_cast<std::byte*>(key.data());
  void* const info = const_cast<char*>(purpose.data());
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, sha256_name, 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key_bytes, key.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, purpose.size()),
      OSSL_PARAM_construct_end()};
  Digest derived;
  GH_CHECK(EVP_KDF_derive(context.get(), reinterpret_cast<unsigned char*>(derived.data()),
                          derived.size(), params) == 1);
  return derived;
}

bool equal_constant_time(Bytes a, Bytes b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace gatehouse::crypto

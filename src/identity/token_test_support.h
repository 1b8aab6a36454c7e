// What the tests of tokens share: an issuer of our own, with keys OpenSSL made.
#pragma once

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <memory>
#include <string>

#include "base/text.h"
#include "identity/access_token.h"
#include "identity/jose.h"

namespace gatehouse::identity::testing {

using OwnedKey = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;

inline OwnedKey rsa_key(unsigned bits = 2'048) {
  return {EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<std::size_t>(bits)),
          EVP_PKEY_free};
}
inline OwnedKey ec_key(const char* curve = "P-256") {
  return {EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve), EVP_PKEY_free};
}

inline std::string number_of(const EVP_PKEY* key, const char* name, int size = 0) {
  BIGNUM* number = nullptr;
  EXPECT_EQ(EVP_PKEY_get_bn_param(key, name, &number), 1);
  std::string bytes(static_cast<std::size_t>(size > 0 ? size : BN_num_bytes(number)), '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()),
               static_cast<int>(bytes.size()));
  BN_free(number);
  return to_base64url(bytes_of(bytes));
}

inline Json rsa_jwk(const EVP_PKEY* key, const std::string& kid) {
  return {{"kty", "RSA"}, {"kid", kid}, {"n", number_of(key, "n")}, {"e", number_of(key, "e")}};
}
inline Json ec_jwk(const EVP_PKEY* key, const std::string& kid) {
  return {{"kty", "EC"},
          {"kid", kid},
          {"crv", "P-256"},
          {"x", number_of(key, "qx", 32)},
          {"y", number_of(key, "qy", 32)}};
}

// R ‖ S for an elliptic-curve key, else what the algorithm gives.
inline std::string signature_of(EVP_PKEY* key, std::string_view text, bool pss = false) {
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                   EVP_MD_CTX_free);
  EVP_PKEY_CTX* settings = nullptr;
  EVP_DigestSignInit(context.get(), &settings, EVP_sha256(), nullptr, key);
  if (pss) {
    EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST);
  }
  std::string out(1'024, '\0');
  std::size_t size = out.size();
  EXPECT_EQ(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                           reinterpret_cast<const unsigned char*>(text.data()), text.size()),
            1);
  out.resize(size);
  if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC) return out;
  const auto* der = reinterpret_cast<const unsigned char*>(out.data());
  ECDSA_SIG* const both = d2i_ECDSA_SIG(nullptr, &der, static_cast<long>(out.size()));
  std::string fixed(64, '\0');
  auto* const to = reinterpret_cast<unsigned char*>(fixed.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(both), to, 32);
  BN_bn2binpad(ECDSA_SIG_get0_s(both), to + 32, 32);
  ECDSA_SIG_free(both);
  return fixed;
}

inline std::string encoded(const Json& json) {
  return to_base64url(bytes_of(json.dump()));
}

inline std::string token_of(const Json& header, const Json& claims, EVP_PKEY* key,
                            bool pss = false) {
  std::string text = encoded(header) + "." + encoded(claims);
  return text + "." + to_base64url(bytes_of(signature_of(key, text, pss)));
}

}  // namespace gatehouse::identity::testing

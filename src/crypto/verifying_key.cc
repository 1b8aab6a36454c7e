// See verifying_key.h.
#include "crypto/verifying_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <array>

namespace gatehouse::crypto {
namespace {

using Algorithm = SignatureAlgorithm;

constexpr std::array<std::string_view, 10> names{"RS256", "RS384", "RS512", "PS256", "PS384",
                                                 "PS512", "ES256", "ES384", "ES512", "EdDSA"};
constexpr int smallest_modulus_bits = 2'048;
constexpr int largest_modulus_bits = 8'192;
constexpr int largest_exponent_bits = 32;

struct Free {
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(OSSL_PARAM_BLD* builder) const { OSSL_PARAM_BLD_free(builder); }
  void operator()(OSSL_PARAM* parameters) const { OSSL_PARAM_free(parameters); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

const unsigned char* raw(Bytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

Owned<BIGNUM> number_from(Bytes bytes) {
  return Owned<BIGNUM>(BN_bin2bn(raw(bytes), static_cast<int>(bytes.size()), nullptr));
}

std::unexpected<Error> refuse(std::string message) {
  ERR_clear_error();
  return fail(ErrorCode::invalid_argument, std::move(message));
}

bool is_pss(Algorithm algorithm) {
  return algorithm == Algorithm::ps256 || algorithm == Algorithm::ps384 ||
         algorithm == Algorithm::ps512;
}

const EVP_MD* digest_of(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::rs256:
    case Algorithm::ps256:
    case Algorithm::es256:
      return EVP_sha256();
    case Algorithm::rs384:
    case Algorithm::ps384:
    case Algorithm::es384:
      return EVP_sha384();
    case Algorithm::rs512:
    case Algorithm::ps512:
    case Algorithm::es512:
      return EVP_sha512();
    case Algorithm::eddsa:
      return nullptr;
  }
  return nullptr;
}

// R ‖ S as the SEQUENCE that OpenSSL reads; empty when the size is not the curve's.
std::string to_der(Bytes signature, std::size_t size) {
  if (signature.size() != 2 * size) return {};
  auto r = number_from(signature.first(size));
  auto s = number_from(signature.subspan(size));
  const Owned<ECDSA_SIG> both(ECDSA_SIG_new());
  GH_CHECK(r && s && both);
  GH_CHECK(ECDSA_SIG_set0(both.get(), r.release(), s.release()) == 1);
  unsigned char* der = nullptr;
  const int length = i2d_ECDSA_SIG(both.get(), &der);
  if (length <= 0) return {};
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
  OPENSSL_free(der);
  return out;
}

}  // namespace

std::string_view to_string(Algorithm algorithm) {
  return names[static_cast<std::size_t>(algorithm)];
}

std::optional<Algorithm> parse_signature_algorithm(std::string_view name) {
  for (std::size_t at = 0; at < names.size(); ++at)
    if (names[at] == name) return static_cast<Algorithm>(at);
  return std::nullopt;
}

std::size_t coordinate_size(Curve curve) {
  return curve == Curve::p256 ? 32 : curve == Curve::p384 ? 48 : 66;
}

Result<VerifyingKey> VerifyingKey::make(Kind kind, const char* type, void* builder) {
  const Owned<OSSL_PARAM> parameters(
      OSSL_PARAM_BLD_to_param(static_cast<OSSL_PARAM_BLD*>(builder)));
  const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1)
    return refuse("not a key of this kind");
  VerifyingKey made(
      kind, std::shared_ptr<void>(key, [](void* k) { EVP_PKEY_free(static_cast<EVP_PKEY*>(k)); }));
  const Owned<EVP_PKEY_CTX> check(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  if (!check || EVP_PKEY_public_check(check.get()) != 1) return refuse("not a valid public key");
  return made;
}

Result<VerifyingKey> VerifyingKey::rsa(Bytes modulus, Bytes exponent) {
  if (modulus.size() > largest_modulus_bits / 8 + 1 || exponent.size() > 8)
    return refuse("the RSA key is too large");
  const auto n = number_from(modulus);
  const auto e = number_from(exponent);
  if (BN_num_bits(n.get()) < smallest_modulus_bits || BN_num_bits(n.get()) > largest_modulus_bits)
    return refuse("an RSA key has 2048 to 8192 bits");
  if (BN_num_bits(e.get()) < 2 || BN_num_bits(e.get()) > largest_exponent_bits ||
      BN_is_odd(e.get()) != 1)
    return refuse("the exponent of an RSA key is odd, at least 3 and below 2^32");
  const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  if (!builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
    return refuse("not an RSA key");
  return make(Kind::rsa, "RSA", builder.get());
}

Result<VerifyingKey> VerifyingKey::ec(Curve curve, Bytes x, Bytes y) {
  const std::size_t size = coordinate_size(curve);
  if (x.size() != size || y.size() != size)
    return refuse("a coordinate does not have the size of the curve");
  std::string point = "\x04";
  point += text_of(x);
  point += text_of(y);
  const char* const group = curve == Curve::p256   ? "P-256"
                            : curve == Curve::p384 ? "P-384"
                                                   : "P-521";
  const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  if (!builder ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1)
    return refuse("not an elliptic-curve key");
  const Kind kind = curve == Curve::p256   ? Kind::p256
                    : curve == Curve::p384 ? Kind::p384
                                           : Kind::p521;
  return make(kind, "EC", builder.get());
}

Result<VerifyingKey> VerifyingKey::ed25519(Bytes x) {
  if (x.size() != 32) return refuse("an Ed25519 key has 32 bytes");
  EVP_PKEY* const key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, raw(x), x.size());
  if (key == nullptr) return refuse("not an Ed25519 key");
  return VerifyingKey(Kind::ed25519, std::shared_ptr<void>(key, [](void* k) {
                        EVP_PKEY_free(static_cast<EVP_PKEY*>(k));
                      }));
}

bool VerifyingKey::fits(Algorithm algorithm) const {
  switch (algorithm) {
    case Algorithm::es256:
      return kind_ == Kind::p256;
    case Algorithm::es384:
      return kind_ == Kind::p384;
    case Algorithm::es512:
      return kind_ == Kind::p521;
    case Algorithm::eddsa:
      return kind_ == Kind::ed25519;
    default:
      return kind_ == Kind::rsa;
  }
}

bool VerifyingKey::verify(Algorithm algorithm, Bytes message, Bytes signature) const {
  if (!fits(algorithm) || signature.size() > 2 * largest_modulus_bits / 8) return false;
  std::string der;
  if (kind_ == Kind::p256 || kind_ == Kind::p384 || kind_ == Kind::p521) {
    const Curve curve = kind_ == Kind::p256   ? Curve::p256
                        : kind_ == Kind::p384 ? Curve::p384
                                              : Curve::p521;
    der = to_der(signature, coordinate_size(curve));
    if (der.empty()) return false;
    signature = bytes_of(der);
  }
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  GH_CHECK(context != nullptr);
  EVP_PKEY_CTX* settings = nullptr;  // owned by the context
  auto* const key = static_cast<EVP_PKEY*>(key_.get());
  bool good =
      EVP_DigestVerifyInit(context.get(), &settings, digest_of(algorithm), nullptr, key) == 1;
  if (good && is_pss(algorithm))  // the salt is as long as the digest: RFC 7518 section 3.5
    good = EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST) == 1;
  good = good && EVP_DigestVerify(context.get(), raw(signature), signature.size(), raw(message),
                                  message.size()) == 1;
  ERR_clear_error();
  return good;
}

}  // namespace gatehouse::crypto

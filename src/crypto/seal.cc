// AES-256-GCM. Sealed bytes are nonce (12) ‖ ciphertext ‖ tag (16). Thread-safe: one context a
// call. What an attacker can reach is open_sealed(): it says only that the bytes do not open.
#include <openssl/evp.h>
#include <sodium/utils.h>

#include <climits>
#include <memory>

#include "crypto/crypto.h"

namespace gatehouse::crypto {
namespace {

constexpr std::size_t nonce_size = 12;
constexpr std::size_t tag_size = 16;
constexpr std::size_t max_message = INT_MAX - nonce_size - tag_size;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const EVP_CIPHER* cipher() {
  static const EVP_CIPHER* const fetched = [] {
    EVP_CIPHER* found = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    GH_CHECK(found != nullptr);
    return found;
  }();
  return fetched;
}

const unsigned char* raw(Bytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

unsigned char* raw(std::string& text, std::size_t at) {
  return reinterpret_cast<unsigned char*>(text.data()) + at;
}

Context new_context() {
  Context context(EVP_CIPHER_CTX_new());
  GH_CHECK(context != nullptr);
  return context;
}

}  // namespace

std::string seal(const Digest& key, Bytes plaintext, Bytes associated, Random& random) {
  GH_CHECK(plaintext.size() <= max_message && associated.size() <= max_message);
  std::string sealed(nonce_size + plaintext.size() + tag_size, '\0');
  random.fill(std::as_writable_bytes(std::span(sealed.data(), nonce_size)));

  const Context context = new_context();
  int written = 0;
  GH_CHECK(EVP_EncryptInit_ex2(context.get(), cipher(), raw(Bytes(key)), raw(sealed, 0), nullptr) ==
           1);
  if (!associated.empty())
    GH_CHECK(EVP_EncryptUpdate(context.get(), nullptr, &written, raw(associated),
                               static_cast<int>(associated.size())) == 1);
  if (!plaintext.empty())
    GH_CHECK(EVP_EncryptUpdate(context.get(), raw(sealed, nonce_size), &written, raw(plaintext),
                               static_cast<int>(plaintext.size())) == 1);
  const std::size_t tag_at = nonce_size + plaintext.size();
  GH_CHECK(EVP_EncryptFinal_ex(context.get(), raw(sealed, tag_at), &written) == 1);
  GH_CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, tag_size,
                               raw(sealed, tag_at)) == 1);
  return sealed;
}

Result<std::string> open_sealed(const Digest& key, Bytes sealed, Bytes associated) {
  const auto refuse = [] {
    return fail(ErrorCode::data_loss,
                "sealed bytes do not open: changed, or sealed with another key or for another use");
  };
  if (sealed.size() < nonce_size + tag_size || sealed.size() > max_message ||
      associated.size() > max_message)
    return refuse();
  const Bytes nonce = sealed.first(nonce_size);
  const Bytes tag = sealed.last(tag_size);
  const Bytes ciphertext = sealed.subspan(nonce_size, sealed.size() - nonce_size - tag_size);

  const Context context = new_context();
  int written = 0;
  GH_CHECK(EVP_DecryptInit_ex2(context.get(), cipher(), raw(Bytes(key)), raw(nonce), nullptr) == 1);
  if (!associated.empty())
    GH_CHECK(EVP_DecryptUpdate(context.get(), nullptr, &written, raw(associated),
                               static_cast<int>(associated.size())) == 1);
  std::string plaintext(ciphertext.size() + 1, '\0');  // one spare: final needs a valid pointer
  if (!ciphertext.empty())
    GH_CHECK(EVP_DecryptUpdate(context.get(), raw(plaintext, 0), &written, raw(ciphertext),
                               static_cast<int>(ciphertext.size())) == 1);
  GH_CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, tag_size,
                               const_cast<std::byte*>(tag.data())) == 1);
  if (EVP_DecryptFinal_ex(context.get(), raw(plaintext, ciphertext.size()), &written) != 1) {
    sodium_memzero(plaintext.data(), plaintext.size());  // unauthenticated bytes go nowhere
    return refuse();
  }
  plaintext.resize(ciphertext.size());
  return plaintext;
}

}  // namespace gatehouse::crypto

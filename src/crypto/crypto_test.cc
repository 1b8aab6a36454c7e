// Known answers from the standards, tampering, and what a wrong key must not do.
#include "crypto/crypto.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <thread>
#include <vector>

namespace gatehouse::crypto {
namespace {

std::string unhex(std::string_view hex) {
  return from_hex(hex).value();
}

template <std::size_t size>
std::array<std::byte, size> array_of(std::string_view hex) {
  const std::string bytes = unhex(hex);
  std::array<std::byte, size> out{};
  EXPECT_EQ(bytes.size(), size);
  std::copy_n(bytes_of(bytes).begin(), std::min(size, bytes.size()), out.begin());
  return out;
}

std::string random_bytes() {
  const auto bytes = *rc::gen::arbitrary<std::vector<std::uint8_t>>();
  return {bytes.begin(), bytes.end()};
}

TEST(Sha256Stream, is_the_digest_of_what_came_in_pieces) {
  const std::string text(100'000, 'x');
  Sha256Stream stream;
  for (std::size_t at = 0; at < text.size(); at += 777) {
    stream.update(bytes_of(std::string_view(text).substr(at, 777)));
  }
  EXPECT_EQ(stream.finish(), sha256(bytes_of(text)));
}

TEST(Sha256, examples_of_fips_180) {
  EXPECT_EQ(to_hex(sha256(bytes_of(""))),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256(bytes_of("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256(bytes_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(to_hex(sha256(bytes_of(std::string(1'000'000, 'a')))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

RC_GTEST_PROP(Sha256, of_parts_is_of_the_concatenation, ()) {
  const std::string a = random_bytes();
  const std::string b = random_bytes();
  const std::string c = random_bytes();
  RC_ASSERT(sha256(bytes_of(a), bytes_of(b)) == sha256(bytes_of(a + b)));
  RC_ASSERT(sha256(bytes_of(a), bytes_of(b), bytes_of(c)) == sha256(bytes_of(a + b + c)));
}

TEST(Hmac, vectors_of_rfc_4231) {
  EXPECT_EQ(to_hex(hmac_sha256(bytes_of(std::string(20, '\x0b')), bytes_of("Hi There"))),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(to_hex(hmac_sha256(bytes_of("Jefe"), bytes_of("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(hmac_sha256(bytes_of(std::string(131, '\xaa')),
                               bytes_of("Test Using Larger Than Block-Size Key - Hash Key First"))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hmac, an_empty_key_is_not_the_key_of_last_time) {
  const Digest empty = hmac_sha256({}, bytes_of("data"));
  hmac_sha256(bytes_of("another key"), bytes_of("data"));
  EXPECT_EQ(hmac_sha256({}, bytes_of("data")), empty);
  EXPECT_EQ(to_hex(hmac_sha256({}, {})),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(DeriveKey, vector_of_rfc_5869_with_an_empty_salt) {
  // Test case 3 (empty salt and info), the first 32 bytes of its 42.
  EXPECT_EQ(to_hex(derive_key(bytes_of(std::string(22, '\x0b')), "")),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
}

TEST(DeriveKey, is_extract_then_expand) {
  const Digest extracted = hmac_sha256(bytes_of(std::string(32, '\0')), bytes_of("input key"));
  EXPECT_EQ(derive_key(bytes_of("input key"), "purpose"),
            hmac_sha256(extracted, bytes_of("purpose\x01")));
  EXPECT_NE(derive_key(bytes_of("input key"), "purpose"),
            derive_key(bytes_of("input key"), "other"));
}

TEST(EqualConstantTime, compares_bytes) {
  EXPECT_TRUE(equal_constant_time(bytes_of("same"), bytes_of("same")));
  EXPECT_FALSE(equal_constant_time(bytes_of("same"), bytes_of("sama")));
  EXPECT_FALSE(equal_constant_time(bytes_of("same"), bytes_of("same ")));
  EXPECT_TRUE(equal_constant_time({}, {}));
}

// Hands out the bytes it was made of; lets a known answer fix the nonce.
class FixedRandom final : public Random {
 public:
  explicit FixedRandom(std::string bytes) : bytes_(std::move(bytes)) {}
  void fill(std::span<std::byte> out) override {
    ASSERT_EQ(out.size(), bytes_.size());
    std::ranges::copy(bytes_of(bytes_), out.begin());
  }

 private:
  std::string bytes_;
};

TEST(Seal, vectors_of_the_gcm_specification) {
  // McGrew and Viega, test cases 13, 14 and 16 (256-bit keys).
  FixedRandom zero_nonce(std::string(12, '\0'));
  const Digest zero_key{};
  EXPECT_EQ(to_hex(bytes_of(seal(zero_key, {}, {}, zero_nonce)).subspan(12)),
            "530f8afbc74536b9a963b4f1c4cb738b");
  EXPECT_EQ(
      to_hex(bytes_of(seal(zero_key, bytes_of(std::string(16, '\0')), {}, zero_nonce)).subspan(12)),
      "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
  FixedRandom nonce(unhex("cafebabefacedbaddecaf888"));
  const auto key = array_of<32>("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
  const std::string plaintext = unhex(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6"
      "b525b16aedf5aa0de657ba637b39");
  const std::string associated = unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  const std::string sealed = seal(key, bytes_of(plaintext), bytes_of(associated), nonce);
  EXPECT_EQ(
      to_hex(bytes_of(sealed)),
      "cafebabefacedbaddecaf888"
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b10"
      "56828838c5f61e6393ba7a0abcc9f662"
      "76fc6ece0f4e1768cddf8853bb2d551b");
  EXPECT_EQ(open_sealed(key, bytes_of(sealed), bytes_of(associated)), plaintext);
}

RC_GTEST_PROP(Seal, opens_again, ()) {
  SystemRandom random;
  const Digest key = sha256(bytes_of(random_bytes()));
  const std::string plaintext = random_bytes();
  const std::string associated = random_bytes();
  const std::string sealed = seal(key, bytes_of(plaintext), bytes_of(associated), random);
  RC_ASSERT(sealed.size() == plaintext.size() + 28);
  RC_ASSERT(open_sealed(key, bytes_of(sealed), bytes_of(associated)).value() == plaintext);
}

class SealedMessage : public testing::Test {
 protected:
  SystemRandom random_;
  Digest key_ = sha256(bytes_of("key"));
  std::string associated_ = "session 7";
  std::string sealed_ = seal(key_, bytes_of("content"), bytes_of(associated_), random_);

  bool opens(std::string_view sealed, std::string_view associated) const {
    return open_sealed(key_, bytes_of(sealed), bytes_of(associated)).has_value();
  }
};

TEST_F(SealedMessage, every_flipped_bit_is_noticed) {
  for (std::size_t bit = 0; bit < sealed_.size() * 8; ++bit) {
    std::string changed = sealed_;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ 1 << bit % 8);
    EXPECT_FALSE(opens(changed, associated_)) << bit;
  }
  EXPECT_TRUE(opens(sealed_, associated_));
}

TEST_F(SealedMessage, every_other_length_is_noticed) {
  for (std::size_t size = 0; size < sealed_.size(); ++size)
    EXPECT_FALSE(opens(sealed_.substr(0, size), associated_)) << size;
  EXPECT_FALSE(opens(sealed_ + "x", associated_));
}

TEST_F(SealedMessage, the_association_and_the_key_must_be_the_same) {
  EXPECT_FALSE(opens(sealed_, "session 8"));
  EXPECT_FALSE(opens(sealed_, ""));
  const auto other =
      open_sealed(sha256(bytes_of("other")), bytes_of(sealed_), bytes_of(associated_));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::data_loss);
}

TEST_F(SealedMessage, sealing_twice_looks_different) {
  EXPECT_NE(seal(key_, bytes_of("content"), bytes_of(associated_), random_), sealed_);
}

TEST(Ed25519, vectors_of_rfc_8032) {
  const auto key = SigningKey::from_seed(
      array_of<32>("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
  EXPECT_EQ(to_hex(key.public_key()),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  EXPECT_EQ(
      to_hex(key.sign({})),
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701c"
      "f9b46bd25bf5f0595bbe24655141438e7a100b");

  const auto third = SigningKey::from_seed(
      array_of<32>("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"));
  EXPECT_EQ(to_hex(third.public_key()),
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
  EXPECT_EQ(
      to_hex(third.sign(bytes_of(unhex("af82")))),
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984d"
      "c6594a7c15e9716ed28dc027beceea1ec40a");
}

TEST(Ed25519, every_changed_bit_of_a_signature_is_noticed) {
  SeededRandom random(3);
  const auto key = SigningKey::generate(random);
  const Signature signature = key.sign(bytes_of("message"));
  EXPECT_TRUE(verify(key.public_key(), bytes_of("message"), signature));
  EXPECT_FALSE(verify(key.public_key(), bytes_of("massage"), signature));
  EXPECT_FALSE(verify(SigningKey::generate(random).public_key(), bytes_of("message"), signature));
  for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
    Signature changed = signature;
    changed[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    EXPECT_FALSE(verify(key.public_key(), bytes_of("message"), changed)) << bit;
  }
}

TEST(Ed25519, a_key_of_small_order_verifies_nothing) {
  // The neutral element as public key with R = neutral and S = 0 satisfies the bare equation for
  // every message; a verifier that does not look for it accepts it.
  PublicKey neutral{};
  neutral[0] = std::byte{1};
  Signature forged{};
  forged[0] = std::byte{1};
  EXPECT_FALSE(verify(neutral, bytes_of("anything"), forged));
}

TEST(Ed25519, the_seed_makes_the_same_key_again) {
  SystemRandom random;
  const auto key = SigningKey::generate(random);
  const auto again = SigningKey::from_seed(key.seed());
  EXPECT_EQ(again.public_key(), key.public_key());
  EXPECT_EQ(again.sign(bytes_of("m")), key.sign(bytes_of("m")));
}

TEST(Crypto, works_from_many_threads_at_once) {
  const Digest expected = hmac_sha256(bytes_of("k"), sha256(bytes_of("abc")));
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&expected] {
      for (int i = 0; i < 2000; ++i)
        ASSERT_EQ(hmac_sha256(bytes_of("k"), sha256(bytes_of("abc"))), expected);
    });
}

}  // namespace
}  // namespace gatehouse::crypto

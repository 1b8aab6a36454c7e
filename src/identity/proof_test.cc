#include "identity/proof.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "base/text.h"
#include "identity/jose.h"
#include "identity/peers.h"
#include "identity/standing.h"

namespace gatehouse::identity {
namespace {

const WallTime now(std::chrono::seconds(1'800'000'000));
constexpr const char* url = "https://gateway.example.com/v1/models";

struct Holder {
  SeededRandom random{3};
  crypto::SigningKey key = crypto::SigningKey::generate(random);

  static Json claims() {
    return {{"htm", "GET"},
            {"htu", url},
            {"iat", 1'800'000'000},
            {"jti", "one"},
            {"ath", to_base64url(crypto::sha256(bytes_of("token")))}};
  }
  std::string prove(const Json& what, const char* type = "dpop+jwt") const {
    return sign_jws({{"typ", type}, {"jwk", to_jwk(key.public_key())}}, what, key);
  }
  static Result<Proof> check(const std::string& proof) {
    return check_proof(proof, "GET", url, "token", now);
  }
};

TEST(Proof, SaysWhoseKeyMadeIt) {
  const Holder holder;
  const auto proof = Holder::check(holder.prove(Holder::claims()));
  ASSERT_TRUE(proof) << proof.error().describe();
  EXPECT_EQ(proof->thumbprint, thumbprint_of(holder.key.public_key()));
  EXPECT_EQ(proof->id, "one");
}

TEST(Proof, EachCheckOfTheStandard) {
  const Holder holder;
  const auto with = [&](const char* name, const Json& value) {
    Json changed = Holder::claims();
    changed[name] = value;
    return Holder::check(holder.prove(changed)).has_value();
  };
  EXPECT_FALSE(with("htm", "POST"));
  EXPECT_FALSE(with("htu", "https://gateway.example.com/v1/other"));
  EXPECT_FALSE(with("htu", "http://gateway.example.com/v1/models"));
  EXPECT_FALSE(with("htu", "https://gateway.example.com.evil.example/v1/models"));
  EXPECT_TRUE(with("htu", "HTTPS://Gateway.example.com:443/v1/models?x=1#y"));
  EXPECT_FALSE(with("iat", 1'800'000'061));
  EXPECT_FALSE(with("iat", 1'799'999'939));
  EXPECT_FALSE(with("iat", "now"));
  EXPECT_FALSE(with("jti", ""));
  EXPECT_FALSE(with("jti", std::string(257, 'x')));
  EXPECT_FALSE(with("ath", "abc"));
  EXPECT_FALSE(Holder::check(holder.prove(Holder::claims(), "JWT")));
}

TEST(Proof, OfAnotherKeyThanItShows) {
  const Holder holder;
  Holder other;
  other.key = crypto::SigningKey::generate(other.random);
  other.key = crypto::SigningKey::generate(other.random);
  const auto forged = sign_jws({{"typ", "dpop+jwt"}, {"jwk", to_jwk(other.key.public_key())}},
                               Holder::claims(), holder.key);
  EXPECT_FALSE(Holder::check(forged));
  Json secret = to_jwk(holder.key.public_key());
  secret["d"] = to_base64url(holder.key.seed());
  EXPECT_FALSE(Holder::check(
      sign_jws({{"typ", "dpop+jwt"}, {"jwk", secret}}, Holder::claims(), holder.key)));
}

TEST(Standing, WhoAndWhatIsRevoked) {
  const auto standing = Standing::of({"t1"}, {"user:ada"});
  Principal ada;
  ada.id = "ada";
  Principal helper;
  helper.kind = PrincipalKind::agent;
  helper.id = "helper";
  EXPECT_FALSE(standing.check(ada, {}, now));
  EXPECT_TRUE(standing.check(helper, {"t2"}, now));
  EXPECT_FALSE(standing.check(helper, {"t2", "t1"}, now));
  helper.chain = {{PrincipalKind::agent, "planner"}, {PrincipalKind::user, "ada"}};
  EXPECT_FALSE(standing.check(helper, {}, now));
  Principal service_of_that_name;
  service_of_that_name.kind = PrincipalKind::service;
  service_of_that_name.id = "ada";
  EXPECT_TRUE(standing.check(service_of_that_name, {}, now));
}

TEST(Peers, OnlyNodesOfTheDeploymentAreAnswered) {
  crypto::Digest key{};
  crypto::Digest other{};
  other[0] = std::byte{1};
  const std::string nonce(32, 'a');
  const auto mac = [&](const crypto::Digest& with) {
    return "Gatehouse-Peer " +
           to_hex(crypto::hmac_sha256(Bytes(with), bytes_of("revocations/" + nonce)));
  };
  const auto standing = Standing::of({"t1"}, {"user:ada"});
  const auto answer = answer_peer(nonce, mac(key), standing, key);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body,
            R"({"nonce":")" + nonce + R"(","tokens":["t1"],"principals":["user:ada"]})");
  EXPECT_FALSE(answer_peer(nonce, mac(other), standing, key));
  EXPECT_FALSE(answer_peer(std::string(32, 'b'), mac(key), standing, key));
  EXPECT_FALSE(answer_peer("", "Gatehouse-Peer ", standing, key));
}

}  // namespace
}  // namespace gatehouse::identity

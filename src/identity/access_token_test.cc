#include "identity/access_token.h"

#include <functional>

#include "crypto/crypto.h"
#include "identity/token_test_support.h"

namespace gatehouse::identity {
namespace {

using namespace testing;
using crypto::SignatureAlgorithm;

const WallTime now(std::chrono::seconds(1'800'000'000));
constexpr std::int64_t now_seconds = 1'800'000'000;

struct Issuer {
  OwnedKey rsa = rsa_key();
  OwnedKey ec = ec_key();
  IssuerConfig config;
  JwkSet keys;

  Issuer() {
    config.issuer = "https://login.example.com";
    config.audiences = {"https://gateway.example.com"};
    config.resource = "https://gateway.example.com";
    config.algorithms = {SignatureAlgorithm::rs256, SignatureAlgorithm::ps256,
                         SignatureAlgorithm::es256};
    config.groups_claim = "groups";
    config.attributes = {{"department", "dept"}, {"role", "realm.role"}};
    keys =
        *JwkSet::parse(Json{{"keys", {rsa_jwk(rsa.get(), "r1"), ec_jwk(ec.get(), "e1")}}}.dump());
  }
  static Json header(const char* algorithm = "RS256", const char* kid = "r1") {
    return {{"alg", algorithm}, {"kid", kid}, {"typ", "at+jwt"}};
  }
  static Json claims() {
    return {{"iss", "https://login.example.com"},
            {"aud", "https://gateway.example.com"},
            {"sub", "ada"},
            {"client_id", "chat"},
            {"iat", now_seconds - 10},
            {"exp", now_seconds + 300},
            {"jti", "token-1"},
            {"groups", {"staff", "engineers"}},
            {"dept", "research"},
            {"realm", {{"role", "lead"}}}};
  }
  Result<Verified> verify(const std::string& token, WallTime at = now) const {
    GH_ASSIGN(const auto jws, parse_jws(token));
    return verify_access_token(token, jws, config, keys, at);
  }
  Result<Verified> verify(const Json& with) const {
    return verify(token_of(header(), with, rsa.get()));
  }
  std::string refusal(const std::function<void(Json&)>& change) const {
    Json changed = claims();
    change(changed);
    const auto verified = verify(changed);
    return verified ? "accepted" : verified.error().message;
  }
};

const Issuer& issuer() {
  static const Issuer one;
  return one;
}

TEST(AccessToken, BecomesAPrincipal) {
  const auto verified = issuer().verify(Issuer::claims());
  ASSERT_TRUE(verified) << verified.error().describe();
  const Principal& principal = verified->principal;
  EXPECT_EQ(principal.kind, PrincipalKind::user);
  EXPECT_EQ(principal.id, "ada");
  EXPECT_EQ(principal.groups, (std::vector<std::string>{"engineers", "staff"}));
  EXPECT_EQ(principal.attributes, (std::vector<std::pair<std::string, std::string>>{
                                      {"department", "research"}, {"role", "lead"}}));
  EXPECT_EQ(principal.credential, CredentialKind::access_token);
  EXPECT_EQ(verified->ids.back(), "token-1");
  EXPECT_EQ(verified->expires, now + std::chrono::seconds(330));
}

TEST(AccessToken, EveryAlgorithmOfTheListIsVerified) {
  const auto& one = issuer();
  EXPECT_TRUE(one.verify(token_of(Issuer::header("PS256"), Issuer::claims(), one.rsa.get(), true)));
  EXPECT_TRUE(one.verify(token_of(Issuer::header("ES256", "e1"), Issuer::claims(), one.ec.get())));
  // PKCS #1 under the name of PSS, and the other way round.
  EXPECT_FALSE(one.verify(token_of(Issuer::header("PS256"), Issuer::claims(), one.rsa.get())));
  EXPECT_FALSE(one.verify(token_of(Issuer::header(), Issuer::claims(), one.rsa.get(), true)));
}

TEST(AccessToken, NeverNoneAndNeverAKeyedHash) {
  const std::string body = encoded(Issuer::claims());
  EXPECT_FALSE(issuer().verify(encoded(Issuer::header("none")) + "." + body + "."));
  // HMAC under the public key, which everybody has.
  const std::string text = encoded(Issuer::header("HS256")) + "." + body;
  const std::string n = number_of(issuer().rsa.get(), "n");
  const auto mac = crypto::hmac_sha256(bytes_of(n), bytes_of(text));
  EXPECT_FALSE(issuer().verify(text + "." + to_base64url(mac)));
  const auto parsed = parse_jws(text + "." + to_base64url(mac));
  ASSERT_FALSE(parsed);
  EXPECT_NE(parsed.error().message.find("HS256"), std::string::npos);
}

TEST(AccessToken, AnAlgorithmGoesWithItsKindOfKeyOnly) {
  // Signed by the curve's key, said to be RSA's and named after RSA's key.
  const auto& one = issuer();
  EXPECT_FALSE(one.verify(token_of(Issuer::header("RS256", "r1"), Issuer::claims(), one.ec.get())));
  EXPECT_FALSE(one.verify(token_of(Issuer::header("ES256", "r1"), Issuer::claims(), one.ec.get())));
  EXPECT_FALSE(one.verify(token_of(Issuer::header("ES384", "e1"), Issuer::claims(), one.ec.get())));
}

TEST(AccessToken, AnUnknownKidIsSaidToBeOne) {
  const auto verified = issuer().verify(
      token_of(Issuer::header("RS256", "r2"), Issuer::claims(), issuer().rsa.get()));
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, ErrorCode::not_found);
}

TEST(AccessToken, ATokenThatBringsItsKeyIsRefused) {
  for (const char* member : {"jwk", "jku", "x5u", "crit", "b64"}) {
    Json header = Issuer::header();
    header[member] = member == std::string_view("jwk") ? rsa_jwk(issuer().rsa.get(), "r1")
                                                       : Json("https://evil.example/keys");
    EXPECT_FALSE(parse_jws(token_of(header, Issuer::claims(), issuer().rsa.get()))) << member;
  }
}

TEST(AccessToken, EveryByteOfTheTokenCounts) {
  const std::string token = token_of(Issuer::header(), Issuer::claims(), issuer().rsa.get());
  ASSERT_TRUE(issuer().verify(token));
  for (std::size_t at = 0; at < token.size(); ++at) {
    std::string changed = token;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(issuer().verify(changed)) << at;
  }
}

TEST(AccessToken, ForOneAddressIsForThatPathAlone) {
  const auto path_of = [](const Json& audience) {
    Json changed = Issuer::claims();
    changed["aud"] = audience;
    const auto verified = issuer().verify(changed);
    return verified ? verified->path : "refused: " + verified.error().message;
  };
  EXPECT_EQ(path_of("https://gateway.example.com"), "");
  EXPECT_EQ(path_of("https://gateway.example.com/mcp/docs"), "/mcp/docs");
  EXPECT_EQ(path_of({"x", "https://gateway.example.com/mcp/docs"}), "/mcp/docs");
  EXPECT_EQ(path_of({"https://gateway.example.com/mcp/docs", "https://gateway.example.com"}), "");
  EXPECT_TRUE(path_of("https://gateway.example.com/").starts_with("refused"));
  EXPECT_TRUE(path_of("https://gateway.example.com.evil.example/mcp").starts_with("refused"));
  EXPECT_TRUE(path_of("https://gateway.example.community/mcp").starts_with("refused"));
}

TEST(AccessToken, WhatItsClaimsMustSay) {
  const auto& one = issuer();
  using J = Json&;
  EXPECT_EQ(one.refusal([](J) {}), "accepted");
  EXPECT_NE(one.refusal([](J c) { c["iss"] = "https://login.example.com/"; }), "accepted");
  EXPECT_NE(one.refusal([](J c) { c.erase("iss"); }), "accepted");
  EXPECT_NE(one.refusal([](J c) { c["aud"] = "https://other.example.com"; }), "accepted");
  EXPECT_NE(one.refusal([](J c) { c["aud"] = "https://gateway.example.com.evil.example"; }),
            "accepted");
  EXPECT_NE(one.refusal([](J c) { c["aud"] = Json::array(); }), "accepted");
  EXPECT_NE(one.refusal([](J c) { c.erase("aud"); }), "accepted");
  EXPECT_EQ(one.refusal([](J c) { c["aud"] = {"x", "https://gateway.example.com"}; }), "accepted");
  EXPECT_NE(one.refusal([](J c) { c["exp"] = now_seconds - 31; }), "accepted");
  EXPECT_EQ(one.refusal([](J c) { c["exp"] = now_seconds - 29; }), "accepted");
  EXPECT_NE(one.refusal([](J c) { c["exp"] = "9999999999"; }), "accepted");
  EXPECT_NE(one.refusal([](J c) { c["exp"] = 1e300; }), "accepted");
  EXPECT_NE(one.refusal([](J c) { c.erase("exp"); }), "accepted");
  EXPECT_NE(one.refusal([](J c) { c["nbf"] = now_seconds + 31; }), "accepted");
  EXPECT_NE(one.refusal([](J c) { c["iat"] = now_seconds + 3'600; }), "accepted");
  EXPECT_NE(one.refusal([](J c) { c.erase("sub"); }), "accepted");
  EXPECT_NE(one.refusal([](J c) { c["sub"] = "ada\n"; }), "accepted");
  EXPECT_NE(one.refusal([](J c) { c["sub"] = 7; }), "accepted");
  EXPECT_NE(one.refusal([](J c) { c["groups"] = {"a", 1}; }), "accepted");
  EXPECT_NE(one.refusal([](J c) { c["groups"] = std::vector<std::string>(257, "g"); }), "accepted");
  EXPECT_NE(one.refusal([](J c) { c["dept"] = {{"a", 1}}; }), "accepted");
  EXPECT_NE(one.refusal([](J c) { c["cnf"] = {{"x5t#S512", "abc"}}; }), "accepted");
  EXPECT_NE(one.refusal([](J c) { c["cnf"] = "abc"; }), "accepted");
}

TEST(AccessToken, ATypeThatIsNotListedIsRefused) {
  Json header = Issuer::header();
  header["typ"] = "JWT";  // an id token would say so
  EXPECT_FALSE(issuer().verify(token_of(header, Issuer::claims(), issuer().rsa.get())));
  header["typ"] = "application/at+JWT";
  EXPECT_TRUE(issuer().verify(token_of(header, Issuer::claims(), issuer().rsa.get())));
}

TEST(AccessToken, AClientByItselfIsAService) {
  Json claims = Issuer::claims();
  claims["sub"] = "chat";
  const auto verified = issuer().verify(claims);
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->principal.kind, PrincipalKind::service);
}

TEST(AccessToken, ActorsBecomeAChain) {
  Json claims = Issuer::claims();
  claims["act"] = {{"sub", "helper"}, {"act", {{"sub", "planner"}}}};
  const auto verified = issuer().verify(claims);
  ASSERT_TRUE(verified) << verified.error().describe();
  EXPECT_EQ(verified->principal.kind, PrincipalKind::agent);
  EXPECT_EQ(verified->principal.id, "helper");
  ASSERT_EQ(verified->principal.chain.size(), 2U);
  const Actor& ada = verified->principal.chain[1];
  EXPECT_EQ(verified->principal.chain[0], (Actor{PrincipalKind::agent, "planner"}));
  EXPECT_EQ(ada.kind, PrincipalKind::user);
  EXPECT_EQ(ada.id, "ada");
  EXPECT_TRUE(verified->principal.groups.empty());  // they are Ada's
  EXPECT_TRUE(verified->principal.attributes.empty());
  EXPECT_EQ(ada.groups, (std::vector<std::string>{"engineers", "staff"}));
  EXPECT_EQ(ada.attributes, (std::vector<std::pair<std::string, std::string>>{
                                {"department", "research"}, {"role", "lead"}}));
}

// Whoever has a token of an elliptic curve can make its twin: (r, n - s) is as good as (r, s).
TEST(AccessToken, TheTwinOfATokenHasItsIds) {
  const std::string token =
      token_of(Issuer::header("ES256", "e1"), Issuer::claims(), issuer().ec.get());
  const auto dot = token.rfind('.');
  std::string signature = from_base64url(token.substr(dot + 1)).value();
  ASSERT_EQ(signature.size(), 64U);
  const std::unique_ptr<EC_GROUP, void (*)(EC_GROUP*)> curve(
      EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1), EC_GROUP_free);
  const std::unique_ptr<BIGNUM, void (*)(BIGNUM*)> s(BN_new(), BN_free);
  auto* const bytes = reinterpret_cast<unsigned char*>(signature.data()) + 32;
  BN_bin2bn(bytes, 32, s.get());
  BN_sub(s.get(), EC_GROUP_get0_order(curve.get()), s.get());
  BN_bn2binpad(s.get(), bytes, 32);
  const std::string twin = token.substr(0, dot + 1) + to_base64url(bytes_of(signature));
  ASSERT_NE(twin, token);
  const auto one = issuer().verify(token);
  const auto other = issuer().verify(twin);
  ASSERT_TRUE(one) << one.error().describe();
  ASSERT_TRUE(other) << other.error().describe();
  EXPECT_EQ(one->ids.front(), to_hex(crypto::sha256(bytes_of(token.substr(0, dot)))));
  EXPECT_EQ(one->ids.front(), other->ids.front());
  EXPECT_EQ(one->ids[1], to_hex(crypto::sha256(bytes_of(token))));
  EXPECT_EQ(one->principal.key_prefix, other->principal.key_prefix);
}

TEST(AccessToken, AWorkloadTokenNamesItsTrustDomain) {
  const auto& one = issuer();
  IssuerConfig domain;
  domain.trust_domain = "example.org";
  domain.issuer = "spiffe://example.org";
  domain.audiences = {"https://gateway.example.com"};
  domain.algorithms = {SignatureAlgorithm::rs256};
  domain.types = {"", "jwt", "jose"};
  domain.agent_paths = {"/agents"};
  Json header = {{"alg", "RS256"}, {"kid", "r1"}};
  const auto verify_subject = [&](const char* subject) -> Result<Verified> {
    const Json claims = {
        {"sub", subject}, {"aud", {"https://gateway.example.com"}}, {"exp", now_seconds + 300}};
    const std::string token = token_of(header, claims, one.rsa.get());
    GH_ASSIGN(const auto jws, parse_jws(token));
    EXPECT_NE(issuer_of(jws, {one.config, domain}), &one.config);
    return verify_access_token(token, jws, domain, one.keys, now);
  };
  const auto agent = verify_subject("spiffe://example.org/agents/helper");
  ASSERT_TRUE(agent) << agent.error().describe();
  EXPECT_EQ(agent->principal.kind, PrincipalKind::agent);
  EXPECT_EQ(agent->principal.id, "spiffe://example.org/agents/helper");
  EXPECT_EQ(verify_subject("spiffe://example.org/agentsmith")->principal.kind,
            PrincipalKind::service);
  for (const char* bad :
       {"spiffe://other.org/a", "spiffe://example.org/a/../b", "spiffe://example.org/a//b",
        "spiffe://Example.org/a", "spiffe://example.org:1/a", "spiffe://example.org/a%20b",
        "https://example.org/a", "spiffe://example.org/a/"})
    EXPECT_FALSE(verify_subject(bad)) << bad;
}

TEST(JwkSet, TakesWhatItCanUseAndNothingElse) {
  const auto& one = issuer();
  const Json good = rsa_jwk(one.rsa.get(), "r1");
  Json for_encryption = good;
  for_encryption["use"] = "enc";
  Json with_secret = good;
  with_secret["d"] = "AQAB";
  const Json symmetric = {{"kty", "oct"}, {"kid", "s"}, {"k", "c2VjcmV0"}};
  const auto set =
      JwkSet::parse(Json{{"keys", {for_encryption, with_secret, symmetric, good}}}.dump());
  ASSERT_TRUE(set);
  EXPECT_EQ(set->keys().size(), 1U);
  EXPECT_FALSE(JwkSet::parse(Json{{"keys", {symmetric}}}.dump()));
  EXPECT_FALSE(JwkSet::parse("{\"keys\":[],\"keys\":[]}"));
  EXPECT_FALSE(JwkSet::parse("[]"));
}

TEST(JwkSet, SmallRsaKeysAreRefused) {
  EXPECT_FALSE(parse_jwk(rsa_jwk(rsa_key(1'024).get(), "small")));
}

TEST(Jose, ThumbprintOfTheExampleInRfc7638) {
  const Json key = {{"kty", "RSA"},
                    {"n",
                     "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuh"
                     "DR1L6tSoc_BJECPe"
                     "bWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-"
                     "65YGjQR0_FDW2QvzqY36"
                     "8QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-"
                     "bFTWhAI4vMQFh6WeZu0fM4l"
                     "Fd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"},
                    {"e", "AQAB"}};
  const auto parsed = parse_jwk(key);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->thumbprint, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

TEST(Jose, OneReadingOfBase64url) {
  EXPECT_EQ(*from_base64url("aGk"), "hi");
  EXPECT_FALSE(from_base64url("aGl"));  // bits that are not used are not zero
  EXPECT_FALSE(from_base64url("aGk="));
  EXPECT_FALSE(from_base64url("a"));
  EXPECT_FALSE(from_base64url("a+b/"));
}

TEST(Jose, ObjectsAreReadStrictly) {
  EXPECT_FALSE(parse_object(R"({"a":1,"a":2})", 100));
  EXPECT_FALSE(parse_object(R"({"a":{"b":1,"b":2}})", 100));
  EXPECT_TRUE(parse_object(R"({"a":{"b":1},"c":{"b":1}})", 100));
  EXPECT_FALSE(parse_object(std::string(40, '[') + std::string(40, ']'), 100));
  EXPECT_FALSE(parse_object("{\"a\":" + std::string(40, '[') + std::string(40, ']') + "}", 200));
  EXPECT_FALSE(parse_object("[1]", 100));
}

}  // namespace
}  // namespace gatehouse::identity

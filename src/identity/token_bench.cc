// What a token costs: verified for the first time, and a delegation chain of ten hops.
#include <benchmark/benchmark.h>

#include "base/id.h"
#include "identity/access_token.h"
#include "identity/delegation.h"

namespace gatehouse::identity {
namespace {

const WallTime now(std::chrono::seconds(1'800'000'000));

// A first sight of an Ed25519 token; later ones are a SHA-256 and a lookup (gateway_bench).
void verify_token(benchmark::State& state) {
  SeededRandom random(1);
  const auto key = crypto::SigningKey::generate(random);
  Json jwk = to_jwk(key.public_key());
  jwk["kid"] = "k";
  const auto keys = *JwkSet::parse(Json{{"keys", {jwk}}}.dump());
  IssuerConfig issuer;
  issuer.issuer = "https://login.example.com";
  issuer.audiences = {"https://gateway.example.com"};
  issuer.algorithms = {crypto::SignatureAlgorithm::eddsa};
  const std::string token = sign_jws({{"kid", "k"}, {"typ", "at+jwt"}},
                                     {{"iss", issuer.issuer},
                                      {"aud", issuer.audiences[0]},
                                      {"sub", "ada"},
                                      {"exp", 1'800'000'300}},
                                     key);
  for (auto _ : state) {
    const auto jws = parse_jws(token);
    auto verified = verify_access_token(token, *jws, issuer, keys, now);
    GH_CHECK(verified);
    benchmark::DoNotOptimize(verified);
  }
}
BENCHMARK(verify_token);

void verify_ten_hops(benchmark::State& state) {
  SeededRandom random(1);
  const auto key = crypto::SigningKey::generate(random);
  const DelegationRoot root{key.public_key(), "gatehouse"};
  Grant grant;
  grant.principal.id = "ada";
  grant.issued = now;
  grant.expires = now + std::chrono::seconds(900);
  grant.id = make_uuid7(now, random);
  std::string token = mint(grant, root, key, random);
  for (int hop = 0; hop < 10; ++hop)
    token = *attenuate(token, {.actor = "sub", .models = {{"a", "b"}}}, now, random);
  state.counters["bytes"] = static_cast<double>(token.size());
  for (auto _ : state) {
    auto verified = verify_delegation(token, root, now);
    GH_CHECK(verified);
    benchmark::DoNotOptimize(verified);
  }
}
BENCHMARK(verify_ten_hops);

}  // namespace
}  // namespace gatehouse::identity

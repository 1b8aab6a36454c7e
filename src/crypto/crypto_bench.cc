// The digests on the hot path at the sizes it uses them.
#include <benchmark/benchmark.h>

#include "crypto/crypto.h"

namespace gatehouse::crypto {
namespace {

void hash(benchmark::State& state) {
  const std::string text(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) benchmark::DoNotOptimize(sha256(bytes_of(text)));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void keyed_hash_of_an_api_key(benchmark::State& state) {
  const Digest key = sha256(bytes_of("key"));
  const std::string text(44, 'x');
  for (auto _ : state) benchmark::DoNotOptimize(hmac_sha256(key, bytes_of(text)));
}

void sign(benchmark::State& state) {
  SeededRandom random(1);
  const SigningKey key = SigningKey::generate(random);
  for (auto _ : state) benchmark::DoNotOptimize(key.sign(bytes_of("checkpoint")));
}

BENCHMARK(hash)->Arg(65)->Arg(1024)->Arg(16384);
BENCHMARK(keyed_hash_of_an_api_key);
BENCHMARK(sign);

}  // namespace
}  // namespace gatehouse::crypto

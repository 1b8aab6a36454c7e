// What authentication costs a request.
#include <benchmark/benchmark.h>

#include "base/text.h"
#include "identity/identity.h"
#include "identity/rules.h"

namespace gatehouse::identity {
namespace {

void authenticate(benchmark::State& state) {
  SeededRandom random(1);
  const crypto::Digest hash_key = crypto::sha256(bytes_of("key"));
  std::vector<store::KeyRecord> records;
  std::string key;
  for (int i = 0; i < state.range(0); ++i) {
    key = generate_key(random);
    store::KeyRecord record;
    record.prefix = key.substr(0, prefix_length);
    record.hash = to_hex(crypto::hmac_sha256(Bytes(hash_key), bytes_of(key)));
    record.principal_kind = "user";
    record.principal_id = "ada";
    record.attributes = {{"team", "research"}};
    records.push_back(std::move(record));
  }
  const KeyIndex index = *KeyIndex::build(records, hash_key);
  for (auto _ : state) benchmark::DoNotOptimize(index.authenticate(key, WallTime()));
}

BENCHMARK(authenticate)->Arg(1)->Arg(100'000);

}  // namespace
}  // namespace gatehouse::identity

// How fast text goes into and out of JSON strings; prose with a line break every 60 bytes.
#include <benchmark/benchmark.h>

#include "base/json.h"

namespace gatehouse {
namespace {

std::string prose(std::size_t size) {
  std::string text;
  while (text.size() < size) text += text.size() % 61 == 60 ? '\n' : 'a';
  return text;
}

void escape(benchmark::State& state) {
  const std::string text = prose(static_cast<std::size_t>(state.range(0)));
  std::string out;
  for (auto _ : state) {
    out.clear();
    append_json_escaped(out, text);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void decode(benchmark::State& state) {
  std::string inside;
  append_json_escaped(inside, prose(static_cast<std::size_t>(state.range(0))));
  for (auto _ : state) benchmark::DoNotOptimize(decode_json_string(inside));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

BENCHMARK(escape)->Arg(32)->Arg(2048)->Arg(65536);
BENCHMARK(decode)->Arg(32)->Arg(2048)->Arg(65536);

}  // namespace
}  // namespace gatehouse

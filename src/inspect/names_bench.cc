// What the name detector costs on prose, on text full of names, and on code; whole and streamed.
#include <benchmark/benchmark.h>

#include "base/file.h"
#include "inspect/names.h"

namespace gatehouse::inspect {
namespace {

const NameDetector& detector() {
  static const auto instance = builtin_name_detector();
  return static_cast<const NameDetector&>(*instance);
}

std::string repeated(std::string_view piece, std::size_t size) {
  std::string out;
  while (out.size() < size) out += piece;
  out.resize(size);
  return out;
}

std::string prose(std::size_t size) {
  return repeated(
      "The reports move slowly because nobody asked for an index on that table. In March we saw "
      "that three queries took most of the time, and Anna wrote a summary of our meeting. It says "
      "that the new region will be ready next week, if the team finds the missing key in time.\n",
      size);
}

std::string crowded(std::size_t size) {
  return repeated("Please ask John Smith, 12 Main Street, Springfield, IL 62701 or Maria Lopez.\n",
                  size);
}

std::string code(std::size_t size) {
  return repeated(
      read_file(GATEHOUSE_SOURCE_DIR "/src/inspect/validators_numbers.cc").value_or("int x = 0;\n"),
      size);
}

// In steps; the last one says that nothing follows.
void read(benchmark::State& state, std::string_view text, std::size_t step) {
  const auto memory = detector().memory();
  const auto reader = detector().reader(memory.get());
  std::vector<Match> found;
  for (auto _ : state) {
    found.clear();
    reader->restart();
    std::size_t done = 0;
    for (std::size_t size = step; size < text.size(); size += step) {
      const std::string_view known = text.substr(0, size);
      const std::size_t to = reader->frontier(known, 0, done);
      reader->find(known, 0, done, to, found);
      done = to;
    }
    reader->find(text, 0, done, text.size(), found);
    benchmark::DoNotOptimize(found.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

void find(benchmark::State& state, const std::string& text) {
  read(state, text, text.size());
}

void stream(benchmark::State& state, const std::string& text) {
  read(state, text, 20);
}

BENCHMARK_CAPTURE(find, prose, prose(16 << 10));
BENCHMARK_CAPTURE(find, crowded, crowded(16 << 10));
BENCHMARK_CAPTURE(find, code, code(16 << 10));
BENCHMARK_CAPTURE(stream, prose, prose(16 << 10));
BENCHMARK_CAPTURE(stream, crowded, crowded(16 << 10));

}  // namespace
}  // namespace gatehouse::inspect

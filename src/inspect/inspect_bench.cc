// What inspection costs: whole prompts, and answers as they stream. Prose is the case that counts;
// code and texts full of findings show what the rest costs.
#include <benchmark/benchmark.h>

#include "base/file.h"
#include "inspect/inspect.h"

namespace gatehouse::inspect {
namespace {

std::shared_ptr<const RuleSet> rules() {
  static const auto set = RuleSet::builtin();
  GH_CHECK(set.has_value());
  return *set;
}

// Different sentences, so that no cache learns one text by heart.
std::string prose(std::size_t size) {
  constexpr std::string_view words[] = {
      "the",     "team",     "moved",  "its",     "reports", "to",     "a",       "new",
      "region",  "last",     "week",   "and",     "we",      "still",  "see",     "slow",
      "queries", "in",       "March",  "because", "nobody",  "asked",  "for",     "an",
      "index",   "on",       "that",   "table",   "Anna",    "will",   "look",    "at",
      "it",      "tomorrow", "please", "write",   "summary", "of",     "our",     "meeting",
      "with",    "three",    "points", "or",      "less",    "number", "contact", "key",
      "version", "12",       "2024",   "company", "is",      "secret", "token",   "passing"};
  std::string out;
  std::uint32_t state = 12345;
  for (std::size_t n = 1; out.size() < size; ++n) {
    state = state * 1664525 + 1013904223;
    out += words[(state >> 16) % std::size(words)];
    out += n % 13 == 0 ? ".\n" : n % 7 == 0 ? ", " : " ";
  }
  out.resize(size);
  return out;
}

std::string code(std::size_t size) {
  const auto text = read_file(GATEHOUSE_SOURCE_DIR "/src/inspect/validators_numbers.cc");
  std::string out;
  while (out.size() < size) out += text.value_or("int x = 0;\n");
  out.resize(size);
  return out;
}

std::string crowded(std::size_t size) {
  std::string out;
  for (int n = 0; out.size() < size; ++n)
    out += "Contact ada" + std::to_string(n) + "@corp.example or +49 30 12345678, card 4111 1111 " +
           "1111 1111, from 93.184.216.34 on 2026-01-02. ";
  out.resize(size);
  return out;
}

Categories categories(bool credentials, bool personal) {
  Categories out;
  out.set(static_cast<std::size_t>(Category::credentials), credentials);
  out.set(static_cast<std::size_t>(Category::personal), personal);
  return out;
}

void scan(benchmark::State& state, std::string (*make)(std::size_t)) {
  Scanner scanner(rules());
  const std::string text = make(static_cast<std::size_t>(state.range(0)));
  std::size_t found = 0;
  for (auto _ : state) found = scanner.scan(text).size();
  state.SetBytesProcessed(state.iterations() * state.range(0));
  state.counters["findings"] = static_cast<double>(found);
}

void stream(benchmark::State& state, std::string (*make)(std::size_t), Categories redact,
            TextForm form) {
  Scanner scanner(rules());
  const std::string inside = make(16'384);
  const std::string text =
      form == TextForm::plain ? inside : "{\"text\": \"" + prose(16'384) + "\"}";
  const auto delta = static_cast<std::size_t>(state.range(0));
  Placeholders placeholders;
  placeholders.placeholder_for("EMAIL", "ada@corp.example");
  std::int64_t deltas = 0;
  for (auto _ : state) {
    TextFilter filter(scanner, {redact, true, &placeholders}, form);
    for (std::size_t at = 0; at < text.size(); at += delta, ++deltas)
      benchmark::DoNotOptimize(filter.feed(std::string_view(text).substr(at, delta)));
    benchmark::DoNotOptimize(filter.finish());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
  state.counters["time/delta"] = benchmark::Counter(
      static_cast<double>(deltas), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

BENCHMARK_CAPTURE(scan, prose, prose)->Arg(2048)->Arg(16'384);
BENCHMARK_CAPTURE(scan, code, code)->Arg(2048)->Arg(16'384);
BENCHMARK_CAPTURE(scan, crowded, crowded)->Arg(2048)->Arg(16'384);
BENCHMARK_CAPTURE(stream, watch_only, prose, categories(false, false), TextForm::plain)->Arg(20);
BENCHMARK_CAPTURE(stream, credentials, prose, categories(true, false), TextForm::plain)->Arg(20);
BENCHMARK_CAPTURE(stream, both, prose, categories(true, true), TextForm::plain)->Arg(5)->Arg(20);
BENCHMARK_CAPTURE(stream, json_both, prose, categories(true, true), TextForm::json)->Arg(20);
BENCHMARK_CAPTURE(stream, code_both, code, categories(true, true), TextForm::plain)->Arg(20);
BENCHMARK_CAPTURE(stream, crowded_both, crowded, categories(true, true), TextForm::plain)->Arg(20);

void load(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(RuleSet::builtin());
}
BENCHMARK(load)->Unit(benchmark::kMillisecond)->Iterations(2);

}  // namespace
}  // namespace gatehouse::inspect

// Measures the index of outputs: is a text found again after it was cut or changed, are texts that
// never came from here left alone, how long does it take, how large is it. Prints Markdown. Built
// and run by bench/provenance.
//
//   provenance_speed FOLDER TEXTS [OUTPUTS] [QUERIES] [FEATURES]
//
// An index that FOLDER has already is used as it is. With FEATURES, a file, the texts are asked for
// with which thresholds may be set, and what the scores are made of is written there for
// bench/provenance_calibrate.py; without, all others.
// TEXTS has indexed.txt, negatives.txt and pool.txt (bench/provenance_texts.py). All of indexed.txt
// is indexed, among outputs put together from the sentences of pool.txt.
#include <fmt/core.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "provenance/index.h"
#include "provenance_texts.h"

namespace {

using namespace gatehouse;
using bench::Maker;
using bench::Text;
using namespace gatehouse::provenance;
using Time = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

// The number of an output stands in its id.
EntryId id_of(std::uint64_t number, WallTime time) {
  EntryId id{};
  const auto milliseconds = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count());
  for (unsigned at = 0; at < 6; ++at)
    id[at] = static_cast<std::byte>(milliseconds >> (8 * (5 - at)) & 0xFFu);
  std::memcpy(id.data() + 8, &number, sizeof(number));
  return id;
}
std::uint64_t number_of(const EntryId& id) {
  std::uint64_t number = 0;
  std::memcpy(&number, id.data() + 8, sizeof(number));
  return number;
}

// Not more than what the queue takes at once.
class Gate {
 public:
  void enter() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return inside_ < most_; });
    ++inside_;
  }
  void leave() {
    const std::scoped_lock lock(mutex_);
    --inside_;
    changed_.notify_one();
  }

 private:
  static constexpr std::size_t most_ = 8'192;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t inside_ = 0;
};

constexpr std::uint64_t recombined_from = 1ull << 40;  // their numbers; below: in indexed.txt

struct Built {
  double seconds = 0;
  double fingerprint_seconds = 0;
  std::uint64_t words = 0;
};

Built build(Index& index, Maker& maker, std::uint64_t outputs, const Clock& clock) {
  Built built;
  Gate gate;
  std::atomic<std::uint64_t> refused = 0;
  const auto begin = Time::now();
  std::uint64_t real = 0;
  for (std::uint64_t at = 0; at < outputs; ++at) {
    const std::uint64_t left = maker.indexed.size() - real;
    const bool is_real = left > 0 && maker.below(outputs - at) < left;
    const std::string text = is_real ? maker.indexed[real].text : maker.recombined();
    Output output;
    output.entry = id_of(is_real ? real++ : recombined_from + at, clock.wall());
    output.model = "model-" + std::to_string(at % 40);
    const auto before = Time::now();
    output.fingerprint = fingerprint_of(index.keys(), text, most_output_words);
    built.fingerprint_seconds += Seconds(Time::now() - before).count();
    built.words += output.fingerprint.words;
    auto encoded = encode(output);
    gate.enter();
    auto taken = index.add(std::move(output), std::move(encoded), [&](const Result<void>& done) {
      if (!done) ++refused;
      gate.leave();
    });
    if (!taken) {
      fmt::print(stderr, "{}\n", taken.error().describe());
      std::exit(1);
    }
    if (at % 100'000 == 99'999)
      fmt::print(stderr, "{} outputs, {:.0f} s\n", at + 1, Seconds(Time::now() - begin).count());
  }
  index.settle();
  built.seconds = Seconds(Time::now() - begin).count();
  if (refused > 0) fmt::print(stderr, "{} outputs were refused\n", refused.load());
  return built;
}

// What was asked, and what came out.
struct Asked {
  double score = 0;    // of the target; of the best for a negative
  bool found = false;  // it is enough, and among the ten best
  bool first = false;  // the best of them
  double ms = 0;
  double own_ms = 0;  // of the processor; what others did meanwhile left out
};

double processor_ms() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

double percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const auto at = static_cast<std::size_t>(share * static_cast<double>(values.size()));
  return values[std::min(at, values.size() - 1)];
}

template <class Test>
double share_of(const std::vector<Asked>& asked, Test&& test) {
  return 100.0 * static_cast<double>(std::ranges::count_if(asked, test)) /
         static_cast<double>(std::max<std::size_t>(asked.size(), 1));
}

void print_row(std::string_view name, const std::vector<Asked>& asked) {
  const auto all = [&asked](double Asked::* member) {
    std::vector<double> values;
    for (const auto& one : asked) values.push_back(one.*member);
    return values;
  };
  const auto scores = all(&Asked::score);
  const auto ms = all(&Asked::ms);
  const auto own_ms = all(&Asked::own_ms);
  fmt::print(
      "| {} | {} | {:.2f} | {:.2f} | {:.2f} / {:.2f} / {:.2f} | {:.1f} | {:.1f} | {:.1f} | {:.1f} "
      "|\n",
      name, asked.size(), share_of(asked, [](const Asked& one) { return one.found; }),
      share_of(asked, [](const Asked& one) { return one.first; }), percentile(scores, 0.01),
      percentile(scores, 0.5), percentile(scores, 0.99), percentile(ms, 0.5), percentile(ms, 0.99),
      percentile(own_ms, 0.5), percentile(own_ms, 0.99));
  std::fflush(stdout);
}

std::uint64_t bytes_in(const std::filesystem::path& folder) {
  std::uint64_t bytes = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder))
    if (file.is_regular_file()) bytes += file.file_size();
  return bytes;
}

// Asks for what was indexed and for what never was. With `features` for the texts with which
// thresholds may be set, and writes what the scores are made of; without for all others.
class Measurement {
 public:
  Measurement(const Index& index, Maker& maker, std::size_t queries, std::FILE* features)
      : index_(index), maker_(maker), queries_(queries), features_(features) {}

  void run() {
    maker_.begin_questions(features_ ? 1 : 2);
    fmt::print(
        "| what is asked for | texts | found, % | first, % | score 1/50/99 % | p50, ms | p99, ms | "
        "p50, processor ms | p99, processor ms |\n"
        "| --- | --: | --: | --: | --- | --: | --: | --: | --: |\n");
    ask_for_outputs();
    print_row("everything that was indexed", all_);
    ask_for_others();
    print_row("headline: unseen, 50 words and whole, documents and answers", strangers_);
    print_row("everything", all_);
  }

 private:
  using Make = std::function<std::string(const std::string&)>;

  void ask_for_outputs() {
    targets("50 words of an output", cut(50));
    targets("25 words of an output", cut(25));
    targets("50 words of an output inside 200 others", [this](const std::string& text) {
      return maker_.inside(maker_.excerpt(text, 50), any_document());
    });
    for (const int percent : {0, 10, 20, 30, 40, 50, 60})
      targets(fmt::format("{} % of words changed", percent), [this, percent](const auto& text) {
        return maker_.changed(text, percent / 100.0, Maker::Change::mixed);
      });
    targets("40 % of words replaced", [this](const std::string& text) {
      return maker_.changed(text, 0.4, Maker::Change::substituted);
    });
    for (const std::size_t words : {30, 50, 75, 100, 150, 200}) {
      targets(fmt::format("40 % of {} words changed", words), [this, words](const auto& text) {
        return maker_.changed(maker_.excerpt(text, words), 0.4, Maker::Change::mixed);
      });
      targets(fmt::format("40 % of {} words replaced", words), [this, words](const auto& text) {
        return maker_.changed(maker_.excerpt(text, words), 0.4, Maker::Change::substituted);
      });
    }
  }

  void ask_for_others() {
    const Make as_it_is = [](const std::string& text) { return text; };
    negatives("unseen documents, 25 words", "document", cut(25));
    negatives("unseen documents, 50 words", "document", cut(50));
    negatives("unseen documents, 100 words", "document", cut(100));
    negatives("unseen documents, whole passages (200 words)", "document", as_it_is);
    negatives("five passages of unseen documents, 1,000 words", "document",
              [this](const std::string& text) {
                auto all = text;
                for (int more = 0; more < 4; ++more) all += ' ' + any_document();
                return all;
              });
    negatives("answers to unseen questions, 25 words", "answer", cut(25));
    negatives("answers to unseen questions, 50 words", "answer", cut(50));
    negatives("answers to unseen questions, whole", "answer", as_it_is);
    negatives("sibling answers, 50 words", "sibling", cut(50));
    negatives("sibling answers, whole", "sibling", as_it_is);
    negatives("sibling answers with 16 words of an output, whole", "quoting", as_it_is);
  }

  Make cut(std::size_t words) {
    return [this, words](const std::string& text) { return maker_.excerpt(text, words); };
  }
  const std::string& any_document() {
    while (true) {
      const auto& text = maker_.negatives[maker_.below(maker_.negatives.size())];
      if (text.kind == "document" && is_asked(text)) return text.text;
    }
  }
  bool is_asked(const Text& text) const { return text.for_report == (features_ == nullptr); }

  void targets(std::string_view name, const Make& make) {
    std::vector<Asked> asked;
    while (asked.size() < queries_) {
      const auto target = maker_.below(maker_.indexed.size());
      const auto& text = maker_.indexed[target];
      if (is_asked(text)) asked.push_back(ask(name, make(text.text), target));
    }
    all_.insert(all_.end(), asked.begin(), asked.end());
    print_row(name, asked);
  }
  void negatives(std::string_view name, std::string_view kind, const Make& make) {
    std::vector<Asked> asked;
    for (const auto& text : maker_.negatives) {
      if (asked.size() == queries_) break;
      if (text.kind == kind && is_asked(text))
        asked.push_back(ask(name, make(text.text), std::nullopt));
    }
    if ((kind == "document" || kind == "answer") &&
        (name.contains("50 words") || name.contains("whole")))
      strangers_.insert(strangers_.end(), asked.begin(), asked.end());
    all_.insert(all_.end(), asked.begin(), asked.end());
    print_row(name, asked);
  }

  Asked ask(std::string_view name, const std::string& text, std::optional<std::uint64_t> target) {
    Asked asked;
    SearchOptions options;
    // Without a threshold the same outputs come first; the time is the same too.
    options.least_score = 0;
    if (features_) options.most_matches = 1'000;
    const auto begin = Time::now();
    const auto own_begin = processor_ms();
    const auto found = index_.find(text, options);
    asked.ms = Seconds(Time::now() - begin).count() * 1'000;
    asked.own_ms = processor_ms() - own_begin;
    for (std::size_t at = 0; at < found.matches.size(); ++at) {
      const auto& match = found.matches[at];
      if (target && number_of(match.entry) != *target) continue;
      asked.score = std::max(asked.score, match.score);
      asked.found = asked.found || (match.score >= 1 && at < SearchOptions{}.most_matches);
      asked.first = asked.first || (match.score >= 1 && at == 0);
      if (features_) write_features(name, target.has_value(), match);
    }
    ++questions_;
    return asked;
  }

  // For bench/provenance_calibrate.py.
  void write_features(std::string_view name, bool is_target, const Match& match) {
    const auto& signs = match.signs;
    if (signs.words == 0) return;
    fmt::print(features_, "{}\t{}\t{:d}\t{}\t{:.2f}\t{}\t{:.2f}\t{:.2f}\t{:.2f}\t{:.2f}\t{:.2f}\n",
               name, questions_, is_target, signs.words, match.evidence, signs.shared_runs,
               signs.runs, signs.known_runs, signs.shared_words, signs.text_words,
               signs.output_words);
  }

  const Index& index_;
  Maker& maker_;
  std::size_t queries_;
  std::FILE* features_;
  std::size_t questions_ = 0;
  std::vector<Asked> strangers_;
  std::vector<Asked> all_;
};

// Builds the index unless the folder has it, and says what it is.
Result<std::unique_ptr<Index>> open_or_build(const std::filesystem::path& folder, Maker& maker,
                                             std::uint64_t outputs, const Keys& keys,
                                             const Clock& clock, Random& random) {
  IndexOptions options;
  options.directory = folder;
  GH_ASSIGN(auto index, Index::open(options, keys, clock, random));
  if (index->stats().outputs == 0) {
    const auto built = build(*index, maker, outputs, clock);
    fmt::print(
        "Built in {:.0f} s: {} outputs, {} words each on average; fingerprints {:.1f} us "
        "each.\n",
        built.seconds, outputs, built.words / outputs,
        built.fingerprint_seconds * 1e6 / static_cast<double>(outputs));
  }
  index->settle();
  GH_TRY(index->verify());  // reads it all, so that nothing waits for the disk later
  const auto stats = index->stats();
  if (stats.outputs != outputs)
    return fail(ErrorCode::failed_precondition, "the folder has another number of outputs", folder);
  fmt::print(
      "{} outputs in {} segments: {:.0f} bytes each for finding, {:.0f} with the journal. {} of "
      "them are real texts, {} texts never came from here.\n\n",
      stats.outputs, stats.segments,
      static_cast<double>(stats.segment_bytes) / static_cast<double>(stats.outputs),
      static_cast<double>(bytes_in(folder)) / static_cast<double>(stats.outputs),
      maker.indexed.size(), maker.negatives.size());
  return index;
}

int measure(const std::filesystem::path& folder, const std::filesystem::path& texts,
            std::uint64_t outputs, std::size_t queries, const char* features) {
  const SystemClock clock;
  SystemRandom random;
  const Keys keys(crypto::sha256(bytes_of("a deployment secret for measuring")));
  Maker maker(texts);
  if (maker.indexed.empty() || maker.negatives.empty()) {
    fmt::print(stderr, "no texts in {}\n", texts.string());
    return 1;
  }
  auto index = open_or_build(folder, maker, outputs, keys, clock, random);
  if (!index) {
    fmt::print(stderr, "{}\n", index.error().describe());
    return 1;
  }
  std::FILE* const out = features ? std::fopen(features, "w") : nullptr;
  Measurement(**index, maker, queries, out).run();
  if (out) std::fclose(out);
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) {
    fmt::print(stderr, "usage: provenance_speed FOLDER TEXTS [OUTPUTS] [QUERIES] [FEATURES]\n");
    return 2;
  }
  const auto number = [&](int at, std::uint64_t fallback) {
    return count > at ? parse_uint(arguments[at]).value_or(fallback) : fallback;
  };
  return measure(arguments[1], arguments[2], number(3, 1'000'000), number(4, 1'000),
                 count > 5 ? arguments[5] : nullptr);
}

// Measures what looking into texts costs, stage by stage, in one run: MB/s of one core by size of
// text, streams by size of chunk, and the time of one prompt through everything. Prints Markdown.
// Built and run by bench/inspect.
//
//   inspect_speed FOLDER [ROUNDS] [SECONDS a measurement]
//
// FOLDER is the repository: its documents are the prose, its sources the code. Every call gets
// another slice of them, so that no cache knows a text by heart. Stages take turns within a round;
// what is shown are medians of the rounds. A new stage is one line in stages().
#include "inspect/inspect.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "classify/calibrated.h"
#include "inspect/detector.h"
#include "inspect/fold.h"
#include "inspect/names.h"

namespace {

using namespace gatehouse;
using Time = std::chrono::steady_clock;
using Work = std::function<std::size_t(std::string_view)>;  // gives something, so that it is done

constexpr std::size_t sizes[] = {64, 256, 1024, 4096, 16'384, 65'536, 262'144, 1'048'576};
constexpr std::size_t chunks[] = {4, 20, 100, 1000, 4096};
constexpr std::size_t stream_bytes = 16'384;
constexpr std::size_t prompt_bytes = 1024;
constexpr int prompts = 4000;  // of a round

std::size_t sink = 0;

double seconds_since(Time::time_point start) {
  return std::chrono::duration<double>(Time::now() - start).count();
}

double at(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

// Texts of one sort, and a way to go round in them.
class Corpus {
 public:
  Corpus(std::string name, std::string text) : name_(std::move(name)), text_(std::move(text)) {
    while (text_.size() < 4 * sizes[std::size(sizes) - 1]) text_ += text_;
  }
  const std::string& name() const { return name_; }
  // Some `size` bytes; the beginnings differ. Not cut inside a character.
  std::string_view slice(std::size_t size) {
    position_ = (position_ + 7919 + size) % (text_.size() - size - 4);
    std::size_t begin = position_;
    while ((static_cast<unsigned char>(text_[begin]) & 0xc0) == 0x80) ++begin;
    std::size_t end = begin + size;
    while ((static_cast<unsigned char>(text_[end]) & 0xc0) == 0x80) --end;
    return std::string_view(text_).substr(begin, end - begin);
  }

 private:
  std::string name_;
  std::string text_;
  std::size_t position_ = 0;
};

std::string files(const std::filesystem::path& folder, std::string_view ending) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && entry.path().string().ends_with(ending))
      paths.push_back(entry.path());
  std::ranges::sort(paths);
  std::string all;
  for (const auto& path : paths) all += read_file(path).value_or("") + '\n';
  return all;
}

std::string crowded() {
  std::string out;
  for (int n = 0; out.size() < 200'000; ++n)
    out += fmt::format(
        "Contact ada{}@corp.example or +49 30 12345{:03}, card 4111 1111 1111 1111, from "
        "93.184.216.{} on 2026-01-02. ",
        n, n % 1000, n % 256);
  return out;
}

// What services write: of what they do, of who asked, and as JSON.
std::string log(unsigned seed) {
  std::minstd_rand dice(seed);
  const auto up_to = [&dice](unsigned most) { return dice() % (most + 1); };
  std::string out;
  while (out.size() < 200'000) {
    const std::string time = fmt::format("{:02}:{:02}:{:02}", up_to(23), up_to(59), up_to(59));
    out += fmt::format(
        "2026-11-{:02} {},{:03} INFO  [worker-{}] com.acme.orders.OrderService - processed order "
        "{} in {} ms (bytes={}, status=200)\n",
        1 + up_to(29), time, up_to(999), up_to(32), up_to(99'999'999), up_to(900), up_to(999'999));
    out += fmt::format(
        "10.{}.{}.{} - - [27/Nov/2026:{} +0000] \"GET /api/v1/items/{}?page={} HTTP/1.1\" 200 {} "
        "\"-\" \"Mozilla/5.0 (X11; Linux x86_64)\"\n",
        up_to(255), up_to(255), up_to(255), time, up_to(999'999), up_to(50), up_to(99'999));
    out += fmt::format(
        "{{\"id\": {}, \"ts\": {}, \"user\": \"u{}\", \"amount\": {}.{:02}, \"ok\": true}}\n",
        up_to(999'999'999), 1'700'000'000 + up_to(99'999'999), up_to(99'999), up_to(9'999),
        up_to(99));
  }
  return out;
}

// Comma-separated numbers.
std::string table(unsigned seed) {
  std::minstd_rand dice(seed);
  const auto up_to = [&dice](unsigned most) { return dice() % (most + 1); };
  std::string out;
  while (out.size() < 200'000)
    out +=
        fmt::format("{},-{}.{:04},{}.{:02},2026-{:02}-{:02},{}\n", up_to(99'999), up_to(99),
                    up_to(9'999), up_to(9'999), up_to(99), 1 + up_to(11), 1 + up_to(27), up_to(1));
  return out;
}

// What is measured has one of each; one thread.
struct Tools {
  std::shared_ptr<const inspect::RuleSet> rules;
  std::unique_ptr<inspect::Scanner> scanner;
  std::unique_ptr<inspect::Scanner> rule_scanner;  // all but names
  std::unique_ptr<const inspect::Detector> names;
  std::unique_ptr<inspect::Detector::Memory> name_memory;
  std::shared_ptr<const classify::CalibratedClassifier> classifier;
  inspect::Placeholders placeholders;

  inspect::FilterPlan replaced(inspect::Categories which) {
    placeholders = {};
    return {.redact = which, .restore = true, .placeholders = &placeholders};
  }
};

inspect::Categories everything() {
  return inspect::Categories().set();
}

// What policies ask of names is asked where they speak of names; the rest is asked of every text.
inspect::Categories all_but_names() {
  return everything().reset(static_cast<std::size_t>(inspect::Category::names));
}

std::size_t classify_text(const Tools& tools, std::string_view text) {
  const auto risks = tools.classifier->judge(text);
  return (risks.jailbreak.p_value < 0.5) + (risks.injection.p_value < 0.5);
}

struct Stage {
  std::string name;
  Work work;
};

std::vector<Stage> stages(Tools& tools) {
  return {
      {"fold", [](std::string_view text) { return inspect::fold_text(text).size(); }},
      {"names alone",
       [&](std::string_view text) {
         std::vector<inspect::Match> found;
         tools.names->reader(tools.name_memory.get())->find(text, 0, 0, text.size(), found);
         return found.size();
       }},
      {"classifier", [&](std::string_view text) { return classify_text(tools, text); }},
      {"scan, all rules",
       [&](std::string_view text) { return tools.rule_scanner->scan(text).size(); }},
      {"scan, names too", [&](std::string_view text) { return tools.scanner->scan(text).size(); }},
      {"filter, whole text",
       [&](std::string_view text) {
         return filter_text(*tools.scanner, tools.replaced(everything()), inspect::TextForm::plain,
                            text)
             .text.size();
       }},
      {"scan and classifier",
       [&](std::string_view text) {
         return tools.scanner->scan(text).size() + classify_text(tools, text);
       }},
  };
}

std::size_t stream(Tools& tools, const inspect::FilterPlan& plan, std::string_view text,
                   std::size_t chunk) {
  inspect::TextFilter filter(plan.redact.all() ? *tools.scanner : *tools.rule_scanner, plan,
                             inspect::TextForm::plain);
  std::size_t out = 0;
  for (std::size_t begin = 0; begin < text.size(); begin += chunk)
    out += filter.feed(text.substr(begin, chunk)).size();
  return out + filter.finish().size();
}

// MB/s of one stage over slices of one size.
double megabytes_a_second(Corpus& corpus, std::size_t size, double seconds, const Work& work) {
  std::uint64_t bytes = 0;
  const auto start = Time::now();
  do {
    const std::string_view text = corpus.slice(size);
    sink += work(text);
    bytes += text.size();
  } while (seconds_since(start) < seconds);
  return static_cast<double>(bytes) / seconds_since(start) / 1e6;
}

// rows × columns of samples, one a round.
using Samples = std::vector<std::vector<std::vector<double>>>;

Samples samples(std::size_t rows, std::size_t columns) {
  return {rows, std::vector<std::vector<double>>(columns)};
}

void print_row(const std::string& name, const std::vector<std::vector<double>>& cells) {
  fmt::print("| {} |", name);
  for (const auto& cell : cells) fmt::print(" {:.0f} |", at(cell, 0.5));
  fmt::print("\n");
}

std::string size_name(std::size_t size) {
  return size < 1024        ? fmt::format("{} B", size)
         : size < 1u << 20u ? fmt::format("{} KiB", size / 1024)
                            : fmt::format("{} MiB", size >> 20u);
}

void print_head(std::string_view first, const std::vector<std::string>& columns) {
  fmt::print("\n| {} |", first);
  for (const auto& column : columns) fmt::print(" {} |", column);
  fmt::print("\n| --- |");
  for (std::size_t n = 0; n < columns.size(); ++n) fmt::print(" --: |");
  fmt::print("\n");
}

struct Arguments {
  std::filesystem::path folder;
  int rounds = 3;
  double seconds = 0.2;
};

void measure_sizes(Tools& tools, std::vector<Corpus>& corpora, const Arguments& arguments) {
  const auto list = stages(tools);
  std::vector<std::string> columns;
  for (const std::size_t size : sizes) columns.push_back(size_name(size));
  for (Corpus& corpus : corpora) {
    Samples found = samples(list.size(), std::size(sizes));
    for (int round = 0; round < arguments.rounds; ++round)
      for (std::size_t column = 0; column < std::size(sizes); ++column)
        for (std::size_t row = 0; row < list.size(); ++row)
          found[row][column].push_back(
              megabytes_a_second(corpus, sizes[column], arguments.seconds, list[row].work));
    fmt::print("\n### {}, MB/s of one core\n", corpus.name());
    print_head("stage", columns);
    for (std::size_t row = 0; row < list.size(); ++row) print_row(list[row].name, found[row]);
  }
}

void measure_streams(Tools& tools, std::vector<Corpus>& corpora, const Arguments& arguments,
                     std::string_view title, const std::function<inspect::FilterPlan()>& plan) {
  std::vector<std::string> columns;
  for (const std::size_t chunk : chunks) columns.push_back(fmt::format("{} B", chunk));
  columns.emplace_back("whole");
  Samples found = samples(corpora.size(), columns.size());
  for (int round = 0; round < arguments.rounds; ++round)
    for (std::size_t column = 0; column < columns.size(); ++column)
      for (std::size_t row = 0; row < corpora.size(); ++row) {
        const std::size_t chunk = column < std::size(chunks) ? chunks[column] : stream_bytes + 4;
        found[row][column].push_back(megabytes_a_second(
            corpora[row], stream_bytes, arguments.seconds,
            [&](std::string_view text) { return stream(tools, plan(), text, chunk); }));
      }
  fmt::print("\n### Streams of 16 KiB, {}, by size of chunk, MB/s\n", title);
  print_head("text", columns);
  for (std::size_t row = 0; row < corpora.size(); ++row) print_row(corpora[row].name(), found[row]);
}

void measure_prompts(Tools& tools, std::vector<Corpus>& corpora, const Arguments& arguments) {
  const auto list = stages(tools);
  fmt::print("\n### One text of 1 KiB, µs (median, p99)\n");
  std::vector<std::string> columns(corpora.size());
  std::ranges::transform(corpora, columns.begin(), &Corpus::name);
  print_head("stage", columns);
  for (const Stage& stage : list) {
    fmt::print("| {} |", stage.name);
    for (Corpus& corpus : corpora) {
      std::vector<double> micros;
      for (int n = 0; n < prompts * arguments.rounds; ++n) {
        const std::string_view text = corpus.slice(prompt_bytes);
        const auto start = Time::now();
        sink += stage.work(text);
        micros.push_back(seconds_since(start) * 1e6);
      }
      fmt::print(" {:.1f}, {:.1f} |", at(micros, 0.5), at(micros, 0.99));
    }
    fmt::print("\n");
  }
}

int run(const Arguments& arguments) {
  auto rules = inspect::RuleSet::builtin();
  auto classifier = classify::CalibratedClassifier::builtin();
  if (!rules || !classifier) {
    fmt::print(stderr, "inspect_speed: {}\n",
               (rules ? classifier.error() : rules.error()).describe());
    return 1;
  }
  auto names = inspect::builtin_name_detector();
  auto name_memory = names->memory();
  Tools tools{.rules = *rules,
              .scanner = std::make_unique<inspect::Scanner>(*rules),
              .rule_scanner = std::make_unique<inspect::Scanner>(*rules, all_but_names()),
              .names = std::move(names),
              .name_memory = std::move(name_memory),
              .classifier = *classifier,
              .placeholders = {}};
  std::vector<Corpus> corpora;
  corpora.emplace_back("prose", files(arguments.folder / "docs", ".md"));
  corpora.emplace_back("code", files(arguments.folder / "src", ".cc"));
  corpora.emplace_back("log", log(7));
  corpora.emplace_back("table", table(8));
  corpora.emplace_back("crowded", crowded());
  fmt::print("{} rules; medians of {} rounds of {} s a cell.\n", tools.rules->rules().size(),
             arguments.rounds, arguments.seconds);
  measure_prompts(tools, corpora, arguments);
  measure_sizes(tools, corpora, arguments);
  measure_streams(tools, corpora, arguments, "all but names watched", [&] {
    inspect::FilterPlan plan = tools.replaced({});
    plan.watch = true;
    return plan;
  });
  measure_streams(tools, corpora, arguments, "all but names replaced",
                  [&] { return tools.replaced(all_but_names()); });
  measure_streams(tools, corpora, arguments, "everything replaced",
                  [&] { return tools.replaced(everything()); });
  fmt::print("\n<!-- {} -->\n", sink % 10);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> given(argv + 1, argv + argc);
  if (given.empty() || given.size() > 3) {
    fmt::print(stderr, "usage: inspect_speed FOLDER [ROUNDS] [SECONDS]\n");
    return 2;
  }
  Arguments arguments{.folder = given[0]};
  if (given.size() > 1) arguments.rounds = std::stoi(given[1]);
  if (given.size() > 2) arguments.seconds = std::stod(given[2]);
  return run(arguments);
}

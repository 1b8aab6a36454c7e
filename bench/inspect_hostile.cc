// Measures that no text takes long: texts made to be slow, through everything. Prints a table in
// Markdown, the slowest first: seconds for 10 MB of each.
//
//   inspect_hostile [BYTES of each text] [ROUNDS] [WORD of the names of texts]
//
// The fastest of the rounds is shown: what else the machine does only adds. The filter replaces all
// categories; the stream comes in pieces of 1000 bytes.
#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "hostile_texts.h"
#include "inspect/inspect.h"

namespace {

using namespace gatehouse::inspect;

constexpr double shown_bytes = 10e6;

struct Row {
  std::string name;
  std::size_t findings = 0;
  double scan = 1e9;
  double stream = 1e9;
};

// Of this thread's processor: others on the machine do not count.
double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double seconds(const std::function<void()>& work) {
  const double start = processor_seconds();
  work();
  return processor_seconds() - start;
}

void run_stream(Scanner& scanner, std::string_view text) {
  Placeholders placeholders;
  TextFilter filter(scanner, {Categories().set(), true, &placeholders}, TextForm::plain);
  for (std::size_t at = 0; at < text.size(); at += 1000) filter.feed(text.substr(at, 1000));
  filter.finish();
}

Row measure(Scanner& scanner, const testing::HostileText& hostile, int rounds, bool streams) {
  Row row{hostile.name};
  const double scale = shown_bytes / static_cast<double>(hostile.text.size());
  for (int round = 0; round < rounds; ++round) {
    row.scan = std::min(row.scan,
                        scale * seconds([&] { row.findings = scanner.scan(hostile.text).size(); }));
    if (streams)
      row.stream =
          std::min(row.stream, scale * seconds([&] { run_stream(scanner, hostile.text); }));
  }
  return row;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t size = argc > 1 ? std::stoul(argv[1]) : 2'000'000;
  const int rounds = argc > 2 ? std::stoi(argv[2]) : 3;
  const std::string word = argc > 3 ? argv[3] : "";
  const bool streams = argc > 4;
  RuleSetOptions options;
  options.all_locales = true;
  const auto rules = RuleSet::builtin(options);
  if (!rules) {
    fmt::print(stderr, "inspect_hostile: {}\n", rules.error().describe());
    return 1;
  }
  Scanner scanner(*rules);
  std::vector<Row> rows;
  for (const auto& hostile : testing::hostile_texts(size, word))
    rows.push_back(measure(scanner, hostile, rounds, streams));
  std::ranges::sort(rows, std::greater(), &Row::scan);
  fmt::print("| text | scan | {}findings |\n| --- | --: | {}--: |\n", streams ? "stream | " : "",
             streams ? "--: | " : "");
  for (const Row& row : rows) {
    const std::string stream = streams ? fmt::format("{:.2f} | ", row.stream) : "";
    fmt::print("| {} | {:.2f} | {}{} |\n", row.name, row.scan, stream, row.findings);
  }
  return 0;
}

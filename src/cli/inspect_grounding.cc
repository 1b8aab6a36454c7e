// gatehouse inspect grounding: calibrates the grounding check. Scores answers with their sources,
// writes a calibration, and measures it on rows that were kept out.
#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "classify/split.h"
#include "classify/statistics.h"
#include "cli/verbs.h"
#include "validate/grounding_rate.h"

namespace gatehouse::cli {
namespace {

using Json = nlohmann::json;
using classify::BenignScore;
using classify::HeadCalibration;

constexpr double levels[] = {0.1, 0.05, 0.02, 0.01};
constexpr std::size_t most_line_bytes = std::size_t{64} << 20;

struct GroundingOptions {
  std::vector<std::string> files;
  std::string output;
  std::string source = "files";
  std::size_t band_scores = HeadCalibration::default_band_scores;
};

struct Row {
  std::string answer;
  std::string group;   // rows of one stay on one side
  std::string source;  // what it is shown under
  bool grounded = true;
  validate::RequestFacts facts = {};
};

struct Measured {
  BenignScore score;
  bool grounded = true;
  std::string source;
};

constexpr const char* examples = R"(Example:
  gatehouse inspect grounding answers.jsonl -o mine.calibration

A row has "answer", "sources" (a list of texts), and may have "question", "group" and "source". Its
"label" is "grounded", which is also what a row without one is, or "hallucinated": those are only
measured. A fifth of the rows, by the hash of the group or the answer, is kept out and measured on.)";

std::unexpected<Error> wrong(const std::string& where, const char* what) {
  return fail(ErrorCode::invalid_argument, what, where);
}

std::string text_of(const Json& row, const char* key) {
  const auto found = row.find(key);
  return found != row.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Result<Row> parse(const std::string& line, const std::string& where) {
  const auto json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return wrong(where, "expected a JSON object");
  Row row{.answer = text_of(json, "answer"),
          .group = text_of(json, "group"),
          .source = text_of(json, "source")};
  if (row.answer.empty()) return wrong(where, "a row needs an \"answer\"");
  const auto sources = json.find("sources");
  if (sources == json.end() || !sources->is_array())
    return wrong(where, "a row needs \"sources\", a list of texts");
  for (const auto& source : *sources) {
    if (!source.is_string()) return wrong(where, "a source is a text");
    row.facts.sources.push_back(source.get<std::string>());
  }
  row.facts.question = text_of(json, "question");
  const auto label = text_of(json, "label");
  if (!label.empty() && label != "grounded" && label != "hallucinated")
    return wrong(where, "the label is grounded or hallucinated");
  row.grounded = label != "hallucinated";
  return row;
}

class Collector {
 public:
  Result<void> read(const std::string& file) {
    std::ifstream in(file);
    if (!in) return fail(ErrorCode::not_found, "cannot be read", file);
    std::string line;
    for (std::size_t number = 1; std::getline(in, line); ++number) {
      if (line.empty()) continue;
      const auto where = fmt::format("{}:{}", file, number);
      if (line.size() > most_line_bytes) return wrong(where, "a row has at most 64 MiB");
      GH_ASSIGN(const auto row, parse(line, where));
      note(row);
    }
    return {};
  }

  std::vector<BenignScore> calibrate;
  std::vector<Measured> measure;
  std::size_t nothing_to_ask = 0;

 private:
  void note(const Row& row) {
    const validate::Answer answer{{{0, row.answer, {}}}};
    const validate::Sources sources(row.facts.sources, row.facts.question);
    const auto grounded = validate::ground(answer, sources);
    if (sources.empty() || grounded.asked == 0) {
      ++nothing_to_ask;
      return;
    }
    const BenignScore score{grounded.lack, grounded.bytes};
    const bool kept_out =
        classify::split_of(row.group.empty() ? row.answer : row.group) == classify::Split::test;
    if (kept_out) {
      measure.push_back({score, row.grounded, row.source});
    } else if (row.grounded) {
      calibrate.push_back(score);
    }
  }
};

std::string report(const HeadCalibration& calibration, const std::vector<Measured>& rows) {
  std::string out = fmt::format("{} grounded answers\n", calibration.size());
  for (const auto& band : calibration.bands())
    out += fmt::format("  from {:>7} bytes: {:>8} answers, smallest rate {:.2g}\n", band.from_bytes,
                       band.tail.size(), band.tail.smallest_p());
  std::map<std::pair<bool, std::string>, std::vector<double>> groups;
  for (const auto& row : rows) {
    const double p = calibration.p_value(row.score.score, row.score.bytes);
    groups[{!row.grounded, "all"}].push_back(p);
    if (!row.source.empty()) groups[{!row.grounded, row.source}].push_back(p);
  }
  out += "fail at a rate of";
  for (const double level : levels) out += fmt::format(" {:>20g}", level);
  for (const auto& [group, p_values] : groups) {
    out += fmt::format("\n  {} {}, {} kept out:\n                 ",
                       group.first ? "hallucinated" : "grounded", group.second, p_values.size());
    for (const double level : levels) {
      const auto flagged = static_cast<std::uint64_t>(
          std::ranges::count_if(p_values, [=](double p) { return p <= level; }));
      const auto interval = classify::clopper_pearson(flagged, p_values.size());
      out += fmt::format(" {:>20}", fmt::format("{:.1f}% ({:.1f}-{:.1f})",
                                                100.0 * static_cast<double>(flagged) /
                                                    static_cast<double>(p_values.size()),
                                                100 * interval.low, 100 * interval.high));
    }
  }
  return out + '\n';
}

Result<void> run(const GroundingOptions& options) {
  Collector collector;
  for (const auto& file : options.files) GH_TRY(collector.read(file));
  if (collector.calibrate.empty())
    return fail(ErrorCode::failed_precondition, "no grounded answer to calibrate with");
  auto head = HeadCalibration::of(collector.calibrate, options.band_scores);
  std::cout << report(head, collector.measure)
            << fmt::format("passed over: {} with nothing to ask about\n", collector.nothing_to_ask);
  GH_ASSIGN(const auto calibration,
            classify::Calibration::make(
                std::string(validate::grounding_detector), validate::grounding_digest(),
                options.source, {{std::string(validate::grounding_head), std::move(head)}}));
  GH_TRY(write_file_atomically(options.output, calibration.serialize(), 0644));
  std::cout << fmt::format("written: {}\n", options.output);
  return {};
}

Exit calibrate(const GroundingOptions& options) {
  if (const auto done = run(options); !done) {
    std::cerr << "gatehouse inspect grounding: " << done.error().describe() << '\n';
    return 2;
  }
  return 0;
}

}  // namespace

void add_inspect_grounding(CLI::App& inspect, Exit& exit) {
  const auto options = std::make_shared<GroundingOptions>();
  auto* verb = inspect.add_subcommand(
      "grounding", "Calibrate the grounding check with answers and their sources");
  verb->footer(examples);
  verb->add_option("files", options->files, "JSON Lines of answers with their sources")->required();
  verb->add_option("-o,--output", options->output, "The calibration file to write")->required();
  verb->add_option("--source", options->source, "What stands in the file about where it is from");
  verb->add_option("--band", options->band_scores, "Answers that each band of lengths needs")
      ->check(CLI::Range(1, 1'000'000'000))
      ->capture_default_str();
  verb->callback([options, &exit] { exit = calibrate(*options); });
}

}  // namespace gatehouse::cli

// Trains the name detector, and measures it:
//
//   names_train train LISTS MODEL CARD DATA...   lists of words, the card's lines, labelled JSONL
//   names_train eval MODEL DATA...               precision, recall, F1 by kind
//   names_train benign MODEL DATA...             reports per megabyte, and what was reported
//   names_train show MODEL DATA...               the texts with what is wrong in them
//
// DATA: names_data.h. The same data gives the same model, byte for byte: no clock, no random
// device.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <sstream>

#include "base/text.h"
#include "inspect/names.h"
#include "inspect/tools/names_data.h"

using namespace gatehouse;
using namespace gatehouse::inspect;

namespace {

constexpr double scale = 24;  // of a weight, as an int8
constexpr unsigned epochs = 6;
constexpr double step = 0.1;
constexpr double decay = 2e-7;

// One text's tokens, and what each is.
struct Example {
  std::vector<NameWord> words;
  std::vector<NameKind> kinds;
  std::uint32_t half = 0;  // which half trains the other's second stage
};

// Float weights with one step size each (Adagrad), of which the mean over all steps is kept: the
// last ones lean to the texts seen last.
class Learner {
 public:
  using Row = std::array<float, name_kinds>;

  explicit Learner(NameStage stage)
      : weights_(NameWeightTable::slots_of(stage)),
        squares_(weights_.size()),
        sums_(weights_.size()) {}

  std::array<double, name_kinds> score(const std::vector<std::uint64_t>& features) const {
    std::array<double, name_kinds> scores{};
    for (const std::uint64_t feature : features)
      for (std::size_t k = 0; k < name_kinds; ++k)
        scores[k] += static_cast<double>(weights_[slot(feature)][k]);
    return scores;
  }
  void learn(const std::vector<std::uint64_t>& features, const std::array<double, name_kinds>& base,
             NameKind kind) {
    ++steps_;
    auto scores = score(features);
    for (std::size_t k = 0; k < name_kinds; ++k) scores[k] += base[k];
    const double top = *std::ranges::max_element(scores);
    double sum = 0;
    for (double& s : scores) sum += s = std::exp(s - top);
    for (std::size_t k = 0; k < name_kinds; ++k) {
      const double error = scores[k] / sum - (static_cast<std::size_t>(kind) == k ? 1 : 0);
      if (std::abs(error) < 1e-4) continue;
      for (const std::uint64_t feature : features) update(slot(feature), k, error);
    }
  }
  // Ends the learning.
  void take_mean() {
    for (std::size_t i = 0; i < weights_.size(); ++i)
      for (std::size_t k = 0; k < name_kinds; ++k)
        weights_[i][k] -= static_cast<float>(sums_[i][k] / steps_);
  }
  NameWeightTable table() const {
    NameWeightTable table(weights_.size());
    for (std::size_t i = 0; i < weights_.size(); ++i)
      for (std::size_t k = 0; k < name_kinds; ++k)
        table.slots()[i][k] = static_cast<std::int8_t>(
            std::clamp(std::lround(static_cast<double>(weights_[i][k]) * scale), -127L, 127L));
    return table;
  }

 private:
  std::size_t slot(std::uint64_t feature) const {
    return NameWeightTable::slot(feature, weights_.size());
  }
  void update(std::size_t slot, std::size_t k, double error) {
    float& weight = weights_[slot][k];
    float& square = squares_[slot][k];
    const double gradient = error + decay * static_cast<double>(weight);
    square += static_cast<float>(gradient * gradient);
    const double change = -step * gradient / (0.1 + std::sqrt(static_cast<double>(square)));
    weight += static_cast<float>(change);
    sums_[slot][k] += change * (steps_ - 1);
  }

  std::vector<Row> weights_;
  std::vector<Row> squares_;
  std::vector<std::array<double, name_kinds>> sums_;  // of changes, times the steps before each
  double steps_ = 0;
};

std::array<double, name_kinds> as_scores(const NameScores& scores) {
  std::array<double, name_kinds> out{};
  for (std::size_t k = 0; k < name_kinds; ++k) out[k] = scores[k] / scale;
  return out;
}

NameScores as_integers(const std::array<double, name_kinds>& scores) {
  NameScores out{};
  for (std::size_t k = 0; k < name_kinds; ++k)
    out[k] = static_cast<std::int32_t>(std::lround(scores[k] * scale));
  return out;
}

NameKind kind_at(const LabelledText& row, const NameToken& token) {
  for (const NameLabel& label : row.united)
    if (token.begin < label.end && token.end > label.begin) return label.kind;
  return NameKind::none;
}

Example make_example(const NameTagger& tagger, const LabelledText& row) {
  Example example;
  TokenReader tokens(row.text, 0);
  for (NameToken token; tokens.next(token);) {
    const auto facts =
        tagger.describe(std::string_view(row.text).substr(token.begin, token.size()));
    example.words.emplace_back(token, facts);
    example.kinds.push_back(kind_at(row, token));
  }
  gate_names(example.words, 0);
  example.half = static_cast<std::uint32_t>(hash_word(row.group) >> 7 & 1);
  return example;
}

// Calls `use` with every candidate, in an order that is the same each time.
template <class Use>
void each_candidate(std::vector<Example>& examples, unsigned seed, Use use) {
  std::vector<std::size_t> order(examples.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::mt19937 random(seed);
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random() % i]);
  for (const std::size_t i : order)
    for (std::size_t at = 0; at < examples[i].words.size(); ++at)
      if (examples[i].words[at].candidate) use(examples[i], at);
}

template <class Wanted>
void learn_first(std::vector<Example>& examples, Learner& learner, Wanted wanted) {
  std::vector<std::uint64_t> features;
  for (unsigned epoch = 0; epoch < epochs; ++epoch)
    each_candidate(examples, epoch, [&](Example& example, std::size_t at) {
      if (!wanted(example)) return;
      features.clear();
      NameTagger::first_features(example.words, at, features);
      learner.learn(features, {}, example.kinds[at]);
    });
  learner.take_mean();
}

// What a first stage that has not seen these texts' templates says of them.
void judge_unseen(std::vector<Example>& examples) {
  for (std::uint32_t half = 0; half < 2; ++half) {
    Learner learner(NameStage::first);
    learn_first(examples, learner, [&](const Example& example) { return example.half != half; });
    std::vector<std::uint64_t> features;
    each_candidate(examples, 0, [&](Example& example, std::size_t at) {
      if (example.half != half) return;
      features.clear();
      NameTagger::first_features(example.words, at, features);
      NameTagger::settle_first(example.words[at], as_integers(learner.score(features)));
    });
  }
}

void learn_second(std::vector<Example>& examples, Learner& learner) {
  std::vector<std::uint64_t> features;
  for (unsigned epoch = 0; epoch < epochs; ++epoch)
    each_candidate(examples, 100 + epoch, [&](Example& example, std::size_t at) {
      features.clear();
      NameTagger::second_features(example.words, at, features);
      learner.learn(features, as_scores(example.words[at].first_scores), example.kinds[at]);
    });
  learner.take_mean();
}

Result<NameFilter> read_list(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) return fail(ErrorCode::not_found, "cannot read " + path.string());
  std::vector<std::uint64_t> hashes;
  for (std::string line; std::getline(file, line);) hashes.push_back(hash_word(line));
  std::ranges::sort(hashes);
  hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
  NameFilter filter(hashes.size());
  for (const std::uint64_t hash : hashes) filter.insert(hash);
  return filter;
}

Result<std::vector<LabelledText>> read_all(std::span<char*> arguments) {
  std::vector<LabelledText> all;
  for (const char* argument : arguments) {
    GH_ASSIGN(auto rows, read_labelled(argument));
    std::ranges::move(rows, std::back_inserter(all));
  }
  return all;
}

Result<std::string> read_text(const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail(ErrorCode::not_found, "cannot read " + path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Result<void> read_card(const std::string& path, NameModel& model) {
  GH_ASSIGN(const std::string card, read_text(path));
  for (const std::string_view line : split(card, '\n')) {
    const std::size_t colon = line.find(": ");
    if (colon == line.npos) continue;
    if (line.substr(0, colon) != "threshold") {
      model.card.emplace_back(line.substr(0, colon), line.substr(colon + 2));
      continue;
    }
    const auto numbers = split(line.substr(colon + 2), ' ');
    for (std::size_t i = 0; i < std::min<std::size_t>(3, numbers.size()); ++i)
      model.threshold[i + 1] = static_cast<std::int32_t>(parse_uint(numbers[i]).value_or(0));
  }
  return {};
}

Result<void> train(std::span<char*> arguments) {
  if (arguments.size() < 4) return fail(ErrorCode::invalid_argument, "want LISTS MODEL CARD DATA");
  NameModel model;
  for (std::size_t list = 0; list < name_lists; ++list) {
    const auto name = std::string(to_string(static_cast<NameList>(list))) + ".txt";
    GH_ASSIGN(model.filters[list], read_list(std::filesystem::path(arguments[0]) / name));
  }
  GH_TRY(read_card(arguments[2], model));
  GH_ASSIGN(const auto rows, read_all(arguments.subspan(3)));
  const NameTagger tagger(model);
  std::vector<Example> examples;
  std::size_t inside = 0;
  std::size_t missed = 0;
  for (const LabelledText& row : rows) {
    examples.push_back(make_example(tagger, row));
    for (std::size_t i = 0; i < examples.back().words.size(); ++i) {
      inside += examples.back().kinds[i] != NameKind::none;
      missed += examples.back().kinds[i] != NameKind::none && !examples.back().words[i].candidate;
    }
  }
  std::cerr << rows.size() << " texts; the gate misses " << missed << " of " << inside
            << " tokens\n";
  judge_unseen(examples);
  Learner first(NameStage::first);
  Learner second(NameStage::second);
  learn_first(examples, first, [](const Example&) { return true; });
  learn_second(examples, second);
  model.weights = {first.table(), second.table()};
  std::ofstream(arguments[1]) << model.serialize();
  return {};
}

struct Count {
  double right = 0;
  double found = 0;
  double labelled = 0;
  double recalled = 0;

  void print(std::string_view name) const {
    const double precision = found == 0 ? 0 : right / found;
    const double recall = labelled == 0 ? 0 : recalled / labelled;
    const double f1 = precision + recall == 0 ? 0 : 2 * precision * recall / (precision + recall);
    std::printf(
        "  %-28s precision %5.1f %%  recall %5.1f %%  F1 %5.1f %%  (%.0f labelled, %.0f found)\n",
        std::string(name).c_str(), precision * 100, recall * 100, f1 * 100, labelled, found);
  }
};

Result<NameDetector*> load(const std::string& path, std::unique_ptr<NameDetector>& holder) {
  GH_ASSIGN(const std::string text, read_text(path));
  GH_ASSIGN(NameModel model, NameModel::parse(text));
  holder = std::make_unique<NameDetector>(std::move(model), true);
  return holder.get();
}

bool counts(NameKind kind, NameKind wanted) {
  return wanted == NameKind::none ? kind == NameKind::person || kind == NameKind::address
                                  : kind == wanted;
}

// `exact`: both ends are right and the kind is; otherwise any overlap of the kind.
void tally(const std::vector<NameLabel>& labels, const std::vector<NameSpan>& spans,
           NameKind wanted, bool exact, Count& count) {
  const auto matches = [&](const NameLabel& label, const NameSpan& span) {
    if (label.kind != span.kind) return false;
    return exact ? label.begin == span.begin && label.end == span.end
                 : label.begin < span.end && span.begin < label.end;
  };
  for (const NameSpan& span : spans) {
    if (!counts(span.kind, wanted)) continue;
    ++count.found;
    count.right += std::ranges::any_of(labels, [&](const auto& l) { return matches(l, span); });
  }
  for (const NameLabel& label : labels) {
    if (!counts(label.kind, wanted)) continue;
    ++count.labelled;
    count.recalled += std::ranges::any_of(spans, [&](const auto& s) { return matches(label, s); });
  }
}

void print_counts(const NameDetector& detector, const std::vector<LabelledText>& rows) {
  static constexpr std::pair<NameKind, std::string_view> kinds[] = {
      {NameKind::none, "names and addresses"},
      {NameKind::person, "PERSON"},
      {NameKind::address, "ADDRESS"},
      {NameKind::location, "LOCATION"}};
  for (const auto& [kind, name] : kinds) {
    Count exact;
    Count exact_given;
    Count overlap;
    for (const LabelledText& row : rows) {
      const auto spans = detector.spans(row.text);
      tally(row.united, spans, kind, true, exact);
      tally(row.as_given, spans, kind, true, exact_given);
      tally(row.as_given, spans, kind, false, overlap);
    }
    exact.print(std::string(name) + ", exact");
    exact_given.print(std::string(name) + ", exact, pieces");
    overlap.print(std::string(name) + ", overlap");
  }
}

Result<void> evaluate(std::span<char*> arguments) {
  std::unique_ptr<NameDetector> detector;
  GH_TRY(load(arguments[0], detector));
  for (const auto argument : arguments.subspan(1)) {
    GH_ASSIGN(const auto rows, read_labelled(argument));
    std::printf("%s: %zu texts\n", std::filesystem::path(argument).filename().c_str(), rows.size());
    print_counts(*detector, rows);
  }
  return {};
}

Result<void> benign(std::span<char*> arguments) {
  std::unique_ptr<NameDetector> detector;
  GH_TRY(load(arguments[0], detector));
  GH_ASSIGN(const auto rows, read_all(arguments.subspan(1)));
  double bytes = 0;
  std::array<double, name_kinds> reports{};
  for (const LabelledText& row : rows) {
    bytes += static_cast<double>(row.text.size());
    for (const NameSpan& span : detector->spans(row.text)) {
      ++reports[static_cast<std::size_t>(span.kind)];
      const std::size_t before = std::min<std::size_t>(span.begin, 30);
      std::string around = row.text.substr(span.begin - before, span.end - span.begin + 60);
      std::ranges::replace(around, '\n', ' ');
      std::cout << static_cast<int>(span.kind) << " " << span.margin << "\t"
                << row.text.substr(span.begin, span.end - span.begin) << "\t" << around << "\n";
    }
  }
  const auto per_megabyte = [&](std::size_t kind) {
    return std::lround(reports[kind] / bytes * 1e6);
  };
  std::cerr << std::lround(bytes / 1e6) << " MB: per MB " << per_megabyte(1) << " person, "
            << per_megabyte(2) << " address, " << per_megabyte(3) << " location\n";
  return {};
}

Result<void> show(std::span<char*> arguments) {
  std::unique_ptr<NameDetector> detector;
  GH_TRY(load(arguments[0], detector));
  GH_ASSIGN(const auto rows, read_all(arguments.subspan(1)));
  for (const LabelledText& row : rows) {
    Count count;
    const auto spans = detector->spans(row.text);
    tally(row.united, spans, NameKind::none, true, count);
    if (count.right == count.found && count.recalled == count.labelled) continue;
    std::string marked;
    for (std::size_t i = 0; i <= row.text.size(); ++i) {
      for (const auto& label : row.united)
        if (i == label.end) marked += "}";
      for (const auto& span : spans)
        if (i == span.end) marked += "]";
      for (const auto& label : row.united)
        if (i == label.begin) marked += "{" + std::string(1, " PAL"[static_cast<int>(label.kind)]);
      for (const auto& span : spans)
        if (i == span.begin) marked += "[" + std::string(1, " PAL"[static_cast<int>(span.kind)]);
      if (i < row.text.size()) marked += row.text[i] == '\n' ? '|' : row.text[i];
    }
    std::cout << marked << "\n";
  }
  return {};
}

Result<void> run(std::span<char*> arguments) {
  if (arguments.size() < 3)
    return fail(ErrorCode::invalid_argument, "want train, eval, benign or show");
  const std::string_view verb = arguments[0];
  const auto rest = arguments.subspan(1);
  if (verb == "train") return train(rest);
  if (verb == "eval") return evaluate(rest);
  if (verb == "benign") return benign(rest);
  if (verb == "show") return show(rest);
  return fail(ErrorCode::invalid_argument, "unknown verb");
}

}  // namespace

int main(int argc, char** argv) {
  const auto done = run(std::span(argv + 1, argv + argc));
  if (!done) std::cerr << done.error().describe() << "\n";
  return done ? 0 : 1;
}

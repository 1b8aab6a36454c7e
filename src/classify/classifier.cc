#include "classify/classifier.h"

#include <algorithm>
#include <limits>

#include "base/file.h"
#include "base/text.h"
#include "classify/features.h"
#include "classify/readings.h"
#include "classify/windows.h"

namespace gatehouse::classify {

// In a file that the build generates from rules/models/injection-3.model.
std::string_view builtin_model();

namespace {

// Adds up the weights of the features as they come.
class Adder {
 public:
  explicit Adder(const Model& model)
      : weights_(model.weights.data()), windows_(model.biases, model.scale) {}

  void feature(std::uint32_t place) {
    const std::int8_t* pair = weights_ + std::size_t{place} * head_count;
    running_.sums[0] += pair[0];
    running_.sums[1] += pair[1];
    ++running_.features;
  }
  void token() {
    if (++tokens_ % block_tokens == 0) windows_.block(running_);
  }
  Scores finish() {
    if (tokens_ % block_tokens != 0) windows_.block(running_);
    const auto worst = windows_.finish(running_);
    return {.jailbreak = worst[0], .injection = worst[1]};
  }

 private:
  const std::int8_t* weights_;
  WorstWindows<std::int64_t> windows_;
  Running<std::int64_t> running_;
  std::size_t tokens_ = 0;
};

// Of a text too long to be read whole: its ends.
std::string_view ends_of(std::string_view text, std::string& joined) {
  constexpr std::size_t most = Classifier::most_scored_bytes;
  if (text.size() <= most) return text;
  joined.reserve(most + 1);
  joined = text.substr(0, most / 2);
  joined += '\n';
  joined += text.substr(text.size() - most / 2);
  return joined;
}

}  // namespace

Result<std::shared_ptr<const Classifier>> Classifier::parse(std::string_view text) {
  GH_ASSIGN(Model model, parse_model(text));
  return std::make_shared<const Classifier>(std::move(model), crypto::sha256(bytes_of(text)));
}

Result<std::shared_ptr<const Classifier>> Classifier::load(const std::filesystem::path& path) {
  GH_ASSIGN(const std::string text, read_file(path, most_model_bytes));
  auto classifier = parse(text);
  if (!classifier) return std::unexpected(std::move(classifier).error().within(path.string()));
  return classifier;
}

Result<std::shared_ptr<const Classifier>> Classifier::builtin() {
  return parse(builtin_model());
}

Scores Classifier::score(std::string_view text) const {
  constexpr double lowest = std::numeric_limits<double>::lowest();
  Scores worst{.jailbreak = lowest, .injection = lowest};
  std::string joined;
  for_each_reading(ends_of(text, joined), [this, &worst](std::string_view reading) {
    Adder adder(model_);
    for_each_feature(reading, adder);
    const Scores scores = adder.finish();
    worst.jailbreak = std::max(worst.jailbreak, scores.jailbreak);
    worst.injection = std::max(worst.injection, scores.injection);
  });
  return worst;
}

}  // namespace gatehouse::classify

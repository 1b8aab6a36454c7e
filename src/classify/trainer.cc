#include "classify/trainer.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>
#include <ranges>

#include "base/text.h"
#include "crypto/crypto.h"

namespace gatehouse::classify {
namespace {

// The features of one text, in one vector with those of all the others.
struct Example {
  std::size_t first = 0;            // into the features
  std::vector<std::uint32_t> ends;  // of its blocks, from `first`
  bool has_planted = false;
  std::vector<bool> planted;  // blocks that hold some of the planted instruction
  std::array<Truth, head_count> truth{};
  std::array<double, head_count> weight{};
};

struct Corpus {
  std::vector<std::uint32_t> features;
  std::vector<Example> examples;
};

class Collector {
 public:
  explicit Collector(std::vector<std::uint32_t>& features)
      : features_(features), first_(features.size()) {}

  void feature(std::uint32_t place) { features_.push_back(place); }
  void token() {
    if (++tokens_ % block_tokens == 0) close();
  }
  void close() {
    const auto end = static_cast<std::uint32_t>(features_.size() - first_);
    if (ends_.empty() ? end > 0 : end > ends_.back()) ends_.push_back(end);
  }
  std::uint32_t count() const { return static_cast<std::uint32_t>(features_.size() - first_); }
  std::vector<std::uint32_t> ends() && { return std::move(ends_); }

 private:
  std::vector<std::uint32_t>& features_;
  std::size_t first_;
  std::vector<std::uint32_t> ends_;
  std::size_t tokens_ = 0;
};

struct Counter {
  std::uint32_t features = 0;
  void feature(std::uint32_t /*place*/) { ++features; }
  void token() {}
};

std::uint32_t count_features(std::string_view text) {
  Counter counter;
  for_each_feature(text, counter);
  return counter.features;
}

// The part of a text that is trained on: its begin, or where the planted instruction is.
std::string_view part_of(const TrainingText& text, std::size_t most, std::size_t& cut) {
  cut = 0;
  if (text.planted && text.planted->second > most)
    cut = text.planted->first > most / 2 ? text.planted->first - most / 2 : 0;
  return std::string_view(text.text).substr(cut, most);
}

Example make_example(const TrainingText& text, std::size_t most,
                     std::vector<std::uint32_t>& features) {
  Example example;
  example.first = features.size();
  example.truth = text.truth;
  std::size_t cut = 0;
  const std::string_view part = part_of(text, most, cut);
  Collector collector(features);
  for_each_feature(part, collector);
  collector.close();
  example.ends = std::move(collector).ends();
  example.planted.assign(example.ends.size(), false);
  if (!text.planted) return example;
  const std::uint32_t begin = count_features(part.substr(0, text.planted->first - cut));
  const std::uint32_t end =
      count_features(part.substr(0, std::min(text.planted->second - cut, part.size())));
  for (std::size_t block = 0; block < example.ends.size(); ++block)
    example.planted[block] =
        example.ends[block] > begin && (block == 0 ? 0 : example.ends[block - 1]) < end;
  example.has_planted = std::ranges::find(example.planted, true) != example.planted.end();
  return example;
}

// Each source the root of its size; then attacks together 1, harmless texts `harmless_mass`.
void weigh(std::span<const TrainingText> texts, double harmless_mass, Corpus& corpus) {
  for (std::size_t head = 0; head < head_count; ++head) {
    std::map<std::pair<Truth, std::string>, double> sizes;
    for (const TrainingText& text : texts)
      sizes[{text.truth[head], text.source + "/" + text.kind}] += 1;
    std::map<Truth, double> total;
    for (const auto& [key, size] : sizes) total[key.first] += std::sqrt(size);
    const auto count = static_cast<double>(texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const Truth truth = texts[i].truth[head];
      const double size = sizes[{truth, texts[i].source + "/" + texts[i].kind}];
      const double mass = truth == Truth::attack ? 1 : harmless_mass;
      corpus.examples[i].weight[head] = truth == Truth::unknown
                                            ? 0
                                            : texts[i].weight * mass / (1 + harmless_mass) * count /
                                                  (std::sqrt(size) * total[truth]);
    }
  }
}

// A range of blocks of an example.
struct Window {
  std::size_t begin = 0;
  std::size_t end = 0;
  double score = std::numeric_limits<double>::lowest();
  bool found() const { return end > begin; }
};

class Descent {
 public:
  Descent(const Corpus& corpus, const TrainingOptions& options)
      : corpus_(corpus), options_(options), random_(options.seed) {
    weights_.assign(head_count * table_size, 0);
    squares_.assign(head_count * table_size, 1e-3F);
    for (auto& biases : biases_) biases.fill(-1);
    for (auto& squares : bias_squares_) squares.fill(1e-1F);
  }

  double epoch(unsigned number) {
    std::vector<std::size_t> order(corpus_.examples.size());
    std::iota(order.begin(), order.end(), 0);
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random_() % i]);
    rate_ = options_.rate * (1 - 0.8 * number / std::max(1U, options_.epochs));
    loss_ = 0;
    steps_ = 0;
    const bool averaged = number >= (options_.epochs + 1) / 2;
    const std::size_t stretch = std::max<std::size_t>(1, order.size() / averages_in_epoch);
    for (std::size_t i = 0; i < order.size(); ++i) {
      learn(corpus_.examples[order[i]]);
      if (averaged && (i + 1) % stretch == 0) average_in();
    }
    return steps_ > 0 ? loss_ / steps_ : 0;
  }

  Model quantised() const;

 private:
  static constexpr std::size_t averages_in_epoch = 16;

  // The weights of the moment into the mean.
  void average_in() {
    const float share = 1.0F / static_cast<float>(++averaged_);
    mean_.resize(weights_.size(), 0);
    for (std::size_t i = 0; i < weights_.size(); ++i) mean_[i] += (weights_[i] - mean_[i]) * share;
    for (std::size_t head = 0; head < head_count; ++head)
      for (std::size_t size = 0; size < window_sizes; ++size)
        mean_biases_[head][size] += (biases_[head][size] - mean_biases_[head][size]) * share;
  }
  // Sums over the features that this step keeps.
  void run(const Example& example) {
    running_.assign(1, {});
    const auto mask = static_cast<std::uint32_t>(options_.dropout * 256);
    salt_ = static_cast<std::uint32_t>(random_());
    Running<double> running;
    std::size_t at = example.first;
    for (const std::uint32_t end : example.ends) {
      for (; at < example.first + end; ++at) {
        const std::uint32_t place = corpus_.features[at];
        if (dropped(place, mask)) continue;
        for (std::size_t head = 0; head < head_count; ++head)
          running.sums[head] += static_cast<double>(weights_[place * head_count + head]);
        ++running.features;
      }
      running_.push_back(running);
    }
  }
  // By feature, not by place in the text: a dropped word is dropped wherever it stands.
  bool dropped(std::uint32_t place, std::uint32_t mask) const {
    return ((place ^ salt_) * 0x9e3779b1U >> 24) < mask;
  }

  Window worst(const Example& example, std::size_t head, std::size_t size, bool of_planted) const {
    const std::size_t blocks = example.ends.size();
    const std::size_t length = size + 1 == window_sizes ? blocks : window_blocks[size];
    Window best;
    for (std::size_t end = length; end <= blocks && length > 0; ++end) {
      const std::size_t begin = end - length;
      if (example.has_planted) {
        const bool over = std::any_of(example.planted.begin() + static_cast<std::ptrdiff_t>(begin),
                                      example.planted.begin() + static_cast<std::ptrdiff_t>(end),
                                      [](bool planted) { return planted; });
        if (over != of_planted) continue;
      }
      const double score = window_score(running_[begin], running_[end], head);
      if (score > best.score) best = {begin, end, score};
    }
    return best;
  }

  void learn(const Example& example) {
    if (example.ends.empty()) return;
    run(example);
    for (std::size_t head = 0; head < head_count; ++head) {
      if (example.truth[head] == Truth::unknown) continue;
      const bool attack = example.truth[head] == Truth::attack;
      for (std::size_t size = 0; size < window_sizes; ++size) {
        move(example, head, size, worst(example, head, size, true), attack);
        if (attack && example.has_planted)
          move(example, head, size, worst(example, head, size, false), false);
      }
    }
  }

  void move(const Example& example, std::size_t head, std::size_t size, const Window& window,
            bool attack) {
    if (!window.found()) return;
    const double score = window.score + static_cast<double>(biases_[head][size]);
    const double probability = 1 / (1 + std::exp(-score));
    const double weight = example.weight[head];
    loss_ += weight * -std::log(std::max(1e-9, attack ? probability : 1 - probability));
    ++steps_;
    const double error = weight * (probability - (attack ? 1 : 0));
    if (std::abs(error) < 1e-4) return;
    adapt(biases_[head][size], bias_squares_[head][size], error);
    const std::uint32_t features = running_[window.end].features - running_[window.begin].features;
    if (features == 0) return;
    const double gradient = error / std::sqrt(static_cast<double>(features));
    const auto mask = static_cast<std::uint32_t>(options_.dropout * 256);
    const std::size_t begin = window.begin == 0 ? 0 : example.ends[window.begin - 1];
    for (std::size_t at = example.first + begin; at < example.first + example.ends[window.end - 1];
         ++at) {
      const std::uint32_t place = corpus_.features[at];
      if (dropped(place, mask)) continue;
      float& own = weights_[place * head_count + head];
      adapt(own, squares_[place * head_count + head],
            gradient + options_.shrink * static_cast<double>(own));
    }
  }

  // AdaGrad: rare features take large steps, common ones small.
  void adapt(float& value, float& squares, double gradient) const {
    squares += static_cast<float>(gradient * gradient);
    value -= static_cast<float>(rate_ * gradient / std::sqrt(static_cast<double>(squares)));
  }

  const Corpus& corpus_;
  const TrainingOptions& options_;
  std::mt19937_64 random_;
  std::vector<float> weights_;
  std::vector<float> squares_;
  std::vector<float> mean_;
  Biases mean_biases_{};
  std::size_t averaged_ = 0;
  Biases biases_{};
  Biases bias_squares_{};
  std::vector<Running<double>> running_;
  std::uint32_t salt_ = 0;
  double rate_ = 0;
  double loss_ = 0;
  double steps_ = 0;
};

// A byte a weight. The few largest are cut at the 99.99th percentile, else small ones would all be
// 0.
Model Descent::quantised() const {
  Model model;
  const std::vector<float>& weights = averaged_ > 0 ? mean_ : weights_;
  model.biases = averaged_ > 0 ? mean_biases_ : biases_;
  model.weights.resize(head_count * table_size);
  for (std::size_t head = 0; head < head_count; ++head) {
    std::vector<float> sizes;
    for (std::size_t i = head; i < weights.size(); i += head_count)
      sizes.push_back(std::abs(weights[i]));
    const std::size_t rank = sizes.size() - 1 - sizes.size() / 10'000;
    std::ranges::nth_element(sizes, sizes.begin() + static_cast<std::ptrdiff_t>(rank));
    const float largest = std::max(sizes[rank], 1e-6F);
    model.scale[head] = largest / 127;
    for (std::size_t i = head; i < weights.size(); i += head_count)
      model.weights[i] = static_cast<std::int8_t>(
          std::lround(std::clamp(weights[i] / model.scale[head], -127.0F, 127.0F)));
  }
  return model;
}

std::unexpected<Error> bad_row(std::string message) {
  return fail(ErrorCode::invalid_argument, std::move(message));
}

Result<void> read_truth(const nlohmann::json& row, TrainingText& out) {
  if (row.contains("head")) {
    const bool attack = row.value("label", 1) != 0;
    const std::string head = row.value("head", "");
    const Truth truth = attack ? Truth::attack : Truth::harmless;
    if (head == "jailbreak") {
      // What talks a model out of its rules is an injection too where a tool brings it; what is
      // harmless from a user need not be harmless there.
      out.truth = {truth, attack ? truth : Truth::unknown};
    } else if (head == "injection") {
      out.truth = {Truth::unknown, truth};
    } else {
      return bad_row("head is neither jailbreak nor injection");
    }
    return {};
  }
  out.kind = row.value("kind", "");
  if (out.kind.empty()) return bad_row("a row needs head or kind");
  const bool user = out.kind == "prompt" || out.kind == "harmful";
  out.truth = {Truth::harmless, user ? Truth::unknown : Truth::harmless};
  return {};
}

}  // namespace

Result<TrainingText> parse_training_text(std::string_view line) {
  try {
    const nlohmann::json row = nlohmann::json::parse(line);
    TrainingText out;
    out.text = row.at("text").get<std::string>();
    out.source = row.value("source", "");
    GH_TRY(read_truth(row, out));
    out.weight = row.value("weight", 1.0);
    if (!(out.weight >= 0.01 && out.weight <= 100)) return bad_row("weight is out of range");
    if (row.contains("planted")) {
      const auto planted = row["planted"].get<std::pair<std::size_t, std::size_t>>();
      if (planted.first >= planted.second || planted.second > out.text.size())
        return bad_row("planted lies outside the text");
      out.planted = planted;
    }
    return out;
  } catch (const nlohmann::json::exception& error) {
    return bad_row(error.what());
  }
}

Model train(std::span<const TrainingText> texts, const TrainingOptions& options,
            const std::function<void(unsigned, double)>& progress) {
  Corpus corpus;
  crypto::Sha256Stream digest;
  for (const TrainingText& text : texts) {
    corpus.examples.push_back(make_example(text, options.most_bytes, corpus.features));
    digest.update(crypto::sha256(bytes_of(text.text)));
  }
  weigh(texts, options.harmless_mass, corpus);
  Descent descent(corpus, options);
  for (unsigned epoch = 0; epoch < options.epochs; ++epoch)
    progress(epoch + 1, descent.epoch(epoch));
  Model model = descent.quantised();
  model.data_digest = to_hex(digest.finish());
  return model;
}

}  // namespace gatehouse::classify

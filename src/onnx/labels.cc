// Labels and what their scores mean. See classifier.h.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "onnx/classifier.h"

namespace gatehouse::onnx {
namespace {

using nlohmann::json;

constexpr std::size_t most_labels = 1'000;
constexpr std::size_t longest_label = 200;

std::vector<double> probabilities(Scores scores, const std::vector<float>& logits) {
  std::vector<double> out;
  if (scores == Scores::sigmoid) {
    for (const float logit : logits) out.push_back(1 / (1 + std::exp(-double{logit})));
    return out;
  }
  const double largest = *std::ranges::max_element(logits);
  double sum = 0;
  for (const float logit : logits) {
    out.push_back(std::exp(double{logit} - largest));
    sum += out.back();
  }
  for (double& value : out) value /= sum;
  return out;
}

std::optional<std::uint64_t> size_of(const json& document, const char* key) {
  const auto member = document.find(key);
  if (member == document.end() || !member->is_number_unsigned()) return std::nullopt;
  return member->get<std::uint64_t>();
}

// Models of RoBERTa's kind count positions from behind the padding token's number on; DeBERTa's
// look at distances, of which there is no end.
std::optional<std::uint64_t> positions_of(const json& document) {
  const auto type = document.find("model_type");
  const std::string kind =
      type != document.end() && type->is_string() ? type->get<std::string>() : "";
  if (kind.starts_with("deberta")) return std::nullopt;
  const auto positions = size_of(document, "max_position_embeddings");
  if (!positions) return std::nullopt;
  const bool behind_padding = kind.contains("roberta") || kind == "camembert" || kind == "mpnet";
  const auto padding = size_of(document, "pad_token_id").value_or(1);
  const std::uint64_t lost = behind_padding ? padding + 1 : 0;
  return *positions > lost ? *positions - lost : 0;
}

}  // namespace

Result<Reading> judge(const LabelRule& rule, const std::vector<float>& logits) {
  GH_CHECK(rule.labels.size() == rule.harmful.size());
  if (logits.size() != rule.labels.size())
    return fail(ErrorCode::failed_precondition, "the model gives " + std::to_string(logits.size()) +
                                                    " scores for " +
                                                    std::to_string(rule.labels.size()) + " labels");
  if (!std::ranges::all_of(logits, [](float logit) { return std::isfinite(logit); }))
    return fail(ErrorCode::data_loss, "the model gives a score that is not a number");
  const auto values = probabilities(rule.scores, logits);
  Reading reading;
  std::size_t worst = 0;
  double highest = -1;
  for (std::size_t at = 0; at < values.size(); ++at) {
    if (!rule.harmful[at]) continue;
    // Labels exclude one another under softmax, and do not under sigmoid.
    reading.score = rule.scores == Scores::softmax ? reading.score + values[at]
                                                   : std::max(reading.score, values[at]);
    if (values[at] > highest) worst = at;
    highest = std::max(highest, values[at]);
  }
  reading.score = std::min(reading.score, 1.0);
  reading.harmful = reading.score >= rule.threshold;
  if (!reading.harmful) return reading;
  for (std::size_t at = 0; at < values.size(); ++at)
    if (rule.harmful[at] && values[at] >= rule.threshold) reading.labels.push_back(rule.labels[at]);
  if (reading.labels.empty()) reading.labels.push_back(rule.labels[worst]);
  return reading;
}

Result<ModelConfig> parse_model_config(std::string_view text) {
  const auto refused = [](std::string problem) {
    return fail(ErrorCode::invalid_argument, std::move(problem));
  };
  const json document = json::parse(text, nullptr, false);
  if (document.is_discarded() || !document.is_object()) return refused("not a JSON object");
  const auto names = document.find("id2label");
  if (names == document.end() || !names->is_object() || names->empty())
    return refused("has no id2label");
  if (names->size() > most_labels) return refused("id2label has more than 1000 labels");
  ModelConfig config;
  config.labels.resize(names->size());
  for (const auto& [key, name] : names->items()) {
    const auto at = parse_uint(key);
    if (!at || *at >= config.labels.size() || !name.is_string() ||
        name.get_ref<const std::string&>().empty() ||
        name.get_ref<const std::string&>().size() > longest_label)
      return refused("id2label does not name each of its labels");
    config.labels[*at] = name.get<std::string>();
  }
  if (std::ranges::any_of(config.labels, &std::string::empty))
    return refused("id2label does not name each of its labels");
  const auto problem = document.find("problem_type");
  config.vocabulary = size_of(document, "vocab_size");
  config.positions = positions_of(document);
  config.multi_label = problem != document.end() && *problem == "multi_label_classification";
  return config;
}

}  // namespace gatehouse::onnx

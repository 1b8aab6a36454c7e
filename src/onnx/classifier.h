// A sequence classifier in an ONNX file, with its tokenizer: how likely a text is one of the labels
// that are called harmful. The models of Hugging Face's "text-classification" exported with
// Optimum, and whatever else takes input_ids (with attention_mask and token_type_ids, where it
// wants them) and gives logits.
//
// Promises
//   1. What cannot be loaded, or does not fit together, is refused before the first text: load()
//      runs the model on a short text and on as long a window as there can be.
//   2. A text is read whole, in overlapping windows, and the worst window counts. More windows than
//      allowed are read from both ends, or refused, as configured; the reading says which.
//   3. Only finite scores are a reading.
//   4. The digests are those of the bytes that were loaded.
// Immutable; any thread, several at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "onnx/options.h"

namespace gatehouse::onnx {

struct Reading {
  double score = 0;                 // of the worst window: probability of what is harmful, 0 to 1
  bool harmful = false;             // score >= threshold
  std::vector<std::string> labels;  // harmful ones, where harmful
  std::size_t windows = 0;          // read
  std::size_t windows_of = 0;       // that the text has
};

class Classifier {
 public:
  static Result<std::shared_ptr<const Classifier>> load(const Options& options);

  // cancelled when stopped; resource_exhausted when refuse_longer; else the model failed.
  Result<Reading> classify(std::string_view text, const std::stop_token& stop) const;

  // Of all the files and labels that load() would read now: as digest(), nothing has changed.
  static Result<std::string> digest_of(const Options& options);
  const std::string& digest() const;
  const std::string& model_digest() const;  // hex SHA-256
  const std::string& tokenizer_digest() const;
  const std::string& runtime_version() const;
  const std::vector<std::string>& labels() const;

  struct Impl;

 private:
  explicit Classifier(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

// What of the logits of one window is harmful. Pure; an error where a logit is not finite.
struct LabelRule {
  std::vector<std::string> labels;
  std::vector<bool> harmful;  // by label
  Scores scores = Scores::softmax;
  double threshold = 0.5;
};
Result<Reading> judge(const LabelRule& rule, const std::vector<float>& logits);

// What is used of a config.json: id2label, problem_type, vocab_size and max_position_embeddings.
struct ModelConfig {
  std::vector<std::string> labels;
  bool multi_label = false;
  // ONNX Runtime does not refuse every number beyond a table.
  std::optional<std::uint64_t> vocabulary = std::nullopt;  // token numbers are below it
  std::optional<std::uint64_t> positions =
      std::nullopt;  // tokens of a window, special ones included
};
Result<ModelConfig> parse_model_config(std::string_view json);

}  // namespace gatehouse::onnx

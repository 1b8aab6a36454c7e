// What a classifier is loaded with. See classifier.h.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace gatehouse::onnx {

enum class Scores { softmax, sigmoid };

struct Options {
  std::string model;      // file
  std::string tokenizer;  // file, tokenizer.json
  std::string runtime;    // library; empty: the usual names
  std::string config;     // file, config.json; empty: beside the tokenizer, if `labels` is empty
  std::vector<std::string> labels;   // in the order of the logits; empty: id2label of `config`
  std::vector<std::string> harmful;  // some of the labels
  std::optional<Scores> scores;      // none: as `config` says, else softmax
  double threshold = 0.5;
  std::size_t window = 512;    // tokens, special ones included
  std::size_t overlap = 64;    // tokens that two windows share
  std::size_t windows = 16;    // at most
  bool refuse_longer = false;  // a text of more windows, instead of leaving out its middle
  int threads = 1;             // of one run
};

}  // namespace gatehouse::onnx

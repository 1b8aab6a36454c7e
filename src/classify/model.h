// The weights of a trained classifier, and their file: text, so that a change of weights shows in a
// diff as a change of a file with a name, a date and a digest of the data it was trained on.
// docs/inspection.md has the format.
//
// A file may come from anywhere: parsing reads at most `most_model_bytes`, checks every length and
// refuses what it does not know.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "classify/features.h"
#include "classify/windows.h"

namespace gatehouse::classify {

inline constexpr std::size_t most_model_bytes = std::size_t{4} << 20;

struct Model {
  std::string name;         // "injection-3"
  std::string date;         // of training: "2025-11-26"
  std::string data_digest;  // SHA-256 in hex over the training texts
  Biases biases{};
  std::array<float, head_count> scale{};  // a weight is its byte times this
  std::vector<std::int8_t> weights;       // by feature, both heads side by side; 2 * table_size
};

Result<Model> parse_model(std::string_view text);
std::string write_model(const Model& model);

}  // namespace gatehouse::classify

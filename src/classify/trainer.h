// Trains the classifier of classifier.h. Logistic regression over hashed features where what counts
// of a text is its worst window of each size: each step takes the windows that score highest by the
// weights of the moment and moves their features, up in an attack, down in a harmless text. So an
// attack teaches by its telling part, a harmless text by the part most easily mistaken; the latter
// is mining for hard negatives without a second pass.
//
// Of texts with an instruction planted in them it is known where: windows over it are attacks,
// windows away from it are harmless. Sources weigh by the root of their size, so that no large
// collection decides alone. A share of the features is left out at random in each step, which makes
// the rest carry more and helps with texts unlike those trained on. The model is the mean of the
// weights over the later half of the epochs: the last texts seen decide less. The same input and
// seed give the same model, byte for byte, on one kind of machine.
//
// Used by one thread; holds all texts' features in memory (about 11 bytes for each byte of text).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "classify/model.h"

namespace gatehouse::classify {

enum class Truth : std::int8_t { unknown, harmless, attack };

struct TrainingText {
  std::string text;
  std::array<Truth, head_count> truth{};
  std::optional<std::pair<std::size_t, std::size_t>> planted = {};  // bytes of the instruction
  std::string source;
  std::string kind;
  double weight = 1;  // beside others of its source and kind; 0.01 to 100
};

// One line of the JSON Lines files that tests/inspection/prepare_injection.py writes: "text" and
// either "kind" (harmless) or "head" with an optional "label" and "planted"; "weight" is optional.
Result<TrainingText> parse_training_text(std::string_view line);

struct TrainingOptions {
  std::uint64_t seed = 1;
  unsigned epochs = 7;
  double rate = 0.15;
  double shrink = 1e-6;           // L2, of each weight each time it is used
  double dropout = 0.15;          // share of features left out in a step
  double harmless_mass = 10;      // of all harmless texts together, to 1 of the attacks
  std::size_t most_bytes = 4000;  // read of one text
};

// `progress` is told the mean loss after each epoch.
Model train(std::span<const TrainingText> texts, const TrainingOptions& options,
            const std::function<void(unsigned, double)>& progress);

}  // namespace gatehouse::classify

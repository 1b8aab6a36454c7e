// The `pre_tokenizer` of tokenizer.json: where a text is cut before the model cuts it further.
// Immutable; shared by all threads. A sort that is not known is refused by name.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace gatehouse::onnx {

// A stretch of the normalized text, or a token of its own that was found in it.
struct Piece {
  std::string text;
  std::optional<std::uint32_t> token;
  bool is_first = false;  // the text begins with it
};

class PreTokenizer {
 public:
  PreTokenizer() = default;
  static Result<PreTokenizer> parse(const nlohmann::json& json);  // null: nothing is cut

  void apply(std::vector<Piece>& pieces) const;
  // Whether the first piece of a text is treated in another way than the rest.
  bool looks_for_the_beginning() const { return looks_for_first_; }

 private:
  using Step = std::function<void(std::vector<Piece>&)>;
  Result<Step> read_step(const nlohmann::json& json, const std::string& type,
                         const std::string& where);

  std::vector<Step> steps_;
  bool looks_for_first_ = false;
};

}  // namespace gatehouse::onnx

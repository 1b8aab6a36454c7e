// The `normalizer` of tokenizer.json: what is done to a text before it is cut. Immutable; shared by
// all threads. A sort that is not known is refused by name.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.h"

namespace gatehouse::onnx {

class Normalizer {
 public:
  Normalizer() = default;                                       // does nothing
  static Result<Normalizer> parse(const nlohmann::json& json);  // null: nothing

  std::string apply(std::string text) const;
  // Whether the first character of what apply() gives may come from the middle of the text.
  bool may_drop_the_beginning() const { return may_drop_; }

 private:
  using Step = std::function<std::string(std::string)>;
  Result<Step> read_step(const nlohmann::json& json, const std::string& type,
                         const std::string& where);

  std::vector<Step> steps_;
  bool may_drop_ = false;
};

}  // namespace gatehouse::onnx

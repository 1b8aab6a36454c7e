// Steps as a tokenizer.json writes them: one object with a "type", or a "Sequence" of such, within
// one another. Pure; bounded: 64 steps, four deep.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace gatehouse::onnx {

// Gives each step, in order: the object, its type, where it stands.
using TakeStep = std::function<Result<void>(const nlohmann::json& object, const std::string& type,
                                            const std::string& where)>;
// `member`: the list of a sequence. `where`: what the object is called in errors.
Result<void> each_step(const nlohmann::json& object, const std::string& where, const char* member,
                       const TakeStep& take);

// What `read`, called like a TakeStep, makes of each.
template <class Step, class Read>
Result<std::vector<Step>> read_steps(const nlohmann::json& object, const std::string& where,
                                     const char* member, const Read& read) {
  std::vector<Step> steps;
  GH_TRY(each_step(object, where, member, [&](const auto&... step) -> Result<void> {
    GH_ASSIGN(auto made, read(step...));
    steps.push_back(std::move(made));
    return {};
  }));
  return steps;
}

}  // namespace gatehouse::onnx

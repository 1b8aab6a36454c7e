// Steps as a tokenizer.json writes them: one object with a "type", or a "Sequence" of such, within
// one another. Pure; bounded: 64 steps, four deep.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "base/result.h"

namespace gatehouse::onnx {

// Gives each step, in order: the object, its type, where it stands.
using TakeStep = std::function<Result<void>(const nlohmann::json& object, const std::string& type,
                                            const std::string& where)>;
// `member`: the list of a sequence. `where`: what the object is called in errors.
Result<void> each_step(const nlohmann::json& object, const std::string& where, const char* member,
                       const TakeStep& take);

}  // namespace gatehouse::onnx

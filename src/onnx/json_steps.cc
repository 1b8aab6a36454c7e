#include "onnx/json_steps.h"

#include "onnx/json_fields.h"

namespace gatehouse::onnx {
namespace {

using nlohmann::json;

constexpr int deepest_sequence = 4;
constexpr std::size_t most_steps = 64;

struct Steps {
  const char* member;
  const TakeStep& take;
  std::size_t taken = 0;

  Result<void> add(const json& object, const std::string& where, int depth) {
    if (!object.is_object() || !object.contains("type") || !object["type"].is_string())
      return fail(ErrorCode::invalid_argument, where + ": has no \"type\"");
    const auto& type = object["type"].get_ref<const std::string&>();
    if (type != "Sequence") {
      if (taken++ == most_steps)
        return fail(ErrorCode::invalid_argument, where + ": too many steps");
      return take(object, type, where);
    }
    JsonFields fields(object, where);
    fields.ignore("type");
    const json* list = fields.any(member);
    if (list == nullptr || !list->is_array())
      fields.refuse("\"" + std::string(member) + "\" is not a list");
    if (depth == deepest_sequence) fields.refuse("sequences within sequences, too deep");
    GH_TRY(fields.finish());
    for (std::size_t at = 0; at < list->size(); ++at)
      GH_TRY(add((*list)[at], where + "." + member + "[" + std::to_string(at) + "]", depth + 1));
    return {};
  }
};

}  // namespace

Result<void> each_step(const json& object, const std::string& where, const char* member,
                       const TakeStep& take) {
  return Steps{member, take}.add(object, where, 0);
}

}  // namespace gatehouse::onnx

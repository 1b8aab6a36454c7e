// See json_fields.h.
#include "onnx/json_fields.h"

#include <algorithm>

#include "base/text.h"

namespace gatehouse::onnx {

using nlohmann::json;

JsonFields::JsonFields(const json& object, std::string where)
    : object_(object), where_(std::move(where)) {
  if (!object.is_object()) refuse("is not an object");
}

void JsonFields::refuse(std::string problem) {
  if (problem_.empty()) problem_ = where_ + ": " + std::move(problem);
}

const json* JsonFields::any(const char* key) {
  asked_.emplace_back(key);
  if (!object_.is_object()) return nullptr;
  const auto member = object_.find(key);
  return member == object_.end() || member->is_null() ? nullptr : &*member;
}

const json* JsonFields::required(const char* key, bool needed) {
  const json* value = any(key);
  if (value == nullptr && needed) refuse(std::string("\"") + key + "\" is missing");
  return value;
}

std::optional<bool> JsonFields::optional_boolean(const char* key) {
  const json* value = any(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_boolean()) return value->get<bool>();
  refuse(std::string("\"") + key + "\" is not true or false");
  return std::nullopt;
}

std::optional<std::string> JsonFields::optional_string(const char* key) {
  const json* value = any(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return value->get<std::string>();
  refuse(std::string("\"") + key + "\" is not a string");
  return std::nullopt;
}

std::optional<std::uint32_t> JsonFields::optional_number(const char* key) {
  constexpr std::uint64_t largest = 0x7fffffff;
  const json* value = any(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_number_unsigned() && value->get<std::uint64_t>() <= largest)
    return static_cast<std::uint32_t>(value->get<std::uint64_t>());
  refuse(std::string("\"") + key + "\" is not a number from 0 to 2^31 - 1");
  return std::nullopt;
}

bool JsonFields::boolean(const char* key, std::optional<bool> fallback) {
  if (required(key, !fallback) == nullptr) return fallback.value_or(false);
  return optional_boolean(key).value_or(false);
}

std::string JsonFields::string(const char* key, std::optional<std::string> fallback) {
  if (required(key, !fallback) == nullptr) return fallback.value_or("");
  return optional_string(key).value_or("");
}

std::uint32_t JsonFields::number(const char* key, std::optional<std::uint32_t> fallback) {
  if (required(key, !fallback) == nullptr) return fallback.value_or(0);
  return optional_number(key).value_or(0);
}

Result<void> JsonFields::finish() {
  if (object_.is_object()) {
    for (const auto& [key, value] : object_.items()) {
      if (std::ranges::find(asked_, key) != asked_.end()) continue;
      refuse("\"" + printable(utf8_prefix(key, 64)) + "\" is not supported");
    }
  }
  if (problem_.empty()) return {};
  return fail(ErrorCode::invalid_argument, problem_);
}

}  // namespace gatehouse::onnx

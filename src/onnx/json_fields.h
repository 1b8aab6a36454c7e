// Strict reading of one JSON object: each member is asked for by name and kind; what is missing, of
// another kind, or not asked for by the end is an error that names it. Nothing in a file is passed
// over in silence. One thread; refers to the object.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace gatehouse::onnx {

class JsonFields {
 public:
  JsonFields(const nlohmann::json& object, std::string where);

  bool boolean(const char* key, std::optional<bool> fallback = std::nullopt);
  std::string string(const char* key, std::optional<std::string> fallback = std::nullopt);
  std::optional<std::string> optional_string(const char* key);  // absent or null: none
  std::optional<bool> optional_boolean(const char* key);
  std::uint32_t number(const char* key, std::optional<std::uint32_t> fallback = std::nullopt);
  std::optional<std::uint32_t> optional_number(const char* key);
  // Null where it is absent, or null.
  const nlohmann::json* any(const char* key);
  void ignore(const char* key) { (void)any(key); }

  void refuse(std::string problem);
  const std::string& where() const { return where_; }
  Result<void> finish();  // the first problem

 private:
  const nlohmann::json* required(const char* key, bool needed);

  const nlohmann::json& object_;
  std::string where_;
  std::vector<std::string_view> asked_;
  std::string problem_;
};

}  // namespace gatehouse::onnx

// The `post_processor` of tokenizer.json: the special tokens around a text, and its token types.
// Immutable; shared by all threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace gatehouse::onnx {

// What a model is given of one window, a number for each token.
struct ModelInput {
  std::vector<std::int64_t> ids;
  std::vector<std::int64_t> types;
};

class Template {
 public:
  // `id_of` knows the numbers of tokens.
  using IdOf = std::function<std::optional<std::uint32_t>(std::string_view token)>;
  static Result<Template> parse(const nlohmann::json& json, const IdOf& id_of);

  ModelInput frame(std::span<const std::uint32_t> ids) const;
  std::uint32_t highest_id() const;
  std::size_t added() const { return before_.size() + after_.size(); }

 private:
  struct Special {
    std::uint32_t id = 0;
    std::uint32_t type = 0;
  };
  Result<void> add(const nlohmann::json& json, std::string where, const IdOf& id_of, int depth);
  Result<void> add_template(const nlohmann::json& json, const std::string& where);
  Result<void> add_bert(const nlohmann::json& json, const std::string& where, const IdOf& id_of);

  std::vector<Special> before_;
  std::vector<Special> after_;
  std::uint32_t text_type_ = 0;
  bool known_ = false;  // something said what stands around a text
};

}  // namespace gatehouse::onnx

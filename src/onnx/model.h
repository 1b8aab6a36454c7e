// The `model` of tokenizer.json: WordPiece, Unigram or BPE, which turns a piece of text into token
// numbers. Immutable; shared by all threads. What a model cannot do as the file asks is refused.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "onnx/json_fields.h"

namespace gatehouse::onnx {

using Ids = std::vector<std::uint32_t>;

struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>()(text);
  }
};

// Tokens and their numbers.
class Vocabulary {
 public:
  static Result<Vocabulary> parse(const nlohmann::json* json, const std::string& where);

  std::optional<std::uint32_t> find(std::string_view token) const;
  void put(std::string token, std::uint32_t id);
  std::size_t size() const { return ids_.size(); }
  const auto& ids() const { return ids_; }

  // The numbers of "<0x00>" to "<0xFF>"; empty if one is missing.
  Ids byte_tokens() const;

 private:
  std::unordered_map<std::string, std::uint32_t, StringHash, std::equal_to<>> ids_;
};

class Model {
 public:
  virtual ~Model() = default;
  // Appends the tokens of a piece, which is well-formed UTF-8. Linear, or n log n.
  virtual void tokenize(std::string_view piece, Ids& out) const = 0;
  virtual const Vocabulary& vocabulary() const = 0;
};

Result<std::unique_ptr<Model>> parse_model(const nlohmann::json& json);

Result<std::unique_ptr<Model>> parse_word_piece(JsonFields& fields);
Result<std::unique_ptr<Model>> parse_unigram(JsonFields& fields);
Result<std::unique_ptr<Model>> parse_bpe(JsonFields& fields);

}  // namespace gatehouse::onnx

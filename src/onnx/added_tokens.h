// The `added_tokens` of tokenizer.json: strings that are a token wherever they stand in a text,
// before the text is normalized or after. Immutable; shared by all threads.
//
// Special tokens ([CLS], </s>, …) are not among what is looked for: what a user writes is text, and
// "[SEP]" in it does not end it. That is `encode_special_tokens` of the `tokenizers` library.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "onnx/byte_trie.h"
#include "onnx/model.h"
#include "onnx/normalizer.h"
#include "onnx/pre_tokenizer.h"

namespace gatehouse::onnx {

class AddedTokens {
 public:
  static Result<AddedTokens> parse(const nlohmann::json& json, const Normalizer& normalizer,
                                   const Model& model);

  // The text cut at its added tokens, the rest normalized.
  std::vector<Piece> cut(std::string_view text, const Normalizer& normalizer) const;
  std::optional<std::uint32_t> find(std::string_view content) const;
  const auto& ids() const { return ids_; }

 private:
  struct Token {
    std::string content;  // as it is looked for
    std::uint32_t id = 0;
    bool strip_left = false;
    bool strip_right = false;
    bool special = false;
  };
  static void cut_at(const ByteTrie& wanted, const std::vector<Token>& tokens, Piece piece,
                     std::vector<Piece>& out);

  std::vector<Token> raw_;         // looked for in the text
  std::vector<Token> normalized_;  // looked for in the normalized text
  ByteTrie wanted_raw_;            // numbers are places in the lists
  ByteTrie wanted_normalized_;
  std::unordered_map<std::string, std::uint32_t, StringHash, std::equal_to<>> ids_;
};

}  // namespace gatehouse::onnx

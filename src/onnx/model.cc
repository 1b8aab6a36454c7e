// See model.h.
#include "onnx/model.h"

#include <array>

#include "base/text.h"

namespace gatehouse::onnx {
namespace {

using nlohmann::json;

constexpr std::size_t most_tokens = 2'000'000;
constexpr std::size_t longest_token = 4'096;
constexpr std::uint64_t largest_id = 0x7fffffff;

}  // namespace

Result<Vocabulary> Vocabulary::parse(const json* object, const std::string& where) {
  const auto refused = [&](std::string problem) {
    return fail(ErrorCode::invalid_argument, where + ".vocab: " + std::move(problem));
  };
  if (object == nullptr || !object->is_object()) return refused("is not an object");
  if (object->empty() || object->size() > most_tokens)
    return refused("must have from one to two million tokens");
  Vocabulary vocabulary;
  vocabulary.ids_.reserve(object->size());
  for (const auto& [token, id] : object->items()) {
    if (token.size() > longest_token) return refused("a token is longer than 4096 bytes");
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() > largest_id)
      return refused("the number of \"" + printable(utf8_prefix(token, 64)) + "\" is none");
    vocabulary.ids_.emplace(token, static_cast<std::uint32_t>(id.get<std::uint64_t>()));
  }
  return vocabulary;
}

std::optional<std::uint32_t> Vocabulary::find(std::string_view token) const {
  const auto known = ids_.find(token);
  return known == ids_.end() ? std::nullopt : std::optional(known->second);
}

void Vocabulary::put(std::string token, std::uint32_t id) {
  ids_.insert_or_assign(std::move(token), id);
}

Ids Vocabulary::byte_tokens() const {
  constexpr std::string_view digits = "0123456789ABCDEF";
  Ids tokens;
  for (std::size_t byte = 0; byte < 256; ++byte) {
    const std::string name = {'<', '0', 'x', digits[byte >> 4], digits[byte & 15], '>'};
    const auto id = find(name);
    if (!id) return {};
    tokens.push_back(*id);
  }
  return tokens;
}

Result<std::unique_ptr<Model>> parse_model(const json& object) {
  JsonFields fields(object, "model");
  // Old files leave the type out of WordPiece and BPE models; which of them it is then is a guess.
  const std::string type = fields.string("type");
  if (type == "WordPiece") return parse_word_piece(fields);
  if (type == "Unigram") return parse_unigram(fields);
  if (type == "BPE") return parse_bpe(fields);
  if (!type.empty())
    fields.refuse("the sort \"" + printable(utf8_prefix(type, 64)) +
                  "\" is not supported (supported: WordPiece, Unigram, BPE)");
  GH_TRY(fields.finish());
  return fail(ErrorCode::invalid_argument, "model: has no type");
}

}  // namespace gatehouse::onnx

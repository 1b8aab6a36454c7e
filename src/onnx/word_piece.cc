// WordPiece: from the left, the longest token that fits; a word that cannot be made of tokens is
// one unknown token.
#include "onnx/byte_trie.h"
#include "onnx/model.h"
#include "onnx/unicode.h"

namespace gatehouse::onnx {
namespace {

class WordPiece final : public Model {
 public:
  WordPiece(Vocabulary vocabulary, std::uint32_t unknown, const std::string& prefix,
            std::size_t longest_word)
      : vocabulary_(std::move(vocabulary)), unknown_(unknown), longest_word_(longest_word) {
    std::vector<ByteTrie::Entry> whole;
    std::vector<ByteTrie::Entry> continuing;
    for (const auto& [token, id] : vocabulary_.ids()) {
      whole.emplace_back(token, id);
      if (token.starts_with(prefix))
        continuing.emplace_back(std::string_view(token).substr(prefix.size()), id);
    }
    beginnings_ = ByteTrie(std::move(whole));
    continuations_ = ByteTrie(std::move(continuing));
  }

  void tokenize(std::string_view word, Ids& out) const override {
    const std::size_t before = out.size();
    bool made = count_characters(word) <= longest_word_;
    const ByteTrie* tokens = &beginnings_;
    while (made && !word.empty()) {
      // A token is UTF-8 and so is the word: a match never ends inside a character.
      const auto match = tokens->longest(word);
      made = match.has_value();
      if (!made) break;
      out.push_back(match->value);
      word.remove_prefix(match->bytes);
      tokens = &continuations_;
    }
    if (made) return;
    out.resize(before);
    out.push_back(unknown_);
  }

  const Vocabulary& vocabulary() const override { return vocabulary_; }

 private:
  const Vocabulary vocabulary_;
  ByteTrie beginnings_;
  ByteTrie continuations_;
  const std::uint32_t unknown_;
  const std::size_t longest_word_;
};

}  // namespace

Result<std::unique_ptr<Model>> parse_word_piece(JsonFields& fields) {
  const std::string unknown = fields.string("unk_token", "[UNK]");
  const std::string prefix = fields.string("continuing_subword_prefix", "##");
  const std::uint32_t longest_word = fields.number("max_input_chars_per_word", 100);
  constexpr std::uint32_t longest_supported = 10'000;  // each of its characters may look so far
  if (longest_word > longest_supported)
    fields.refuse("\"max_input_chars_per_word\" is larger than 10000");
  const nlohmann::json* tokens = fields.any("vocab");
  GH_TRY(fields.finish());
  GH_ASSIGN(auto vocabulary, Vocabulary::parse(tokens, fields.where()));
  const auto unknown_id = vocabulary.find(unknown);
  if (!unknown_id)
    return fail(ErrorCode::invalid_argument, "model: \"unk_token\" is not in the vocabulary");
  return std::make_unique<WordPiece>(std::move(vocabulary), *unknown_id, prefix, longest_word);
}

}  // namespace gatehouse::onnx

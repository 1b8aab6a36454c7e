// Unigram: the sequence of tokens with the largest sum of scores (Viterbi), as SentencePiece cuts.
#include <algorithm>
#include <cmath>
#include <ranges>
#include <vector>

#include "base/text.h"
#include "onnx/byte_trie.h"
#include "onnx/model.h"
#include "onnx/unicode.h"

namespace gatehouse::onnx {
namespace {

using nlohmann::json;

class Unigram final : public Model {
 public:
  Unigram(Vocabulary vocabulary, std::vector<double> scores, std::optional<std::uint32_t> unknown,
          Ids byte_tokens)
      : vocabulary_(std::move(vocabulary)),
        scores_(std::move(scores)),
        unknown_(unknown),
        byte_tokens_(std::move(byte_tokens)) {
    std::vector<ByteTrie::Entry> entries;
    for (const auto& [token, id] : vocabulary_.ids()) entries.emplace_back(token, id);
    tokens_ = ByteTrie(std::move(entries));
    constexpr double unknown_penalty = 10;
    unknown_score_ = *std::ranges::min_element(scores_) - unknown_penalty;
  }

  void tokenize(std::string_view text, Ids& out) const override {
    const std::vector<End> ends = best_ends(text);
    std::vector<Stretch> path;
    for (std::size_t end = text.size(); end > 0; end = ends[end].begin) {
      const End& step = ends[end];
      const bool unknown = step.id == no_token;
      // Unknown characters in a row are one.
      if (unknown && !path.empty() && path.back().unknown) {
        path.back().begin = step.begin;
      } else {
        path.push_back({step.begin, end, unknown, step.id});
      }
    }
    for (const Stretch& stretch : std::views::reverse(path))
      append(stretch, text.substr(stretch.begin, stretch.end - stretch.begin), out);
  }

  const Vocabulary& vocabulary() const override { return vocabulary_; }

 private:
  static constexpr std::uint32_t no_token = 0xffffffff;
  struct End {  // of the best sequence up to here, its last token
    double score = 0;
    std::size_t begin = std::string_view::npos;
    std::uint32_t id = no_token;
  };
  struct Stretch {
    std::size_t begin = 0;
    std::size_t end = 0;
    bool unknown = false;
    std::uint32_t id = no_token;
  };

  std::vector<End> best_ends(std::string_view text) const {
    std::vector<End> ends(text.size() + 1);
    const auto offer = [&](std::size_t begin, std::size_t end, double score, std::uint32_t id) {
      const double total = ends[begin].score + score;
      if (ends[end].begin == std::string_view::npos || total > ends[end].score)
        ends[end] = {total, begin, id};
    };
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t character = character_bytes(text, at);
      bool known = false;
      tokens_.each_prefix(text.substr(at), [&](const ByteTrie::Match& match) {
        // The unknown token written out is still unknown.
        const std::uint32_t id = unknown_ == match.value ? no_token : match.value;
        offer(at, at + match.bytes, scores_[match.value], id);
        known = known || match.bytes == character;
      });
      if (!known) offer(at, at + character, unknown_score_, no_token);
      at += character;
    }
    return ends;
  }

  void append(const Stretch& stretch, std::string_view text, Ids& out) const {
    if (!stretch.unknown) {
      out.push_back(stretch.id);
      return;
    }
    // Several unknowns together may spell a token, and then are it.
    if (const auto id = vocabulary_.find(text)) {
      out.push_back(*id);
    } else if (!byte_tokens_.empty()) {
      for (const char c : text) out.push_back(byte_tokens_[static_cast<unsigned char>(c)]);
    } else {
      out.push_back(*unknown_);
    }
  }

  const Vocabulary vocabulary_;
  const std::vector<double> scores_;
  const std::optional<std::uint32_t> unknown_;
  const Ids byte_tokens_;
  ByteTrie tokens_;
  double unknown_score_ = 0;
};

}  // namespace

Result<std::unique_ptr<Model>> parse_unigram(JsonFields& fields) {
  constexpr std::size_t most_tokens = 2'000'000;
  constexpr std::size_t longest_token = 4'096;
  const auto unknown = fields.optional_number("unk_id");
  const bool byte_fallback = fields.boolean("byte_fallback", false);
  const json* list = fields.any("vocab");
  if (list == nullptr || !list->is_array() || list->empty() || list->size() > most_tokens)
    fields.refuse("\"vocab\" is not a list of one to two million tokens");
  // Without it a text with a character that no token has could not be read.
  if (!unknown) fields.refuse("\"unk_id\" is missing");
  GH_TRY(fields.finish());
  if (*unknown >= list->size())
    return fail(ErrorCode::invalid_argument, "model: \"unk_id\" is not in the vocabulary");
  Vocabulary vocabulary;
  std::vector<double> scores;
  for (const json& item : *list) {
    const bool usable = item.is_array() && item.size() == 2 && item[0].is_string() &&
                        item[1].is_number() && std::isfinite(item[1].get<double>()) &&
                        item[0].get_ref<const std::string&>().size() <= longest_token;
    if (!usable)
      return fail(ErrorCode::invalid_argument, "model.vocab[" + std::to_string(scores.size()) +
                                                   "]: is not a token and its score");
    vocabulary.put(item[0].get<std::string>(), static_cast<std::uint32_t>(scores.size()));
    scores.push_back(item[1].get<double>());
  }
  Ids byte_tokens = byte_fallback ? vocabulary.byte_tokens() : Ids();
  if (byte_fallback && byte_tokens.empty())
    return fail(ErrorCode::invalid_argument,
                "model: \"byte_fallback\" without all of <0x00> to <0xFF> is not supported");
  return std::make_unique<Unigram>(std::move(vocabulary), std::move(scores), unknown,
                                   std::move(byte_tokens));
}

}  // namespace gatehouse::onnx

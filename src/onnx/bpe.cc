// Byte-pair encoding: characters are joined to tokens, the pair with the lowest rank first.
#include <queue>
#include <unordered_map>
#include <vector>

#include "base/text.h"
#include "onnx/model.h"
#include "onnx/unicode.h"

namespace gatehouse::onnx {
namespace {

using nlohmann::json;

struct Merge {
  std::uint32_t rank = 0;
  std::uint32_t id = 0;
};
using Merges = std::unordered_map<std::uint64_t, Merge>;  // by pair_of()

std::uint64_t pair_of(std::uint32_t left, std::uint32_t right) {
  return (std::uint64_t{left} << 32) | right;
}

struct Options {
  std::optional<std::uint32_t> unknown;
  std::string prefix;  // of what is not the beginning of a word
  std::string suffix;  // of what is the end of a word
  bool fuse_unknown = false;
  bool whole_words_first = false;
  Ids byte_tokens;  // for characters that are no tokens; empty: none
};

// A word on its way: a list within a vector.
class Word {
 public:
  explicit Word(const Merges& merges) : merges_(merges) {}

  void add(std::uint32_t id) {
    const auto at = static_cast<std::uint32_t>(symbols_.size());
    symbols_.push_back({id, at == 0 ? none : at - 1, none, true});
    if (at > 0) symbols_[at - 1].next = at;
  }

  void merge_all() {
    for (std::uint32_t at = 0; at < symbols_.size(); ++at) consider(at);
    while (!queue_.empty()) {
      const Candidate top = queue_.top();
      queue_.pop();
      Symbol& left = symbols_[top.at];
      if (!left.alive || left.next == none) continue;
      Symbol& right = symbols_[left.next];
      // What stands here may have changed since.
      const auto merge = merges_.find(pair_of(left.id, right.id));
      if (merge == merges_.end() || merge->second.id != top.id) continue;
      left.id = top.id;
      left.next = right.next;
      right.alive = false;
      if (left.next != none) symbols_[left.next].previous = top.at;
      if (left.previous != none) consider(left.previous);
      consider(top.at);
    }
  }

  void append_to(Ids& out) const {
    for (const Symbol& symbol : symbols_)
      if (symbol.alive) out.push_back(symbol.id);
  }

 private:
  static constexpr std::uint32_t none = 0xffffffff;
  struct Symbol {
    std::uint32_t id = 0;
    std::uint32_t previous = none;
    std::uint32_t next = none;
    bool alive = true;
  };
  struct Candidate {
    std::uint32_t rank = 0;
    std::uint32_t at = 0;
    std::uint32_t id = 0;
    // The queue gives the largest: the lowest rank, and of those the leftmost.
    bool operator<(const Candidate& other) const {
      return rank != other.rank ? rank > other.rank : at > other.at;
    }
  };

  void consider(std::uint32_t at) {
    const Symbol& left = symbols_[at];
    if (left.next == none) return;
    const auto merge = merges_.find(pair_of(left.id, symbols_[left.next].id));
    if (merge != merges_.end()) queue_.push({merge->second.rank, at, merge->second.id});
  }

  const Merges& merges_;
  std::vector<Symbol> symbols_;
  std::priority_queue<Candidate> queue_;
};

class Bpe final : public Model {
 public:
  Bpe(Vocabulary vocabulary, Merges merges, Options options)
      : vocabulary_(std::move(vocabulary)),
        merges_(std::move(merges)),
        options_(std::move(options)) {}

  void tokenize(std::string_view piece, Ids& out) const override {
    if (options_.whole_words_first) {
      if (const auto id = vocabulary_.find(piece)) {
        out.push_back(*id);
        return;
      }
    }
    Word word(merges_);
    bool after_unknown = false;
    std::string token;
    for (std::size_t at = 0; at < piece.size();) {
      const std::size_t size = character_bytes(piece, at);
      const auto character = piece.substr(at, size);
      token = at == 0 ? "" : options_.prefix;
      token += character;
      at += size;
      if (at == piece.size()) token += options_.suffix;
      after_unknown = add_character(token, after_unknown, word);
    }
    word.merge_all();
    word.append_to(out);
  }

  const Vocabulary& vocabulary() const override { return vocabulary_; }

 private:
  // True when it is not known.
  bool add_character(const std::string& token, bool after_unknown, Word& word) const {
    if (const auto id = vocabulary_.find(token)) {
      word.add(*id);
      return false;
    }
    if (!options_.byte_tokens.empty()) {
      for (const char c : token) word.add(options_.byte_tokens[static_cast<unsigned char>(c)]);
      return false;
    }
    if (options_.unknown && !(after_unknown && options_.fuse_unknown)) word.add(*options_.unknown);
    return true;
  }

  const Vocabulary vocabulary_;
  const Merges merges_;
  const Options options_;
};

// "left right", or ["left", "right"].
std::optional<std::pair<std::string, std::string>> read_pair(const json& item) {
  if (item.is_array() && item.size() == 2 && item[0].is_string() && item[1].is_string())
    return std::pair(item[0].get<std::string>(), item[1].get<std::string>());
  if (!item.is_string()) return std::nullopt;
  const auto parts = split(item.get_ref<const std::string&>(), ' ');
  if (parts.size() != 2) return std::nullopt;
  return std::pair(std::string(parts[0]), std::string(parts[1]));
}

Result<Merges> read_merges(const json* list, const Vocabulary& vocabulary,
                           const std::string& prefix) {
  constexpr std::size_t most_merges = 2'000'000;
  const auto refused = [](std::string problem) {
    return fail(ErrorCode::invalid_argument, "model.merges" + std::move(problem));
  };
  if (list == nullptr || !list->is_array() || list->size() > most_merges)
    return refused(": is not a list of at most two million pairs");
  Merges merges;
  std::uint32_t rank = 0;
  for (const json& item : *list) {
    // Old lists begin with a line that is no pair.
    if (item.is_string() && item.get_ref<const std::string&>().starts_with("#version")) continue;
    const std::string where = "[" + std::to_string(rank) + "]: ";
    const auto pair = read_pair(item);
    if (!pair) return refused(where + "is not a pair of tokens");
    const auto left = vocabulary.find(pair->first);
    const auto right = vocabulary.find(pair->second);
    if (!pair->second.starts_with(prefix))
      return refused(where + "the right token has not the prefix of what continues a word");
    const auto merged = vocabulary.find(pair->first + pair->second.substr(prefix.size()));
    if (!left || !right || !merged) return refused(where + "a token is not in the vocabulary");
    merges.insert_or_assign(pair_of(*left, *right), Merge{rank++, *merged});
  }
  return merges;
}

}  // namespace

Result<std::unique_ptr<Model>> parse_bpe(JsonFields& fields) {
  Options options;
  const auto unknown = fields.optional_string("unk_token");
  options.prefix = fields.optional_string("continuing_subword_prefix").value_or("");
  options.suffix = fields.optional_string("end_of_word_suffix").value_or("");
  options.fuse_unknown = fields.boolean("fuse_unk", false);
  options.whole_words_first = fields.boolean("ignore_merges", false);
  const bool byte_fallback = fields.boolean("byte_fallback", false);
  const json* dropout = fields.any("dropout");
  if (dropout != nullptr && !(dropout->is_number() && dropout->get<double>() == 0))
    fields.refuse("\"dropout\" is not supported: a text must be read the same each time");
  const json* tokens = fields.any("vocab");
  const json* list = fields.any("merges");
  GH_TRY(fields.finish());
  GH_ASSIGN(auto vocabulary, Vocabulary::parse(tokens, fields.where()));
  if (unknown) {
    options.unknown = vocabulary.find(*unknown);
    if (!options.unknown)
      return fail(ErrorCode::invalid_argument, "model: \"unk_token\" is not in the vocabulary");
  }
  if (byte_fallback) options.byte_tokens = vocabulary.byte_tokens();
  if (byte_fallback && options.byte_tokens.empty())
    return fail(ErrorCode::invalid_argument,
                "model: \"byte_fallback\" without all of <0x00> to <0xFF> is not supported");
  GH_ASSIGN(auto merges, read_merges(list, vocabulary, options.prefix));
  return std::make_unique<Bpe>(std::move(vocabulary), std::move(merges), std::move(options));
}

}  // namespace gatehouse::onnx

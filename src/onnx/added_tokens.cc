// See added_tokens.h.
#include "onnx/added_tokens.h"

#include "onnx/json_fields.h"
#include "onnx/unicode.h"

namespace gatehouse::onnx {
namespace {

using nlohmann::json;

// Where the white space that ends at `end` begins.
std::size_t spaces_before(std::string_view text, std::size_t begin, std::size_t end) {
  std::size_t first = end;
  for (std::size_t at = begin; at < end;) {
    const std::size_t before = at;
    if (!is_white_space(next_character(text, at))) {
      first = end;
    } else if (first == end) {
      first = before;
    }
  }
  return first;
}

std::size_t spaces_after(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    std::size_t next = at;
    if (!is_white_space(next_character(text, next))) break;
    at = next;
  }
  return at;
}

}  // namespace

Result<AddedTokens> AddedTokens::parse(const json& list, const Normalizer& normalizer,
                                       const Model& model) {
  constexpr std::size_t most_added = 100'000;
  constexpr std::size_t longest_content = 4'096;
  AddedTokens added;
  if (list.is_null()) return added;
  if (!list.is_array() || list.size() > most_added)
    return fail(ErrorCode::invalid_argument, "added_tokens: is not a list of at most 100000");
  for (const json& item : list) {
    JsonFields fields(item, "added_tokens[" + std::to_string(added.ids_.size()) + "]");
    Token token;
    token.content = fields.string("content");
    token.id = fields.number("id");
    token.strip_left = fields.boolean("lstrip", false);
    token.strip_right = fields.boolean("rstrip", false);
    token.special = fields.boolean("special", false);
    const bool normalized = fields.boolean("normalized", !token.special);
    if (fields.boolean("single_word", false) && !token.special)
      fields.refuse("\"single_word\" is not supported");
    if (token.content.empty() || token.content.size() > longest_content)
      fields.refuse("\"content\" must have 1 to 4096 bytes");
    const auto known = model.vocabulary().find(token.content);
    if (known && *known != token.id)
      fields.refuse("\"id\" is not the number of this token in the vocabulary");
    GH_TRY(fields.finish());
    added.ids_.insert_or_assign(token.content, token.id);
    if (normalized) token.content = normalizer.apply(token.content);
    (normalized ? added.normalized_ : added.raw_).push_back(std::move(token));
  }
  const auto index = [](const std::vector<Token>& tokens) {
    std::vector<ByteTrie::Entry> entries;
    for (std::uint32_t at = 0; at < tokens.size(); ++at)
      entries.emplace_back(tokens[at].content, at);
    return ByteTrie(std::move(entries));
  };
  added.wanted_raw_ = index(added.raw_);
  added.wanted_normalized_ = index(added.normalized_);
  return added;
}

std::optional<std::uint32_t> AddedTokens::find(std::string_view content) const {
  const auto known = ids_.find(content);
  return known == ids_.end() ? std::nullopt : std::optional(known->second);
}

void AddedTokens::cut_at(const ByteTrie& wanted, const std::vector<Token>& tokens, Piece piece,
                         std::vector<Piece>& out) {
  const std::string_view text = piece.text;
  std::size_t done = 0;
  const auto put = [&](std::size_t end) {
    if (end > done)
      out.push_back(
          {std::string(text.substr(done, end - done)), std::nullopt, piece.is_first && done == 0});
  };
  for (std::size_t at = 0; at < text.size();) {
    const auto match = wanted.longest(text.substr(at));
    if (!match) {
      at += character_bytes(text, at);
      continue;
    }
    const Token& token = tokens[match->value];
    const std::size_t end = at + match->bytes;
    if (token.special) {
      at = end;
      continue;
    }
    put(token.strip_left ? spaces_before(text, done, at) : at);
    out.push_back({token.content, token.id, false});
    done = token.strip_right ? spaces_after(text, end) : end;
    at = done;
  }
  put(text.size());
}

std::vector<Piece> AddedTokens::cut(std::string_view text, const Normalizer& normalizer) const {
  std::vector<Piece> raw;
  cut_at(wanted_raw_, raw_, {std::string(text), std::nullopt, true}, raw);
  std::vector<Piece> pieces;
  for (Piece& piece : raw) {
    if (piece.token) {
      pieces.push_back(std::move(piece));
      continue;
    }
    piece.text = normalizer.apply(std::move(piece.text));
    cut_at(wanted_normalized_, normalized_, std::move(piece), pieces);
  }
  return pieces;
}

}  // namespace gatehouse::onnx

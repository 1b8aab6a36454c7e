#include "inspect/names.h"

#include <algorithm>

namespace gatehouse::inspect {
namespace {

constexpr std::size_t gate_behind = NameTagger::gate_behind;
constexpr std::size_t widest_hole = 2;  // words between two parts of one address
constexpr std::size_t reach = NameTagger::reach + widest_hole + 1;
constexpr std::size_t block = 256;
constexpr std::size_t before_block = NameDetector::longest_span + reach;
constexpr std::size_t behind_block = NameDetector::longest_span + reach;
constexpr std::size_t few_decided = 12;  // tokens at a time, where few are asked for

bool joins_person(const NameWord& left, Gap gap) {
  if (gap.new_line() || !gap.single()) return false;
  switch (gap.first()) {
    case 0:
      return gap.blank();
    case '-':
    case '\'':
      return !gap.blank();
    case '.':
      return left.token.size() <= 3;
    default:
      return false;
  }
}

bool joins_address(Gap gap) {
  const auto inside = [](char mark) {
    return mark == 0 || mark == ',' || mark == '.' || mark == '-' || mark == '/' || mark == '#' ||
           mark == ';' || mark == '\'' || mark == '*' || mark == '&';
  };
  if (gap.new_line() && gap.single() && (gap.first() == '>' || gap.first() == '?')) return true;
  return inside(gap.first()) && inside(gap.last());
}

bool joins(NameKind kind, const NameWord& left, Gap gap) {
  return kind == NameKind::address ? joins_address(gap) : joins_person(left, gap);
}

// Whether it may be the rest of a name whose beginning was found.
bool continues_name(const NameWord& word) {
  return word.token.shape == Shape::title && !word.is(NameList::word) && word.cue == Cue::none &&
         word.token.gap.blank() && joins_person(word, word.token.gap);
}

// Whether a span says enough: a name more than an initial, an address more than a word that any
// text may hold.
bool is_worth(std::span<const NameWord> words, NameKind kind) {
  return std::ranges::any_of(words, [&](const NameWord& word) {
    if (kind != NameKind::address) return !word.token.is_number() && word.token.size() >= 2;
    return word.token.is_number() || word.token.tall || word.token.shape == Shape::no_case ||
           word.is(NameList::place) || NameTagger::is_address_like(word);
  });
}

// Whether more text cannot change the token: something that is no part of it follows, or it is so
// long that it counts as a wall.
bool is_complete(std::string_view text, const NameToken& token) {
  return token.size() > longest_token || token.end + 2 < text.size() ||
         (token.end < text.size() && static_cast<unsigned char>(text[token.end]) < 0x80);
}

// Where the last UTF-8 sequence begins, if it may still be growing.
std::size_t end_of_sequences(std::string_view text) {
  std::size_t end = text.size();
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if (byte < 0x80) break;
    if (byte >= 0xC0) end = text.size() - back;
  }
  return end;
}

}  // namespace

NameDetector::NameDetector(NameModel model, bool places)
    : model_(std::move(model)),
      tagger_(model_),
      small_words_{hash_word("of"), hash_word("and"), hash_word("the"), hash_word("de"),
                   hash_word("la")} {
  rules_ = {
      {"person-name", Category::names, "PERSON", "A person's name, by its context", 1e-3},
      {"postal-address", Category::names, "ADDRESS", "A postal address or a part of one", 1e-3}};
  if (places) rules_.push_back({"place", Category::names, "LOCATION", "A place", 1e-2});
}

std::size_t NameDetector::look_back() const {
  return (before_block + 1) * (longest_token + longest_gap);
}

// Whether a word may lie inside an address though nothing about it says so.
bool NameDetector::fills_hole(const NameWord& word) const {
  if (word.cue != Cue::from && word.cue != Cue::stop && word.cue != Cue::self) return true;
  return word.token.gap.first() == 0 && std::ranges::count(small_words_, word.token.hash) != 0;
}

// Whether the token is a part of a person's name whose beginning was found: a particle before a
// capital (van der Berg), the capital behind it, or a capitalised word in no dictionary.
bool NameDetector::completes_name(std::span<NameWord> words, std::size_t at) const {
  const auto follows = [&](std::size_t i) {
    return i > 0 && !words[i].token.wall && joins_person(words[i - 1], words[i].token.gap);
  };
  std::size_t left = at;
  while (follows(left) && at - left < widest_hole + 1) {
    if (tagger_.kind(words, --left) == NameKind::person) break;
    if (words[left].cue != Cue::particle) return false;
  }
  if (left == at || tagger_.kind(words, left) != NameKind::person) return false;
  if (words[at].cue != Cue::particle)
    return words[at].token.shape == Shape::title && (at - left > 1 || continues_name(words[at]));
  std::size_t right = at + 1;
  if (right < words.size() && follows(right) && words[right].cue == Cue::particle) ++right;
  return right < words.size() && follows(right) && words[right].token.shape == Shape::title;
}

// What the token is after the repairs.
NameKind NameDetector::kind(std::span<NameWord> words, std::size_t at) const {
  const NameKind own = tagger_.kind(words, at);
  if (own == NameKind::address || words[at].token.wall) return own;
  if ((at == 0 || !words[at - 1].candidate) && (at < 2 || !words[at - 2].candidate)) return own;
  std::size_t left = at;  // the nearest part of an address, or as far as one can lie
  while (left > 0 && at - left <= widest_hole && joins_address(words[left].token.gap) &&
         !words[left].token.wall && fills_hole(words[left]))
    if (tagger_.kind(words, --left) == NameKind::address) break;
  if (left < at && tagger_.kind(words, left) == NameKind::address) {
    for (std::size_t right = at + 1; right < words.size() && right - left <= widest_hole + 1;
         ++right) {
      if (words[right].token.wall || !joins_address(words[right].token.gap)) break;
      if (tagger_.kind(words, right) == NameKind::address) return NameKind::address;
      if (!fills_hole(words[right])) break;
    }
  }
  return own != NameKind::person && completes_name(words, at) ? NameKind::person : own;
}

// Whether words[first] and the next one are of one kind, and of one span.
bool NameDetector::joined(std::span<NameWord> words, std::size_t first) const {
  if (first + 1 >= words.size() || words[first + 1].token.wall) return false;
  const NameKind left = kind(words, first);
  return left != NameKind::none && joins(left, words[first], words[first + 1].token.gap) &&
         kind(words, first + 1) == left;
}

// Whether a span begins at a token that is part of one, and how many tokens long it is.
bool NameDetector::begins(std::span<NameWord> words, std::size_t at, std::size_t& length) const {
  std::size_t depth = 0;
  while (depth < longest_span && at > depth && joined(words, at - depth - 1)) ++depth;
  length = 1;
  if (depth == longest_span) return true;
  if (depth != 0) return false;
  while (length < longest_span && joined(words, at + length - 1)) ++length;
  return true;
}

// Whether text[from, to) holds no candidate, and none stands so near that its span could reach it:
// for the small steps of a stream. False where that takes long to say.
bool NameDetector::is_bare(std::string_view text, std::size_t from, std::size_t to) const {
  constexpr std::size_t most = 32;
  if (to - from > most) return false;
  std::array<NameWord, most> storage;
  const std::size_t start = back_up(text, from, NameTagger::gate_reach + widest_hole);
  const std::span words(storage.data(), tagger_.read(text, start, storage, to, gate_behind));
  if (words.size() == most && words[most - gate_behind - 1].token.begin < to) return false;
  std::size_t first = 0;
  while (first < words.size() && words[first].token.begin < from) ++first;
  for (std::size_t i = first - std::min(first, widest_hole);
       i < words.size() && words[i].token.begin < to; ++i)
    if (words[i].candidate) return false;
  return true;
}

void NameDetector::find_spans(std::string_view text, std::size_t from, std::size_t to,
                              std::vector<NameSpan>& found) const {
  if (is_bare(text, from, to)) return;
  // Storage has to be emptied.
  constexpr std::size_t short_stretch = 4 * few_decided;
  if (to - from < short_stretch) {
    std::array<NameWord, before_block + few_decided + behind_block> words;
    find_spans(text, from, to, words, found);
  } else {
    std::array<NameWord, block> words;
    find_spans(text, from, to, words, found);
  }
}

void NameDetector::find_spans(std::string_view text, std::size_t from, std::size_t to,
                              std::span<NameWord> storage, std::vector<NameSpan>& found) const {
  while (from < to) {
    const std::size_t start = back_up(text, from, before_block);
    const std::span words = storage.first(tagger_.read(text, start, storage, to, behind_block));
    const bool all = words.size() < storage.size();
    const std::size_t decided = all ? words.size() : words.size() - behind_block;
    std::size_t at = 0;
    while (at < decided && words[at].token.begin < from) ++at;
    for (; at < decided && words[at].token.begin < to; ++at) {
      std::size_t length = 0;
      const NameKind found_kind = kind(words, at);
      if (found_kind == NameKind::none || !begins(words, at, length)) continue;
      const auto span = words.subspan(at, length);
      if (!is_worth(span, found_kind)) continue;
      const std::int32_t margin = std::ranges::max(span, {}, &NameWord::margin).margin;
      found.push_back({span.front().token.begin, span.back().token.end, found_kind, margin});
    }
    from = all ? to : words[decided].token.begin;
  }
}

std::vector<NameSpan> NameDetector::spans(std::string_view text) const {
  std::vector<NameSpan> found;
  find_spans(text, 0, text.size(), found);
  return found;
}

void NameDetector::find(std::string_view text, std::size_t from, std::size_t to,
                        std::vector<Match>& found) const {
  std::vector<NameSpan> spans;
  find_spans(text, from, to, spans);
  for (const NameSpan& span : spans) {
    const auto rule = static_cast<std::uint32_t>(span.kind) - 1;
    if (rule < rules_.size())
      found.push_back({rule, span.begin, span.end, rules_[rule].p_value, View::plain});
  }
}

// The index of the first token that text to come can make the beginning of a span, or whose span it
// can change. The first `complete` tokens are complete.
std::size_t NameDetector::first_open(std::span<NameWord> words, std::size_t complete) const {
  std::size_t walled = 0;  // before the last wall everything is decided
  for (std::size_t i = 0; i < words.size(); ++i)
    if (words[i].token.wall) walled = words[i].token.size() > longest_token ? i + 1 : i;
  const std::size_t judged = std::max(walled, complete - std::min(complete, reach));
  const std::size_t gated =
      std::max(judged, complete - std::min(complete, gate_behind + widest_hole));
  std::size_t open = judged;
  while (open < gated && !words[open].candidate) ++open;
  // A span before it may reach it, over a hole too. Between `judged` and `open` is no candidate.
  const auto is_part = [&](std::size_t at) {
    return at < judged && kind(words, at) != NameKind::none;
  };
  std::size_t begin = open;
  for (std::size_t back = 1; back <= std::min(open, widest_hole + 1) && begin == open; ++back)
    if (is_part(open - back)) begin = open - back;
  while (begin > 0 && open - begin < longest_span && is_part(begin - 1)) --begin;
  return begin;
}

std::size_t NameDetector::frontier(std::string_view text, std::size_t from) const {
  // Few tokens say it nearly always.
  std::array<NameWord, 2 * reach + widest_hole + 4> few;
  if (const auto open = open_from(text, from, few)) return std::max(from, *open);
  std::array<NameWord, before_block + 2 * reach> many;
  return std::max(from, open_from(text, from, many).value_or(0));
}

// Where the first open token begins, or a place before `from` if it does not begin behind it, as
// far as the last storage.size() tokens say; nothing: more are needed.
std::optional<std::size_t> NameDetector::open_from(std::string_view text, std::size_t from,
                                                   std::span<NameWord> storage) const {
  const std::size_t start = back_up(text, text.size(), storage.size() - 2);
  const std::span words = storage.first(tagger_.read(text, start, storage));
  const std::size_t end = end_of_sequences(text);
  std::size_t complete = words.size();
  if (complete > 0 && !is_complete(text, words.back().token)) --complete;
  const std::size_t last_end = words.empty() ? start : words.back().token.end;
  if (complete == words.size() && text.size() - last_end > longest_gap) return end;
  const std::size_t open = first_open(words, complete);
  const bool all = words.size() < storage.size() - 4 || storage.size() >= before_block + 2 * reach;
  // What the first `reach` tokens are is not sure; what joins the open one to them is.
  if (open < reach && !all)
    return words[reach].token.begin <= from ? std::optional<std::size_t>(0) : std::nullopt;
  return open < words.size() ? std::min(end, words[open].token.begin) : end;
}

std::unique_ptr<const Detector> builtin_name_detector() {
  auto model = NameModel::parse(builtin_name_model());
  GH_CHECK(model.has_value());
  return std::make_unique<NameDetector>(std::move(*model), false);
}

}  // namespace gatehouse::inspect

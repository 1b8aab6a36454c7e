#include "inspect/names.h"

#include <algorithm>

namespace gatehouse::inspect {
namespace {

constexpr std::size_t widest_hole = 2;                    // words between two parts of one address
constexpr std::size_t repaired_behind = widest_hole + 1;  // a part of a span: how many words
constexpr std::size_t reach = NameTagger::reach + repaired_behind;
constexpr std::size_t longest_span = NameDetector::longest_span;
constexpr std::size_t beside_span = longest_span + reach;
constexpr std::size_t shortest_postcode = 4;
constexpr std::size_t longest_region = 3;
constexpr std::size_t block = 160;             // tokens at a time
constexpr std::size_t forgotten_at_once = 64;  // tokens

bool joins_person(const NameWord& left, Gap gap) {
  if (gap.new_line() || !gap.single()) return false;
  switch (gap.first()) {
    case 0:
      return gap.blank();
    case '-':
    case '\'':
      return !gap.blank();
    case '.':
      return left.size() <= 3;
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

// Whether it may be the rest of a name whose beginning, `given`, was found: Anna Lindqvist, also
// Vanessa Hope, Keith Miller Jr.
bool continues_name(const NameWord& given, const NameWord& word) {
  if (!word.gap.blank() || !joins_person(word, word.gap)) return false;
  if (word.cue() == Cue::suffix) return word.tall();
  if (word.shape() != Shape::title || word.cue() != Cue::none) return false;
  return !word.is(NameList::word) || (word.is(NameList::surname) && given.is(NameList::given));
}

// Whether one of the words right before words[at] leads to an address: lives at, zip.
bool is_led_to(std::span<const NameWord> words, std::size_t at) {
  for (std::size_t i = at; i > 0 && at - i < gate_reach && !words[i].wall; --i)
    if (words[i - 1].cue() == Cue::address) return true;
  return false;
}

// What only addresses have: a place, a street and its like. A state's two letters say nothing
// inside of an identifier, a letter says nothing.
bool says_address(const NameWord& word) {
  if (word.shape() == Shape::no_case || word.street_ending()) return true;
  if (word.cue() == Cue::state) return word.tall() && (word.gap.blank() || word.gap.first() == ',');
  return word.tall() && word.size() >= 2 &&
         (word.is(NameList::place) || word.has(WordFlag::address_like));
}

// What says it with a number: words like "close" and "block" in small letters (12 main st, calle
// 5), a place in small letters, a word with a capital that no dictionary has.
bool says_address_with_number(std::span<const NameWord> span) {
  bool has_number = false;
  bool has_word = false;
  for (const NameWord& word : span) {
    if (has_number && word.cue() == Cue::street) return true;
    has_number = has_number || word.is_number();
    has_word =
        has_word || word.cue() == Cue::way || word.cue() == Cue::unit || word.cue() == Cue::box ||
        word.is(NameList::place) ||
        (word.shape() == Shape::title && !word.is(NameList::word) && word.cue() == Cue::none);
  }
  return has_number && has_word;
}

// Whether a word may be all of an address: no house number, no word that only belongs to one (CA,
// street, floor), and, unless it is led to, nothing that only ends as streets do: refactoring.
bool may_stand_alone(const NameWord& word, bool led) {
  if (word.is_number()) return word.size() >= shortest_postcode;
  return word.cue() == Cue::none && (led || !word.street_ending());
}

// Whether the span words[at, at + length) says enough: a name more than an initial; an address
// something that only addresses have. Numbers and capitals alone are what logs are full of.
bool is_worth(std::span<const NameWord> words, std::size_t at, std::size_t length, NameKind kind) {
  const auto span = words.subspan(at, length);
  if (kind != NameKind::address)
    return std::ranges::any_of(
        span, [](const NameWord& word) { return !word.is_number() && word.size() >= 2; });
  const bool led = is_led_to(words, at);
  if (length == 1 && !may_stand_alone(span.front(), led)) return false;
  const auto is_readable = [](const NameWord& word) { return word.shape() != Shape::other; };
  return std::ranges::any_of(span, says_address) || says_address_with_number(span) ||
         (led && std::ranges::any_of(span, is_readable));
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

// Whether more text cannot change the token: something that is no part of it follows, or it is so
// long that it counts as a wall.
bool is_complete(std::string_view text, std::size_t base, const NameToken& token) {
  const std::size_t begin = token.begin - base;
  const std::size_t end = token.end - base;
  return std::min(end, end_of_sequences(text)) > begin + longest_token || end + 2 < text.size() ||
         (end < text.size() && static_cast<unsigned char>(text[end]) < 0x80);
}

class NameMemory final : public Detector::Memory {
 public:
  WordMemory words;
};

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

std::unique_ptr<Detector::Memory> NameDetector::memory() const {
  return std::make_unique<NameMemory>();
}

std::unique_ptr<TextReader> NameDetector::reader(Memory* memory) const {
  return std::make_unique<NameReader>(*this, static_cast<NameMemory*>(memory)->words);
}

std::vector<NameSpan> NameDetector::spans(std::string_view text) const {
  WordMemory memory;
  NameReader reader(*this, memory);
  const auto found = reader.find_rest(text, 0);
  return {found.begin(), found.end()};
}

// Whether a word may lie inside an address though nothing about it says so.
bool NameReader::fills_hole(const NameWord& word) const {
  const bool is_small = word.cue() == Cue::from || word.cue() == Cue::stop ||
                        word.cue() == Cue::self ||
                        (word.cue() == Cue::state && !word.tall());  // in, or
  if (!is_small) return true;
  return word.gap.first() == 0 && std::ranges::count(detector_.small_words_, word.hash) != 0;
}

// Whether the token is a part of a person's name whose beginning was found: a particle before a
// capital (van der Berg), the capital behind it, or a capitalised word in no dictionary.
bool NameReader::completes_name(std::size_t at) {
  const auto follows = [&](std::size_t i) {
    return i > 0 && !words_[i].wall && joins_person(words_[i - 1], words_[i].gap);
  };
  std::size_t left = at;
  while (follows(left) && at - left < repaired_behind) {
    if (tagged(--left) == NameKind::person) break;
    if (words_[left].cue() != Cue::particle) return false;
  }
  if (left == at || tagged(left) != NameKind::person) return false;
  if (words_[at].cue() != Cue::particle)
    return at - left == 1 ? continues_name(words_[left], words_[at])
                          : words_[at].shape() == Shape::title;
  std::size_t right = at + 1;
  if (right < words_.size() && follows(right) && words_[right].cue() == Cue::particle) ++right;
  return right < words_.size() && follows(right) && words_[right].shape() == Shape::title;
}

// Whether the token is the end of an address whose last part but that was found: a postcode, also
// behind a region's letters, or those letters.
bool NameReader::completes_address(std::size_t at) {
  const auto follows = [&](std::size_t i) {
    const NameWord& word = words_[i];
    return i > 0 && !word.wall && word.gap.blank() && !word.gap.new_line() &&
           joins_address(word.gap);
  };
  const auto is_postcode = [&](std::size_t i) {
    return words_[i].has(WordFlag::short_number) && words_[i].size() >= shortest_postcode &&
           (i + 1 == words_.size() || !words_[i + 1].is_number());
  };
  const auto is_region = [&](std::size_t i) {
    const Shape shape = words_[i].shape();
    return words_[i].size() <= longest_region && (shape == Shape::upper || shape == Shape::initial);
  };
  if (!follows(at)) return false;
  if (is_postcode(at)) {
    if (tagged(at - 1) == NameKind::address) return true;
    return is_region(at - 1) && follows(at - 1) && tagged(at - 2) == NameKind::address;
  }
  return is_region(at) && at + 1 < words_.size() && is_postcode(at + 1) && follows(at + 1) &&
         tagged(at - 1) == NameKind::address;
}

// What the token is after the repairs.
NameKind NameReader::kind(std::size_t at) {
  const NameKind own = tagged(at);
  if (own == NameKind::address || words_[at].wall) return own;
  if ((at == 0 || !words_[at - 1].candidate) && (at < 2 || !words_[at - 2].candidate)) return own;
  std::size_t left = at;  // the nearest part of an address, or as far as one can lie
  while (left > 0 && at - left <= widest_hole && joins_address(words_[left].gap) &&
         !words_[left].wall && fills_hole(words_[left]))
    if (tagged(--left) == NameKind::address) break;
  if (left < at && tagged(left) == NameKind::address) {
    for (std::size_t right = at + 1; right < words_.size() && right - left <= widest_hole + 1;
         ++right) {
      if (words_[right].wall || !joins_address(words_[right].gap)) break;
      if (tagged(right) == NameKind::address) return NameKind::address;
      if (!fills_hole(words_[right])) break;
    }
  }
  if (completes_address(at)) return NameKind::address;
  return own != NameKind::person && completes_name(at) ? NameKind::person : own;
}

// Whether words_[first] and the next one are of one kind, and of one span.
bool NameReader::joined(std::size_t first) {
  if (first + 1 >= words_.size() || words_[first + 1].wall) return false;
  const NameKind left = kind(first);
  return left != NameKind::none && joins(left, words_[first], words_[first + 1].gap) &&
         kind(first + 1) == left;
}

// Whether a span begins at a token that is part of one, and how many tokens long it is.
bool NameReader::begins(std::size_t at, std::size_t& length) {
  std::size_t depth = 0;
  while (depth < longest_span && at > depth && joined(at - depth - 1)) ++depth;
  length = 1;
  if (depth == longest_span) return true;
  if (depth != 0) return false;
  while (length < longest_span && joined(at + length - 1)) ++length;
  return true;
}

void NameReader::restart() {
  words_.clear();
  found_.clear();
  complete_ = decided_ = at_ = open_ = taken_ = 0;
  behind_wall_ = false;
}

// A token that is a wall may have gone on.
void NameReader::pass_wall(std::string_view text, std::size_t base) {
  if (words_.empty() || behind_wall_ || !words_.back().is_long() || words_.back().end != at_)
    return;
  while (at_ < base + text.size() && in_token(text, at_ - base)) ++at_;
  words_.back().end = at_;
}

// Reads on to the end of the text, or until there are enough words for a step. Whether it came to
// the end.
bool NameReader::read(std::string_view text, std::size_t base) {
  constexpr std::size_t near_end = 8;
  words_.resize(complete_);  // the last one is read again
  pass_wall(text, base);
  const std::size_t known = words_.size();
  // Nothing lasts that was judged with less than all of its neighbours.
  for (std::size_t i = known - std::min(known, NameTagger::reach); i < known; ++i)
    static_cast<NameJudgement&>(words_[i]) = {};
  TokenReader tokens(text, at_ - base);
  bool end = false;
  while (words_.size() < block || words_.back().end + near_end > base + text.size()) {
    NameWord& word = words_.emplace_back();
    end = !tokens.next(word);
    if (end) {
      words_.pop_back();
      break;
    }
    static_cast<WordFacts&>(word) = memory_.find(text, word.begin, word.end, [&] {
      return detector_.tagger_.describe(text.substr(word.begin, word.size()));
    });
    word.begin += base;
    word.end += base;
    if (behind_wall_ && words_.size() == known + 1) {
      word.wall = true;
      word.gap = {};
    }
  }
  complete_ = words_.size();
  if (complete_ > known && end && !is_complete(text, base, words_.back())) --complete_;
  if (complete_ > known) {
    at_ = words_[complete_ - 1].end;
    behind_wall_ = false;
  }
  if (end) settle(text, base);
  gate_names(words_, known - std::min(known, gate_behind));
  return end;
}

// At the end of the text: what is a wall now need not be read again, and may be gone by then.
void NameReader::settle(std::string_view text, std::size_t base) {
  const std::size_t end = base + end_of_sequences(text);
  const bool is_open = complete_ < words_.size();
  if ((is_open ? words_.back().begin : base + text.size()) > at_ + longest_gap) {
    at_ = is_open ? words_.back().begin : end;
    behind_wall_ = true;
  } else if (!is_open && !words_.empty() && words_.back().is_long() && at_ > end) {
    at_ = words_.back().end = end;
  }
}

// The index of the first token that text to come can make the beginning of a span, or whose span it
// can change.
std::size_t NameReader::first_open() {
  if (behind_wall_ && complete_ == words_.size()) return complete_;
  const std::size_t near = complete_ - std::min(complete_, reach);
  std::size_t judged = near;  // before the last wall everything is decided
  for (std::size_t i = near; i < words_.size(); ++i)
    if (words_[i].wall && (i < complete_ || !words_[i].is_long()))
      judged = words_[i].is_long() ? i + 1 : i;
  const std::size_t gated =
      std::max(judged, complete_ - std::min(complete_, gate_behind + widest_hole));
  std::size_t open = judged;
  while (open < gated && !words_[open].candidate) ++open;
  // A span before it may reach it, over a hole too. Between `judged` and `open` is no candidate.
  const auto is_part = [&](std::size_t at) { return at < judged && kind(at) != NameKind::none; };
  std::size_t begin = open;
  for (std::size_t back = 1; back <= std::min(open, repaired_behind) && begin == open; ++back)
    if (is_part(open - back)) begin = open - back;
  while (begin > 0 && open - begin < longest_span && is_part(begin - 1)) --begin;
  return std::max(begin, decided_);
}

// Finds what begins at the words before `limit`. What is repaired stands behind a part of a span.
void NameReader::decide(std::size_t limit) {
  std::size_t behind_part = decided_;  // from here on a word stands too far behind the last one
  for (std::size_t back = repaired_behind; back > 0; --back)
    if (back <= decided_ && tagged(decided_ - back) != NameKind::none)
      behind_part = decided_ - back + repaired_behind + 1;
  for (std::size_t at = decided_; at < limit; ++at) {
    if (!words_[at].candidate && at >= behind_part) continue;
    if (tagged(at) != NameKind::none) behind_part = at + repaired_behind + 1;
    if (at >= behind_part) continue;
    std::size_t length = 0;
    const NameKind found_kind = kind(at);
    if (found_kind == NameKind::none || !begins(at, length)) continue;
    if (!is_worth(words_, at, length, found_kind)) continue;
    const auto span = std::span<const NameWord>(words_).subspan(at, length);
    const std::int32_t margin = std::ranges::max(span, {}, &NameWord::margin).margin;
    found_.push_back({span.front().begin, span.back().end, found_kind, margin});
  }
  decided_ = limit;
}

void NameReader::forget() {
  if (decided_ < beside_span + forgotten_at_once) return;
  const std::size_t count = decided_ - beside_span;
  words_.erase(words_.begin(), words_.begin() + static_cast<std::ptrdiff_t>(count));
  complete_ -= count;
  decided_ -= count;
}

// Reads on, finds what can be decided, and sets the frontier.
void NameReader::advance(std::string_view text, std::size_t base, bool last) {
  for (bool end = false; !end; forget()) {
    end = read(text, base);
    if (!end) {
      decide(words_.size() - beside_span);
    } else {
      decide(last ? words_.size() : first_open());
    }
  }
  if (last) {
    open_ = base + text.size();
    return;
  }
  std::size_t open = base + end_of_sequences(text);
  if (decided_ < words_.size()) open = std::min(open, words_[decided_].begin);
  open_ = std::max(open_, open);
}

std::size_t NameReader::frontier(std::string_view text, std::size_t base, std::size_t from) {
  advance(text, base, false);
  return std::max(from, open_ - base);
}

std::span<const NameSpan> NameReader::find_rest(std::string_view text, std::size_t base) {
  if (base + text.size() > open_) advance(text, base, true);
  return std::span<const NameSpan>(found_).subspan(taken_);
}

void NameReader::find(std::string_view text, std::size_t base, std::size_t /*from*/, std::size_t to,
                      std::vector<Match>& found) {
  if (base + to > open_) advance(text, base, true);
  const auto& rules = detector_.rules_;
  for (; taken_ < found_.size() && found_[taken_].begin < base + to; ++taken_) {
    const NameSpan& span = found_[taken_];
    const auto rule = static_cast<std::uint32_t>(span.kind) - 1;
    if (rule < rules.size())
      found.push_back({rule, span.begin - base, span.end - base, rules[rule].p_value, View::plain});
  }
  if (taken_ < found_.size()) return;
  found_.clear();
  taken_ = 0;
}

std::unique_ptr<const Detector> builtin_name_detector() {
  auto model = NameModel::parse(builtin_name_model());
  GH_CHECK(model.has_value());
  return std::make_unique<NameDetector>(std::move(*model), false);
}

}  // namespace gatehouse::inspect

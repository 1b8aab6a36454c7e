#include "inspect/name_tagger.h"

#include <algorithm>

namespace gatehouse::inspect {
namespace {

constexpr std::uint8_t bit(NameList list) {
  return static_cast<std::uint8_t>(1U << static_cast<unsigned>(list));
}
constexpr std::uint8_t any_name = bit(NameList::given) | bit(NameList::surname);

// What the gate asks of the neighbours.
enum Flag : std::uint8_t {
  capital = 1,       // more than the beginning of a sentence
  name_like = 2,     // in a list of names and in no dictionary
  address_like = 4,  // street, apt, PO, a state, Hauptstraße
  lead = 8,          // to a person: my name is, dear
  number = 16,
  address_cue = 32,  // lives, zip
  place = 64,
};

bool is_dictionary_lower(const NameWord& word) {
  return word.is(NameList::word) && !word.token.tall;
}

bool is_small(Cue cue) {
  return cue == Cue::stop || cue == Cue::self || cue == Cue::from;
}

std::uint8_t flags_of(const NameWord& word) {
  if (word.token.is_number()) return number;
  unsigned flags = 0;
  const Cue cue = word.cue;
  if (word.token.tall && !is_small(cue) && cue != Cue::month) flags |= capital;
  if ((word.lists & any_name) != 0 && !word.is(NameList::word) && cue == Cue::none)
    flags |= name_like;
  if (cue == Cue::street || cue == Cue::way || cue == Cue::unit || cue == Cue::box ||
      (cue == Cue::state && word.token.tall) || word.street_ending)
    flags |= address_like;
  if (cue == Cue::name || cue == Cue::title || cue == Cue::greeting || cue == Cue::closing ||
      cue == Cue::kin || cue == Cue::self)
    flags |= lead;
  if (cue == Cue::address) flags |= address_cue;
  if (word.is(NameList::place)) flags |= place;
  return static_cast<std::uint8_t>(flags);
}

// Whether one of up to `count` words before, or behind, has one of the flags; not beyond a wall.
bool any_before(std::span<const NameWord> words, std::size_t at, std::size_t count,
                unsigned flags) {
  for (std::size_t i = at; i > 0 && at - i < count && !words[i].token.wall; --i)
    if ((words[i - 1].flags & flags) != 0) return true;
  return false;
}
bool any_behind(std::span<const NameWord> words, std::size_t at, std::size_t count,
                unsigned flags) {
  for (std::size_t i = at + 1; i < words.size() && i - at <= count && !words[i].token.wall; ++i)
    if ((words[i].flags & flags) != 0) return true;
  return false;
}
bool any_beside(std::span<const NameWord> words, std::size_t at, std::size_t count,
                unsigned flags) {
  return any_before(words, at, count, flags) || any_behind(words, at, count, flags);
}

// Longer ones are no house numbers and no postcodes, but phones, cards, accounts.
constexpr std::size_t longest_number = 8;

bool is_number_candidate(std::span<const NameWord> words, std::size_t at) {
  return words[at].token.size() <= longest_number &&
         (any_beside(words, at, 2, capital | address_like | place | name_like) ||
          any_before(words, at, NameTagger::gate_reach, address_cue));
}

bool is_lower_candidate(std::span<const NameWord> words, std::size_t at) {
  const NameWord& word = words[at];
  if (is_small(word.cue)) return false;
  if (word.cue == Cue::particle) return any_beside(words, at, 2, capital | name_like);
  const bool known = word.is(NameList::word);
  if ((word.flags & name_like) != 0 || (word.is(NameList::place) && !known)) return true;
  if (any_beside(words, at, 2, number)) return true;
  if ((word.flags & address_like) != 0) return any_before(words, at, 1, capital);
  if (any_before(words, at, known ? 2 : NameTagger::gate_reach, lead)) return true;
  return !known && any_beside(words, at, 1, name_like);
}

// "Reports move": a dictionary word that has its capital from the sentence it begins.
bool only_begins_sentence(std::span<const NameWord> words, std::size_t at) {
  const NameWord& word = words[at];
  if (!word.is(NameList::word) || word.is(NameList::given) || word.cue != Cue::none) return false;
  const char mark = word.token.gap.first();
  if ((mark != '.' && mark != '!' && mark != '?') || at + 1 >= words.size()) return false;
  const NameWord& next = words[at + 1];
  return next.token.shape == Shape::lower && next.is(NameList::word) &&
         next.token.gap.code == Gap::blank_only && next.cue != Cue::speech;
}

// The most frequent answer, quickly: an ordinary word in lower case that no number and no lead to a
// person stands near. Where it says yes, is_candidate() says no.
bool is_plain(std::span<const NameWord> words, std::size_t at) {
  const NameWord* word = words.data() + at;
  if (word->token.shape != Shape::lower || !word->is(NameList::word)) return false;
  if ((word->flags & address_like) != 0 || word->cue == Cue::particle) return false;
  unsigned near = 0;
  for (std::size_t i = 1; i <= std::min<std::size_t>(2, at); ++i) near |= (word - i)->flags;
  for (std::size_t i = 1; i <= 2 && at + i < words.size(); ++i)
    near |= (word + i)->flags & static_cast<unsigned>(number);
  return (near & (number | lead)) == 0;
}

bool is_candidate(std::span<const NameWord> words, std::size_t at) {
  const NameWord& word = words[at];
  if (word.token.size() > longest_token) return false;
  if (word.token.is_number()) return is_number_candidate(words, at);
  if (!word.token.tall) return is_lower_candidate(words, at);
  return ((word.flags & capital) != 0 || word.cue == Cue::self || word.is(NameList::given)) &&
         !only_begins_sentence(words, at);
}

// Makes feature numbers from a kind of feature and what it is about.
class FeatureMaker {
 public:
  template <class... Parts>
  std::uint64_t make(unsigned kind, Parts... parts) const {
    std::uint64_t hash = (kind + 1) * 0xA0761D6478BD642FU;
    ((hash = (hash ^ static_cast<std::uint64_t>(parts)) * 0xE7037ED1A0B428DBU, hash ^= hash >> 32),
     ...);
    return hash;
  }
};

// The neighbourhood of one token; what is not there, or beyond a wall, is a token of no traits.
struct Around {
  static constexpr std::size_t window = NameTagger::window;

  Around(std::span<const NameWord> words, std::size_t at) {
    static constexpr NameWord nothing{};
    near.fill(&nothing);
    near[window] = &words[at];
    for (std::size_t i = 1; i <= window && i <= at && !words[at - i + 1].token.wall; ++i)
      near[window - i] = &words[at - i];
    for (std::size_t i = 1; i <= window && at + i < words.size() && !words[at + i].token.wall; ++i)
      near[window + i] = &words[at + i];
  }
  const NameWord& operator[](int offset) const {
    return *near[window + static_cast<std::size_t>(offset)];
  }
  // Between offset - 1 and offset.
  std::uint16_t gap(int offset) const { return (*this)[offset].token.gap.code; }

  std::array<const NameWord*, 2 * NameTagger::window + 1> near;
};

// Calls `use` with every feature of the first stage.
template <class Use>
void each_first(const Around& a, Use use) {
  const FeatureMaker f;
  const NameWord& word = a[0];
  const auto shape = static_cast<unsigned>(word.token.shape);
  const std::uint64_t before = a.gap(0);
  const std::uint64_t behind = a.gap(1);
  use(f.make(0, 0));
  use(f.make(1, word.token.hash));
  use(f.make(2, word.tail & 0xFFFFFF, shape));
  use(f.make(3, word.tail & 0xFFFF, shape));
  use(f.make(4, word.token.size() < 12 ? word.token.size() : 12, shape));
  use(f.make(5, before, shape));
  use(f.make(6, behind, shape));
  use(f.make(7, before, behind, shape));
  use(f.make(8, a.gap(-1), before, word.traits));
  use(f.make(9, behind, a.gap(2), word.traits));
  for (int i = -3; i <= 3; ++i) use(f.make(10, i, a[i].traits));
  for (const int i : {-3, -2, -1, 1, 2}) use(f.make(11, i, a[i].token.hash));
  use(f.make(12, a[-1].traits, before, word.traits));
  use(f.make(13, word.traits, behind, a[1].traits));
  use(f.make(14, a[-1].traits, word.traits, a[1].traits));
  use(f.make(15, a[-2].token.hash, a[-1].token.hash, shape));
  use(f.make(16, a[-1].token.hash, before, word.traits));
  use(f.make(17, a[1].token.hash, behind, word.traits));
  use(f.make(18, a[-2].traits, a[-1].traits, word.traits));
  use(f.make(19, word.traits, a[1].traits, a[2].traits));
  use(f.make(20, a[-1].lists, word.lists, a[1].lists, shape));
  use(f.make(21, a[-1].cue, a[-2].cue, word.lists, shape));
  use(f.make(22, a[-1].token.hash, a[1].token.hash));
  use(f.make(23, a[1].token.hash, a[2].token.hash, shape));
  use(f.make(24, word.lists, word.tail & 0xFFFF));
}

template <class Use>
void each_second(const Around& a, Use use) {
  const FeatureMaker f;
  const NameWord& word = a[0];
  const auto said = [&](int i) { return static_cast<unsigned>(a[i].first) << 2 | a[i].first_sure; };
  const auto shape = static_cast<unsigned>(word.token.shape);
  const unsigned own = said(0);
  use(f.make(40, own, shape));
  for (int i = -3; i <= 3; ++i) use(f.make(41, i, said(i), own >> 2));
  use(f.make(42, said(-1), own, said(1)));
  use(f.make(43, said(-1), a.gap(0), own));
  use(f.make(44, own, a.gap(1), said(1)));
  use(f.make(45, said(-2), said(-1), own));
  use(f.make(46, own, said(1), said(2)));
  use(f.make(47, said(-1) >> 2, word.traits, a.gap(0)));
  use(f.make(48, said(1) >> 2, word.traits, a.gap(1)));
  use(f.make(49, said(-1) >> 2, word.traits, said(1) >> 2));
  use(f.make(50, said(-2) >> 2, said(-1) >> 2, word.traits, said(1) >> 2));
  use(f.make(51, said(-1) >> 2, said(1) >> 2, said(2) >> 2, word.traits));
  use(f.make(52, own, word.token.hash));
  use(f.make(53, own, a[-1].token.hash));
  use(f.make(54, own, a[1].token.hash));
}

}  // namespace

void NameTagger::describe(std::string_view text, NameWord& word) const {
  const NameToken& token = word.token;
  word.lists = 0;
  word.tail = 0;
  word.street_ending = false;
  word.judged_first = word.judged = false;
  word.first = word.kind = NameKind::none;
  word.first_sure = 0;
  word.cue = token.is_number() ? Cue::none : model_.lexicon.find(token.hash);
  if (!token.is_number() && token.size() <= longest_token) {
    const NameFilter::Key key(token.hash);
    const auto has = [&](NameList list) {
      if (model_.filters[static_cast<std::size_t>(list)].contains(key)) word.lists |= bit(list);
    };
    has(NameList::word);
    if (!is_dictionary_lower(word)) {
      has(NameList::given);
      has(NameList::surname);
      has(NameList::place);
      word.tail = tail_of(text, token);
      word.street_ending = ends_as_street(word.tail, token.size());
    }
  }
  word.traits = static_cast<std::uint16_t>(
      static_cast<unsigned>(token.shape) | static_cast<unsigned>(word.lists) << 4 |
      static_cast<unsigned>(word.cue) << 8 | static_cast<unsigned>(word.street_ending) << 13 |
      1U << 14);
  word.flags = flags_of(word);
}

std::size_t NameTagger::read(std::string_view text, std::size_t at, std::span<NameWord> words,
                             std::size_t to, std::size_t behind) const {
  std::size_t count = 0;
  for (; count < words.size() && next_token(text, at, words[count].token); ++count) {
    if (words[count].token.begin >= to && behind-- == 0) break;
    describe(text, words[count]);
    at = words[count].token.end;
  }
  const auto all = words.first(count);
  for (std::size_t i = 0; i < count; ++i)
    words[i].candidate = !is_plain(all, i) && is_candidate(all, i);
  return count;
}

bool NameTagger::is_address_like(const NameWord& word) {
  return (word.flags & address_like) != 0;
}

void NameTagger::settle_first(NameWord& word, const NameScores& scores) {
  const auto best = std::ranges::max_element(scores);
  word.first = static_cast<NameKind>(best - scores.begin());
  std::int32_t second = INT32_MIN;
  for (auto score = scores.begin(); score != scores.end(); ++score)
    if (score != best) second = std::max(second, *score);
  const std::int32_t lead = *best - second;
  word.first_sure = static_cast<std::uint8_t>((lead >= 30) + (lead >= 90) + (lead >= 200));
  word.first_scores = scores;
  word.judged_first = true;
}

void NameTagger::judge_first(std::span<NameWord> words, std::size_t at) const {
  NameWord& word = words[at];
  if (word.judged_first || !word.candidate) return;
  NameWeightTable::Sum sum(model_.weights[0]);
  each_first(Around(words, at), [&](std::uint64_t feature) { sum.add(feature); });
  settle_first(word, sum.scores());
}

NameKind NameTagger::kind(std::span<NameWord> words, std::size_t at) const {
  NameWord& word = words[at];
  if (!word.candidate || word.judged) return word.kind;
  judge_first(words, at);
  const bool alone =
      (at == 0 || !words[at - 1].candidate) && (at + 1 >= words.size() || !words[at + 1].candidate);
  if (alone && word.first == NameKind::none && word.first_sure >= 2) return word.kind;
  const std::size_t from = at - std::min(at, window);
  const std::size_t to = std::min(words.size(), at + window + 1);
  for (std::size_t i = from; i < to; ++i) judge_first(words, i);
  NameWeightTable::Sum sum(model_.weights[1], word.first_scores);
  each_second(Around(words, at), [&](std::uint64_t feature) { sum.add(feature); });
  const NameScores scores = sum.scores();
  std::int32_t best = 0;
  for (std::size_t kind = 1; kind < name_kinds; ++kind) {
    const std::int32_t ahead = scores[kind] - scores[0] - model_.threshold[kind];
    if (ahead <= best) continue;
    best = ahead;
    word.kind = static_cast<NameKind>(kind);
  }
  word.margin = best;
  word.judged = true;
  return word.kind;
}

void NameTagger::first_features(std::span<const NameWord> words, std::size_t at,
                                std::vector<std::uint64_t>& features) {
  each_first(Around(words, at), [&](std::uint64_t feature) { features.push_back(feature); });
}

void NameTagger::second_features(std::span<const NameWord> words, std::size_t at,
                                 std::vector<std::uint64_t>& features) {
  each_second(Around(words, at), [&](std::uint64_t feature) { features.push_back(feature); });
}

}  // namespace gatehouse::inspect

#include "inspect/name_tagger.h"

#include <algorithm>

namespace gatehouse::inspect {
namespace {

// Makes feature numbers from a kind of feature and what it is about: a sum of the parts, each times
// a number of its own (multilinear hashing), whose upper half is used.
class FeatureMaker {
 public:
  template <class... Parts>
  std::uint64_t make(unsigned kind, Parts... parts) const {
    std::uint64_t factor = factor_of(kind);
    std::uint64_t sum = factor;
    ((sum += static_cast<std::uint64_t>(parts) * (factor = factor_of(factor))), ...);
    return sum;
  }

 private:
  // SplitMix64 (Steele, Lea, Flood 2014), odd.
  static constexpr std::uint64_t factor_of(std::uint64_t seed) {
    std::uint64_t z = seed + 0x9E3779B97F4A7C15U;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
    z = (z ^ z >> 27) * 0x94D049BB133111EBU;
    return (z ^ z >> 31) | 1;
  }
};

// The neighbourhood of one token; what is not there, or beyond a wall, is a token of no traits.
struct Around {
  static constexpr std::size_t window = NameTagger::window;

  Around(std::span<const NameWord> words, std::size_t at) {
    static constexpr NameWord nothing{};
    near.fill(&nothing);
    near[window] = &words[at];
    for (std::size_t i = 1; i <= window && i <= at && !words[at - i + 1].wall; ++i)
      near[window - i] = &words[at - i];
    for (std::size_t i = 1; i <= window && at + i < words.size() && !words[at + i].wall; ++i)
      near[window + i] = &words[at + i];
  }
  const NameWord& operator[](int offset) const {
    return *near[window + static_cast<std::size_t>(offset)];
  }
  // Between offset - 1 and offset.
  std::uint16_t gap(int offset) const { return (*this)[offset].gap.code; }

  std::array<const NameWord*, 2 * NameTagger::window + 1> near;
};

// Calls `use` with those features of the first stage that, together, most often leave no doubt that
// a word is nothing: each the best one to add to those before it, on the training data.
template <class Use>
void each_telling(const Around& a, Use use) {
  const FeatureMaker f;
  const NameWord& word = a[0];
  use(f.make(7, a.gap(0), a.gap(1), static_cast<unsigned>(word.shape())));
  use(f.make(10, 0, word.traits()));
  use(f.make(12, a[-1].traits(), a.gap(0), word.traits()));
  use(f.make(1, word.hash));
  use(f.make(11, 2, a[2].hash));
  use(f.make(11, -1, a[-1].hash));
  use(f.make(10, -1, a[-1].traits()));
  use(f.make(13, word.traits(), a.gap(1), a[1].traits()));
  use(f.make(11, 1, a[1].hash));
  use(f.make(10, -3, a[-3].traits()));
  use(f.make(11, -2, a[-2].hash));
}

// With all others of the first stage.
template <class Use>
void each_other(const Around& a, Use use) {
  const FeatureMaker f;
  const NameWord& word = a[0];
  const auto shape = static_cast<unsigned>(word.shape());
  use(f.make(0, 0));
  use(f.make(2, word.tail, shape));
  use(f.make(4, word.size() < 12 ? word.size() : 12, shape));
  use(f.make(9, a.gap(1), a.gap(2), word.traits()));
  for (const int i : {-2, 1, 2, 3}) use(f.make(10, i, a[i].traits()));
  use(f.make(11, -3, a[-3].hash));
  use(f.make(16, a[-1].hash, a.gap(0), word.traits()));
  use(f.make(17, a[1].hash, a.gap(1), word.traits()));
  use(f.make(21, a[-1].cue(), a[-2].cue(), word.lists(), shape));
  use(f.make(24, word.lists(), word.tail & 0xFFFF));
}

template <class Use>
void each_second(const Around& a, Use use) {
  const FeatureMaker f;
  const NameWord& word = a[0];
  const auto said = [&](int i) { return static_cast<unsigned>(a[i].first) << 2 | a[i].first_sure; };
  const auto shape = static_cast<unsigned>(word.shape());
  const unsigned own = said(0);
  use(f.make(40, own, shape));
  for (int i = -3; i <= 3; ++i) use(f.make(41, i, said(i), own >> 2));
  use(f.make(42, said(-1), own, said(1)));
  use(f.make(43, said(-1), a.gap(0), own));
  use(f.make(44, own, a.gap(1), said(1)));
  use(f.make(45, said(-2), said(-1), own));
  use(f.make(46, own, said(1), said(2)));
  use(f.make(47, said(-1) >> 2, word.traits(), a.gap(0)));
  use(f.make(48, said(1) >> 2, word.traits(), a.gap(1)));
  use(f.make(49, said(-1) >> 2, word.traits(), said(1) >> 2));
  use(f.make(50, said(-2) >> 2, said(-1) >> 2, word.traits(), said(1) >> 2));
  use(f.make(51, said(-1) >> 2, said(1) >> 2, said(2) >> 2, word.traits()));
  use(f.make(52, own, word.hash));
  use(f.make(53, own, a[-1].hash));
  use(f.make(54, own, a[1].hash));
}

// How far the best of the scores is ahead of the second.
std::int32_t lead_of(const NameScores& scores, std::size_t best) {
  std::int32_t second = INT32_MIN;
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (i != best) second = std::max(second, scores[i]);
  return scores[best] - second;
}

// Chosen on the training data and on manuals, so that of the candidates of the first one in three
// thousand is part of a name and settled by a few features all the same.
constexpr std::int32_t clear_lead = 70;

}  // namespace

WordFacts NameTagger::describe(std::string_view token) const {
  const NameShape shape = read_shape(token);
  unsigned lists = 0;
  Cue cue = Cue::none;
  bool street_ending = false;
  std::uint32_t tail = 0;
  if (!is_number(shape.shape) && shape.shape != Shape::other) {
    cue = model_.lexicon.find(shape.hash);
    const NameFilter::Key key(shape.hash);
    const auto has = [&](NameList list) {
      const bool found = model_.filters[static_cast<std::size_t>(list)].contains(key);
      if (found) lists |= bit_of(list);
      return found;
    };
    const bool is_ordinary = has(NameList::word) && !shape.tall;
    has(NameList::given);
    if (!is_ordinary) {
      has(NameList::surname);
      has(NameList::place);
      tail = shape.tail & 0xFFFFFF;
      street_ending = ends_as_street(shape.tail, token.size());
    }
  }
  WordFacts word(shape, lists, cue, street_ending);
  word.tail = tail;
  word.flags = flags_of(word, token.size());
  return word;
}

void NameTagger::settle_first(NameWord& word, const NameScores& scores) {
  const auto best = static_cast<std::size_t>(std::ranges::max_element(scores) - scores.begin());
  const std::int32_t lead = lead_of(scores, best);
  word.first = static_cast<NameKind>(best);
  word.first_sure = static_cast<std::uint8_t>((lead >= 30) + (lead >= 90) + (lead >= 200));
  word.first_scores = scores;
  word.judged_first = true;
}

void NameTagger::judge_first(std::span<NameWord> words, std::size_t at) const {
  NameWord& word = words[at];
  if (word.judged_first || !word.candidate) return;
  const Around around(words, at);
  NameWeightTable::Sum sum(model_.weights[0]);
  const auto add = [&](std::uint64_t feature) { sum.add(feature); };
  each_telling(around, add);
  if (lead_of(sum.scores(), static_cast<std::size_t>(NameKind::none)) >= clear_lead) {
    word.first = NameKind::none;
    word.first_sure = surest;
    word.judged_first = word.brief = true;
    return;
  }
  each_other(around, add);
  settle_first(word, sum.scores());
}

// The scores of the first stage, where a few features were enough to judge.
NameScores NameTagger::full_scores(std::span<const NameWord> words, std::size_t at) const {
  if (!words[at].brief) return words[at].first_scores;
  const Around around(words, at);
  NameWeightTable::Sum sum(model_.weights[0]);
  const auto add = [&](std::uint64_t feature) { sum.add(feature); };
  each_telling(around, add);
  each_other(around, add);
  return sum.scores();
}

NameKind NameTagger::kind(std::span<NameWord> words, std::size_t at) const {
  NameWord& word = words[at];
  if (!word.candidate || word.judged) return word.kind;
  word.judged = true;
  judge_first(words, at);
  const auto is_none = [&](std::size_t i) {
    judge_first(words, i);
    return words[i].first == NameKind::none;
  };
  const bool none_before = at == 0 || word.wall || is_none(at - 1);
  const bool none_behind = at + 1 == words.size() || words[at + 1].wall || is_none(at + 1);
  if (word.first == NameKind::none && word.first_sure >= 2 && none_before && none_behind)
    return word.kind;
  const std::size_t from = at - std::min(at, window);
  const std::size_t to = std::min(words.size(), at + window + 1);
  for (std::size_t i = from; i < to; ++i) judge_first(words, i);
  NameWeightTable::Sum sum(model_.weights[1], full_scores(words, at));
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
  return word.kind;
}

void NameTagger::first_features(std::span<const NameWord> words, std::size_t at,
                                std::vector<std::uint64_t>& features) {
  const Around around(words, at);
  const auto add = [&](std::uint64_t feature) { features.push_back(feature); };
  each_telling(around, add);
  each_other(around, add);
}

void NameTagger::second_features(std::span<const NameWord> words, std::size_t at,
                                 std::vector<std::uint64_t>& features) {
  each_second(Around(words, at), [&](std::uint64_t feature) { features.push_back(feature); });
}

}  // namespace gatehouse::inspect

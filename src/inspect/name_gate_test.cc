// The gate of sixty-four words at once against its rules, word by word.
#include "inspect/name_gate.h"

#include <gtest/gtest.h>

#include <random>

#include "inspect/name_tagger.h"

namespace gatehouse::inspect {
namespace {

using enum WordFlag;

class PlainGate {
 public:
  explicit PlainGate(std::span<const NameWord> words) : words_(words) {}

  bool is_candidate(std::size_t at) const {
    const NameWord& word = words_[at];
    if (word.is_number()) return is_number_candidate(at);
    if (word.has(upright)) return !begins_sentence(at);
    return word.has(low) && is_low_candidate(at);
  }

 private:
  bool before(std::size_t at, std::size_t count, std::initializer_list<WordFlag> flags) const {
    for (; at > 0 && count > 0 && !words_[at].wall; --at, --count)
      if (any(words_[at - 1], flags)) return true;
    return false;
  }
  bool behind(std::size_t at, std::size_t count, std::initializer_list<WordFlag> flags) const {
    for (++at; at < words_.size() && count > 0 && !words_[at].wall; ++at, --count)
      if (any(words_[at], flags)) return true;
    return false;
  }
  bool beside(std::size_t at, std::size_t count, std::initializer_list<WordFlag> flags) const {
    return before(at, count, flags) || behind(at, count, flags);
  }
  static bool any(const NameWord& word, std::initializer_list<WordFlag> flags) {
    return std::ranges::any_of(flags, [&](WordFlag flag) { return word.has(flag); });
  }
  bool is_number_candidate(std::size_t at) const {
    if (words_[at].size() > 8 || is_reading(at)) return false;
    return beside(at, 2, {capital, address_like, place, name_like}) ||
           before(at, gate_reach, {address_cue});
  }
  bool is_low_candidate(std::size_t at) const {
    const NameWord& word = words_[at];
    if (word.cue() == Cue::particle) return beside(at, 2, {capital, name_like});
    if (word.has(listed) || beside(at, 2, {number})) return true;
    if (word.has(address_like)) return before(at, 1, {capital});
    if (word.is(NameList::word)) return word.is(NameList::given) && before(at, 2, {lead});
    return before(at, gate_reach, {lead}) || beside(at, 1, {name_like});
  }
  bool glued(std::size_t at) const {
    const NameWord& word = words_[at];
    return !word.wall && word.gap.code != 0 &&
           word.gap.code == (word.gap.first() | word.gap.first() << 7) &&
           std::string_view(".:_=@").contains(word.gap.first());
  }
  bool is_reading(std::size_t at) const {
    if (at + 1 < words_.size() && words_[at + 1].is_number() && glued(at + 1)) return true;
    return at > 0 && glued(at) && !any(words_[at - 1], {address_like, address_cue});
  }
  bool begins_sentence(std::size_t at) const {
    const NameWord& word = words_[at];
    if (!word.is(NameList::word) || word.is(NameList::given) || word.cue() != Cue::none)
      return false;
    if (!std::string_view(".!?").contains(word.gap.first()) || at + 1 == words_.size())
      return false;
    const NameWord& next = words_[at + 1];
    return next.shape() == Shape::lower && next.is(NameList::word) && next.cue() != Cue::speech &&
           !next.wall && next.gap.code == Gap::blank_only;
  }

  std::span<const NameWord> words_;
};

constexpr std::string_view vocabulary[] = {
    "the",         "of",
    "is",          "my",
    "name",        "table",
    "Table",       "reports",
    "said",        "anna",
    "Anna",        "Smith",
    "van",         "de",
    "street",      "Street",
    "Avenue",      "apt",
    "CA",          "zip",
    "12",          "90210",
    "12345678",    "123456789",
    "SW1A",        "42nd",
    "boston",      "Paris",
    "paris",       "Dear",
    "dear",        "March",
    "xyzzy",       "Xyzzy",
    "I",           "will",
    "Will",        "rose",
    "x",           "McDonald",
    "Hauptstraße", "москва",
    "address",     "mother",
    "I'm",         "aVeryLongWordThatIsLongerThanThirtyTwoBytesLong"};

TEST(NameGate, SaysWhatItsRulesSayWordByWord) {
  const auto model = NameModel::parse(builtin_name_model());
  ASSERT_TRUE(model);
  const NameTagger tagger(*model);
  std::mt19937 random(7);
  constexpr std::string_view gaps[] = {" ", " ", " ", ". ", ", ", ".", ":", "=", "\n", " - "};
  std::size_t candidates = 0;
  for (int round = 0; round < 400; ++round) {
    std::string text;
    const std::size_t count = 1 + random() % 200;
    for (std::size_t i = 0; i < count; ++i) {
      text += vocabulary[random() % std::size(vocabulary)];
      text += random() % 20 == 0 ? std::string(longest_gap + 1, ' ')
                                 : std::string(gaps[random() % std::size(gaps)]);
    }
    std::vector<NameWord> words;
    TokenReader tokens(text, 0);
    for (NameToken token; tokens.next(token);)
      words.emplace_back(token,
                         tagger.describe(std::string_view(text).substr(token.begin, token.size())));
    const std::size_t from = random() % words.size();
    gate_names(words, from);
    const PlainGate plain(words);
    for (std::size_t at = from; at < words.size(); ++at) {
      ASSERT_EQ(words[at].candidate, plain.is_candidate(at)) << at << " of " << text;
      candidates += words[at].candidate;
    }
  }
  EXPECT_GT(candidates, 1000U);
}

}  // namespace
}  // namespace gatehouse::inspect

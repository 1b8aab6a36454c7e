// Which tokens are part of a name or an address: a linear model in two stages over the tokens
// around each one. The second stage sees what the first thought of the neighbours.
//
// Invariants
//   1. What a token is depends on the `reach` tokens before it and behind it, nothing else, and on
//      nothing beyond a wall.
//   2. A token that is no candidate is nothing; to be one is decided by the cheap gate.
//   3. Where the features that tell most leave no doubt, the others are not asked.
// The trainer (tools/names_train.cc) asks for the same features.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "inspect/name_model.h"
#include "inspect/name_text.h"

namespace gatehouse::inspect {

// What is known of a word by itself.
struct WordFacts : NameShape {  // the tail is 0 for numbers and dictionary words in lower case
  std::uint8_t lists = 0;       // bit: NameList
  std::uint8_t flags = 0;       // what the gate asks
  Cue cue = Cue::none;
  bool street_ending = false;
  std::uint16_t traits = 0;  // shape, cue, lists: what features are made of

  bool is(NameList list) const { return (lists >> static_cast<unsigned>(list) & 1U) != 0; }
};

// What it is taken for where it stands; filled when asked for.
struct NameJudgement {
  bool judged_first = false;
  bool brief = false;  // a few features said enough: first_scores are not there
  bool judged = false;
  NameKind first = NameKind::none;
  std::uint8_t first_sure = 0;  // how sure, 0 to 3
  NameKind kind = NameKind::none;
  std::int32_t margin = 0;  // how far ahead of none
  NameScores first_scores{};
};

// A token and what is known of it.
struct NameWord : NameToken, WordFacts, NameJudgement {
  bool candidate = false;
};

// The facts of words seen lately, of one model: most words of a text are among them. Belongs to one
// thread. Changes nothing but the time it takes.
class WordMemory {
 public:
  WordMemory() : entries_(std::size_t{1} << size_log2) {}

  // Of the word text[begin, end); `make()` says what is not remembered.
  template <class Make>
  const WordFacts& find(std::string_view text, std::size_t begin, std::size_t end,
                        const Make& make) {
    if (end - begin > sizeof(Key)) return unkept_ = make();
    const Key key = key_of(text, begin, end - begin);
    Entry& entry = entries_[place(key)];
    if (entry.key != key) entry = {key, make()};
    return entry.facts;
  }

 private:
  static constexpr unsigned size_log2 = 11;
  using Key = std::array<std::uint64_t, 2>;  // its bytes; of no word: zeros
  struct Entry {
    Key key{};
    WordFacts facts;
  };

  static Key key_of(std::string_view text, std::size_t begin, std::size_t length) {
    Key key{};
    if (begin + sizeof key > text.size()) {
      text.copy(reinterpret_cast<char*>(key.data()), length, begin);
      return key;
    }
    const auto first = [](std::uint64_t bytes, std::size_t count) {
      return bytes & ~std::uint64_t{0} >> 8 * (8 - count);
    };
    std::memcpy(key.data(), text.data() + begin, sizeof key);
    key[0] = first(key[0], std::min<std::size_t>(length, 8));
    key[1] = length > 8 ? first(key[1], length - 8) : 0;
    return key;
  }
  static std::size_t place(const Key& key) {
    const std::uint64_t hash = (key[0] ^ key[1] * 0x9FB21C651E98DF25U) * 0x9E3779B97F4A7C15U;
    return static_cast<std::size_t>(hash >> (64 - size_log2));
  }

  std::vector<Entry> entries_;
  WordFacts unkept_;
};

class NameTagger {
 public:
  static constexpr std::size_t gate_reach = 4;   // tokens before that the gate looks at
  static constexpr std::size_t gate_behind = 2;  // and behind
  static constexpr std::size_t window = 3;
  static constexpr std::size_t reach = gate_reach + window;

  explicit NameTagger(const NameModel& model) : model_(model) {}

  // What is known of a token by itself.
  WordFacts describe(std::string_view token) const;
  // Decides which of the words from `from` on are candidates. That is right for those that have
  // gate_reach more before them and gate_behind more behind them, or all there are.
  static void gate(std::span<NameWord> words, std::size_t from);
  // What the token is. `words` holds `reach` more on both sides, or all there are.
  NameKind kind(std::span<NameWord> words, std::size_t at) const;

  // Street, apt, PO, Hauptstraße and the like.
  static bool is_address_like(const WordFacts& word);

  // For the trainer.
  static void first_features(std::span<const NameWord> words, std::size_t at,
                             std::vector<std::uint64_t>& features);
  static void second_features(std::span<const NameWord> words, std::size_t at,
                              std::vector<std::uint64_t>& features);
  static void settle_first(NameWord& word, const NameScores& scores);

 private:
  static constexpr std::uint8_t surest = 3;

  void judge_first(std::span<NameWord> words, std::size_t at) const;
  NameScores full_scores(std::span<const NameWord> words, std::size_t at) const;

  const NameModel& model_;
};

}  // namespace gatehouse::inspect

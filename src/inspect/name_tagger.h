// Which tokens are part of a name or an address: a linear model in two stages over the tokens
// around each one. The second stage sees what the first thought of the neighbours.
//
// Invariants
//   1. What a token is depends on the `reach` tokens before it and behind it, nothing else, and on
//      nothing beyond a wall.
//   2. A token that is no candidate is nothing; to be one is decided by the cheap gate.
// The trainer (tools/names_train.cc) asks for the same features.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "inspect/name_model.h"
#include "inspect/name_text.h"

namespace gatehouse::inspect {

// A token and what is known of it. Filled by read_tokens().
struct NameWord {
  NameToken token;
  std::uint64_t tail = 0;  // its last letters; 0 for dictionary words in lower case
  std::uint8_t lists = 0;  // bit: NameList
  std::uint8_t flags = 0;  // what the gate asks
  Cue cue = Cue::none;
  bool street_ending = false;
  bool candidate = false;
  std::uint16_t traits = 0;  // shape, cue, lists: what features are made of
  // Filled when asked for.
  bool judged_first = false;
  bool judged = false;
  NameKind first = NameKind::none;
  std::uint8_t first_sure = 0;  // how sure, 0 to 3
  NameKind kind = NameKind::none;
  std::int32_t margin = 0;  // how far ahead of none
  NameScores first_scores{};

  bool is(NameList list) const { return (lists >> static_cast<unsigned>(list) & 1U) != 0; }
};

class NameTagger {
 public:
  static constexpr std::size_t gate_reach = 4;   // tokens before that the gate looks at
  static constexpr std::size_t gate_behind = 2;  // and behind
  static constexpr std::size_t window = 3;
  static constexpr std::size_t reach = gate_reach + window;

  explicit NameTagger(const NameModel& model) : model_(model) {}

  // The tokens from `at` on, at most words.size(), and at most `behind` that begin at or behind
  // `to`; returns how many. Their candidacy is right from the gate_reach-th on, up to the last
  // gate_behind.
  std::size_t read(std::string_view text, std::size_t at, std::span<NameWord> words,
                   std::size_t to = SIZE_MAX, std::size_t behind = 0) const;
  // What the token is. `words` holds `reach` more on both sides, or all there are.
  NameKind kind(std::span<NameWord> words, std::size_t at) const;

  // Street, apt, PO, Hauptstraße and the like.
  static bool is_address_like(const NameWord& word);

  // For the trainer.
  static void first_features(std::span<const NameWord> words, std::size_t at,
                             std::vector<std::uint64_t>& features);
  static void second_features(std::span<const NameWord> words, std::size_t at,
                              std::vector<std::uint64_t>& features);
  static void settle_first(NameWord& word, const NameScores& scores);

 private:
  void judge_first(std::span<NameWord> words, std::size_t at) const;
  void describe(std::string_view text, NameWord& word) const;

  const NameModel& model_;
};

}  // namespace gatehouse::inspect

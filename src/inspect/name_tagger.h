// Which tokens are part of a name or an address: a linear model in two stages over the tokens
// around each one. The second stage sees what the first thought of the neighbours.
//
// Invariants
//   1. What a token is depends on the `reach` tokens before it and behind it, nothing else, and on
//      nothing beyond a wall.
//   2. A token that is no candidate is nothing; to be one is decided by the gate (name_gate.h).
//   3. Where the features that tell most leave no doubt, the others are not asked.
// The trainer (tools/names_train.cc) asks for the same features.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "inspect/name_gate.h"
#include "inspect/name_word.h"

namespace gatehouse::inspect {

class NameTagger {
 public:
  static constexpr std::size_t window = 3;
  static constexpr std::size_t reach = gate_reach + window;

  explicit NameTagger(const NameModel& model) : model_(model) {}

  // What is known of a token by itself.
  WordFacts describe(std::string_view token) const;
  // What the token is. `words` holds `reach` more on both sides, or all there are.
  NameKind kind(std::span<NameWord> words, std::size_t at) const;

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

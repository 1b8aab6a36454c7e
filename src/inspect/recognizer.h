// Texts of one pattern: where the longest one ends that begins at a given place.
//
// By a deterministic automaton whose first states, a few hundred, are made at once, so that it may
// be shared. Nearly always they say it; what they do not say is asked of RE2, which takes as long
// to begin as the automaton for fifty bytes.
//
// Immutable once built; on any thread.
#pragma once

#include <re2/re2.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "inspect/pattern.h"

namespace gatehouse::inspect {

class StateAutomaton;

class Recognizer {
 public:
  explicit Recognizer(const Pattern& pattern);
  Recognizer(const Recognizer&) = delete;
  Recognizer& operator=(const Recognizer&) = delete;
  ~Recognizer();

  // Where it ends, at most at `limit`.
  std::optional<std::size_t> longest(std::string_view text, std::size_t begin,
                                     std::size_t limit) const;
  // Whether text[begin, end) is one.
  bool is_one(std::string_view text, std::size_t begin, std::size_t end) const;
  // Whether the automaton has all states.
  bool is_complete() const { return regex_ == nullptr; }

 private:
  std::unique_ptr<const StateAutomaton> automaton_;
  std::unique_ptr<const re2::RE2> regex_;  // where it has not all states
};

// How rules have RE2 take what a pattern says, which is bytes.
re2::RE2::Options regex_options();
inline re2::StringPiece regex_piece(std::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace gatehouse::inspect

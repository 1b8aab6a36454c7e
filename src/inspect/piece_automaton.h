// Which of many numbered patterns stand at a given place of a text: all of them in one automaton of
// places (place_automaton.h), made deterministic as texts come.
//
//   PieceAutomaton  the patterns. Immutable once built; shared by all threads.
//   PieceStates     the sets of places that texts lead to, found as texts come, each with where
//                   every byte leads. A cache: one thread, at most some 4 MiB.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "inspect/place_automaton.h"

namespace gatehouse::inspect {

class PieceAutomaton : public PlaceAutomaton {
 public:
  // Of a stretch of bytes so many are counted; one that goes on longer goes on for ever.
  static constexpr unsigned longest_counted = 64;

  void add(const Pattern& piece, std::uint32_t number);
  // The same with stretches of letters, digits and the like counted only up to their least: states
  // for each length would be states that no cache has near. So more is found than there is.
  void add_loosely(const Pattern& piece, std::uint32_t number);
  // When all are added.
  void build();

  bool empty() const { return first_.empty(); }
  const Places& first() const { return first_; }
  // Whether a piece ends before this place, at which no byte stands, and which.
  bool is_end(Place place) const { return numbers_.contains(place); }
  std::uint32_t number_of(Place place) const { return numbers_.at(place); }
  // Of which piece any place is.
  std::uint32_t piece_of(Place place) const;

 private:
  void add(const Pattern& piece, std::uint32_t number, const Counts& counts);

  Places first_;
  std::map<Place, std::uint32_t> numbers_;  // by a piece's last place
};

class PieceStates {
 public:
  static constexpr std::size_t most_states = 16'384;
  // Bytes that are read from a place on. What is still under way then counts as found.
  static constexpr std::size_t longest_run = 128;

  // When there are more states than `most`, they are forgotten and found anew.
  explicit PieceStates(const PieceAutomaton& automaton, std::size_t most = most_states);

  // Calls each(number, end) for the pieces that begin at `begin`, for each place where they end.
  template <class Each>
  void run(std::string_view text, std::size_t begin, const Each& each) {
    State state = initial;
    const std::size_t stop = std::min(text.size(), begin + longest_run);
    for (std::size_t at = begin; at < stop; ++at) {
      const State next = step(state, text[at]);
      if (next == dead) return;
      if ((next & ends) != 0)
        for (const std::uint32_t number : ended_[next & ~ends]) each(number, at + 1);
      state = next & ~ends;
    }
    if (stop == text.size()) return;
    for (const PlaceAutomaton::Place place : *states_[state])
      each(automaton_->piece_of(place), stop);
  }

 private:
  using State = std::uint16_t;
  using Places = PlaceAutomaton::Places;  // that the next byte may stand at
  static constexpr State dead = 0;
  static constexpr State initial = 1;
  static constexpr State ends = 0x8000;  // beside a state: pieces end there
  static constexpr State unknown = 0xffff;

  struct Hash {
    std::size_t operator()(const Places& places) const;
  };

  bool is_full() const { return states_.size() > most_; }
  void restart();
  State step(State state, char c) {
    const std::size_t at = state * automaton_->class_count() + automaton_->class_of(c);
    const State next = rows_[at];
    return next != unknown ? next : find_step(state, automaton_->class_of(c));
  }
  State find_step(State state, unsigned byte_class);
  State state_of(const Places& places);

  const PieceAutomaton* automaton_;
  std::size_t most_;
  PlaceSteps steps_;
  std::vector<const Places*> states_;
  std::unordered_map<Places, State, Hash> numbers_;
  std::vector<std::vector<std::uint32_t>> ended_;  // by state
  std::vector<State> rows_;                        // by state and class of byte
};

}  // namespace gatehouse::inspect

// The hold-back question of a stream: from which place on could the text still become, or extend, a
// match of some rule?
//
//   PrefixAutomaton  all rules' patterns in one automaton of places (place_automaton.h). Immutable;
//                    shared by all threads.
//   PrefixStates     the sets of places that texts lead to, found as texts come, each with where
//                    every byte leads. A cache: one thread, at most some 8 MiB.
//   LivePrefixes     the starts of one text that are still alive, each with its set. In ordinary
//                    text nearly all die within a few bytes, so a byte costs a few nanoseconds.
//
// A start is alive while what follows it is a prefix of a text of a pattern that may begin there by
// what stands before it. Long counts are not kept, so a start may be taken to be
// alive when it is not: then something is held back a little longer.
//
// Invariants
//   1. Starts are in order, no two with the same set: of those that share one, which live and die
//      together, only the first is kept. When it becomes too old (no match is so wide) the place
//      that is just young enough stands for the others.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "inspect/inspect.h"
#include "inspect/pattern.h"
#include "inspect/place_automaton.h"

namespace gatehouse::inspect {

class CompiledRule;

class PrefixAutomaton : public PlaceAutomaton {
 public:
  // Of those rules whose matches are at most `width` bytes wide, and may be wider than `above`.
  PrefixAutomaton(const std::vector<std::unique_ptr<CompiledRule>>& rules, std::size_t above,
                  std::size_t width);

  std::size_t width() const { return width_; }
  // Where patterns of these categories begin behind this byte; 256: at the beginning of the text,
  // or behind an escape.
  Places first(Categories which, unsigned before) const;
  // The first place at or after `at` where a pattern may begin, by two bytes; the last byte may
  // always. The text goes on behind `at`.
  std::size_t next_begin(std::string_view text, std::size_t at) const {
    while (at + 1 < text.size() &&
           !pairs_[static_cast<unsigned char>(text[at])][static_cast<unsigned char>(text[at + 1])])
      ++at;
    return at;
  }

 private:
  struct Start {
    std::size_t category = 0;
    ByteSet not_before;
    Places places;
  };

  void find_pairs();
  static Counts counts_for(const Pattern& pattern);
  static std::size_t count_places(const Pattern& pattern, const Counts& counts);

  std::size_t width_;
  std::vector<Start> starts_;
  std::vector<ByteSet> pairs_;  // by first byte: which may stand behind it
};

class PrefixStates {
 public:
  using State = std::uint16_t;
  static constexpr State dead = 0;
  // Alive, and no byte more can follow.
  static constexpr State complete = 1;
  static constexpr unsigned no_byte = 256;
  static constexpr std::size_t most_states = 16'384;

  explicit PrefixStates(const PrefixAutomaton& automaton, std::size_t most = most_states);

  const PrefixAutomaton& automaton() const { return automaton_; }
  // The state of a start behind `before`, or at no_byte, once it has its first byte.
  State first(Categories which, unsigned before, char c) {
    if (firsts_of_ != which.to_ulong() || firsts_ == nullptr) choose(which);
    const std::size_t at = before * automaton_.class_count() + automaton_.class_of(c);
    const State known = (*firsts_)[at];
    return known != unknown ? known : find_first(which, before, c);
  }
  State step(State state, char c) {
    const State next = rows_[state * automaton_.class_count() + automaton_.class_of(c)];
    return next != unknown ? next : find_step(state, automaton_.class_of(c));
  }
  // Among the states marked since next_turn(): where this one is, `index` if it was not.
  std::size_t mark(State state, std::size_t index) {
    if (marks_[state].turn == turn_) return marks_[state].index;
    marks_[state] = {turn_, index};
    return index;
  }
  void next_turn() { ++turn_; }
  std::size_t size() const { return states_.size(); }
  // When there are too many: forgets all but these, which get new names.
  bool is_full() const { return states_.size() > most_; }
  void renew(std::span<State*> kept);
  // Rises with each renewal: states known from before are none any more.
  std::uint64_t generation() const { return generation_; }

 private:
  using Places = PrefixAutomaton::Places;  // that the next byte may stand at
  static constexpr State unknown = 0xffff;

  struct Hash {
    std::size_t operator()(const Places& places) const;
  };

  void restart();
  void choose(Categories which);
  State find_first(Categories which, unsigned before, char c);
  State find_step(State state, unsigned byte_class);
  State step_from(const Places& places, unsigned byte_class);
  State state_of(Places places);

  const PrefixAutomaton& automaton_;
  std::size_t most_;
  std::vector<const Places*> states_;
  std::unordered_map<Places, State, Hash> numbers_;
  std::vector<State> rows_;  // by state and class of byte
  // By categories: by what stands before the start, and the class of its first byte.
  std::map<unsigned long, std::vector<State>> all_firsts_;
  std::vector<State>* firsts_ = nullptr;
  unsigned long firsts_of_ = 0;
  struct Mark {
    std::uint64_t turn = 0;
    std::size_t index = 0;
  };
  std::vector<Mark> marks_;  // by state
  std::uint64_t turn_ = 0;
  std::uint64_t generation_ = 0;
};

class LivePrefixes {
 public:
  void restart();
  // `text` begins at position `base`, which is at or before the frontier, and has what was fed of
  // it before. Takes what is new.
  void feed(PrefixStates& states, Categories which, std::string_view text, std::size_t base);
  // The first place from which a match may still come; where the text ends if there is none.
  std::size_t frontier() const { return live_.empty() ? end_ : live_.front().begin; }

 private:
  struct Live {
    std::size_t begin = 0;
    PrefixStates::State state = PrefixStates::dead;
    bool stands_for_more = false;
  };
  void go_to(std::size_t end, std::string_view text, std::size_t base);
  void renew(PrefixStates& states);
  void take(PrefixStates& states, char c);
  void add(PrefixStates& states, PrefixStates::State state);

  std::vector<Live> live_;
  std::uint64_t generation_ = 0;   // of the states
  std::size_t end_ = 0;            // position up to which the text was fed
  std::size_t escape_ = SIZE_MAX;  // the last byte that begins escapes
};

}  // namespace gatehouse::inspect

// The starts of one text from which a match may still come, each with the set of places it has led
// to (prefix_automaton.h). Most places cannot begin anything by their first bytes, and are no
// starts.
//
// A start is alive while what follows it is a prefix of a text of a pattern that may begin there by
// what stands before it. Long counts are not kept, so a start may be taken to be alive when it is
// not: then something is held back a little longer. In the same way a start is noted when what was
// read from it on may be a whole match: where none is noted nothing has to be searched.
//
// Of a long piece of a text only the places near its end are asked for what may begin there
// (PrefixAutomaton::Asked). It is searched by all means, and what that finds is told.
//
// Invariants
//   1. Starts are in order, no two with the same set: of those that share one, which live and die
//      together, only the first is kept. When it becomes too old (no match is so wide) the place
//      that is just young enough stands for the others.
//   2. Where a match begins that lies before the frontier, a start is noted or was examined.
// Lives on the thread of its states.
#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "inspect/prefix_automaton.h"

namespace gatehouse::inspect {

// Of one automaton.
class LiveStarts {
 public:
  // A place where a match may begin, and what stands before it: a byte, or PrefixStates::no_byte.
  struct Begin {
    BeginFilter::Place place;
    unsigned before = 0;
  };

  // What of a text is looked at when it is fed; positions.
  struct Reads {
    std::size_t bytes = 0;  // nothing that begins before them lives
    // From where on begins are asked for, by the way of asking.
    std::array<std::size_t, PrefixAutomaton::ways_of_asking> begins{};
  };

  void restart();
  // The text begins at position `base`, at or before the frontier, and has what was fed of it
  // before.
  Reads reads(const PrefixStates& states, std::string_view text, std::size_t base) const;
  // From where on begins have to be told when the text, which ends at position `end`, is fed;
  // `end`: not at all.
  std::size_t wants_told_from(const PrefixStates& states, std::size_t end) const {
    const std::size_t from = new_from(states);
    return end - from > longest_read_whole ? from : end;
  }
  // What begins before this position does not live when the text is fed that ends at `end`.
  std::size_t lives_from(const PrefixStates& states, std::size_t end) const {
    return std::max(new_from(states), end - std::min(end, states.automaton().width()));
  }
  // `begins`: in order, as places in `text`; those of any of the groups are taken. They are all
  // that there are in what is looked at.
  void feed(PrefixStates& states, Categories which, std::string_view text, std::size_t base,
            std::span<const Begin> begins, BeginFilter::Groups groups, const Reads& reads);
  std::size_t frontier() const { return live_.empty() ? end_ : live_.front().begin; }
  bool may_match_before(std::size_t to) const { return first_noted_ < to; }
  void examined(std::size_t to) {
    first_noted_ = last_noted_ < to ? none : std::max(first_noted_, to);
    if (first_noted_ == none) last_noted_ = 0;
  }

 private:
  static constexpr std::size_t none = SIZE_MAX;
  // Bytes. What is not asked for begins has to be searched, though nothing may have begun there.
  static constexpr std::size_t longest_read_whole = 256;

  struct Live {
    std::size_t begin = 0;
    PrefixStates::State state = PrefixStates::dead;
    bool stands_for_more = false;
  };

  // When the states were renewed for another text, what lives is read again.
  std::size_t new_from(const PrefixStates& states) const {
    return generation_ == states.generation() ? end_ : frontier();
  }
  void renew(PrefixStates& states);
  void take_to(PrefixStates& states, std::size_t at, std::string_view text, std::size_t base);
  void take(PrefixStates& states, char c);
  void take_alone(PrefixStates& states, std::size_t at, std::string_view text, std::size_t base);
  void add(PrefixStates& states, PrefixStates::State state);
  void note(const Live& live);
  void note(std::size_t first, std::size_t last) {
    first_noted_ = std::min(first_noted_, first);
    last_noted_ = std::max(last_noted_, last);
  }

  std::vector<Live> live_;
  std::uint64_t generation_ = 0;    // of the states
  std::size_t end_ = 0;             // position up to which the text was fed
  std::size_t first_noted_ = none;  // of the starts that were not examined
  std::size_t last_noted_ = 0;
};

class LivePrefixes {
 public:
  void restart();
  // Before the text that ends at position `end` is fed, tell() is to be called for all that the
  // searches find from this position on, which is `end` if there is no need.
  std::size_t wants_told_from(std::span<const PrefixStates> states, std::size_t end);
  // Of that only what begins at or after this position.
  std::size_t lives_from(std::span<const PrefixStates> states, std::size_t end) const;
  // At this place of the text a match of a rule of these groups may begin. In any order.
  void tell(BeginFilter::Groups groups, std::string_view text, std::size_t at);
  // `text` begins at position `base`, which is at or before the frontier, and has what was fed of
  // it before. Takes what is new. `states`: by automaton.
  void feed(std::span<PrefixStates> states, const BeginFilter& begins, Categories which,
            std::string_view text, std::size_t base);
  // The first place from which a match may still come; where the text ends if there is none.
  std::size_t frontier() const;
  // Whether a match may begin before `to` behind what was examined.
  bool may_match_before(std::size_t to) const;
  // What begins before `to` is not asked for again.
  void examined(std::size_t to);

 private:
  void find_begins(const BeginFilter& filter, std::string_view text);
  void find_begins(const BeginFilter& filter, std::string_view text, std::size_t at, std::size_t to,
                   bool guarded);

  std::vector<LiveStarts> starts_;          // by automaton
  std::vector<LiveStarts::Reads> reads_;    // of the text under way, by automaton
  std::vector<std::size_t> wanted_from_;    // by group: from where on begins are asked for
  std::vector<BeginFilter::Place> places_;  // of the text under way
  std::vector<LiveStarts::Begin> begins_;   // the same
  std::vector<LiveStarts::Begin> told_;     // the same
};

}  // namespace gatehouse::inspect

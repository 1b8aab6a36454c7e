// The hold-back question of a stream: from which place on could the text still become, or extend, a
// match of some rule?
//
//   PrefixAutomaton  the patterns of rules whose matches are about as wide, in one automaton of
//                    places (place_automaton.h).
//   PrefixAutomata   those of all rules, and where a match of any may begin by its first bytes
//                    (begin_filter.h). Immutable; shared by all threads.
//   PrefixStates     the sets of places that texts lead to, found as texts come, each with where
//                    every byte leads. A cache: one thread, at most some 8 MiB.
//   LivePrefixes     the starts of one text that are still alive: live_prefixes.h.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "inspect/begin_filter.h"
#include "inspect/byte_pairs.h"
#include "inspect/inspect.h"
#include "inspect/pattern.h"
#include "inspect/place_automaton.h"

namespace gatehouse::inspect {

class CompiledRule;
struct RuleSource;

// How well the pairs of bytes in a pattern tell from where on one of its texts may not be over.
// Those that are alike share their pairs.
enum class Tails : std::uint8_t {
  brief,   // no matter: it is over soon
  strict,  // well: they are few
  fair,    // less so
  line,    // at the end of a line: none stands in it
  loose,   // not at all: it has nearly all the pairs of ordinary text
};
Tails tails_of(const RuleSource& source);

class PrefixAutomaton : public PlaceAutomaton {
 public:
  // Where in a long text it is asked for what a pattern begins with.
  enum class Asked : std::uint8_t {
    tail,   // where the pairs of bytes say that it may not be over
    whole,  // everywhere
    told,   // in the last told_size bytes: the searches tell where else it may begin
  };
  static constexpr std::size_t ways_of_asking = 3;
  static constexpr std::size_t told_size = 160;
  struct Member {
    const CompiledRule* rule = nullptr;
    Asked asked = Asked::tail;
  };

  // Of these rules, whose matches are at most `width` bytes wide.
  PrefixAutomaton(std::span<const Member> rules, std::size_t width);

  std::size_t width() const { return width_; }
  bool has(Asked asked) const { return has_[static_cast<std::size_t>(asked)]; }
  // How far back from the end of the text, which is not empty, what is asked for in the tail may
  // have begun and not be over: two bytes in between stand side by side in none of the patterns.
  std::size_t tail(std::string_view text) const;
  // Where patterns of these categories begin behind this byte; 256: at the beginning of the text,
  // or behind an escape.
  Places first(Categories which, unsigned before) const;
  // What its patterns begin with. Of a group for each way of asking, from this one on.
  void add_beginnings(std::size_t first_group, std::vector<BeginFilter::Beginning>& all) const;
  // Among the places that the next byte may stand at: a whole match ends before it.
  static constexpr Place end = 0;

 private:
  struct Start {
    std::size_t category = 0;
    ByteSet not_before;
    Places places;
    Asked asked = Asked::tail;
  };
  struct Tail {
    BytePairs pairs;        // of all patterns of the kind
    std::size_t width = 0;  // of the widest match
  };

  static Counts counts_for(const Pattern& pattern);
  void add_tail(const RuleSource& source);

  std::size_t width_;
  std::vector<Start> starts_;
  std::array<Tail, static_cast<std::size_t>(Tails::loose)> tails_;  // by kind
  std::array<bool, ways_of_asking> has_{};                          // by way of asking
};

// Of all rules, parted by how wide their matches are.
class PrefixAutomata {
 public:
  // `told_within`: by rule (triggers.h).
  PrefixAutomata(const std::vector<std::unique_ptr<CompiledRule>>& rules,
                 std::span<const std::size_t> told_within);

  std::span<const PrefixAutomaton> all() const { return all_; }
  // Of each a group for each way of asking.
  const BeginFilter& begins() const { return begins_; }
  static BeginFilter::Groups groups_of(std::size_t automaton) {
    constexpr unsigned all = (1U << PrefixAutomaton::ways_of_asking) - 1;
    return static_cast<BeginFilter::Groups>(all << automaton * PrefixAutomaton::ways_of_asking);
  }
  // Of a rule that is told; 0: it is not.
  BeginFilter::Groups told_groups(std::uint32_t rule) const { return told_[rule]; }

 private:
  std::vector<PrefixAutomaton> all_;
  BeginFilter begins_;
  std::vector<BeginFilter::Groups> told_;  // by rule
};

class PrefixStates {
 public:
  using State = std::uint16_t;
  static constexpr State dead = 0;
  // Beside any other state: what was read may be a whole match.
  static constexpr State ends = 0x8000;
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
    const State next = rows_.data()[row(state) + automaton_.class_of(c)];
    return next != unknown ? next : find_step(state, automaton_.class_of(c));
  }
  // Among the states marked since next_turn(): where this one is, `index` if it was not.
  std::size_t mark(State state, std::size_t index) {
    Mark& mark = marks_.data()[number(state)];
    if (mark.turn == turn_) return mark.index;
    mark = {turn_, index};
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

  static std::size_t number(State state) { return state & (ends - 1U); }
  std::size_t row(State state) const { return number(state) * automaton_.class_count(); }
  void restart();
  void choose(Categories which);
  State find_first(Categories which, unsigned before, char c);
  State find_step(State state, unsigned byte_class);
  State step_from(const Places& places, unsigned byte_class);
  State state_of(const Places& places);

  const PrefixAutomaton& automaton_;
  std::size_t most_;
  PlaceSteps steps_;
  std::vector<const Places*> states_;  // by number
  std::unordered_map<Places, State, Hash> numbers_;
  std::vector<State> rows_;  // by number and class of byte
  // By categories: by what stands before the start, and the class of its first byte.
  std::map<unsigned long, std::vector<State>> all_firsts_;
  std::vector<State>* firsts_ = nullptr;
  unsigned long firsts_of_ = 0;
  struct Mark {
    std::uint64_t turn = 0;
    std::size_t index = 0;
  };
  std::vector<Mark> marks_;  // by number
  std::uint64_t turn_ = 0;
  std::uint64_t generation_ = 0;
};

}  // namespace gatehouse::inspect

// The hold-back question of a stream: from which place on could the text still become, or extend, a
// match of some rule?
//
//   PrefixAutomaton  the patterns of rules that are about as wide and as loose, in one automaton of
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
  strict,  // well
  fair,
  line,   // no line end stands in it
  loose,  // not at all: it has nearly all the pairs of ordinary text
};
Tails tails_of(const RuleSource& source);

class PrefixAutomaton : public PlaceAutomaton {
 public:
  struct Member {
    const CompiledRule* rule = nullptr;
    bool is_told = false;  // the searches tell where it may begin, but for the last told_size bytes
  };
  static constexpr std::size_t told_size = 160;

  // Of these rules, whose matches are at most `width` bytes wide.
  PrefixAutomaton(std::span<const Member> rules, std::size_t width);

  std::size_t width() const { return width_; }
  bool has_told() const { return has_told_; }
  // How far back from the end of the text, which is not empty, something that is not told may have
  // begun and not be over: no match is wider, or two bytes in between stand side by side in none of
  // the patterns.
  std::size_t open_size(std::string_view text) const;
  // Where patterns of these categories begin behind this byte; 256: at the beginning of the text,
  // or behind an escape.
  Places first(Categories which, unsigned before) const;
  // What its patterns begin with: of the group, those that are told of the next one.
  void add_beginnings(std::size_t group, std::vector<BeginFilter::Beginning>& all) const;
  // Among the places that the next byte may stand at: a whole match ends before it.
  static constexpr Place end = 0;

 private:
  struct Start {
    std::size_t category = 0;
    ByteSet not_before;
    Places places;
    bool is_told = false;
  };

  static Counts counts_for(const Pattern& pattern);
  void add_tail(const RuleSource& source);

  std::size_t width_;
  std::vector<Start> starts_;
  struct Tail {
    BytePairs pairs;
    std::size_t width = 0;
  };
  std::array<Tail, static_cast<std::size_t>(Tails::loose)> tails_;
  bool is_loose_ = false;
  bool has_told_ = false;
};

// Of all rules. They are parted by how wide their matches are, and loose ones, which may hold a
// stretch of whatever stands in prose, from the others: of a long piece of a stream only a few
// bytes at its end concern those.
class PrefixAutomata {
 public:
  // `told_within`: by rule (triggers.h).
  PrefixAutomata(const std::vector<std::unique_ptr<CompiledRule>>& rules,
                 std::span<const std::size_t> told_within);

  std::span<const PrefixAutomaton> all() const { return all_; }
  // Two groups of each in turn.
  const BeginFilter& begins() const { return begins_; }
  static std::size_t group_of(std::size_t automaton, bool is_told) {
    return 2 * automaton + static_cast<std::size_t>(is_told);
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

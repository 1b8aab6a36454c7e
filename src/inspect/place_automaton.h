// Patterns as nondeterministic automata without empty steps: their states are the places of bytes
// in the patterns (Glushkov 1961, McNaughton and Yamada 1960). What the automata of rules have in
// common: prefix_automaton.h (what could still become a match) and piece_automaton.h (what stands
// at a place).
//
// Immutable once built; shared by all threads.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "inspect/pattern.h"

namespace gatehouse::inspect {

class PlaceAutomaton {
 public:
  using Place = std::uint32_t;
  using Places = std::vector<Place>;  // sorted, each once

  std::size_t size() const { return places_.size(); }
  std::size_t class_count() const { return class_count_; }
  // Bytes that no place tells apart are of one class.
  unsigned class_of(char c) const { return classes_[static_cast<unsigned char>(c)]; }
  bool takes(Place place, unsigned byte_class) const {
    return sets_[places_[place].set].test(byte_class);
  }
  // Where the next byte may stand.
  std::span<const Place> after(Place place) const { return places_[place].next; }

 protected:
  // How far repeats are counted: of one byte, and of more. What goes on longer goes on for ever.
  struct Counts {
    unsigned of_bytes = 0;
    unsigned of_groups = 0;
    // Of a stretch of letters, digits and the like up to a bound, whether the bound is reached is
    // not worth a state for every length.
    bool loose_stretches = false;
  };
  struct Fragment {
    bool nullable = true;
    Places first;
    Places last;
  };

  PlaceAutomaton() = default;

  Fragment add(const Pattern& pattern, const Counts& counts);
  // A place that takes these bytes.
  Fragment add_bytes(const ByteSet& bytes);
  void append(Fragment& whole, Fragment part);
  // When all is added.
  void finish();

  static unsigned copies_of(const Pattern& repeat, const Counts& counts);
  // How many places the pattern comes to; saturates.
  static std::size_t count_places(const Pattern& pattern, const Counts& counts);

 private:
  struct Node {
    std::uint32_t set = 0;  // which bytes
    Places next;
  };

  static unsigned longest_count(const Pattern& repeat, const Counts& counts);
  Fragment add_repeat(const Pattern& pattern, const Counts& counts);
  void link(const Places& from, const Places& to);
  void part_bytes();

  std::vector<Node> places_;
  std::vector<ByteSet> byte_sets_;                // by Node::set
  std::map<std::string, std::uint32_t> set_ids_;  // while it is built
  std::vector<std::bitset<256>> sets_;            // the same over classes of bytes
  std::array<std::uint8_t, 256> classes_{};
  std::size_t class_count_ = 0;
};

// Where places lead to. Many lead to the same ones, so those seen are marked. One thread.
class PlaceSteps {
 public:
  // Of those that take a byte of the class. Valid until the next call.
  const PlaceAutomaton::Places& after(const PlaceAutomaton& automaton,
                                      const PlaceAutomaton::Places& places, unsigned byte_class);

 private:
  PlaceAutomaton::Places after_;
  std::vector<bool> seen_;  // by place; false between calls
};

void append_all(PlaceAutomaton::Places& to, std::span<const PlaceAutomaton::Place> from);
void sort_once(PlaceAutomaton::Places& places);

}  // namespace gatehouse::inspect

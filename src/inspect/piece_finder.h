// Many numbered patterns at once: where in a text they stand, in about a nanosecond a byte.
//
// Three steps. What stands near the beginning of every text of a pattern says where one may begin:
// four bytes in a row, one rare byte, or a digit. There the first bytes are compared, each with a
// set; for most patterns that is all. The others are asked of an automaton (piece_automaton.h).
//
// The four bytes, letters of either case alike, are looked up in a small table of bits, two of one
// word for each (a blocked Bloom filter: Putze, Sanders and Singler 2007), then in one of what they
// are. Behind the end of a text zeros stand.
//
// Immutable once built; on any thread, each with PieceStates of its own.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "inspect/gates.h"
#include "inspect/piece_automaton.h"

namespace gatehouse::inspect {

static_assert(std::endian::native == std::endian::little, "four bytes are shifted out of eight");

class PieceFinder {
 public:
  // False if some text of the pattern begins like ordinary text: it is not looked for then. Texts
  // of the pattern are not empty.
  bool add(const Pattern& piece, std::uint32_t number);
  // When all are added.
  void build();

  bool empty() const { return heads_.empty(); }
  const PieceAutomaton& automaton() const { return automaton_; }

  // Calls each(number, begin, end) for what begins in [from, to), wherever it ends; not in order,
  // and perhaps twice.
  template <class Each>
  void find(PieceStates& states, std::string_view text, std::size_t from, std::size_t to,
            const Each& each) const {
    Search<Each> search{*this, states, text, from, to, each};
    if (!words_.empty()) search.find_grams();
    for (const Anchor& anchor : anchors_) search.find_anchor(anchor);
    if (!digits_.empty()) search.find_digits();
  }

 private:
  static constexpr std::size_t gram_bytes = 4;
  static constexpr std::size_t most_offset = 7;  // how far behind the beginning they may stand
  static constexpr std::size_t block = 512;      // bytes that are looked at before what they are
  static constexpr std::size_t most_compared = 24;

  // The first bytes of the texts of a pattern, or of some of them. Of the first eight those bits
  // are compared first that are the same in all these texts: seldom more has to be looked at.
  struct Head {
    std::uint64_t mask = 0;
    std::uint64_t value = 0;
    std::uint32_t number = 0;
    std::uint32_t sets = 0;  // first of them in sets_of_heads_
    std::uint16_t size = 0;
    bool is_all = false;  // nothing more is to be asked
  };
  // A head whose known part stands so far behind its beginning.
  struct Place {
    std::uint32_t head : 28 = 0;
    std::uint32_t offset : 3 = 0;
    std::uint32_t is_last : 1 = 0;  // of a gram's
  };
  static constexpr std::uint32_t none = 0xffffffff;
  struct Gram {
    std::uint32_t bytes = 0;  // folded
    Place place;
  };
  // The places of a gram: those of places_ from `first` on up to the one that is its last. None:
  // the slot is free.
  struct Slot {
    std::uint32_t bytes = 0;
    std::uint32_t first = none;
  };
  struct Anchor {
    char byte = 0;
    std::vector<Place> places;
  };
  // A head that begins with a digit; its mask and value stand here beside those of the others.
  struct Digits {
    std::uint64_t mask = 0;
    std::uint64_t value = 0;
    std::uint32_t head = 0;
  };
  // What all texts of a pattern have at their beginning.
  struct Known {
    std::vector<std::uint32_t> grams;
    std::vector<char> anchors;
    bool digits = false;
    unsigned offset = 0;
    double cost = 0;  // of looking for it: candidates a byte of ordinary text
  };
  class HeadFinder;

  void take(const Known& known, std::uint32_t head);
  std::size_t slot_of(std::uint32_t folded_bytes) const {
    return hash(folded_bytes) >> slot_shift_;
  }
  static Head head_for(std::uint32_t number, const std::vector<ByteSet>& row);
  std::uint32_t set_number(const ByteSet& bytes);

  static std::uint64_t folded(std::uint64_t bytes) { return bytes | 0x2020202020202020; }
  static std::uint32_t four_at(const char* bytes) {
    std::uint32_t four;
    std::memcpy(&four, bytes, sizeof four);
    return static_cast<std::uint32_t>(folded(four));
  }
  // Fibonacci hashing: 2^64 over the golden ratio. The upper bits are the best.
  static std::uint64_t hash(std::uint32_t folded_bytes) {
    return folded_bytes * std::uint64_t{0x9e3779b97f4a7c15};
  }
  static std::uint64_t is_known(std::uint64_t word, std::uint64_t hash) {
    return word >> (hash >> 40) % 64 & word >> (hash >> 34) % 64 & 1;
  }

  template <class Each>
  struct Search {
    const PieceFinder& finder;
    PieceStates& states;
    std::string_view text;
    std::size_t from;
    std::size_t to;
    const Each& each;
    std::size_t asked = SIZE_MAX;  // where the automaton was asked last

    std::size_t end() const { return std::min(text.size(), to + most_offset); }

    // First where four bytes may be known, without a branch; then which they are.
    void find_grams() {
      const std::size_t stop = end();
      const std::uint64_t* const words = finder.words_.data();
      const unsigned shift = finder.word_shift_;
      std::array<std::uint16_t, block> hits;
      std::size_t at = from;
      while (at + 2 * gram_bytes <= stop) {
        const std::size_t size =
            std::min(block, (stop - at - gram_bytes) / gram_bytes * gram_bytes);
        const char* const bytes = text.data() + at;
        std::uint16_t* hit = hits.data();
        for (std::size_t i = 0; i < size; i += gram_bytes) {
          std::uint64_t eight;
          std::memcpy(&eight, bytes + i, sizeof eight);
          eight = folded(eight);
          for (std::size_t j = 0; j < gram_bytes; ++j) {
            const std::uint64_t hashed = hash(static_cast<std::uint32_t>(eight >> 8 * j));
            *hit = static_cast<std::uint16_t>(i + j);
            hit += is_known(words[hashed >> shift], hashed);
          }
        }
        const std::span found(hits.data(), hit);
        for (const std::uint16_t i : found)
          __builtin_prefetch(finder.slots_.data() + finder.slot_of(four_at(bytes + i)));
        for (const std::uint16_t i : found) take_gram(at + i, four_at(bytes + i));
        at += size;
      }
      for (; at < stop; ++at) {
        std::uint32_t four = 0;
        std::memcpy(&four, text.data() + at, std::min(sizeof four, text.size() - at));
        take_gram(at, static_cast<std::uint32_t>(folded(four)));
      }
    }
    void take_gram(std::size_t at, std::uint32_t four) {
      const Slot* const slots = finder.slots_.data();
      std::size_t i = finder.slot_of(four);
      for (; slots[i].bytes != four; i = (i + 1) & finder.last_slot_)
        if (slots[i].first == none) return;
      if (slots[i].first == none) return;
      for (const Place* place = finder.places_.data() + slots[i].first;; ++place) {
        take(*place, at);
        if (place->is_last) return;
      }
    }
    void find_anchor(const Anchor& anchor) {
      const std::size_t stop = end();
      for (std::size_t at = from; at < stop; ++at) {
        const void* found = std::memchr(text.data() + at, anchor.byte, stop - at);
        if (found == nullptr) return;
        at = static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
        for (const Place place : anchor.places) take(place, at);
      }
    }
    // At each digit all heads that begin with one.
    void find_digits() {
      const std::string_view known = text.substr(0, std::min(text.size(), to));
      for (std::size_t at = next_digit(known, from); at < known.size();
           at = next_digit(known, at + 1)) {
        std::uint64_t eight = 0;
        const bool whole = at + sizeof eight <= text.size();
        if (whole) std::memcpy(&eight, text.data() + at, sizeof eight);
        for (const Digits& digits : finder.digits_)
          if (!whole || (eight & digits.mask) == digits.value)
            compare(finder.heads_[digits.head], at);
      }
    }
    // What is known of a head stands at `at`.
    void take(Place place, std::size_t at) {
      if (at < from + place.offset || at - place.offset >= to) return;
      const std::size_t begin = at - place.offset;
      const Head& head = finder.heads_.data()[place.head];
      if (std::uint64_t eight = 0; begin + sizeof eight <= text.size()) {
        std::memcpy(&eight, text.data() + begin, sizeof eight);
        if ((eight & head.mask) != head.value) return;
      }
      compare(head, begin);
    }
    void compare(const Head& head, std::size_t begin) {
      if (begin + head.size > text.size()) return;
      const std::uint16_t* const sets = finder.sets_of_heads_.data() + head.sets;
      const ByteSet* const all = finder.sets_.data();
      for (std::size_t i = 0; i < head.size; ++i)
        if (!all[sets[i]][static_cast<unsigned char>(text[begin + i])]) return;
      if (head.is_all) return each(head.number, begin, begin + head.size);
      if (asked == begin) return;
      asked = begin;
      states.run(text, begin, [&](std::uint32_t number, std::size_t piece_end) {
        each(number, begin, piece_end);
      });
    }
  };

  PieceAutomaton automaton_;  // of those whose heads are not all
  std::vector<Head> heads_;
  std::vector<std::uint16_t> sets_of_heads_;  // by place in a head: in sets_
  std::vector<ByteSet> sets_;
  std::vector<Anchor> anchors_;
  std::vector<Digits> digits_;
  std::vector<Gram> grams_;  // until it is built
  unsigned word_shift_ = 0;
  unsigned slot_shift_ = 0;
  std::size_t last_slot_ = 0;
  std::vector<std::uint64_t> words_;  // by the upper bits of a hash
  std::vector<Slot> slots_;           // by them or behind; some are free
  std::vector<Place> places_;
};

}  // namespace gatehouse::inspect

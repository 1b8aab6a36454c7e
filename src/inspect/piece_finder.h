// Many numbered patterns at once: where in a text they stand, in about a nanosecond a byte.
//
// Three steps. What stands near the beginning of every text of a pattern says where one may begin:
// four known bytes in a row (gram_filter.h), or, where that would be too many, a row of four sets
// (window_filter.h). There the first bytes are compared, each with a set; for most patterns that is
// all. The others are asked of an automaton (piece_automaton.h).
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

#include "inspect/gram_filter.h"
#include "inspect/neighbours.h"
#include "inspect/piece_automaton.h"
#include "inspect/window_filter.h"

namespace gatehouse::inspect {

static_assert(std::endian::native == std::endian::little, "the first byte is the lowest");

class PieceFinder {
 public:
  // False if some text of the pattern begins like ordinary text: it is not looked for then. Texts
  // of the pattern are not empty. What begins with it counts only where `more` stands too, unless
  // that is null. The anchor is a hint.
  bool add(const Pattern& piece, const Pattern& more, std::uint32_t number,
           const Anchor& anchor = {});
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
    if (!gram_filter_.empty()) search.find_grams();
    if (!window_filter_.empty()) search.find_windows();
  }

 private:
  static constexpr std::size_t gram_bytes = GramFilter::gram_bytes;
  static constexpr std::size_t most_offset = 7;  // how far behind the beginning they may stand
  static constexpr std::size_t most_compared = 24;
  static constexpr std::size_t most_before = 0xff;  // what an anchor forbids
  static constexpr std::size_t block = GramFilter::block;
  static_assert(block == WindowFilter::block);
  static constexpr std::uint32_t none = 0xffffffff;
  static constexpr std::uint16_t no_set = 0xffff;

  // The first bytes of the texts of a pattern, or of some of them.
  struct Head {
    std::uint32_t number = 0;
    std::uint32_t sets = 0;  // first of them in sets_of_heads_
    std::uint16_t size = 0;
    std::uint16_t rarest = 0;  // place of the set that ordinary text has least of
    // An anchor: what must not stand so many bytes before the beginning.
    std::uint16_t not_before = no_set;
    std::uint8_t before = 0;
    bool is_all = false;  // nothing more is to be asked
  };
  // A head whose gram stands so far behind its beginning. Of the first eight bytes those bits are
  // compared first that are the same in all its texts: seldom more has to be looked at.
  struct Entry {
    std::uint64_t mask = 0;
    std::uint64_t value = 0;
    std::uint32_t head = 0;
    std::uint16_t offset = 0;
    std::uint8_t masked = 0;  // so many of the first bytes are right where the mask says so
    bool is_last = false;     // of a gram's
  };
  struct Gram {
    std::uint32_t bytes = 0;  // folded
    Entry entry;
  };
  // The entries of all grams with the same three first bytes: those of entries_ from `first` on up
  // to the one that is its last. None: the slot is free.
  struct Slot {
    std::uint32_t bytes = 0;
    std::uint32_t first = none;
  };
  // A gram found, and its first entry.
  struct Hit {
    std::uint32_t at;
    std::uint32_t first;
  };
  // A head by a window that stands so far behind its beginning.
  struct Windowed {
    std::uint32_t head = 0;
    std::uint32_t offset = 0;
  };
  // What all texts of a pattern have at their beginning: grams, or one window.
  struct Known {
    std::vector<std::uint32_t> grams;
    WindowFilter::Window window;
    unsigned offset = 0;
    double cost = 0;  // of looking for it: candidates a byte of ordinary text
  };
  class HeadFinder;

  void take(const Known& known, std::uint32_t head, std::span<const ByteSet> row);
  std::size_t slot_of(std::uint32_t folded_bytes) const {
    return GramFilter::hash(folded_bytes) >> slot_shift_;
  }
  void build_slots();
  std::uint32_t set_number(const ByteSet& bytes);

  // What slots are told apart by.
  static std::uint32_t key(std::uint32_t folded_bytes) { return folded_bytes & 0xffffff; }
  static std::uint32_t four_at(const char* bytes) {
    std::uint32_t four;
    std::memcpy(&four, bytes, sizeof four);
    return GramFilter::folded(four);
  }
  static std::uint64_t eight_at(const char* bytes) {
    std::uint64_t eight;
    std::memcpy(&eight, bytes, sizeof eight);
    return eight;
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
    bool has_escapes = true;       // perhaps, where the heads under way begin

    std::size_t end() const { return std::min(text.size(), to + most_offset); }

    // A block at a time: where four bytes may be known, which they are, then their entries. Each
    // step fetches what the next one reads.
    void find_grams() {
      GramFilter::Places places;  // not initialised, as is what follows
      std::array<Hit, block> known;
      for (std::size_t at = from; at < end(); at += block) {
        const std::size_t size = std::min(block, end() - at);
        const auto hits = finder.gram_filter_.find(text, at, size, places);
        for (const std::uint16_t hit : hits)
          __builtin_prefetch(finder.slots_.data() + finder.slot_of(gram(at + hit)));
        std::size_t found = 0;
        for (const std::uint16_t hit : hits) {
          known[found].at = hit;
          known[found].first = find_slot(gram(at + hit));
          found += known[found].first != none;
        }
        for (std::size_t i = 0; i < found; ++i)
          __builtin_prefetch(finder.entries_.data() + known[i].first);
        for (std::size_t i = 0; i < found; ++i) take_gram(at + known[i].at, known[i].first);
      }
    }
    std::uint32_t gram(std::size_t at) const {
      if (at + gram_bytes <= text.size()) return four_at(text.data() + at);
      std::array<char, gram_bytes> bytes{};
      text.copy(bytes.data(), gram_bytes, at);
      return four_at(bytes.data());
    }
    std::uint32_t find_slot(std::uint32_t four) const {
      const Slot* const slots = finder.slots_.data();
      std::size_t i = finder.slot_of(four);
      while (slots[i].bytes != key(four) && slots[i].first != none) i = (i + 1) & finder.last_slot_;
      return slots[i].first;
    }
    void take_gram(std::size_t at, std::uint32_t first) {
      const Entry* entry = finder.entries_.data() + first;
      // Nearly always all of them are inside, and whole.
      const bool inside = at >= from + most_offset && at < to;
      if (!inside || at + sizeof entry->mask > text.size()) return take_gram_at_edge(at, entry);
      const char* const bytes = text.data() + at;
      for (;; ++entry) {
        if ((eight_at(bytes - entry->offset) & entry->mask) == entry->value)
          compare(finder.heads_.data()[entry->head], at - entry->offset, entry->masked);
        if (entry->is_last) return;
      }
    }
    void take_gram_at_edge(std::size_t at, const Entry* entry) {
      for (;; ++entry) {
        if (is_inside(at, entry->offset))
          compare(finder.heads_.data()[entry->head], at - entry->offset, 0);
        if (entry->is_last) return;
      }
    }
    void find_windows() {
      WindowFilter::Hits hits;  // not initialised
      for (std::size_t at = from; at < end(); at += block) {
        const std::size_t size = std::min(block, end() - at);
        const auto found = finder.window_filter_.find(text, at, size, hits);
        if (found.empty()) continue;
        has_escapes = is_near_escape(text, at - std::min(at, most_offset + most_before), at + size);
        for (const auto& hit : found)
          for (std::uint64_t left = hit.windows; left != 0; left &= left - 1)
            take_window(at + hit.at, static_cast<std::size_t>(std::countr_zero(left)));
      }
    }
    void take_window(std::size_t at, std::size_t number) {
      const Windowed one = finder.windowed_.data()[number];
      if (is_inside(at, one.offset)) compare(finder.heads_.data()[one.head], at - one.offset, 0);
    }
    bool is_inside(std::size_t at, std::size_t offset) const {
      return at >= from + offset && at - offset < to;
    }
    // `known`: so many of the first bytes were compared already.
    void compare(const Head& head, std::size_t begin, std::size_t known) {
      if (begin + head.size > text.size()) return;
      const std::uint16_t* const sets = finder.sets_of_heads_.data() + head.sets;
      const ByteSet* const all = finder.sets_.data();
      const auto rarest = static_cast<unsigned char>(text[begin + head.rarest]);
      if (!all[sets[head.rarest]][rarest]) return;
      if (head.not_before != no_set && begin >= head.before) {
        const auto before = static_cast<unsigned char>(text[begin - head.before]);
        const auto is_escaped = [&] {
          return has_escapes && ends_escape(text.substr(0, begin - head.before + 1));
        };
        if (all[head.not_before][before] && !is_escaped()) return;
      }
      for (std::size_t i = known; i < head.size; ++i)
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
  std::vector<WindowFilter::Window> windows_;  // until it is built
  WindowFilter window_filter_;
  std::vector<Windowed> windowed_;  // by window
  std::vector<Gram> grams_;         // until it is built
  GramFilter gram_filter_;
  unsigned slot_shift_ = 0;
  std::size_t last_slot_ = 0;
  std::vector<Slot> slots_;  // by the upper bits of a hash or behind; some are free
  std::vector<Entry> entries_;
};

}  // namespace gatehouse::inspect

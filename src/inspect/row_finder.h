// Rows of bytes that have a set for each place, such as 24 hexadecimal digits: many of them at
// once, in a few operations a byte whatever the text is. Other searches are fast where such rows
// are seldom; in a text made of nothing else they work, and report, at every byte.
//
// Most may not stand inside of a word. Such a row begins with the byte before it, and in the middle
// of a long word, where none is under way, the search goes on at its end.
//
// Shift-And (Baeza-Yates and Gonnet 1992): a bit for each place of each row says whether the text
// so far ends with the row up to there.
//
// Immutable once built; on any thread.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "inspect/byte_class.h"
#include "inspect/neighbours.h"
#include "inspect/pattern.h"
#include "inspect/wide_bytes.h"

namespace gatehouse::inspect {

using ByteRow = std::vector<ByteSet>;

// The rows of which every text of the pattern is one, where it is no more than a few of them, each
// at most RowFinder::longest bytes long.
std::optional<std::vector<ByteRow>> rows_of(const Pattern& pattern);
// A few rows with one of which every text of the patterns begins that stand one behind the other;
// as long as they can be, or long enough. None if one of them would be empty.
std::vector<ByteRow> row_heads(std::span<const Pattern> parts);
// Whether the row can end at every byte of a text.
bool may_crowd(const ByteRow& row);

class RowFinder {
 public:
  static constexpr std::size_t longest = 64;

  // Finds `row`, which has 1 to `longest` bytes, under this number. The anchor is a hint: where it
  // does not fit, or the text from `begin` on does not say, the row is found all the same.
  void add(const ByteRow& row, std::uint32_t number, const Anchor& anchor = {});
  bool empty() const { return groups_.empty(); }

  // Calls each(number, first, last) for all stretches of positions at which a row ends that stands
  // in text[begin, end).
  template <class Each>
  void find(std::string_view text, std::size_t begin, std::size_t end, const Each& each) const {
    for (std::size_t at = 0; at < groups_.size(); at += most_together) {
      const Group* first = &groups_[at];
      switch (std::min(groups_.size() - at, most_together)) {
        case 1:
          find_in<1>(first, text, begin, end, each);
          break;
        case 2:
          find_in<2>(first, text, begin, end, each);
          break;
        default:
          find_in<most_together>(first, text, begin, end, each);
      }
    }
  }

 private:
  // In a shorter text anchors are not worth a look.
  static constexpr std::size_t least_anchored = 256;
  static constexpr std::size_t most_together = 3;
  static constexpr std::size_t lanes = 4;  // words of 64 places that go together
  using Words = std::uint64_t __attribute__((ext_vector_type(lanes)));

  struct Group {
    Words first{};  // the first place of each row; of one with an anchor that of the byte before it
    Words last{};
    Words before{};                                        // places of bytes before anchors
    Words anchors{};                                       // these and the places up to the row
    std::array<Words, 256> takes{};                        // by byte: places whose set has it
    std::array<std::uint32_t, lanes * longest> numbers{};  // by last place
    std::array<std::size_t, lanes> used{};
    ByteClass first_bytes;  // that the first places of the rows take, and the second ones
    ByteClass second_bytes;
  };

  // Whether a row of one of the groups may begin in the block at `at`, by two bytes.
  static bool may_open(std::span<const Group> groups, std::string_view text, std::size_t at);

  template <std::size_t count, class Each>
  static void find_in(const Group* groups, std::string_view text, std::size_t begin,
                      std::size_t end, const Each& each) {
    const std::span<const Group, count> some(groups, count);
    has_avx2() ? search_avx2(some, text, begin, end, each) : search(some, text, begin, end, each);
  }

  // Groups go together: what a byte does to one waits for the byte before, and not for the others.
  template <std::size_t count, class Each>
  [[gnu::always_inline]] static void search(std::span<const Group, count> groups,
                                            std::string_view text, std::size_t begin,
                                            std::size_t end, const Each& each) {
    const bool anchored = end - begin >= least_anchored;
    std::array<Words, count> alive;
    std::array<Words, count> ending{};
    std::array<Words, count> free{};  // where anchors do not count
    std::array<std::array<std::size_t, lanes * longest>, count> since;
    for (std::size_t i = 0; i < count; ++i) alive[i] = groups[i].anchors;
    for (std::size_t at = begin; at < end;) {
      const std::size_t block_end = std::min(end, at + ByteClass::width);
      const bool seen = anchored && !is_near_escape(text, at, block_end);
      if (seen && !any(alive) && !may_open(groups, text, at)) {
        at = block_end;
        continue;
      }
      for (std::size_t i = 0; i < count; ++i) free[i] = seen ? Words{} : groups[i].before;
      for (; at < block_end; ++at) {
        const auto byte = static_cast<unsigned char>(text[at]);
        std::array<Words, count> changed;
        for (std::size_t i = 0; i < count; ++i) {
          const Group& group = groups[i];
          alive[i] = ((alive[i] << 1 | group.first) & group.takes[byte]) | free[i];
          changed[i] = (alive[i] & group.last) ^ ending[i];
        }
        if (!any(changed)) continue;
        for (std::size_t i = 0; i < count; ++i) {
          if (count > 1 && __builtin_reduce_or(changed[i]) == 0) continue;
          const Words before = ending[i];
          ending[i] ^= changed[i];
          change(groups[i], changed[i], at, before, since[i], each);
        }
      }
    }
    for (std::size_t i = 0; i < count; ++i)
      change(groups[i], ending[i], end, ending[i], since[i], each);
  }
  template <std::size_t count, class Each>
  GH_TARGET_AVX2 static void search_avx2(std::span<const Group, count> groups,
                                         std::string_view text, std::size_t begin, std::size_t end,
                                         const Each& each) {
    search(groups, text, begin, end, each);
  }

  template <std::size_t count>
  [[gnu::always_inline]] static bool any(const std::array<Words, count>& words) {
    Words all = words[0];
    for (std::size_t i = 1; i < count; ++i) all |= words[i];
    return __builtin_reduce_or(all) != 0;
  }

  // Rows that end behind the byte at `at` and did not before it, or the other way round.
  template <class Each>
  [[gnu::noinline]] static void change(const Group& group, const Words& changed, std::size_t at,
                                       const Words& ending,
                                       std::array<std::size_t, lanes * longest>& since,
                                       const Each& each) {
    for (std::size_t i = 0; i < lanes; ++i) {
      for (std::uint64_t left = changed[i]; left != 0; left &= left - 1) {
        const std::size_t place = i * longest + static_cast<std::size_t>(std::countr_zero(left));
        if ((ending[i] & (left & -left)) != 0) {
          each(group.numbers[place], since[place], at);
        } else {
          since[place] = at + 1;
        }
      }
    }
  }

  std::vector<Group> groups_;
};

}  // namespace gatehouse::inspect

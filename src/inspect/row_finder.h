// Rows of bytes that have a set for each place, such as 24 hexadecimal digits: many of them at
// once, in a few operations a byte whatever the text is. Other searches are fast where such rows
// are seldom; in a text made of nothing else they work, and report, at every byte.
//
// Shift-And (Baeza-Yates and Gonnet 1992): a bit for each place of each row says whether the text
// so far ends with the row up to there.
//
// Immutable once built; on any thread.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "inspect/pattern.h"
#include "inspect/wide_bytes.h"

namespace gatehouse::inspect {

using ByteRow = std::vector<ByteSet>;

// The rows of which every text of the pattern is one, where it is no more than a few of them, each
// at most RowFinder::longest bytes long.
std::optional<std::vector<ByteRow>> rows_of(const Pattern& pattern);
// Whether the row can end at every byte of a text.
bool may_crowd(const ByteRow& row);

class RowFinder {
 public:
  static constexpr std::size_t longest = 64;

  // Finds `row`, which has 1 to `longest` bytes, under this number.
  void add(const ByteRow& row, std::uint32_t number);
  bool empty() const { return groups_.empty(); }

  // Calls each(number, first, last) for all stretches of positions at which a row ends.
  template <class Each>
  void find(std::string_view text, const Each& each) const {
    for (const Group& group : groups_)
      has_avx2() ? search_avx2(group, text, each) : search(group, text, each);
  }

 private:
  static constexpr std::size_t lanes = 4;  // words of 64 places that go together
  using Words = std::uint64_t __attribute__((ext_vector_type(lanes)));

  struct Group {
    Words first{};  // the first place of each row
    Words last{};
    std::array<Words, 256> takes{};                        // by byte: places whose set has it
    std::array<std::uint32_t, lanes * longest> numbers{};  // by last place
    std::array<std::size_t, lanes> used{};
  };

  template <class Each>
  [[gnu::always_inline]] static void search(const Group& group, std::string_view text,
                                            const Each& each) {
    Words alive{};
    Words ending{};
    std::array<std::size_t, lanes * longest> since;
    for (std::size_t at = 0; at < text.size(); ++at) {
      alive = (alive << 1 | group.first) & group.takes[static_cast<unsigned char>(text[at])];
      const Words changed = (alive & group.last) ^ ending;
      if (__builtin_reduce_or(changed) != 0) change(group, changed, at, ending, since, each);
    }
    change(group, ending, text.size(), ending, since, each);
  }
  template <class Each>
  GH_TARGET_AVX2 static void search_avx2(const Group& group, std::string_view text,
                                         const Each& each) {
    search(group, text, each);
  }

  // Rows that end behind the byte at `at` and did not before it, or the other way round.
  template <class Each>
  static void change(const Group& group, const Words& changed, std::size_t at, Words& ending,
                     std::array<std::size_t, lanes * longest>& since, const Each& each) {
    for (std::size_t i = 0; i < lanes; ++i) {
      for (std::uint64_t left = changed[i]; left != 0; left &= left - 1) {
        const std::size_t place = i * longest + static_cast<std::size_t>(std::countr_zero(left));
        if ((ending[i] & (left & -left)) != 0) {
          each(group.numbers[place], since[place], at);
        } else {
          since[place] = at + 1;
        }
      }
      ending[i] ^= changed[i];
    }
  }

  std::vector<Group> groups_;
};

}  // namespace gatehouse::inspect

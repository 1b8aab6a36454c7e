// Where one of many patterns may begin, by the byte before it and the eight bytes from there on, in
// about two nanoseconds a byte.
//
// The beginnings share buckets, those that are alike one bucket. A table for each of the nine bytes
// says, for every value, in which buckets it may stand there; what all nine have in common is
// looked for. (The bitwise automata of Baeza-Yates and Gonnet 1992, all steps of a place at once.)
// Long stretches that are asked for the patterns of one group go through windows of their first
// four bytes before that (window_filter.h). What it says may be wrong; what it does not say is
// certain.
//
// Immutable once built; on any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "inspect/pattern.h"
#include "inspect/window_filter.h"

namespace gatehouse::inspect {

class BeginFilter {
 public:
  static constexpr std::size_t depth = 8;
  static constexpr std::size_t most_groups = 6;
  struct Beginning {
    std::size_t group = 0;             // of patterns, told apart in what is found
    ByteSet before;                    // what may stand before it
    std::array<ByteSet, depth> bytes;  // and at each place; behind the end of a text everything
  };
  using Groups = std::uint8_t;  // bit = group
  // A place where patterns of some groups may begin.
  struct Place {
    std::size_t at = 0;
    Groups groups = 0;
  };

  void build(std::span<const Beginning> beginnings);

  // Appends the places in [at, to) where patterns of the wanted groups may begin. `guarded`: what
  // stands before a place counts; then at > 0. What the text does not have yet may be anything.
  void find(std::string_view text, std::size_t at, std::size_t to, Groups wanted, bool guarded,
            std::vector<Place>& found) const;

 private:
  using Buckets = std::uint64_t;
  static constexpr std::size_t most_buckets = 64;
  static constexpr std::size_t kept_buckets = 6;
  struct Bucket {
    Beginning all;
    double cost = 0;  // how often ordinary text has it
  };

  static bool has_room(std::span<const Bucket> buckets, std::size_t group);
  static void put(std::vector<Bucket>& buckets, const Bucket& one);
  void fill_tables(std::span<const Bucket> buckets);
  // The buckets that may stand at this place, by the eight bytes from there on.
  Buckets whole_at(const unsigned char* bytes, Buckets left) const;
  Groups groups_of(Buckets buckets) const;
  Buckets buckets_of(Groups groups) const;

  std::array<std::array<Buckets, 256>, depth> tables_{};  // by place
  std::array<Buckets, 256> before_{};
  std::array<Buckets, most_groups> of_groups_{};
  std::array<WindowFilter, most_groups> windows_;  // of each group's buckets
};

}  // namespace gatehouse::inspect

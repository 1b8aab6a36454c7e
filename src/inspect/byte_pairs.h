// Which bytes stand side by side in the texts of patterns: going back from the end of a text, where
// a match may have begun that is not over yet.
//
// A value type; any thread may read it.
#pragma once

#include <array>
#include <string_view>

#include "inspect/pattern.h"

namespace gatehouse::inspect {

class BytePairs {
 public:
  void add(const Pattern& pattern);
  void add(const BytePairs& others);

  bool has(char first, char second) const {
    return seconds_[static_cast<unsigned char>(first)].test(static_cast<unsigned char>(second));
  }
  // Whether any has it first.
  bool has_any(char first) const { return seconds_[static_cast<unsigned char>(first)].any(); }
  // Of the pairs of ordinary text, 0 to 1.
  double share() const;
  // How many bytes at the end of the text stand side by side like that: one at least, `most` at
  // most. The text is not empty.
  std::size_t tail(std::string_view text, std::size_t most) const;

 private:
  struct Ends {
    bool nullable = true;
    ByteSet first;
    ByteSet last;
  };

  Ends add_inside(const Pattern& pattern);
  void add_between(const ByteSet& firsts, const ByteSet& seconds);

  std::array<ByteSet, 256> seconds_{};  // by the first byte
};

}  // namespace gatehouse::inspect

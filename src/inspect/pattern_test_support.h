// Texts of patterns, for tests.
#pragma once

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "inspect/pattern.h"

namespace gatehouse::inspect::testing {

// A text of the pattern, or nothing when the dice lead nowhere.
inline void sample(const Pattern& pattern, std::mt19937& dice, std::string& out) {
  using Kind = PatternNode::Kind;
  switch (pattern->kind) {
    case Kind::empty:
      break;
    case Kind::bytes: {
      std::vector<char> bytes;
      for (unsigned b = 0; b < 256; ++b)
        if (pattern->bytes.test(b)) bytes.push_back(static_cast<char>(b));
      out += bytes[dice() % bytes.size()];
      break;
    }
    case Kind::alternate:
      sample(pattern->children[dice() % pattern->children.size()], dice, out);
      break;
    case Kind::repeat: {
      const unsigned most = std::min(pattern->max, pattern->min + 4);
      const unsigned times =
          pattern->min + static_cast<unsigned>(dice() % (most - pattern->min + 1));
      for (unsigned i = 0; i < times; ++i) sample(pattern->children[0], dice, out);
      break;
    }
    default:
      for (const Pattern& child : pattern->children) sample(child, dice, out);
  }
}

}  // namespace gatehouse::inspect::testing

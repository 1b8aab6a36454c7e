// Texts made to be slow to look into: what an attacker would send. Each repeats what one of the
// views, the rules or the detectors has to work for. Used by the benchmark (inspect_hostile.cc) and
// by a test (hostile_test.cc).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::inspect::testing {

struct HostileText {
  std::string name;
  std::string text;
};

// Every text whose name has `word` in it, each of `size` bytes; the same at every call.
std::vector<HostileText> hostile_texts(std::size_t size, std::string_view word = "");

}  // namespace gatehouse::inspect::testing

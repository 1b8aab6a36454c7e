// Which stretches of a long text a model reads, each at most as long as it can. Pure.
#pragma once

#include <cstddef>
#include <vector>

namespace gatehouse::onnx {

struct Window {
  std::size_t begin = 0;
  std::size_t end = 0;
};

struct WindowPlan {
  std::size_t length = 510;  // tokens, without the special ones; at least 1
  std::size_t overlap = 64;  // less than length
  std::size_t most = 16;     // windows; at least 2
};

// How many windows a text needs to be read whole; at least 1.
std::size_t windows_needed(std::size_t tokens, const WindowPlan& plan);

// All of them, or where they are more than `most`, half of these from the beginning on and half at
// the end: an instruction stands where it is read first or last.
std::vector<Window> windows_of(std::size_t tokens, const WindowPlan& plan);

}  // namespace gatehouse::onnx

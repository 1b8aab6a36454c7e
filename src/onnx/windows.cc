// See windows.h.
#include "onnx/windows.h"

#include <algorithm>

#include "base/result.h"

namespace gatehouse::onnx {

std::size_t windows_needed(std::size_t tokens, const WindowPlan& plan) {
  GH_CHECK(plan.length > plan.overlap);
  if (tokens <= plan.length) return 1;
  const std::size_t step = plan.length - plan.overlap;
  return 1 + (tokens - plan.length + step - 1) / step;
}

std::vector<Window> windows_of(std::size_t tokens, const WindowPlan& plan) {
  const std::size_t needed = windows_needed(tokens, plan);
  const std::size_t step = plan.length - plan.overlap;
  const std::size_t most = std::max<std::size_t>(plan.most, 2);
  const bool whole = needed <= most;
  const std::size_t from_start = whole ? needed : (most + 1) / 2;
  std::vector<Window> windows;
  for (std::size_t at = 0; at < from_start; ++at) {
    // The last one is as long as the others: it begins earlier.
    const std::size_t end = std::min(at * step + plan.length, tokens);
    windows.push_back({end > plan.length ? end - plan.length : 0, end});
  }
  for (std::size_t left = whole ? 0 : most - from_start; left > 0; --left) {
    const std::size_t end = tokens - (left - 1) * step;
    windows.push_back({end - plan.length, end});
  }
  return windows;
}

}  // namespace gatehouse::onnx

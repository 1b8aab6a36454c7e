// For tests of detectors: that a stream finds what the whole text finds, whatever the cuts.
#pragma once

#include <string_view>
#include <vector>

#include "inspect/detector.h"

namespace gatehouse::inspect::testing {

// The same as find_all() as a stream finds it that grows by `step` bytes at a time, and that keeps
// of what was examined only what Detector::look_back() asks for.
std::vector<Match> find_streamed(const Detector& detector, std::string_view text, std::size_t step);

}  // namespace gatehouse::inspect::testing

#include <algorithm>

#include "base/result.h"
#include "inspect/detector_test_support.h"

namespace gatehouse::inspect::testing {

std::vector<Match> find_streamed(const Detector& detector, std::string_view text,
                                 std::size_t step) {
  const auto memory = detector.memory();
  const auto reader = detector.reader(memory.get());
  std::vector<Match> all;
  std::size_t done = 0;
  for (std::size_t size = std::min(step, text.size());; size = std::min(size + step, text.size())) {
    const bool last = size == text.size();
    const std::size_t base = done - std::min(done, detector.look_back() + 2);
    const std::string_view known = text.substr(base, size - base);
    const std::size_t from = done - base;
    const std::size_t to = last ? known.size() : reader->frontier(known, base, from);
    GH_CHECK(to >= from && to <= known.size());
    std::vector<Match> found;
    if (to > from) reader->find(known, base, from, to, found);
    for (Match& match : found) {
      match.begin += base;
      match.end += base;
      all.push_back(match);
    }
    done = base + to;
    if (last) return all;
  }
}

}  // namespace gatehouse::inspect::testing

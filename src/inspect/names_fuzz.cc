// Any text, cut anywhere: the stream finds what the whole does. The first byte is the step, less
// one.
#include <cstdint>
#include <cstdlib>

#include "inspect/names.h"

namespace {

using namespace gatehouse::inspect;

std::vector<Match> streamed(const Detector& detector, Detector::Memory& memory,
                            std::string_view text, std::size_t step) {
  const auto reader = detector.reader(&memory);
  std::vector<Match> all;
  std::size_t done = 0;
  for (std::size_t size = 0; size < text.size();) {
    size = std::min(size + step, text.size());
    const std::size_t base = done - std::min(done, detector.look_back() + 2);
    const std::string_view known = text.substr(base, size - base);
    const std::size_t from = done - base;
    const std::size_t to = size == text.size() ? known.size() : reader->frontier(known, base, from);
    const std::size_t before = all.size();
    reader->find(known, base, from, to, all);
    for (std::size_t i = before; i < all.size(); ++i) {
      all[i].begin += base;
      all[i].end += base;
    }
    done = base + to;
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto detector = builtin_name_detector();
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  static const auto memory = detector->memory();
  const auto whole = find_all(*detector, text);
  const auto cut = streamed(*detector, *memory, text, data[0] + 1U);
  if (cut.size() != whole.size()) std::abort();
  for (std::size_t i = 0; i < cut.size(); ++i)
    if (cut[i].begin != whole[i].begin || cut[i].end != whole[i].end) std::abort();
  return 0;
}

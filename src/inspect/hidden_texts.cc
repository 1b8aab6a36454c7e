// The texts inside a text, for whoever judges texts and not places.
#include "inspect/fold.h"
#include "inspect/segments.h"

namespace gatehouse::inspect {
namespace {

constexpr unsigned deepest = 3;
constexpr std::size_t least_hidden = 8;
constexpr std::size_t most_bytes = 4u << 20;

void collect(std::string_view text, unsigned depth, std::size_t& left,
             std::vector<std::string>& out) {
  FoldedText folded;
  folded.update(text, 0, true);
  std::vector<std::string> found;
  for (const HiddenRun& run : folded.runs())
    if (!run.wrapper)
      for (const std::string* spelled : {&run.tag_text, &run.selector_bytes})
        if (spelled->size() >= least_hidden) found.push_back(*spelled);
  SegmentList segments;
  RunLexer().feed(folded.text(), 0, true, segments);
  SpacedLexer().feed(folded.text(), 0, true, segments);
  for (const Segment& segment : segments.items()) found.emplace_back(segments.text(segment));
  for (std::string& inner : found) {
    if (inner.size() > left) return;
    left -= inner.size();
    if (depth < deepest) collect(inner, depth + 1, left, out);
    out.push_back(std::move(inner));
  }
}

}  // namespace

std::vector<std::string> hidden_texts(std::string_view text) {
  std::vector<std::string> out;
  std::size_t left = most_bytes;
  collect(text, 1, left, out);
  return out;
}

}  // namespace gatehouse::inspect

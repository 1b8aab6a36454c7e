#include <algorithm>

#include "inspect/segments.h"

namespace gatehouse::inspect {
namespace {

constexpr std::size_t overlap = 1024;  // decoded bytes

}  // namespace

Segment& SegmentList::begin(View view, std::size_t begin, bool loose) {
  return items_.emplace_back(Segment{view, begin, text_.size(), 0, 0, loose});
}

void SegmentList::add(char byte, Place place) {
  text_ += byte;
  places_.push_back(place);
  items_.back().counted = ++items_.back().size;
}

void SegmentList::add(std::string_view text, const Place* places) {
  text_ += text;
  places_.insert(places_.end(), places, places + text.size());
  items_.back().counted = items_.back().size += text.size();
}

Segment SegmentList::part(const Segment& whole, std::size_t from, std::size_t to) const {
  return {whole.view, whole.begin, whole.at + from, to - from, to - from, whole.loose};
}

void SegmentList::clear() {
  items_.clear();
  text_.clear();
  places_.clear();
}

// Of a stretch that goes on: gives what there is, and keeps the end of it as the beginning of what
// follows.
void SegmentBuilder::give_piece(SegmentList& ended) {
  if (size() < 2 * overlap) return;
  const std::size_t kept = size() - overlap;
  give(kept, false, ended);
  const std::uint32_t moved = places_[kept].begin;
  for (std::size_t i = kept; i < size_; ++i) {
    text_[i - kept] = text_[i];
    places_[i - kept] = {places_[i].begin - moved, places_[i].end - moved};
  }
  size_ = overlap;
  begin_ += moved;
  has_pieces_ = true;
}

void SegmentBuilder::give(std::size_t counted, bool loose, SegmentList& ended) {
  Segment& segment = ended.begin(view_, begin_, loose);
  ended.add(text(), places_.data());
  segment.counted = counted;
}

void SegmentBuilder::grow() {
  const std::size_t size = std::max<std::size_t>(64, 2 * size_);
  text_.resize(size);
  places_.resize(size);
}

void SegmentBuilder::finish(std::size_t least, SegmentList& ended) {
  if (size() >= least || (has_pieces_ && !empty())) give(size(), loose_ && !has_pieces_, ended);
  clear();
}

void SegmentBuilder::restart(View view, bool loose) {
  view_ = view;
  loose_ = loose;
  clear();
}

}  // namespace gatehouse::inspect

// From folded text back to the text. Pieces of one unit are one entry: text with few folded
// characters has few entries.
#include <algorithm>

#include "inspect/fold.h"

namespace gatehouse::inspect {

void FoldMap::clear() {
  pieces_.clear();
  next_source_ = 0;
}

void FoldMap::add_plain(std::size_t folded, std::size_t source, std::size_t count) {
  if (count == 0) return;
  const bool goes_on = !pieces_.empty() && pieces_.back().unit == 1 && source == next_source_;
  if (!goes_on) pieces_.push_back({folded, source, 1});
  next_source_ = source + count;
}

void FoldMap::add_byte(std::size_t folded, Span source) {
  const std::size_t unit = source.end - source.begin;
  const bool goes_on =
      !pieces_.empty() && pieces_.back().unit == unit && source.begin == next_source_;
  if (!goes_on) pieces_.push_back({folded, source.begin, unit});
  next_source_ = source.end;
}

void FoldMap::add_nothing(std::size_t folded, std::size_t source) {
  pieces_.push_back({folded, source, 0});
  next_source_ = source;
}

std::size_t FoldMap::piece_at(std::size_t folded) const {
  const auto next = std::ranges::upper_bound(pieces_, folded, {}, &Piece::folded);
  return static_cast<std::size_t>(next - pieces_.begin()) - 1;
}

Span FoldMap::source_of(std::size_t begin, std::size_t end) const {
  const Piece& first = pieces_[piece_at(begin)];
  const Piece& last = pieces_[piece_at(end - 1)];
  return {first.source + (begin - first.folded) * first.unit,
          last.source + (end - last.folded) * last.unit};
}

bool FoldMap::is_plain(std::size_t begin, std::size_t end) const {
  const std::size_t piece = piece_at(begin);
  return pieces_[piece].unit == 1 && piece_at(end - 1) == piece;
}

void FoldMap::forget_before(std::size_t folded) {
  if (!pieces_.empty())
    pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(piece_at(folded)));
}

}  // namespace gatehouse::inspect

#include "inspect/match_finder.h"

#include <algorithm>
#include <array>
#include <span>

namespace gatehouse::inspect {
namespace {

using Kind = PatternNode::Kind;

// How many places of a group are tried before RE2 is asked for it.
constexpr int most_places = 8;
// Where places are tried so close to one another, it pays to look whether a match can be there.
constexpr std::size_t close_together = 64;
// Bytes are looked for by sets of so many: a digit, a colon.
constexpr std::size_t most_needed = 12;
// So many bytes are compared before a recognizer is asked.
constexpr std::size_t opening_bytes = 8;

Pattern sequence(std::span<const Pattern> parts) {
  return std::make_shared<const PatternNode>(
      PatternNode{Kind::concat, {}, {parts.begin(), parts.end()}, 0, 0});
}

// Of the sets of which every match has a byte the smallest.
ByteSet needed_bytes(const Pattern& pattern) {
  switch (pattern->kind) {
    case Kind::empty:
    case Kind::alternate:
      return {};
    case Kind::bytes:
      return pattern->bytes.count() <= most_needed ? pattern->bytes : ByteSet();
    case Kind::repeat:
      return pattern->min == 0 ? ByteSet() : needed_bytes(pattern->children[0]);
    case Kind::capture:
    case Kind::concat:
      break;
  }
  ByteSet best;
  for (const Pattern& child : pattern->children) {
    const ByteSet found = needed_bytes(child);
    // Of equals the last: the first is where matches begin.
    if (found.any() && (best.none() || found.count() <= best.count())) best = found;
  }
  return best;
}

}  // namespace

MatchFinder::MatchFinder(const Pattern& pattern)
    : has_group_(has_capture(pattern)),
      whole_(pattern),
      opening_(opening(pattern, opening_bytes)),
      needed_(needed_bytes(pattern)) {
  if (!has_group_) return;
  groups_ = std::make_unique<const re2::RE2>(to_regex(pattern, true), regex_options());
  const std::span<const Pattern> parts =
      pattern->kind == Kind::concat ? std::span(pattern->children) : std::span(&pattern, 1);
  const auto group =
      std::ranges::find(parts, Kind::capture, [](const Pattern& part) { return part->kind; });
  if (group == parts.end()) return;
  is_placed_ = true;
  const auto at = static_cast<std::size_t>(group - parts.begin());
  const Pattern& inside = (*group)->children[0];
  const bool is_run = at + 1 == parts.size() && inside->kind == Kind::repeat && inside->min > 0 &&
                      inside->children[0]->kind == Kind::bytes;
  before_ = split(sequence(parts.first(at)), sequence(parts.subspan(at)), is_run);
  behind_ = split(*group, sequence(parts.subspan(at + 1)), false);
  if (!is_run) return;
  run_bytes_ = inside->children[0]->bytes;
  run_min_ = inside->min;
  run_max_ = inside->max == PatternNode::unbounded ? SIZE_MAX : inside->max;
}

MatchFinder::Split MatchFinder::split(const Pattern& first, const Pattern& second,
                                      bool needs_first) {
  Split split;
  split.first_min = min_width(first);
  split.first_max = max_width(first);
  split.second_min = min_width(second);
  split.second_max = max_width(second);
  const bool is_fixed = split.first_min == split.first_max || split.second_min == split.second_max;
  if (is_fixed && !needs_first) return split;
  split.first = std::make_unique<const Recognizer>(first);
  if (!is_fixed) split.second = std::make_unique<const Recognizer>(second);
  return split;
}

std::optional<MatchFinder::Found> MatchFinder::longest(std::string_view text, std::size_t start,
                                                       std::size_t limit, std::size_t base,
                                                       FinderMemo& memo) const {
  const bool close = base + start - memo.tried_at < close_together;
  memo.tried_at = base + start;
  if (close && lacks_needed(text, start, limit, base, memo)) return std::nullopt;
  if (!may_match(text, start, limit)) return std::nullopt;
  if (run_min_ > 0) {
    const Found known = with_run(text, start, limit, base, memo);
    if (known.group) return known;
    if (known.end == start) return std::nullopt;
  }
  const auto end = whole_.longest(text, start, limit);
  return end ? std::optional(Found{*end, {}}) : std::nullopt;
}

// Whether the first bytes are such as matches have.
bool MatchFinder::may_match(std::string_view text, std::size_t start, std::size_t limit) const {
  if (limit - start < opening_.size()) return false;
  for (std::size_t i = 0; i < opening_.size(); ++i)
    if (!opening_[i].test(static_cast<unsigned char>(text[start + i]))) return false;
  return true;
}

// Whether text[start, limit) has none of the bytes that every match has.
bool MatchFinder::lacks_needed(std::string_view text, std::size_t start, std::size_t limit,
                               std::size_t base, FinderMemo& memo) const {
  if (needed_.none()) return false;
  std::size_t at = start;
  if (memo.without.begin <= base + start && base + start <= memo.without.end) {
    at = memo.without.end - base;
  } else {
    memo.without = {base + start, base + start};
  }
  while (at < limit && !needed_.test(static_cast<unsigned char>(text[at]))) ++at;
  memo.without.end = std::max(memo.without.end, base + at);
  return at >= limit;
}

// The match whose group, a run of bytes, is behind the longest head. Ends at `start` where there is
// no head, and has no group where the run behind it is too short.
MatchFinder::Found MatchFinder::with_run(std::string_view text, std::size_t start,
                                         std::size_t limit, std::size_t base,
                                         FinderMemo& memo) const {
  if (limit < start + run_min_) return {start, {}};
  std::size_t head = start;
  if (before_.first_max > 0) {
    const auto found = before_.first->longest(text, start, limit - run_min_);
    if (!found) return {start, {}};
    head = *found;
  }
  if (memo.run.begin > base + head || memo.run.end < base + head)
    memo.run = {base + head, base + head};
  std::size_t at = std::max(memo.run.end - base, head);
  while (at < limit && run_bytes_.test(static_cast<unsigned char>(text[at]))) ++at;
  memo.run.end = std::max(memo.run.end, base + at);
  const std::size_t size = std::min(at, limit) - head;
  if (size < run_min_) return {limit, {}};
  return {head + std::min(size, run_max_), head};
}

std::optional<Span> MatchFinder::group(std::string_view text, std::size_t start,
                                       const Found& found) const {
  const std::size_t end = found.end;
  if (!has_group_) return Span{start, end};
  if (found.group) return Span{*found.group, end};
  if (!is_placed_) return group_the_slow_way(text, start, end);
  const auto begin = place(before_, text, start, end);
  const auto stop = begin ? place(behind_, text, *begin, end) : std::nullopt;
  if (!stop) return group_the_slow_way(text, start, end);
  return *begin < *stop ? std::optional(Span{*begin, *stop}) : std::nullopt;
}

// Nothing where it is not found soon.
std::optional<std::size_t> MatchFinder::place(const Split& split, std::string_view text,
                                              std::size_t begin, std::size_t end) {
  if (split.first_min == split.first_max) return begin + split.first_min;
  if (split.second_min == split.second_max) return end - split.second_min;
  if (end - begin < split.first_min + split.second_min) return std::nullopt;
  std::size_t limit = end - split.second_min;
  for (int i = 0; i < most_places; ++i) {
    const auto at = split.first->longest(text, begin, limit);
    if (!at || split.second->is_one(text, *at, end)) return at;
    if (*at == begin) return std::nullopt;
    limit = *at - 1;
  }
  return std::nullopt;
}

std::optional<Span> MatchFinder::group_the_slow_way(std::string_view text, std::size_t start,
                                                    std::size_t end) const {
  std::array<re2::StringPiece, 2> found;
  if (!groups_->Match(regex_piece(text), start, end, re2::RE2::ANCHOR_START, found.data(), 2))
    return std::nullopt;
  const re2::StringPiece& value = found[1];
  if (value.data() == nullptr || value.empty()) return std::nullopt;
  const auto begin = static_cast<std::size_t>(value.data() - text.data());
  return Span{begin, begin + value.size()};
}

}  // namespace gatehouse::inspect

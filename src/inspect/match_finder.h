// Where a rule's pattern matches from a given place, and where its ( ) group lies in the match. All
// by automata that see each byte once (recognizer.h): RE2 finds groups a hundred times slower than
// ends.
//
// The match is the longest. Of the ways to place the group in it the one that begins last is taken,
// and of these the one that ends last.
//
// Immutable once built; on any thread. What one text's search remembers is in a FinderMemo.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "inspect/inspect.h"
#include "inspect/pattern.h"
#include "inspect/recognizer.h"

namespace gatehouse::inspect {

// What is known of a text from the places that were tried before, in rising order. Positions are
// those of the text as a whole.
struct FinderMemo {
  Span run;                  // of bytes that the group may have, as far as was looked
  std::size_t tried_at = 0;  // the last place that was tried
  Span without;              // no byte here of those that every match has
};

class MatchFinder {
 public:
  explicit MatchFinder(const Pattern& pattern);

  struct Found {
    std::size_t end = 0;
    std::optional<std::size_t> group;  // where it begins, if that is known already
  };
  // The longest match of text[start, limit), which stands at `base` in the text as a whole.
  std::optional<Found> longest(std::string_view text, std::size_t start, std::size_t limit,
                               std::size_t base, FinderMemo& memo) const;
  // The group in the match [start, found.end); the whole match where the pattern has none. Nothing
  // where the group is empty or has no part in the match.
  std::optional<Span> group(std::string_view text, std::size_t start, const Found& found) const;

 private:
  // Patterns one behind the other, and where the second begins: at the last place where what is
  // before is of the first, and what is behind of the second.
  struct Split {
    std::unique_ptr<const Recognizer> first;  // null where the widths say it
    std::unique_ptr<const Recognizer> second;
    std::size_t first_min = 0;
    std::size_t first_max = 0;
    std::size_t second_min = 0;
    std::size_t second_max = 0;
  };
  static Split split(const Pattern& first, const Pattern& second, bool needs_first);
  static std::optional<std::size_t> place(const Split& split, std::string_view text,
                                          std::size_t begin, std::size_t end);
  std::optional<Span> group_the_slow_way(std::string_view text, std::size_t start,
                                         std::size_t end) const;
  bool lacks_needed(std::string_view text, std::size_t start, std::size_t limit, std::size_t base,
                    FinderMemo& memo) const;
  Found with_run(std::string_view text, std::size_t start, std::size_t limit, std::size_t base,
                 FinderMemo& memo) const;
  bool may_match(std::string_view text, std::size_t start, std::size_t limit) const;

  bool has_group_;
  bool is_placed_ = false;  // the group is one part of a row of parts
  Recognizer whole_;
  std::unique_ptr<const re2::RE2> groups_;  // null where it is not needed
  Split before_;  // what is in front of the group; the group and what is behind it
  Split behind_;  // the group; what is behind it
  // Where the group ends the pattern and is some bytes of a set: which and how many.
  ByteSet run_bytes_;
  std::size_t run_min_ = 0;  // 0: it is not so
  std::size_t run_max_ = 0;
  std::vector<ByteSet> opening_;  // the first places of every match
  ByteSet needed_;                // every match has one of these; none: not known
};

}  // namespace gatehouse::inspect

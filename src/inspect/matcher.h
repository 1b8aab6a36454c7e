// The canonical search, one step at a time: a text may come whole or in pieces of any size.
//
// Every start position is examined exactly once, when it is decided: when no rule's pattern can
// still begin at or extend from it (live_prefixes.h). A text given whole decides all of them at
// once. So whole and streamed texts take the same path, and find the same.
//
// Rules see the folded text (fold.h); what is found is put where it comes from in the source, and
// from there on all positions are positions in the source.
//
// Invariants
//   1. Starts below scan_from_, a position in the folded text, have been examined; their valid
//      matches are accepted, dropped, or in pending_.
//   2. A pending match is accepted when no undecided start could yield one that goes before it:
//      its begin is below settled_.
//   3. Accepted matches come in order of their begin; those of one category do not overlap.
// Lives on the thread of its scanner, which must outlive it.
#pragma once

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "inspect/fold.h"
#include "inspect/live_prefixes.h"
#include "inspect/scanner.h"
#include "inspect/segments.h"

namespace gatehouse::inspect {

// Of two matches of one category the one that is chosen first.
bool goes_first(const Match& a, const Match& b);

class Matcher {
 public:
  Matcher(Scanner::Impl& scanner, Categories which) : scanner_(scanner), which_(which) {}

  // Begins a new text, whose runs of hidden characters are numbered from `first_run` on. Matches
  // that begin before `first` are not wanted (the text before is context).
  void restart(std::size_t first, std::size_t first_run);

  // `text` holds everything known so far that is still needed; `last`: nothing follows. Appends the
  // matches decided now. Positions count from the beginning of the source.
  void advance(const FoldedText& text, bool last, std::vector<Match>& accepted);

  // Source bytes before this position may leave: no match not yet accepted can begin before it.
  std::size_t settled() const {
    return std::max(settled_, *std::max_element(next_.begin(), next_.end()));
  }
  // Folded bytes before this position, and runs before this number, are never looked at again.
  std::size_t needed_from() const {
    return scan_from_ - std::min(scan_from_, scanner_.rules->impl().look_back + 2);
  }
  std::size_t needed_run() const { return next_run_; }

 private:
  bool search(const FoldedText& text, bool last);
  void tell(const FoldedText& text);
  void examine(const FoldedText& text, std::size_t frontier, bool is_searched);
  void examine_rule(std::uint32_t index, const FoldedText& folded, std::size_t from,
                    std::size_t limit);
  void ask(std::size_t detector, const FoldedText& text, std::size_t from, std::size_t to);
  TextReader& reader(std::size_t detector);
  void take(const FoldedText& text, std::size_t first);
  void read_encoded(const FoldedText& text, bool last);
  void read_digit_groups(const FoldedText& text, std::size_t from, std::size_t to);
  void read_hidden(const FoldedText& text);
  std::size_t open_from(const FoldedText& text, std::size_t from);
  std::size_t encoded_open_from(const FoldedText& text, std::size_t from) const;
  void take_segments(const FoldedText& text);
  void search_decoded(const FoldedText& text);
  void accept(bool last, std::vector<Match>& accepted);
  bool is_free(Match& match) const;
  LastMatch& last_of(std::uint32_t rule);

  Scanner::Impl& scanner_;
  Categories which_;
  RunLexer runs_;
  SpacedLexer spaced_;
  LivePrefixes live_;
  std::vector<std::unique_ptr<TextReader>> readers_;  // by detector; made when first wanted
  std::size_t lexed_to_ = 0;                          // by both
  std::size_t scan_from_ = 0;
  std::size_t settled_ = 0;
  std::size_t first_ = 0;
  std::size_t next_run_ = 0;
  // By category: no match may begin before it, the end of the last accepted one.
  std::array<std::size_t, category_count> next_{};
  std::vector<std::pair<std::uint32_t, LastMatch>> last_;  // of the rules that were touched, sorted
  std::vector<Match> pending_;
};

}  // namespace gatehouse::inspect

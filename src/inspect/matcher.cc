#include "inspect/matcher.h"

#include <algorithm>
#include <tuple>

#include "inspect/merge_sort.h"

namespace gatehouse::inspect {

// Smallest begin, then longest, then what is not decoded from anything, then rule order.
bool goes_first(const Match& a, const Match& b) {
  if (a.begin != b.begin) return a.begin < b.begin;
  const bool a_decoded = a.view > View::folded;
  const bool b_decoded = b.view > View::folded;
  return std::tuple(b.end, a_decoded, a.rule, a.view) <
         std::tuple(a.end, b_decoded, b.rule, b.view);
}

void Matcher::restart(std::size_t first, std::size_t first_run) {
  lexed_to_ = scan_from_ = settled_ = 0;
  first_ = first;
  next_run_ = first_run;
  next_.fill(first);
  last_.clear();
  pending_.clear();
  runs_.restart();
  spaced_.restart();
  live_.restart();
  for (const auto& reader : readers_)
    if (reader) reader->restart();
}

void Matcher::advance(const FoldedText& text, bool last, std::vector<Match>& accepted) {
  if (which_.none()) {
    scan_from_ = text.end();
    settled_ = text.source_end();
    next_run_ = text.first_run() + text.runs().size();
    return;
  }
  const std::size_t from = scan_from_ - text.base();
  read_encoded(text, last);
  const bool is_searched = search(text, last);
  const std::size_t frontier = last ? text.text().size() : open_from(text, from);
  if (frontier > from) examine(text, frontier, is_searched);
  scan_from_ = text.base() + frontier;
  settled_ = text.source_at(scan_from_);
  read_hidden(text);
  search_decoded(text);
  if (text.is_run_open()) settled_ = std::min(settled_, text.runs().back().source.begin);
  if (!pending_.empty()) accept(last, accepted);
}

// Searches for starts where something may be found by all means, and tells where what is found may
// live. False if examine() has to search: what is held, perhaps for long, is not searched with each
// piece that is no larger.
bool Matcher::search(const FoldedText& text, bool last) {
  if (text.end() == scan_from_) return false;
  std::size_t from = scan_from_;
  if (!last) {
    from = live_.wants_told_from(scanner_.prefix_states(), text.end());
    if (from == text.end()) return false;
    if (from - scan_from_ < text.end() - from) from = scan_from_;
  }
  scanner_.find_starts(text.text(), from - text.base(), which_);
  if (!last) tell(text);
  return from == scan_from_;
}

void Matcher::tell(const FoldedText& text) {
  const PrefixAutomata& prefixes = scanner_.rules->impl().prefixes();
  const std::size_t lives_from =
      live_.lives_from(scanner_.prefix_states(), text.end()) - text.base();
  for (const std::uint32_t index : scanner_.touched) {
    const BeginFilter::Groups groups = prefixes.told_groups(index);
    if (groups == 0) continue;
    const CompiledRule& rule = *scanner_.rules->impl().compiled[index];
    for (const CompiledRule::Starts& place : scanner_.starts[index]) {
      const std::size_t stop = std::min(place.last + 1, text.text().size());
      for (std::size_t at = std::max(place.first, lives_from); at < stop; ++at) {
        at = rule.next_begin(text.text(), at, stop);
        if (at < stop) live_.tell(groups, text.text(), at);
      }
    }
  }
}

// From where on, at or after `from`, nothing is decided yet.
std::size_t Matcher::open_from(const FoldedText& text, std::size_t from) {
  live_.feed(scanner_.prefix_states(), scanner_.rules->impl().prefixes().begins(), which_,
             text.text(), text.base());
  std::size_t open = std::min(encoded_open_from(text, from), live_.frontier() - text.base());
  const auto& detectors = scanner_.rules->impl().detectors;
  for (std::size_t i = 0; i < detectors.size(); ++i)
    if ((detectors[i].categories & which_).any())
      open = std::min(open, reader(i).frontier(text.text(), text.base(), from));
  return open;
}

void Matcher::examine(const FoldedText& text, std::size_t frontier, bool is_searched) {
  const std::size_t from = scan_from_ - text.base();
  const std::size_t first = pending_.size();
  if (is_searched || live_.may_match_before(text.base() + frontier)) {
    if (!is_searched) scanner_.find_starts(text.text(), from, which_);
    for (const std::uint32_t rule : scanner_.touched) examine_rule(rule, text, from, frontier);
  } else {
    scanner_.find_digit_rows(text.text(), from);
  }
  live_.examined(text.base() + frontier);
  const auto& detectors = scanner_.rules->impl().detectors;
  for (std::size_t i = 0; i < detectors.size(); ++i)
    if ((detectors[i].categories & which_).any()) ask(i, text, from, frontier);
  take(text, first);
  read_digit_groups(text, from, frontier);
}

// The rule's valid matches that start in [from, limit) become pending.
void Matcher::examine_rule(std::uint32_t index, const FoldedText& folded, std::size_t from,
                           std::size_t limit) {
  const CompiledRule& rule = *scanner_.rules->impl().compiled[index];
  const std::string_view text = folded.text();
  const std::size_t base = folded.base();
  LastMatch& last = last_of(index);
  std::size_t at = from;
  for (const CompiledRule::Starts& place : scanner_.starts[index]) {
    at = std::max(at, place.first);
    const std::size_t stop = std::min(limit, place.last + 1);
    for (; at < stop; ++at) {
      at = rule.next_begin(text, at, stop);
      if (at == stop) break;
      const auto match = rule.confirm(text, at, base, last);
      if (!match) continue;
      const Span span{base + match->begin, base + match->end};
      pending_.push_back({index, span.begin, span.end, match->p_value, {}});
      if (first_ == 0 || folded.source_of(span.begin, span.end).begin >= first_) last.valid = span;
    }
  }
}

TextReader& Matcher::reader(std::size_t detector) {
  readers_.resize(scanner_.rules->impl().detectors.size());
  if (!readers_[detector]) readers_[detector] = scanner_.reader(detector);
  return *readers_[detector];
}

void Matcher::ask(std::size_t detector, const FoldedText& text, std::size_t from, std::size_t to) {
  std::vector<Match>& found = scanner_.detected;
  found.clear();
  reader(detector).find(text.text(), text.base(), from, to, found);
  for (Match& match : found) {
    match.rule += scanner_.rules->impl().detectors[detector].first_rule;
    if (!which_.test(scanner_.category_of(match.rule))) continue;
    match.begin += text.base();
    match.end += text.base();
    pending_.push_back(match);
  }
}

// The pending matches from `first` on were found in the folded text: puts them where they come
// from.
void Matcher::take(const FoldedText& text, std::size_t first) {
  if (text.is_plain()) return;
  for (std::size_t i = first; i < pending_.size(); ++i) {
    Match& match = pending_[i];
    if (!text.is_plain(match.begin, match.end)) match.view = View::folded;
    const Span source = text.source_of(match.begin, match.end);
    match.begin = source.begin;
    match.end = source.end;
  }
}

LastMatch& Matcher::last_of(std::uint32_t rule) {
  const auto at = std::ranges::lower_bound(last_, rule, {}, &decltype(last_)::value_type::first);
  if (at != last_.end() && at->first == rule) return at->second;
  return last_.emplace(at, rule, LastMatch{})->second;
}

void Matcher::accept(bool last, std::vector<Match>& accepted) {
  merge_sort(pending_, goes_first);
  std::size_t done = 0;
  for (; done < pending_.size() && (last || pending_[done].begin < settled_); ++done) {
    Match& match = pending_[done];
    if (!is_free(match)) continue;
    accepted.push_back(match);
    next_[scanner_.category_of(match.rule)] = match.end;
  }
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(done));
}

// Whether the match begins behind the accepted ones of its category, or a long rest of it does:
// then it is cut to that.
bool Matcher::is_free(Match& match) const {
  const std::size_t next = next_[scanner_.category_of(match.rule)];
  if (match.begin >= next) return true;
  if (match.begin < first_ || match.end < next + least_rest) return false;
  match.begin = next;
  return true;
}

}  // namespace gatehouse::inspect

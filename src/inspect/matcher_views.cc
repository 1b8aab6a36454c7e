// The matcher's other readings of a text: what is encoded in it, and what is hidden in it.
#include "inspect/decoded_search.h"
#include "inspect/digit_groups.h"
#include "inspect/hidden.h"
#include "inspect/matcher.h"

namespace gatehouse::inspect {
namespace {

// Of a long text so much is decoded at a time.
constexpr std::size_t piece = 64u << 10;

}  // namespace

// Feeds the lexers. What is decoded is searched with what else will be, at the end of the step.
void Matcher::read_encoded(const FoldedText& text, bool last) {
  const std::size_t end = text.end();
  scanner_.decoded->begin(which_);
  do {
    lexed_to_ = std::min(end, lexed_to_ + piece);
    const std::string_view known = text.text().substr(0, lexed_to_ - text.base());
    const bool at_end = last && lexed_to_ == end;
    runs_.feed(known, text.base(), at_end, scanner_.decoded->segments());
    spaced_.feed(known, text.base(), at_end, scanner_.decoded->segments());
    take_segments(text);
  } while (lexed_to_ < end);
}

void Matcher::take_segments(const FoldedText& text) {
  // What lies in the context alone is not wanted.
  scanner_.decoded->take(text.text(), text.base(), [&](Span place) {
    return text.source_of(place.begin, place.end).end > first_;
  });
  if (scanner_.decoded->is_full()) search_decoded(text);
}

void Matcher::read_digit_groups(const FoldedText& text, std::size_t from, std::size_t to) {
  if (scanner_.digit_rows.empty()) return;
  SegmentList& found = scanner_.decoded->segments();
  find_digit_groups(text.text(), text.base(), from, to, scanner_.digit_rows, found);
  take_segments(text);
}

std::size_t Matcher::encoded_open_from(const FoldedText& text, std::size_t from) const {
  const std::size_t open = std::min(runs_.open_from(), spaced_.open_from()) - text.base();
  return std::max(from, std::min(open, digit_groups_open_from(text.text(), from)));
}

// Searches what was decoded so far.
void Matcher::search_decoded(const FoldedText& text) {
  std::vector<DecodedSearch::Found> found;
  scanner_.decoded->search(found);
  for (const auto& [match, in_source] : found) {
    pending_.push_back(match);
    if (in_source) continue;
    const Span source = text.source_of(match.begin, match.end);
    pending_.back().begin = source.begin;
    pending_.back().end = source.end;
  }
}

// Runs of hidden characters that have ended: whether they smuggle, and what they spell.
void Matcher::read_hidden(const FoldedText& text) {
  const std::vector<HiddenRun>& runs = text.runs();
  const std::size_t ended = text.first_run() + runs.size() - (text.is_run_open() ? 1 : 0);
  const bool wanted = which_.test(static_cast<std::size_t>(Category::smuggling));
  for (; next_run_ < ended; ++next_run_) {
    const HiddenRun& run = runs[next_run_ - text.first_run()];
    if (run.source.begin < first_) continue;
    const RuleSet::Impl& impl = scanner_.rules->impl();
    if (const auto rule = smuggling_rule(run); rule && wanted) {
      const std::uint32_t index = impl.first_hidden_rule + *rule;
      pending_.push_back(
          {index, run.source.begin, run.source.end, impl.rules[index].p_value, View::hidden});
    }
    if (run.wrapper) continue;
    scanner_.decoded->take_hidden(run, text.text().substr(0, run.folded - text.base()));
    if (scanner_.decoded->is_full()) search_decoded(text);
  }
}

}  // namespace gatehouse::inspect

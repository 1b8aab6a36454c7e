#include "inspect/decoded_search.h"

#include <algorithm>
#include <tuple>

#include "inspect/byte_runs.h"
#include "inspect/digit_groups.h"
#include "inspect/hidden.h"
#include "inspect/matcher.h"
#include "inspect/merge_sort.h"
#include "inspect/unicode.h"

namespace gatehouse::inspect {
namespace {

// Of a segment that was put together from parts only a match this rare counts by itself.
constexpr double rare_enough = 1e-6;
constexpr std::size_t least_hidden = 8;
constexpr std::size_t least_digits = 9;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_word(char c) {
  return static_cast<unsigned char>(c) >= 0x80 || is_digit(c) ||
         ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

constexpr Categories names_only(1u << static_cast<unsigned>(Category::names));
constexpr std::size_t least_named = 12;
bool may_be_capital(char c) {
  return static_cast<unsigned char>(c) >= 0x80 || (c >= 'A' && c <= 'Z');
}

// So many characters of base64 in a row, a digit among them, are no word.
constexpr std::size_t least_opaque = 16;
// Of base64, but for what also joins words.
bool is_encoded(char c) {
  return is_base64_byte(c) && c != '-' && c != '_';
}

bool says_nothing(char c) {
  return is_digit(c) || c == ' ' || (c >= '\t' && c <= '\r');
}

// What may say something about a part: of the text before it the end, behind the last run of
// encoded characters, and no more than a byte of nothing but digits. Where much is encoded, that
// would be searched again with every part.
std::string_view context_of(std::string_view before) {
  if (before.size() > context_window) before.remove_prefix(before.size() - context_window);
  if (!before.empty() && std::ranges::all_of(before, says_nothing))
    return before.substr(before.size() - 1);
  std::size_t run = 0;
  bool has_digit = false;
  for (std::size_t at = before.size(); at-- > 0;) {
    if (!is_encoded(before[at])) {
      run = 0;
      has_digit = false;
      continue;
    }
    has_digit = has_digit || is_digit(before[at]);
    if (++run >= least_opaque && has_digit)
      return before.substr(std::min(at + run, before.size() - 1));
  }
  return before;
}

// The digits in a row that a loose segment has among other characters; none if it is all digits.
Span longest_digits(std::string_view text) {
  Span best;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::size_t begin = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    if (at - begin > best.end - best.begin) best = {begin, at};
  }
  return best.end - best.begin < text.size() ? best : Span{};
}

// Without punctuation at its ends: what stood beside the text and was spaced like it.
Span without_marks(std::string_view text) {
  const auto first = std::ranges::find_if(text, is_word);
  const auto last = std::find_if(text.rbegin(), text.rend(), is_word).base();
  return first < last ? Span{static_cast<std::size_t>(first - text.begin()),
                             static_cast<std::size_t>(last - text.begin())}
                      : Span{};
}

}  // namespace

void DecodedSearch::begin(Categories which) {
  which_ = which;
}

void DecodedSearch::add_hidden(Layer& layer, std::size_t parent, const HiddenRun& run,
                               std::string_view before) {
  for (const std::string* spelled : {&run.tag_text, &run.selector_bytes}) {
    if (spelled->size() < least_hidden) continue;
    layer.segments.begin(View::hidden, run.source.begin, false);
    const SegmentList::Place all{0, static_cast<std::uint32_t>(run.source.end - run.source.begin)};
    for (const char c : *spelled) layer.segments.add(c, all);
  }
  take_new(layer, [&](const Segment& segment) { add(layer, parent, segment, before); });
}

// A new part, behind the end of the text before it. Of a loose one also what is left without
// punctuation at its ends, and the digits in a row.
void DecodedSearch::add(Layer& layer, std::size_t parent, const Segment& segment,
                        std::string_view before) {
  Part part{parent, segment, layer.joined.size(), 0, 0, no_fold};
  layer.joined += context_of(before);
  if (!before.empty() && is_word(before.back())) layer.joined += ' ';
  part.first = layer.joined.size();
  const std::string_view text = layer.segments.text(segment);
  if (find_special(text, 0) == text.size()) {
    layer.joined += text;
  } else {
    part.fold = layer.folds_used++;
    if (layer.folds.size() < layer.folds_used) layer.folds.emplace_back();
    FoldedText& folded = layer.folds[part.fold];
    folded.restart();
    folded.update(text, 0, true);
    layer.joined += folded.text();
  }
  part.end = layer.joined.size();
  layer.joined += '\n';
  layer.parts.push_back(part);
  if (!segment.loose) return;
  const Span bare = without_marks(text);
  if (bare.end - bare.begin < text.size() && bare.end > bare.begin)
    return add(layer, parent, layer.segments.part(segment, bare.begin, bare.end), before);
  const Span digits = longest_digits(text);
  if (digits.end - digits.begin < least_digits) return;
  Segment row = layer.segments.part(segment, digits.begin, digits.end);
  add(layer, parent, row, before);
}

void DecodedSearch::search(std::vector<Found>& found) {
  search_layer(1, found);
}

void DecodedSearch::search_layer(std::size_t depth, std::vector<Found>& found) {
  Layer& layer = layers_[depth - 1];
  if (layer.parts.empty()) return clear(layer);
  match_rules(layer);
  if (depth < deepest) read_digit_groups(layer, layers_[depth]);
  for (std::size_t part = 0; part < layer.parts.size(); ++part) {
    ask_detectors(layer, part);
    read_hidden(layer, part, depth < deepest ? &layers_[depth] : nullptr);
    if (depth == deepest) continue;
    read_encoded(layer, part, layers_[depth]);
    if (layers_[depth].joined.size() >= full) search_layer(depth + 1, found);
  }
  if (depth < deepest) search_layer(depth + 1, found);
  choose(depth, found);
  clear(layer);
}

void DecodedSearch::match_rules(Layer& layer) {
  scanner_.find_starts(layer.joined, 0, which_);
  for (const std::uint32_t rule : scanner_.touched) match_rule(layer, rule);
}

// The rule's valid matches, tried where a piece of it says that it may match.
void DecodedSearch::match_rule(Layer& layer, std::uint32_t rule) {
  const CompiledRule& compiled = *scanner_.rules->impl().compiled[rule];
  const auto ends_behind = [](std::size_t at) {
    return [at](const Part& part) { return part.end <= at; };
  };
  auto part = layer.parts.begin();
  LastMatch last;
  std::size_t at = 0;
  for (const CompiledRule::Starts& place : scanner_.starts[rule]) {
    at = std::max(at, place.first);
    while (at <= place.last) {
      const auto next = std::partition_point(part, layer.parts.end(), ends_behind(at));
      if (next == layer.parts.end()) return;
      if (next != part) last = {};
      part = next;
      at = std::max(at, part->begin);
      const std::string_view text = view(layer, *part);
      for (const std::size_t stop = std::min(part->end, place.last + 1); at < stop; ++at) {
        const std::size_t start = compiled.next_begin(text, at - part->begin, stop - part->begin);
        at = part->begin + start;
        if (at == stop) break;
        const auto match = compiled.confirm(text, start, 0, last);
        if (!match) continue;
        if (match->begin >= part->first - part->begin) last.valid = {match->begin, match->end};
        add_match(layer, static_cast<std::size_t>(part - layer.parts.begin()),
                  {rule, match->begin, match->end, match->p_value, View::plain});
      }
    }
  }
}

// A match in the part and its context, unless it begins in the context.
void DecodedSearch::add_match(Layer& layer, std::size_t index, Match match) {
  const Part& part = layer.parts[index];
  const std::size_t context = part.first - part.begin;
  if (match.begin < context) return;
  const Span place = unfolded(layer, part, {match.begin - context, match.end - context});
  match.begin = place.begin;
  match.end = place.end;
  layer.matches.push_back({index, match});
}

Span DecodedSearch::unfolded(const Layer& layer, const Part& part, Span folded) {
  return part.fold == no_fold ? folded : layer.folds[part.fold].source_of(folded.begin, folded.end);
}

void DecodedSearch::read_digit_groups(Layer& layer, Layer& inner) {
  if (scanner_.digit_rows.empty()) return;
  find_digit_groups(layer.joined, 0, 0, layer.joined.size(), scanner_.digit_rows, inner.segments);
  take_new(inner, [&](Segment segment) {
    const auto next = std::ranges::upper_bound(layer.parts, segment.begin, {}, &Part::begin);
    const Part& part = *(next - 1);
    if (segment.begin < part.first) return;
    const std::string_view before = view(layer, part).substr(0, segment.begin - part.begin);
    segment.begin -= part.first;
    add(inner, static_cast<std::size_t>(next - 1 - layer.parts.begin()), segment, before);
  });
}

void DecodedSearch::read_encoded(Layer& layer, std::size_t index, Layer& inner) {
  const Part& part = layer.parts[index];
  const std::string_view text = view(layer, part);
  const std::size_t context = part.first - part.begin;
  layer.runs.restart();
  layer.spaced.restart();
  layer.runs.feed(text.substr(context), 0, true, inner.segments);
  layer.spaced.feed(text.substr(context), 0, true, inner.segments);
  take_new(inner, [&](const Segment& segment) {
    add(inner, index, segment, text.substr(0, context + segment.begin));
  });
}

// Whether the part's hidden characters smuggle, and what they spell.
void DecodedSearch::read_hidden(Layer& layer, std::size_t index, Layer* inner) {
  const Part& part = layer.parts[index];
  if (part.fold == no_fold) return;
  const RuleSet::Impl& impl = scanner_.rules->impl();
  const bool wanted = which_.test(static_cast<std::size_t>(Category::smuggling));
  for (const HiddenRun& run : layer.folds[part.fold].runs()) {
    if (const auto rule = smuggling_rule(run); rule && wanted) {
      const std::uint32_t known = impl.first_hidden_rule + *rule;
      layer.matches.push_back(
          {index,
           {known, run.source.begin, run.source.end, impl.rules[known].p_value, View::hidden}});
    }
    if (run.wrapper || inner == nullptr) continue;
    const std::size_t context = part.first - part.begin;
    add_hidden(*inner, index, run, view(layer, part).substr(0, context + run.folded));
  }
}

// Names are looked for in the decoded text alone, and only where it has a capital: they are slow to
// find, and what is decoded is seldom a text that people write.
void DecodedSearch::ask_detectors(Layer& layer, std::size_t index) {
  const Part& part = layer.parts[index];
  const std::size_t context = part.first - part.begin;
  const auto& detectors = scanner_.rules->impl().detectors;
  readers_.resize(detectors.size());
  for (std::size_t i = 0; i < detectors.size(); ++i) {
    const PlacedDetector& placed = detectors[i];
    if ((placed.categories & which_).none()) continue;
    const bool names = placed.categories == names_only;
    std::string_view text = view(layer, part);
    if (names) text.remove_prefix(context);
    if (names && (part.segment.size < least_named || !std::ranges::any_of(text, may_be_capital)))
      continue;
    std::vector<Match>& found = scanner_.detected;
    found.clear();
    if (!readers_[i]) readers_[i] = scanner_.reader(i);
    readers_[i]->restart();
    readers_[i]->find(text, 0, names ? 0 : context, text.size(), found);
    for (Match& match : found) {
      match.rule += placed.first_rule;
      match.begin += names ? context : 0;
      match.end += names ? context : 0;
      if (which_.test(scanner_.category_of(match.rule))) add_match(layer, index, match);
    }
  }
}

// Of each part's matches those that count.
void DecodedSearch::choose(std::size_t depth, std::vector<Found>& found) {
  Layer& layer = layers_[depth - 1];
  merge_sort(layer.matches, [](const PartMatch& a, const PartMatch& b) {
    return a.part != b.part ? a.part < b.part : goes_first(a.match, b.match);
  });
  std::array<std::size_t, category_count> next{};
  std::size_t part = 0;
  for (PartMatch& one : layer.matches) {
    if (one.part != part) next.fill(0);
    part = one.part;
    std::size_t& free_from = next[scanner_.category_of(one.match.rule)];
    if (one.match.begin < free_from) {
      if (one.match.end < free_from + least_rest) continue;
      one.match.begin = free_from;
    }
    free_from = one.match.end;
    report(depth, layer.parts[part], one.match, found);
  }
}

// Puts what was found in a part where it stands in the text around it.
void DecodedSearch::report(std::size_t depth, const Part& part, Match match,
                           std::vector<Found>& found) {
  const Layer& layer = layers_[depth - 1];
  const Segment& segment = part.segment;
  const bool all = match.begin == 0 && match.end == segment.size;
  if (match.begin >= segment.counted || (segment.loose && !all && match.p_value > rare_enough))
    return;
  Span place = layer.segments.source_of(segment, match.begin, match.end);
  const bool in_source = segment.view == View::hidden;
  if (depth > 1 && !in_source)
    place = unfolded(layers_[depth - 2], layers_[depth - 2].parts[part.parent], place);
  match = {match.rule, place.begin, place.end, match.p_value, segment.view};
  if (depth == 1) {
    found.push_back({match, in_source});
  } else {
    layers_[depth - 2].matches.push_back({part.parent, match});
  }
}

void DecodedSearch::clear(Layer& layer) {
  layer.segments.clear();
  layer.taken = 0;
  layer.parts.clear();
  layer.joined.clear();
  layer.folds_used = 0;
  layer.matches.clear();
}

}  // namespace gatehouse::inspect

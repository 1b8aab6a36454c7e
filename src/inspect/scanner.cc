// The searches for pieces of rules, and the scan of a whole text.
#include "inspect/scanner.h"

#include <algorithm>

#include "inspect/decoded_search.h"
#include "inspect/matcher.h"

namespace gatehouse::inspect {
namespace {

// hs_scan takes 32-bit lengths; longer texts go in overlapping pieces.
constexpr std::size_t piece_size = std::size_t{1} << 30;

// A text is scanned in steps of this size, the last at most twice as long.
constexpr std::size_t scan_step = 256u << 10;
constexpr std::size_t longest_step = 2 * scan_step;

// What one crowded text needed is not kept for ever.
constexpr std::size_t kept_bytes = 64u << 10;

template <class T>
void empty(std::vector<T>& items) {
  if (items.capacity() * sizeof(T) > kept_bytes) items = {};
  items.clear();
}

// One search, of the text or of stretches of it that were put together.
struct Pass {
  Scanner::Impl& scanner;
  const Search& search;
  std::string_view text;
  std::size_t from;
  Categories which;
  std::size_t base = 0;           // where in the text the piece under way begins
  std::span<const Part> parts{};  // of what was put together
  std::size_t part = 0;           // which of them the last hit was in

  // Where in the text something ends that ends at `to` of what is searched.
  std::size_t place(std::size_t to) {
    if (parts.empty()) return base + to;
    while (part > 0 && to <= parts[part].at) --part;
    while (part + 1 < parts.size() && to > parts[part + 1].at) ++part;
    return parts[part].span.begin + to - parts[part].at;
  }
};

void add_starts(Scanner::Impl& scanner, std::uint32_t rule, const CompiledRule::Starts& added) {
  auto& all = scanner.starts[rule];
  if (all.empty()) {
    scanner.touched.push_back(rule);
  } else if (auto& back = all.back();
             added.first <= back.last + 1 && back.first <= added.last + 1) {
    back = {std::min(back.first, added.first), std::max(back.last, added.last)};
    return;
  }
  all.push_back(added);
}

// A factor so close behind the last of its rule is not run backwards: the places it could begin at
// are tried one by one.
constexpr std::size_t close_behind = 48;
constexpr std::size_t widest_tried = 256;

void add_factor(const Pass& pass, std::uint32_t rule, std::size_t end) {
  const CompiledRule& compiled = *pass.scanner.rules->impl().compiled[rule];
  const auto& known = pass.scanner.starts[rule];
  const bool close = !known.empty() && compiled.factor().end_max <= widest_tried &&
                     end <= known.back().last + compiled.factor().end_min + close_behind;
  const auto found =
      close ? compiled.starts(pass.from, end) : compiled.starts(pass.text, pass.from, end);
  if (found) add_starts(pass.scanner, rule, *found);
}

// The same of a piece that begins at `begin`.
void add_piece(const Pass& pass, std::uint32_t rule, std::size_t begin) {
  const CompiledRule& compiled = *pass.scanner.rules->impl().compiled[rule];
  const auto& known = pass.scanner.starts[rule];
  const bool close = !known.empty() && compiled.factor().before_max <= widest_tried &&
                     begin <= known.back().last + compiled.factor().before_min + close_behind;
  const auto found = close ? compiled.starts_before(pass.from, begin)
                           : compiled.starts_before(pass.text, pass.from, begin);
  if (found) add_starts(pass.scanner, rule, *found);
}

bool is_wanted(const Pass& pass, std::uint32_t rule) {
  const Category category = pass.scanner.rules->rules()[rule].category;
  return pass.which.test(static_cast<std::size_t>(category));
}

// A context word ends at `end`.
void add_context(const Pass& pass, const ContextWord& word, std::size_t end) {
  if (end < word.size || !stands_alone(pass.text, end - word.size, end)) return;
  for (const std::uint32_t rule : word.rules)
    if (is_wanted(pass, rule))
      add_starts(pass.scanner, rule, {end, end + context_window - word.size});
}

int on_hit(unsigned id, unsigned long long /*from*/, unsigned long long to, unsigned /*flags*/,
           void* context) {
  auto& pass = *static_cast<Pass*>(context);
  const Trigger trigger = pass.search.triggers[id];
  const std::size_t end = pass.place(static_cast<std::size_t>(to));
  if (trigger.kind == Trigger::Kind::context) {
    add_context(pass, pass.search.words[trigger.index], end);
  } else if (is_wanted(pass, trigger.index)) {
    add_factor(pass, trigger.index, end);
  }
  return 0;
}

// Pieces that begin in text[begin, end).
void find_pieces(const Pass& pass, std::size_t begin, std::size_t end) {
  if (pass.search.pieces.empty()) return;
  PieceStates& states = pass.scanner.piece_states[pass.search.number];
  pass.search.pieces.find(
      states, pass.text, begin, end,
      [&](std::uint32_t number, std::size_t piece_begin, std::size_t piece_end) {
        const Trigger trigger = pass.search.triggers[number];
        if (trigger.kind == Trigger::Kind::context) {
          add_context(pass, pass.search.words[trigger.index], piece_end);
        } else if (is_wanted(pass, trigger.index)) {
          add_piece(pass, trigger.index, piece_begin);
        }
      });
}

void scan(Pass& pass, std::string_view text) {
  GH_CHECK(hs_scan(pass.search.database.get(), text.data(), static_cast<unsigned>(text.size()), 0,
                   pass.scanner.scratch.get(), on_hit, &pass) == HS_SUCCESS);
}

void run(Pass& pass, std::size_t begin, std::size_t end) {
  while (begin < end) {
    const std::size_t size = std::min(end - begin, piece_size);
    pass.base = begin;
    scan(pass, pass.text.substr(begin, size));
    if (begin + size == end) return;
    begin += size - long_width;
  }
}

// Stretches of the text that grow together where they touch. A call of Hyperscan costs as much as
// some hundred bytes, so short stretches are put together; what is found across two of them is one
// candidate more.
class Areas {
 public:
  Areas(Scanner::Impl& scanner, std::size_t from, std::size_t to)
      : scanner_(scanner), from_(from), to_(to) {
    empty(scanner_.parts);
  }

  void add(std::size_t begin, std::size_t end) {
    begin = std::max(begin, from_);
    end = std::min(end, to_);
    auto& parts = scanner_.parts;
    if (!parts.empty() && begin <= parts.back().span.end) {
      parts.back().span.end = std::max(parts.back().span.end, end);
    } else {
      parts.push_back({{begin, end}, 0});
    }
  }

  void search(const Pass& pass) {
    find_rows(pass);
    find_others(pass);
  }
  void find_rows(const Pass& pass) const {
    if (pass.search.rows.empty()) return;
    for (const Part& part : scanner_.parts) {
      const auto found = [&](std::uint32_t number, std::size_t first_end, std::size_t last_end) {
        const PlacedRow& row = pass.search.placed_rows[number];
        if (!is_wanted(pass, row.rule)) return;
        const std::size_t first = std::max(first_end - row.size, pass.from + row.before_min);
        const std::size_t last = last_end - row.size;
        const std::size_t widest = std::min<std::size_t>(first, row.before_max);
        if (first <= last)
          add_starts(scanner_, row.rule,
                     {std::max(pass.from, first - widest), last - row.before_min});
      };
      pass.search.rows.find(pass.text, part.span.begin, part.span.end, found);
    }
  }
  void find_others(const Pass& pass) {
    for (const Part& part : scanner_.parts) find_pieces(pass, part.span.begin, part.span.end);
    if (pass.search.database) run_database(pass);
  }

 private:
  void run_database(Pass pass) {
    auto& parts = scanner_.parts;
    std::size_t total = 0;
    for (const Part& part : parts) total += part.span.end - part.span.begin;
    if (parts.empty()) return;
    const Span whole{parts.front().span.begin, parts.back().span.end};
    if (parts.size() == 1 || total > piece_size || total * 4 > 3 * (whole.end - whole.begin))
      return run(pass, whole.begin, whole.end);
    std::string& gathered = scanner_.gathered;
    gathered.clear();
    for (Part& part : parts) {
      part.at = gathered.size();
      gathered += pass.text.substr(part.span.begin, part.span.end - part.span.begin);
    }
    pass.parts = parts;
    scan(pass, gathered);
    if (gathered.capacity() > kept_bytes) gathered = {};
  }

  Scanner::Impl& scanner_;
  std::size_t from_;
  std::size_t to_;
};

std::size_t before(std::size_t position, std::size_t distance) {
  return position - std::min(position, distance);
}

// Hits come in order almost always, and nobody promises it.
void put_in_order(std::vector<CompiledRule::Starts>& starts) {
  const auto earlier = [](const auto& a, const auto& b) { return a.first < b.first; };
  if (!std::is_sorted(starts.begin(), starts.end(), earlier))
    std::sort(starts.begin(), starts.end(), earlier);
}

}  // namespace

Scanner::Impl::Impl(std::shared_ptr<const RuleSet> set, Categories which)
    : rules(std::move(set)), watched(which) {
  const Searches& searches = rules->impl().searches;
  if (searches.scratch) {
    hs_scratch_t* own = nullptr;
    GH_CHECK(hs_clone_scratch(searches.scratch.get(), &own) == HS_SUCCESS);
    scratch.reset(own);
  }
  for (const Search* search : searches.all()) piece_states.emplace_back(search->pieces.automaton());
  starts.resize(rules->rules().size());
  decoded = std::make_unique<DecodedSearch>(*this);
}
Scanner::Impl::~Impl() = default;

void Scanner::Impl::find_starts(std::string_view text, std::size_t from, Categories which) {
  for (const std::uint32_t rule : touched) empty(starts[rule]);
  touched.clear();
  const Searches& searches = rules->impl().searches;
  Pass pass{*this, searches.everywhere, text, from, which};
  find_pieces(pass, before(from, context_window), text.size());
  if (searches.everywhere.database) run(pass, before(from, context_window), text.size());
  search_near_digits(text, from, which);
  search_near_tokens(text, from, which);
  for (const std::uint32_t rule : touched) put_in_order(starts[rule]);
}

std::vector<PrefixStates>& Scanner::Impl::prefix_states() {
  if (prefixes.empty())
    for (const PrefixAutomaton& automaton : rules->impl().prefixes().all())
      prefixes.emplace_back(automaton);
  return prefixes;
}

std::unique_ptr<TextReader> Scanner::Impl::reader(std::size_t detector) {
  const auto& detectors = rules->impl().detectors;
  memories.resize(detectors.size());
  auto& memory = memories[detector];
  if (!memory) memory = detectors[detector].detector->memory();
  return detectors[detector].detector->reader(memory.get());
}

void Scanner::Impl::find_digit_rows(std::string_view text, std::size_t from) {
  empty(digit_rows);
  inspect::find_digit_rows(text, from, digit_rows);
}

void Scanner::Impl::search_near_digits(std::string_view text, std::size_t from, Categories which) {
  find_digit_rows(text, from);
  if (digit_rows.empty()) return;
  const Searches& searches = rules->impl().searches;
  if (const Search& search = searches.near_glued; !search.empty()) {
    Areas areas(*this, from, text.size());
    for (const DigitRow& row : digit_rows)
      if (row.is_glued)
        areas.add(before(row.span.begin, search.margin), row.span.begin + search.margin);
    areas.search({*this, search, text, from, which});
  }
  for (const Search* search : {&searches.in_rows, &searches.near_rows}) {
    if (search->empty()) continue;
    const Pass pass{*this, *search, text, from, which};
    const auto areas = [&](const Reach& reach) {
      Areas all(*this, from, text.size());
      for (const DigitRow& row : digit_rows)
        if (row.digits >= digits_of_factors)
          all.add(before(row.span.begin, reach.before), row.span.end + reach.behind);
      return all;
    };
    if (!search->rows.empty()) areas(search->row_reach).find_rows(pass);
    if (search->looks_for_others()) areas({search->margin, search->margin}).find_others(pass);
  }
  if (const Search& search = searches.words; !search.empty()) {
    Areas areas(*this, before(from, context_window), text.size());
    for (const DigitRow& row : digit_rows)
      areas.add(before(row.span.begin, search.margin + context_window), row.span.end);
    areas.search({*this, search, text, from, which});
  }
}

void Scanner::Impl::search_near_tokens(std::string_view text, std::size_t from, Categories which) {
  const Search& search = rules->impl().searches.near_tokens;
  if (search.empty()) return;
  empty(tokens);
  find_tokens(text, from, tokens);
  Areas areas(*this, from, text.size());
  for (const Span& token : tokens)
    areas.add(before(token.begin, search.margin), token.end + search.margin);
  areas.search({*this, search, text, from, which});
}

Scanner::Scanner(std::shared_ptr<const RuleSet> rules, Categories watched)
    : impl_(std::make_unique<Impl>(std::move(rules), watched)) {}
Scanner::~Scanner() = default;
Scanner::Scanner(Scanner&&) noexcept = default;

const RuleSet& Scanner::rules() const {
  return *impl_->rules;
}

// A long text goes in steps: what is found so far needs less room then, and stays near.
std::vector<Finding> Scanner::scan(std::string_view text) {
  Matcher matcher(*impl_, impl_->watched);
  FoldedText folded;
  std::vector<Finding> findings;
  std::size_t from = 0;  // what is before is not needed any more
  for (std::size_t to = 0;;) {
    to = text.size() - to <= longest_step ? text.size() : to + scan_step;
    const bool last = to == text.size();
    folded.update(text.substr(from, to - from), from, last);
    empty(impl_->matches);
    matcher.advance(folded, last, impl_->matches);
    for (const Match& match : impl_->matches)
      findings.push_back({match.rule, impl_->rules->rules()[match.rule].category,
                          Span{match.begin, match.end}, match.p_value, match.view});
    if (last) return findings;
    const std::size_t needed = matcher.needed_from();
    from = std::max(from, folded.source_at(needed));
    folded.forget_before(needed, matcher.needed_run());
  }
}

}  // namespace gatehouse::inspect

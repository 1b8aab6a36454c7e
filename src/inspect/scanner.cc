// Hyperscan's passes, and the scan of a whole text.
#include "inspect/scanner.h"

#include <algorithm>

#include "inspect/decoded_search.h"
#include "inspect/matcher.h"

namespace gatehouse::inspect {
namespace {

// hs_scan takes 32-bit lengths; longer texts go in overlapping pieces.
constexpr std::size_t piece_size = std::size_t{1} << 30;

// What one crowded text needed is not kept for ever.
constexpr std::size_t kept_bytes = 64 * 1024;

template <class T>
void empty(std::vector<T>& items) {
  if (items.capacity() * sizeof(T) > kept_bytes) items = {};
  items.clear();
}

struct Pass {
  Scanner::Impl& scanner;
  std::string_view text;
  std::size_t from;
  Categories which;
  std::size_t base;  // where the piece under way begins
};

void add_starts(Scanner::Impl& scanner, std::uint32_t rule, const CompiledRule::Starts& added) {
  auto& all = scanner.starts[rule];
  if (all.empty()) {
    scanner.touched.push_back(rule);
  } else if (added.first >= all.back().first && added.first <= all.back().last + 1) {
    all.back().last = std::max(all.back().last, added.last);
    return;
  }
  all.push_back(added);
}

void add_digit_row(Scanner::Impl& scanner, std::size_t end) {
  auto& rows = scanner.digit_rows;
  const std::size_t near = 2 * scanner.rules->impl().digit_width;
  if (!rows.empty() && end >= rows.back().begin && end <= rows.back().end + near) {
    rows.back().end = std::max(rows.back().end, end);
  } else {
    rows.push_back({end, end});
  }
}

void add_factor(const Pass& pass, std::uint32_t rule, std::size_t end) {
  const CompiledRule& compiled = *pass.scanner.rules->impl().compiled[rule];
  if (const auto found = compiled.starts(pass.text, pass.from, end))
    add_starts(pass.scanner, rule, *found);
}

bool is_wanted(const Pass& pass, std::uint32_t rule) {
  const Category category = pass.scanner.rules->rules()[rule].category;
  return pass.which.test(static_cast<std::size_t>(category));
}

// Whether the word stands at `begin`.
bool stands_at(std::string_view text, std::size_t begin, std::string_view word) {
  if (begin + word.size() > text.size()) return false;
  for (std::size_t i = 0; i < word.size(); ++i)
    if (folded_context_byte(text[begin + i]) != word[i]) return false;
  return stands_alone(text, begin, begin + word.size());
}

// A piece of context words ends at `end`: which of them stand there, and whose they are.
void add_context(const Pass& pass, const Trigger& trigger, std::size_t end) {
  const std::span<const ContextWord> all = pass.scanner.rules->impl().context_words;
  for (const ContextWord& word : all.subspan(trigger.rule, trigger.words)) {
    if (end < word.piece_end || !stands_at(pass.text, end - word.piece_end, word.text)) continue;
    const std::size_t word_end = end - word.piece_end + word.text.size();
    for (const std::uint32_t rule : word.rules)
      if (is_wanted(pass, rule))
        add_starts(pass.scanner, rule, {word_end, word_end + context_window - word.text.size()});
  }
}

int on_first(unsigned id, unsigned long long /*from*/, unsigned long long to, unsigned /*flags*/,
             void* context) {
  const auto& pass = *static_cast<const Pass*>(context);
  const Trigger trigger = pass.scanner.rules->impl().triggers[id];
  const std::size_t end = pass.base + static_cast<std::size_t>(to);
  if (trigger.kind == Trigger::Kind::digits) {
    add_digit_row(pass.scanner, end);
  } else if (trigger.kind == Trigger::Kind::context) {
    add_context(pass, trigger, end);
  } else if (is_wanted(pass, trigger.rule)) {
    add_factor(pass, trigger.rule, end);
  }
  return 0;
}

int on_second(unsigned id, unsigned long long /*from*/, unsigned long long to, unsigned /*flags*/,
              void* context) {
  const auto& pass = *static_cast<const Pass*>(context);
  const std::uint32_t rule = pass.scanner.rules->impl().digit_rules[id];
  if (is_wanted(pass, rule)) add_factor(pass, rule, pass.base + static_cast<std::size_t>(to));
  return 0;
}

void run(const Database& database, Pass& pass, std::size_t begin, std::size_t end,
         match_event_handler on_hit) {
  while (begin < end) {
    const std::size_t size = std::min(end - begin, piece_size);
    pass.base = begin;
    GH_CHECK(hs_scan(database.get(), pass.text.data() + begin, static_cast<unsigned>(size), 0,
                     pass.scanner.scratch.get(), on_hit, &pass) == HS_SUCCESS);
    if (begin + size == end) return;
    begin += size - long_width;
  }
}

// Hyperscan does not promise hits in order; almost always they are.
void put_in_order(std::vector<CompiledRule::Starts>& starts) {
  const auto earlier = [](const auto& a, const auto& b) { return a.first < b.first; };
  if (!std::is_sorted(starts.begin(), starts.end(), earlier))
    std::sort(starts.begin(), starts.end(), earlier);
}

}  // namespace

Scanner::Impl::Impl(std::shared_ptr<const RuleSet> set, Categories which)
    : rules(std::move(set)), watched(which) {
  hs_scratch_t* own = nullptr;
  GH_CHECK(hs_clone_scratch(rules->impl().scratch.get(), &own) == HS_SUCCESS);
  scratch.reset(own);
  starts.resize(rules->rules().size());
  decoded = std::make_unique<DecodedSearch>(*this);
}
Scanner::Impl::~Impl() = default;

void Scanner::Impl::find_starts(std::string_view text, std::size_t from, Categories which) {
  for (const std::uint32_t rule : touched) empty(starts[rule]);
  touched.clear();
  empty(digit_rows);
  const RuleSet::Impl& impl = rules->impl();
  Pass pass{*this, text, from, which, 0};
  run(impl.first, pass, from - std::min(from, context_window), text.size(), on_first);
  for (const Span& row : digit_rows) {
    const std::size_t begin = std::max(from, row.begin - std::min(row.begin, impl.digit_width));
    run(impl.second, pass, begin, std::min(text.size(), row.end + impl.digit_width), on_second);
  }
  for (const std::uint32_t rule : touched) put_in_order(starts[rule]);
}

Scanner::Scanner(std::shared_ptr<const RuleSet> rules, Categories watched)
    : impl_(std::make_unique<Impl>(std::move(rules), watched)) {}
Scanner::~Scanner() = default;
Scanner::Scanner(Scanner&&) noexcept = default;

const RuleSet& Scanner::rules() const {
  return *impl_->rules;
}

std::vector<Finding> Scanner::scan(std::string_view text) {
  Matcher matcher(*impl_, impl_->watched);
  empty(impl_->matches);
  FoldedText folded;
  folded.update(text, 0, true);
  matcher.advance(folded, true, impl_->matches);
  std::vector<Finding> findings;
  for (const Match& match : impl_->matches)
    findings.push_back({match.rule, impl_->rules->rules()[match.rule].category,
                        Span{match.begin, match.end}, match.p_value, match.view});
  return findings;
}

}  // namespace gatehouse::inspect

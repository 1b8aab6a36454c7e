#include "inspect/triggers.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "inspect/gates.h"
#include "inspect/rule_set.h"

namespace gatehouse::inspect {
namespace {

// Matches wider than these are not looked for around digits: too much text lies around them.
constexpr std::size_t widest_near_glued = 48;
constexpr std::size_t widest_near_row = 48;
// How far from rows of digits those rows of bytes may lie that are looked for there, before and
// behind together.
constexpr std::size_t widest_reach = 32;
// How far what lies in a row may reach out of it: separators.
constexpr std::size_t beside_row = 3;
constexpr std::size_t widest_behind_word = 64;

// Of a piece that goes on longer what is in front of that is looked for.
constexpr std::size_t longest_stretch = PieceAutomaton::longest_counted;
// Where a piece stands with which matches begin, about so many bytes are looked at before RE2 is
// asked.
constexpr std::size_t asked_bytes = 32;

// A piece that may stand at more places in a match is looked for wherever it stands.
constexpr std::size_t most_anchors = 4;

// What is left to Hyperscan.
struct Expression {
  std::string regex;
  std::string where;  // whose it is
  unsigned trigger = 0;
};

// A search under construction.
struct Plan {
  std::vector<Expression> expressions;
  std::vector<Trigger> triggers;
  std::map<std::string, std::vector<std::uint32_t>> words;  // rules by word
  PieceFinder pieces;
  RowFinder rows;
  std::vector<PlacedRow> placed_rows;
  std::size_t margin = 0;
  Reach row_reach;
};

Result<Database> compile_database(const std::vector<Expression>& expressions) {
  std::vector<const char*> texts;
  std::vector<unsigned> ids;
  for (const Expression& expression : expressions) {
    ids.push_back(expression.trigger);
    texts.push_back(expression.regex.c_str());
  }
  const std::vector<unsigned> flags(texts.size(), HS_FLAG_DOTALL);
  hs_database_t* database = nullptr;
  hs_compile_error_t* error = nullptr;
  if (hs_compile_multi(texts.data(), flags.data(), ids.data(), static_cast<unsigned>(ids.size()),
                       HS_MODE_BLOCK, nullptr, &database, &error) == HS_SUCCESS)
    return Database(database, hs_free_database);
  const std::unique_ptr<hs_compile_error_t, decltype(&hs_free_compile_error)> owned(
      error, hs_free_compile_error);
  const bool known = error->expression >= 0;
  return fail(
      ErrorCode::invalid_argument, fmt::format("Hyperscan: {}", error->message),
      known ? expressions[static_cast<std::size_t>(error->expression)].where : std::string());
}

// The word as it may stand in a text: as folded_context_byte folds.
Pattern word_pattern(std::string_view word) {
  std::vector<Pattern> parts;
  for (const char c : word) {
    ByteSet bytes;
    for (unsigned byte = 0; byte < 256; ++byte)
      if (folded_context_byte(static_cast<char>(byte)) == c) bytes.set(byte);
    parts.push_back(std::make_shared<const PatternNode>(
        PatternNode{PatternNode::Kind::bytes, bytes, {}, 0, 0}));
  }
  return std::make_shared<const PatternNode>(
      PatternNode{PatternNode::Kind::concat, {}, std::move(parts), 0, 0});
}

void add_words(Plan& plan, std::uint32_t index, const RuleSource& source) {
  for (const std::string& text : source.context) plan.words[text].push_back(index);
}

Pattern up_to_stretch(const Pattern& pattern) {
  return trim_tail(inspect::up_to_stretch(pattern, longest_stretch));
}

// A trigger, what it looks for, and what is asked for where that stands; null: no more.
struct Piece {
  Trigger trigger;
  Pattern pattern;
  Pattern more;
  Anchor anchor;
};

bool add_piece(Plan& plan, const Piece& piece) {
  const Pattern first = up_to_stretch(piece.pattern);
  const auto number = static_cast<std::uint32_t>(plan.triggers.size());
  if (min_width(first) == 0 || !plan.pieces.add(first, piece.more, number, piece.anchor))
    return false;
  plan.triggers.push_back(piece.trigger);
  return true;
}

// How many bytes there must be for the trigger to be told: no text that it is looked for in is
// wider.
std::size_t add_trigger(Plan& plan, const Piece& piece, const std::string& where) {
  if (add_piece(plan, piece)) {
    const std::size_t more = piece.more == nullptr ? 0 : max_width(piece.more);
    return std::max(max_width(up_to_stretch(piece.pattern)), more);
  }
  const auto number = static_cast<unsigned>(plan.triggers.size());
  plan.expressions.push_back({to_regex(piece.pattern, false), where, number});
  plan.triggers.push_back(piece.trigger);
  return max_width(piece.pattern);
}

ByteSet set_of(std::string_view bytes) {
  ByteSet set;
  for (const char c : bytes) set.set(static_cast<unsigned char>(c));
  return set;
}

// What follows a factor is asked for where the match begins with it. Null: the same.
Pattern factor_and_more(const CompiledRule& rule) {
  if (rule.factor().before_max > 0) return nullptr;
  return up_to_stretch(limit_head(rule.source().pattern, asked_bytes));
}

// Where what stands behind at least and at most so many bytes of a match may stand, if that is
// fewer than `most` places. Parts of what is decoded are joined by line feeds (decoded_search.h),
// so one in front of a match says nothing.
std::vector<Anchor> anchors_of(const CompiledRule& rule, std::size_t before_min,
                               std::size_t before_max, std::size_t most) {
  const ByteSet& not_before = rule.source().not_before;
  if (not_before.test('\n') || before_max - before_min >= most) return {{}};
  std::vector<Anchor> all;
  for (std::size_t behind = before_min; behind <= before_max; ++behind)
    all.push_back({behind, first_bytes(rule.source().pattern), not_before});
  return all;
}

Piece factor_piece(std::uint32_t index, const CompiledRule& rule) {
  const Factor& factor = rule.factor();
  return {{Trigger::Kind::factor, index},
          factor.pattern,
          nullptr,
          anchors_of(rule, factor.before_min, factor.before_max, 1).front()};
}

// Says how many bytes behind its beginning a match is told.
std::size_t add_factor(Plan& plan, std::uint32_t index, const CompiledRule& rule,
                       std::size_t width) {
  Piece piece = factor_piece(index, rule);
  piece.more = factor_and_more(rule);
  plan.margin = std::max(plan.margin, width);
  const std::size_t told = add_trigger(plan, piece, rule.source().where);
  return told < never_told - rule.factor().before_max ? rule.factor().before_max + told
                                                      : never_told;
}

// Rows of which every match of a rule has one, so many bytes behind its beginning.
struct RowsOfRule {
  std::vector<ByteRow> rows;
  std::size_t before_min = 0;
  std::size_t before_max = 0;

  bool empty() const { return rows.empty(); }
};
constexpr std::size_t widest_before_rows = 32;  // before_max - before_min

void add_rows(Plan& plan, std::uint32_t index, const CompiledRule& rule, const RowsOfRule& found) {
  for (const ByteRow& row : found.rows) {
    const PlacedRow placed{index, static_cast<std::uint32_t>(row.size()),
                           static_cast<std::uint32_t>(found.before_min),
                           static_cast<std::uint32_t>(found.before_max)};
    // What cannot begin inside of words needs no anchor.
    const bool in_words = (row.front() & rule.source().not_before).any();
    for (const Anchor& anchor :
         anchors_of(rule, found.before_min, found.before_max, in_words ? most_anchors : 0)) {
      plan.rows.add(row, static_cast<std::uint32_t>(plan.placed_rows.size()), anchor);
      plan.placed_rows.push_back(placed);
    }
  }
}

// The factor, where it is no more than rows.
RowsOfRule rows_of_factor(const CompiledRule& rule) {
  const Factor& factor = rule.factor();
  if (factor.before_max - factor.before_min > widest_before_rows) return {};
  return {rows_of(factor.pattern).value_or(std::vector<ByteRow>()), factor.before_min,
          factor.before_max};
}

const ByteSet& all_digits() {
  static const ByteSet set = set_of("0123456789");
  return set;
}
const ByteSet& all_separators() {
  static const ByteSet set = set_of(digit_separators);
  return set;
}

// How far it reaches out of the row of enough digits that it has; nothing if it has none.
std::optional<Reach> reach_beyond_digits(const ByteRow& row) {
  std::optional<Reach> least;
  std::size_t digits = 0;  // of those under way, row[begin, end)
  std::size_t begin = 0;
  std::size_t end = 0;
  for (std::size_t at = 0; at < row.size(); ++at) {
    if ((row[at] & ~all_digits()).none()) {
      if (digits++ == 0) begin = at;
      end = at + 1;
    } else if ((row[at] & ~all_separators()).any() || at - end >= most_between_digits) {
      digits = 0;
    }
    const Reach reach{begin, row.size() - end};
    if (digits >= digits_of_factors && (!least || reach.sum() < least->sum())) least = reach;
  }
  return least;
}

// How far the rows may lie from the row of digits of a match that is at most `width` bytes wide.
// One that reaches no farther than that row counts as the fewest digits wide.
Reach reach_of(const RowsOfRule& found, std::size_t width) {
  Reach most;
  for (const ByteRow& row : found.rows) {
    const std::size_t end = std::max(found.before_max + row.size(), digits_of_factors);
    most.include(reach_beyond_digits(row).value_or(
        Reach{width - digits_of_factors, end - digits_of_factors}));
  }
  return most;
}

// Which share of the places of a text full of numbers one of the rows stands at, about.
double share_among_digits(const CompiledRule& rule, const RowsOfRule& found) {
  double sum = 0;
  for (const ByteRow& row : found.rows) {
    double share = 1;
    for (const ByteSet& bytes : row)
      share *= 0.08 * static_cast<double>((bytes & all_digits()).count()) +
               0.02 * static_cast<double>((bytes & all_separators()).count());
    sum += share;
  }
  const bool anchored = found.before_max == 0 && rule.source().not_before.test('0');
  return anchored ? sum / 5 : sum;
}
constexpr double largest_share = 0.02;

// Rows of a rule whose matches all have a row of digits, to be looked for near that: the factor, or
// the beginning of what stands behind the first parts of the pattern. None where they could lie far
// from it in a match that is at most `width` bytes wide.
RowsOfRule rows_among_digits(const CompiledRule& rule, std::size_t width) {
  const auto fits = [&](const RowsOfRule& found) {
    return !found.empty() && reach_of(found, width).sum() <= widest_reach;
  };
  if (RowsOfRule found = rows_of_factor(rule); fits(found)) return found;
  const std::vector<Pattern> parts = parts_of(rule.source().pattern);
  RowsOfRule found;
  for (auto part = parts.begin(); part != parts.end(); ++part) {
    found.rows = row_heads({part, parts.end()});
    if (fits(found) && share_among_digits(rule, found) <= largest_share) return found;
    if (max_width(*part) - min_width(*part) > widest_before_rows) break;
    found.before_min += min_width(*part);
    found.before_max += max_width(*part);
    if (found.before_max - found.before_min > widest_before_rows) break;
  }
  return {};
}

struct Plans {
  Plan everywhere;
  Plan near_glued;
  Plan in_rows;
  Plan near_rows;
  Plan near_tokens;
  Plan words;
  std::vector<std::size_t> told_within;  // by rule
};

// What decides where a rule is looked for.
struct Gates {
  Pattern glued;
  Pattern two_digits;
  Pattern row;
  Pattern between_rows;
};

// As rows in a search whose hits lie so far at most from a row or token; else by its factor.
void add_near(Plan& plan, std::uint32_t index, const CompiledRule& rule, const RowsOfRule& rows,
              std::size_t margin) {
  if (rows.empty()) {
    add_factor(plan, index, rule, margin);
  } else {
    plan.margin = std::max(plan.margin, margin);
    add_rows(plan, index, rule, rows);
  }
}

// In tokens: as rows only where a text could hold one everywhere, or where it begins like ordinary
// text.
void add_token_rule(Plan& plan, std::uint32_t index, const CompiledRule& rule) {
  plan.margin = std::max(plan.margin, beside_token);
  const auto rows = rows_of_factor(rule);
  const bool is_crowd = std::ranges::any_of(rows.rows, may_crowd);
  if (is_crowd || !add_piece(plan, factor_piece(index, rule)))
    add_near(plan, index, rule, rows, beside_token);
}

// Where a rule that demands no context is looked for.
void add_free_rule(Plans& plans, std::uint32_t index, const CompiledRule& rule, std::size_t width,
                   const Gates& gates) {
  const Pattern& pattern = rule.source().pattern;
  const bool has_row = always_contains(pattern, gates.row);
  if (has_row && never_contains(pattern, gates.between_rows)) {
    plans.in_rows.row_reach = {beside_row, beside_row};
    return add_near(plans.in_rows, index, rule, rows_among_digits(rule, digits_of_factors),
                    beside_row);
  }
  if (rule.factor().in_token) return add_token_rule(plans.near_tokens, index, rule);
  if (width <= widest_near_glued && always_contains(pattern, gates.glued))
    return add_near(plans.near_glued, index, rule, rows_of_factor(rule), width);
  if (has_row && width <= widest_near_row) {
    if (const RowsOfRule rows = rows_among_digits(rule, width); !rows.empty()) {
      plans.near_rows.row_reach.include(reach_of(rows, width));
      return add_rows(plans.near_rows, index, rule, rows);
    }
  }
  plans.told_within[index] = add_factor(plans.everywhere, index, rule, width);
}

void add_rule(Plans& plans, std::uint32_t index, const CompiledRule& rule, const Gates& gates) {
  const RuleSource& source = rule.source();
  const std::size_t width = std::min(max_width(source.pattern), source.width_limit);
  if (!source.context_required) return add_free_rule(plans, index, rule, width, gates);
  if (rule.factor().in_token) return add_token_rule(plans.near_tokens, index, rule);
  const bool has_digits =
      width <= widest_behind_word && always_contains(source.pattern, gates.two_digits);
  Plan& plan = has_digits ? plans.words : plans.everywhere;
  add_words(plan, index, source);
  plan.margin = std::max(plan.margin, width);
}

void add_word_triggers(Plan& plan, std::vector<ContextWord>& words,
                       const std::vector<std::unique_ptr<CompiledRule>>& rules) {
  for (auto& [text, wanted_by] : plan.words) {
    const Trigger trigger{Trigger::Kind::context, static_cast<std::uint32_t>(words.size())};
    add_trigger(plan, {trigger, word_pattern(text), nullptr, {}},
                rules[wanted_by.front()]->source().where);
    words.push_back({text.size(), std::move(wanted_by)});
  }
}

Result<Search> build_search(Plan plan, const std::vector<std::unique_ptr<CompiledRule>>& rules,
                            Scratch& scratch) {
  Search search;
  add_word_triggers(plan, search.words, rules);
  search.triggers = std::move(plan.triggers);
  search.rows = std::move(plan.rows);
  plan.pieces.build();
  search.pieces = std::move(plan.pieces);
  search.placed_rows = std::move(plan.placed_rows);
  search.margin = plan.margin;
  search.row_reach = plan.row_reach;
  if (plan.expressions.empty()) return search;
  GH_ASSIGN(search.database, compile_database(plan.expressions));
  hs_scratch_t* grown = scratch.release();
  const hs_error_t error = hs_alloc_scratch(search.database.get(), &grown);
  scratch.reset(grown);
  if (error != HS_SUCCESS)
    return fail(ErrorCode::resource_exhausted, "Hyperscan: no memory for scratch space");
  return search;
}

}  // namespace

Result<Searches> build_searches(const std::vector<std::unique_ptr<CompiledRule>>& rules) {
  Gates gates;
  GH_ASSIGN(gates.glued, parse_pattern(glued_row_pattern));
  GH_ASSIGN(gates.two_digits, parse_pattern(digit_row_pattern(fewest_in_row)));
  GH_ASSIGN(gates.row, parse_pattern(digit_row_pattern(digits_of_factors)));
  GH_ASSIGN(gates.between_rows, parse_pattern(between_rows_pattern()));
  Plans plans;
  plans.told_within.resize(rules.size(), never_told);
  for (std::uint32_t i = 0; i < rules.size(); ++i) add_rule(plans, i, *rules[i], gates);
  Searches searches;
  searches.told_within = std::move(plans.told_within);
  std::size_t number = 0;
  for (const auto& [plan, search] : {std::pair(&plans.everywhere, &searches.everywhere),
                                     {&plans.near_glued, &searches.near_glued},
                                     {&plans.in_rows, &searches.in_rows},
                                     {&plans.near_rows, &searches.near_rows},
                                     {&plans.near_tokens, &searches.near_tokens},
                                     {&plans.words, &searches.words}}) {
    GH_ASSIGN(*search, build_search(std::move(*plan), rules, searches.scratch));
    search->number = number++;
  }
  return searches;
}

}  // namespace gatehouse::inspect

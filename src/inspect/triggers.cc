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
  std::size_t margin = 0;
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

// What follows a factor is asked for where the match begins with it. Null: the same.
Pattern factor_and_more(const CompiledRule& rule) {
  if (rule.factor().before_max > 0) return nullptr;
  return up_to_stretch(limit_head(rule.source().pattern, asked_bytes));
}

// Where the factor may stand. Parts of what is decoded are joined by line feeds (decoded_search.h),
// so one in front of a match says nothing.
std::vector<Anchor> anchors_of(const CompiledRule& rule, std::size_t most) {
  const Factor& factor = rule.factor();
  const ByteSet& not_before = rule.source().not_before;
  if (not_before.test('\n') || factor.before_max - factor.before_min >= most) return {{}};
  std::vector<Anchor> all;
  for (std::size_t behind = factor.before_min; behind <= factor.before_max; ++behind)
    all.push_back({behind, first_bytes(rule.source().pattern), not_before});
  return all;
}

Piece factor_piece(std::uint32_t index, const CompiledRule& rule) {
  return {
      {Trigger::Kind::factor, index}, rule.factor().pattern, nullptr, anchors_of(rule, 1).front()};
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

// As rows of bytes, where the factor is no more than that; with `only_crowds` only where a text
// could hold one everywhere, or where it begins like ordinary text.
void add_rows(Plan& plan, std::uint32_t index, const CompiledRule& rule, std::size_t width,
              bool only_crowds = false) {
  plan.margin = std::max(plan.margin, width);
  const Pattern& factor = rule.factor().pattern;
  const auto rows = rows_of(factor);
  if (!rows || !rule.has_narrow_factor()) {
    add_factor(plan, index, rule, width);
    return;
  }
  const bool is_crowd = std::ranges::any_of(*rows, may_crowd);
  if (only_crowds && !is_crowd && add_piece(plan, factor_piece(index, rule))) return;
  for (const ByteRow& row : *rows) {
    // What cannot begin inside of words needs no anchor.
    const bool in_words = (row.front() & rule.source().not_before).any();
    for (const Anchor& anchor : anchors_of(rule, in_words ? most_anchors : 0))
      plan.rows.add(row, index, anchor);
  }
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

// Where a rule that demands no context is looked for.
void add_free_rule(Plans& plans, std::uint32_t index, const CompiledRule& rule, std::size_t width,
                   const Gates& gates) {
  const Pattern& pattern = rule.source().pattern;
  const bool has_row = always_contains(pattern, gates.row);
  if (has_row && never_contains(pattern, gates.between_rows))
    return add_rows(plans.in_rows, index, rule, beside_row);
  if (rule.factor().in_token) return add_rows(plans.near_tokens, index, rule, beside_token, true);
  if (width <= widest_near_glued && always_contains(pattern, gates.glued))
    return add_rows(plans.near_glued, index, rule, width);
  if (has_row && width <= widest_near_row) return add_rows(plans.near_rows, index, rule, width);
  plans.told_within[index] = add_factor(plans.everywhere, index, rule, width);
}

void add_rule(Plans& plans, std::uint32_t index, const CompiledRule& rule, const Gates& gates) {
  const RuleSource& source = rule.source();
  const std::size_t width = std::min(max_width(source.pattern), source.width_limit);
  if (!source.context_required) return add_free_rule(plans, index, rule, width, gates);
  if (rule.factor().in_token) return add_rows(plans.near_tokens, index, rule, beside_token, true);
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
  search.margin = plan.margin;
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

#include "inspect/triggers.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "base/text.h"
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

struct Expression {
  std::string regex;
  std::string where;  // whose it is
};

// A search under construction.
struct Plan {
  std::vector<Expression> expressions;
  std::vector<Trigger> triggers;
  std::map<std::string, ContextWord> words;
  RowFinder rows;
  std::size_t margin = 0;
};

Result<Database> compile_database(const std::vector<Expression>& expressions) {
  std::vector<const char*> texts;
  std::vector<unsigned> ids;
  for (const Expression& expression : expressions) {
    ids.push_back(static_cast<unsigned>(texts.size()));
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

// Parts that many context words have and ordinary text too.
bool is_common_part(std::string_view part) {
  static constexpr std::string_view parts[] = {
      "number",         "code",    "card",     "date",   "address", "account", "identity",
      "identification", "license", "licence",  "call",   "reach",   "text",    "website",
      "page",           "contact", "order",    "valid",  "general", "record",  "bank",
      "mobile",         "health",  "security", "social", "phone",   "client",  "customer"};
  return part.size() < 4 || std::ranges::find(parts, part) != std::end(parts);
}

// The longest part of a context word between its separators, a common one only where there is no
// other.
ContextWord context_word(const std::string& text) {
  ContextWord word{text, {}, 0, {}};
  bool common = true;
  for (const std::string_view part : split(text, ' ')) {
    const bool is_common = is_common_part(part);
    if (is_common > common) continue;
    if (is_common == common && part.size() <= word.piece.size()) continue;
    common = is_common;
    word.piece = part;
    word.piece_end = static_cast<std::size_t>(part.data() - text.data()) + part.size();
  }
  return word;
}

void add_words(Plan& plan, std::uint32_t index, const RuleSource& source) {
  for (const std::string& text : source.context)
    plan.words.try_emplace(text, context_word(text)).first->second.rules.push_back(index);
}

void add_factor(Plan& plan, std::uint32_t index, const CompiledRule& rule, std::size_t width) {
  plan.expressions.push_back({to_regex(rule.factor().pattern, false), rule.source().where});
  plan.triggers.push_back({Trigger::Kind::factor, index, 0});
  plan.margin = std::max(plan.margin, width);
}

// As rows of bytes, where the piece is no more than that.
void add_rows(Plan& plan, std::uint32_t index, const CompiledRule& rule, std::size_t width,
              bool only_crowds = false) {
  const auto rows = rows_of(rule.factor().pattern);
  if (!rows || !rule.has_narrow_factor() || (only_crowds && std::ranges::none_of(*rows, may_crowd)))
    return add_factor(plan, index, rule, width);
  for (const ByteRow& row : *rows) plan.rows.add(row, index);
  plan.margin = std::max(plan.margin, width);
}

struct Plans {
  Plan everywhere;
  Plan near_glued;
  Plan in_rows;
  Plan near_rows;
  Plan near_tokens;
  Plan words;
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
  add_factor(plans.everywhere, index, rule, width);
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

// One trigger for each piece, of all the words that have it.
void add_word_triggers(Plan& plan, std::vector<ContextWord>& words,
                       const std::vector<std::unique_ptr<CompiledRule>>& rules) {
  for (auto& [text, word] : plan.words) words.push_back(std::move(word));
  std::ranges::sort(words, {},
                    [](const ContextWord& word) { return std::tie(word.piece, word.text); });
  for (std::uint32_t i = 0; i < words.size(); ++i) {
    if (i > 0 && words[i - 1].piece == words[i].piece) {
      ++plan.triggers.back().words;
      continue;
    }
    plan.expressions.push_back({to_regex(literal(words[i].piece, true), false),
                                rules[words[i].rules.front()]->source().where});
    plan.triggers.push_back({Trigger::Kind::context, i, 1});
  }
}

Result<Search> build_search(Plan plan, const std::vector<std::unique_ptr<CompiledRule>>& rules,
                            Scratch& scratch) {
  Search search;
  add_word_triggers(plan, search.words, rules);
  search.triggers = std::move(plan.triggers);
  search.rows = std::move(plan.rows);
  search.margin = plan.margin;
  if (search.triggers.empty()) return search;
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
  for (std::uint32_t i = 0; i < rules.size(); ++i) add_rule(plans, i, *rules[i], gates);
  Searches searches;
  for (const auto& [plan, search] : {std::pair(&plans.everywhere, &searches.everywhere),
                                     {&plans.near_glued, &searches.near_glued},
                                     {&plans.in_rows, &searches.in_rows},
                                     {&plans.near_rows, &searches.near_rows},
                                     {&plans.near_tokens, &searches.near_tokens},
                                     {&plans.words, &searches.words}}) {
    GH_ASSIGN(*search, build_search(std::move(*plan), rules, searches.scratch));
  }
  return searches;
}

}  // namespace gatehouse::inspect

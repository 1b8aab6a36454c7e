// A detector rule as its file says it, and the reader of rule files. docs/rules.md is the format.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "inspect/inspect.h"
#include "inspect/pattern.h"
#include "inspect/validators.h"

namespace gatehouse::inspect {

// An example's text with its templates expanded; the expected span where the file marks one with
// « ».
struct Example {
  std::string text;
  std::optional<Span> span;
};

struct RuleSource {
  Rule rule;
  std::vector<std::string> locales;  // ISO 3166, small letters; empty: wherever it runs
  Pattern pattern;
  ByteSet not_before;  // bytes that must not stand right before a match
  ByteSet not_after;   // bytes that must not stand right after it
  std::size_t width_limit = 0;
  Validator validator = nullptr;
  // Lower case; a space stands for a space, a dash or an underscore.
  std::vector<std::string> context;
  bool context_required = false;
  double p_value_with_context = 0;
  std::vector<std::string> allowed_words;  // lower case; a value equal to one is no finding
  std::vector<Pattern> allowed_patterns;   // a value wholly matched by one is no finding
  double min_entropy = 0;
  std::vector<Example> must_match;
  std::vector<Example> must_not_match;
  std::string where;  // "credentials.yaml:12: rules[3]"
};

// A match is at most this many bytes long; text that would match on is cut there.
inline constexpr std::size_t ordinary_width = 1024;
inline constexpr std::size_t long_width = 14u << 10;
static_assert(long_width + 4 <= TextFilter::max_holdback_bytes);

// How far back context words and validators see.
inline constexpr std::size_t context_window = 64;

// What a file says of the built-in rules.
struct RuleFileHead {
  struct Disabled {
    std::string id;
    std::string where;  // "acme.yaml:2: disable[0]"
  };
  bool extends_builtin = false;    // its folder is added to them instead of replacing them
  std::vector<Disabled> disabled;  // built-in rules that are left out
};
Result<RuleFileHead> read_rule_file_head(std::string_view yaml, const std::string& file_name);

// What separates words in names of fields (date_of_birth, date-of-birth) is one byte here: a space.
inline char folded_context_byte(char c) {
  if (c == '_' || c == '-') return ' ';
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

Result<std::vector<RuleSource>> read_rule_file(std::string_view yaml, const std::string& file_name);

// Expands {{alnum:36}} and the like: deterministic in `seed`. Unknown templates are errors.
Result<Example> expand_example(std::string_view text, std::string_view seed);

}  // namespace gatehouse::inspect

// Reads rule files strictly: an unknown key, an unknown validator, a pattern outside the language
// or a rule that cannot be kept bounded is an error with file, line and rule.
#include "inspect/rule_source.h"

#include <algorithm>
#include <cmath>

#include "base/config.h"
#include "base/text.h"
#include "inspect/fold.h"

namespace gatehouse::inspect {
namespace {

constexpr std::size_t max_rules_in_file = 2000;
constexpr std::size_t max_examples = 200;

bool is_id(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

bool is_kind(std::string_view text) {
  return !text.empty() && text.size() <= 32 && text.front() >= 'A' && text.front() <= 'Z' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
         });
}

// "word", "none", … or a class in brackets.
Result<ByteSet> read_neighbours(std::string_view text) {
  if (text == "none") return ByteSet{};
  if (text == "word") return parse_byte_set("\\w");
  if (text == "alnum") return parse_byte_set("[A-Za-z0-9]");
  if (text == "digit") return parse_byte_set("\\d");
  if (text == "number") return parse_byte_set("[A-Za-z0-9_.+-]");
  if (text == "token") return parse_byte_set("[A-Za-z0-9_-]");
  if (text == "base64") return parse_byte_set("[A-Za-z0-9+/=_-]");
  return parse_byte_set(text);
}

// Notes the error of a failed result with the key's place and gives back the fallback.
template <class T>
T take(ConfigReader& reader, const ConfigNode& node, Result<T> result, T fallback) {
  if (result) return std::move(*result);
  reader.note(std::move(result).error().within(node.where()));
  return fallback;
}

double read_probability(ConfigReader& reader, const ConfigNode& map, std::string_view key,
                        std::optional<double> fallback) {
  const auto node = reader.child(key);
  if (!node) {
    if (!fallback) reader.note(map.error("missing key '" + std::string(key) + "'"));
    return fallback.value_or(1);
  }
  const double value = take(reader, *node, node->as_double(), 1.0);
  if (!(value > 0 && value <= 1)) reader.note(node->error("must be above 0 and at most 1"));
  return value;
}

// Capitals of the two-byte letters that have them: Latin, Greek, Cyrillic. Only of the first
// character where `first_only`.
std::string with_capitals(std::string text, bool first_only) {
  for (std::size_t i = 0; i + 1 < text.size() && (i == 0 || !first_only); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const auto tail = static_cast<unsigned char>(text[i + 1]);
    const auto set = [&](unsigned new_lead, unsigned new_tail) {
      text[i] = static_cast<char>(new_lead);
      text[i + 1] = static_cast<char>(new_tail);
    };
    if (lead == 0xc3 && tail >= 0xa0 && tail != 0xb7) set(0xc3, tail - 0x20u);
    if ((lead == 0xc4 || lead == 0xc5) && tail % 2 == 1 && tail < 0xb8) set(lead, tail - 1u);
    if (lead == 0xce && tail >= 0xb1) set(0xce, tail - 0x20u);
    if (lead == 0xcf && tail <= 0x89) set(0xce, tail + 0x20u);
    if (lead == 0xd0 && tail >= 0xb0) set(0xd0, tail - 0x20u);
    if (lead == 0xd1 && tail <= 0x8f) set(0xd0, tail + 0x20u);
    if (lead == 0xd1 && tail >= 0x90 && tail <= 0x9f) set(0xd0, tail - 0x10u);
  }
  return text;
}

// The word; without its separators, as "date of birth" is also "dateOfBirth"; with capitals where
// folding ASCII does not see them.
void add_context_word(std::string_view word, std::vector<std::string>& words) {
  std::string small(word);
  std::transform(small.begin(), small.end(), small.begin(), folded_context_byte);
  std::string joined = small;
  std::erase(joined, ' ');
  for (const std::string& variant : {small, joined, with_capitals(small, false),
                                     with_capitals(small, true), with_capitals(joined, false)}) {
    std::string folded = to_lower(fold_characters(variant));
    std::transform(folded.begin(), folded.end(), folded.begin(), folded_context_byte);
    if (std::find(words.begin(), words.end(), folded) == words.end())
      words.push_back(std::move(folded));
  }
}

void read_context(ConfigReader& reader, RuleSource& rule) {
  rule.p_value_with_context = rule.rule.p_value;
  const auto node = reader.child("context");
  if (!node) return;
  ConfigReader context(*node);
  for (const std::string& word : context.strings("words")) add_context_word(word, rule.context);
  rule.context_required = context.boolean("required", false);
  rule.p_value_with_context = read_probability(context, *node, "p_value", rule.rule.p_value);
  if (auto done = context.finish(); !done) reader.note(std::move(done).error());
  const bool fits = std::all_of(rule.context.begin(), rule.context.end(), [](const auto& word) {
    return !word.empty() && word.size() < context_window;
  });
  if (rule.context.empty() || !fits)
    reader.note(node->error("context needs words, each of 1 to 63 bytes"));
}

void read_allow(ConfigReader& reader, RuleSource& rule) {
  const auto node = reader.child("allow");
  if (!node) return;
  ConfigReader allow(*node);
  for (const std::string& word : allow.strings("words"))
    rule.allowed_words.push_back(to_lower(fold_characters(word)));
  std::sort(rule.allowed_words.begin(), rule.allowed_words.end());
  for (const std::string& text : allow.strings("patterns")) {
    auto pattern = parse_pattern(fold_letters(text));
    if (pattern) {
      rule.allowed_patterns.push_back(std::move(*pattern));
    } else {
      reader.note(std::move(pattern).error().within(node->where()));
    }
  }
  if (auto done = allow.finish(); !done) reader.note(std::move(done).error());
}

void read_examples_of(ConfigReader& reader, ConfigReader& examples, std::string_view key,
                      const RuleSource& rule, std::vector<Example>& into) {
  const auto node = examples.child(key);
  if (!node) return;
  const auto texts = take(reader, *node, node->as_strings(), {});
  if (texts.size() > max_examples) reader.note(node->error("too many examples"));
  for (std::size_t i = 0; i < std::min(texts.size(), max_examples); ++i) {
    auto example =
        expand_example(texts[i], rule.rule.id + "/" + std::string(key) + "/" + std::to_string(i));
    if (example) {
      into.push_back(std::move(*example));
    } else {
      reader.note(std::move(example).error().within(node->where()));
    }
  }
}

void read_examples(ConfigReader& reader, const ConfigNode& map, RuleSource& rule) {
  const auto node = reader.child("examples");
  if (!node) {
    reader.note(map.error("missing key 'examples'"));
    return;
  }
  ConfigReader examples(*node);
  read_examples_of(reader, examples, "match", rule, rule.must_match);
  read_examples_of(reader, examples, "no_match", rule, rule.must_not_match);
  if (auto done = examples.finish(); !done) reader.note(std::move(done).error());
  if (rule.must_match.empty() || rule.must_not_match.empty())
    reader.note(node->error("a rule needs an example that matches and one that does not"));
}

void read_pattern(ConfigReader& reader, const ConfigNode& map, RuleSource& rule) {
  auto pattern = parse_pattern(fold_letters(reader.required_string("pattern")));
  if (!pattern) {
    reader.note(std::move(pattern).error().within(map.where()));
    rule.pattern = std::make_shared<const PatternNode>();
    return;
  }
  rule.pattern = std::move(*pattern);
  rule.width_limit = reader.boolean("long", false) ? long_width : ordinary_width;
  const std::size_t least = min_width(trim_tail(rule.pattern));
  if (least < 2) reader.note(map.error("the pattern may match fewer than two bytes"));
  if (rule.width_limit > ordinary_width && !ends_with_capture(rule.pattern))
    reader.note(map.error("in a long pattern nothing may follow the ( ) group"));
  if (least > rule.width_limit) reader.note(map.error("the pattern is wider than a match may be"));
}

ByteSet read_neighbours_of(ConfigReader& reader, const ConfigNode& map, std::string_view key) {
  return take(reader, map, read_neighbours(reader.string(key, "word")), ByteSet{});
}

void read_identity(ConfigReader& reader, const ConfigNode& map, Category category,
                   RuleSource& rule) {
  rule.rule.category = category;
  rule.rule.id = reader.required_string("id");
  rule.rule.kind = reader.required_string("kind");
  rule.rule.description = reader.required_string("description");
  if (!is_id(rule.rule.id))
    reader.note(map.error("id must be lower-case letters, digits and dashes"));
  if (!is_kind(rule.rule.kind))
    reader.note(map.error("kind must be capitals, digits and underscores"));
}

// The rule's own list, or else the file's.
void read_locales(ConfigReader& reader, const ConfigNode& map,
                  const std::vector<std::string>& of_file, RuleSource& rule) {
  rule.locales = reader.strings("locale", of_file);
  if (!std::all_of(rule.locales.begin(), rule.locales.end(), is_locale))
    reader.note(map.error("a locale is two small letters, an ISO 3166 country"));
}

void read_validator(ConfigReader& reader, const ConfigNode& map, RuleSource& rule) {
  const std::string name = reader.string("validator", "");
  if (name.empty()) return;
  rule.validator = find_validator(name);
  if (rule.validator == nullptr) reader.note(map.error("unknown validator '" + name + "'"));
}

Result<RuleSource> read_rule(const ConfigNode& map, Category category,
                             const std::vector<std::string>& locales) {
  ConfigReader reader(map);
  RuleSource rule;
  rule.where = map.where();
  read_identity(reader, map, category, rule);
  read_locales(reader, map, locales, rule);
  rule.rule.p_value = read_probability(reader, map, "p_value", std::nullopt);
  read_pattern(reader, map, rule);
  rule.not_before = read_neighbours_of(reader, map, "before");
  rule.not_after = read_neighbours_of(reader, map, "after");
  read_validator(reader, map, rule);
  read_context(reader, rule);
  read_allow(reader, rule);
  if (const auto node = reader.child("entropy"))
    rule.min_entropy = take(reader, *node, node->as_double(), 0.0);
  read_examples(reader, map, rule);
  if (auto done = reader.finish(); !done)
    return std::unexpected(std::move(done).error().within("rule '" + rule.rule.id + "'"));
  return rule;
}

RuleFileHead read_head(ConfigReader& reader, const ConfigNode& root) {
  RuleFileHead head;
  head.extends_builtin = reader.child("extends").has_value();
  if (head.extends_builtin && reader.string("extends", "") != "builtin")
    reader.note(root.error("extends must be 'builtin'"));
  const std::vector<std::string> disabled = reader.strings("disable");
  if (const auto node = root.find("disable")) {
    const std::vector<ConfigNode> items = node->items();
    for (std::size_t i = 0; i < disabled.size(); ++i)
      head.disabled.push_back({disabled[i], i < items.size() ? items[i].where() : node->where()});
  }
  if (!head.disabled.empty() && !head.extends_builtin)
    reader.note(root.error("disable needs 'extends: builtin' beside it"));
  return head;
}

}  // namespace

Result<RuleFileHead> read_rule_file_head(std::string_view yaml, const std::string& file_name) {
  GH_ASSIGN(const ConfigNode root, ConfigNode::parse(yaml, file_name));
  ConfigReader reader(root);
  RuleFileHead head = read_head(reader, root);
  reader.list("rules");
  reader.string("category", "");
  reader.strings("locale");
  GH_TRY(reader.finish());
  return head;
}

bool is_locale(std::string_view text) {
  return text.size() == 2 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

std::optional<std::string> read_locale(std::string_view text) {
  std::string locale = to_lower(text);
  if (!is_locale(locale)) return std::nullopt;
  return locale == "uk" ? "gb" : std::move(locale);
}

Result<std::vector<RuleSource>> read_rule_file(std::string_view yaml,
                                               const std::string& file_name) {
  GH_ASSIGN(const ConfigNode root, ConfigNode::parse(yaml, file_name));
  ConfigReader reader(root);
  read_head(reader, root);
  const std::vector<std::string> locales = reader.strings("locale");
  const std::vector<ConfigNode> nodes = reader.list("rules");
  const std::string category_name =
      nodes.empty() ? reader.string("category", "custom") : reader.required_string("category");
  GH_TRY(reader.finish());
  auto category = parse_category(category_name);
  if (!category) return std::unexpected(std::move(category).error().within(root.where()));
  if (nodes.size() > max_rules_in_file)
    return std::unexpected(root.error("too many rules in one file"));
  std::vector<RuleSource> rules;
  for (const ConfigNode& node : nodes) {
    GH_ASSIGN(RuleSource rule, read_rule(node, *category, locales));
    rules.push_back(std::move(rule));
  }
  return rules;
}

}  // namespace gatehouse::inspect

// One rule at work: where its pattern matches, and whether that match counts. On any thread.
#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "inspect/rule_set.h"

namespace gatehouse::inspect {
namespace {

constexpr std::int64_t rule_memory = 1 << 20;

// Where the beginning of a match may lie this far apart, the places are tried one by one; otherwise
// the pattern is run backwards from the end of the factor.
bool is_narrow(const Factor& factor) {
  return factor.end_max - factor.end_min <= 32;
}

re2::RE2::Options re2_options(std::int64_t memory) {
  re2::RE2::Options options;
  options.set_encoding(re2::RE2::Options::EncodingLatin1);  // bytes
  options.set_longest_match(true);
  options.set_log_errors(false);
  options.set_max_mem(memory);
  return options;
}

std::unique_ptr<re2::RE2> compile(const std::string& regex) {
  return std::make_unique<re2::RE2>(regex, re2_options(rule_memory));
}

re2::StringPiece piece(std::string_view text) {
  return {text.data(), text.size()};
}

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

// Letters and what may be part of a non-ASCII letter.
bool is_wordlike(char c) {
  return (static_cast<unsigned char>(c) >= 0x80) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

}  // namespace

bool stands_alone(std::string_view text, std::size_t begin, std::size_t end) {
  const bool open = begin == 0 || !is_wordlike(text[begin - 1]) || !is_wordlike(text[begin]);
  const bool shut = end == text.size() || !is_wordlike(text[end]) || !is_wordlike(text[end - 1]);
  return open && shut;
}

CompiledRule::CompiledRule(RuleSource source)
    : source_(std::move(source)),
      has_capture_(has_capture(source_.pattern)),
      factor_(rare_factor(source_.pattern)),
      first_bytes_(first_bytes(source_.pattern)) {}

Result<void> CompiledRule::check() const {
  const auto regex = compile(to_regex(source_.pattern, true));
  if (!regex->ok()) return fail(ErrorCode::invalid_argument, regex->error(), source_.where);
  return {};
}

const re2::RE2& CompiledRule::regex() const {
  std::call_once(once_, [this] {
    regex_ = compile(to_regex(source_.pattern, true));
    if (!is_narrow(factor_))
      up_to_factor_ = compile("(?:" + to_regex(factor_.up_to_end, false) + ")\\z");
    for (const Pattern& pattern : source_.allowed_patterns)
      allowed_.push_back(compile(to_regex(pattern, false)));
  });
  return *regex_;
}

std::optional<CompiledRule::Starts> CompiledRule::starts(std::string_view text, std::size_t from,
                                                         std::size_t end) const {
  if (end < from + factor_.end_min) return std::nullopt;
  const std::size_t widest = std::min({end, factor_.end_max, source_.width_limit});
  Starts starts{std::max(from, end - widest), end - factor_.end_min};
  if (is_narrow(factor_)) return starts;
  regex();
  re2::StringPiece found;
  if (!up_to_factor_->Match(piece(text.substr(0, end)), starts.first, end, re2::RE2::UNANCHORED,
                            &found, 1))
    return std::nullopt;
  starts.first = static_cast<std::size_t>(found.data() - text.data());
  return starts;
}

std::optional<Match> CompiledRule::confirm(std::string_view text, std::size_t start) const {
  const std::size_t limit = std::min(text.size(), start + source_.width_limit);
  re2::StringPiece found[2];
  if (!regex().Match(piece(text), start, limit, re2::RE2::ANCHOR_START, found,
                     has_capture_ ? 2 : 1))
    return std::nullopt;
  const re2::StringPiece& span = found[has_capture_ ? 1 : 0];
  if (span.data() == nullptr || span.empty()) return std::nullopt;
  const auto begin = static_cast<std::size_t>(span.data() - text.data());
  std::size_t end = begin + span.size();
  std::size_t match_end = start + found[0].size();
  if (is_continuation(text[begin])) return std::nullopt;
  while (end < text.size() && end > begin && is_continuation(text[end])) match_end = --end;
  if (end == begin) return std::nullopt;

  const std::size_t context_begin = start - std::min(start, context_window);
  const std::string_view before = text.substr(context_begin, start - context_begin);
  if (source_.validator != nullptr) {
    const std::size_t accepted = source_.validator(
        {before, text.substr(start, match_end - start), text.substr(begin, end - begin)});
    if (accepted == 0) return std::nullopt;
    if (begin + accepted < end) match_end = end = begin + accepted;
  }
  if (match_end < text.size() &&
      source_.not_after.test(static_cast<unsigned char>(text[match_end])))
    return std::nullopt;
  const std::string_view value = text.substr(begin, end - begin);
  if (source_.min_entropy > 0 && entropy_bits(value) < source_.min_entropy) return std::nullopt;
  if (allowed(value)) return std::nullopt;
  const bool context = in_context(text, start);
  if (source_.context_required && !context) return std::nullopt;
  return Match{0, begin, end, context ? source_.p_value_with_context : source_.rule.p_value};
}

bool CompiledRule::allowed(std::string_view value) const {
  if (!source_.allowed_words.empty() &&
      std::binary_search(source_.allowed_words.begin(), source_.allowed_words.end(),
                         to_lower(value)))
    return true;
  return std::any_of(allowed_.begin(), allowed_.end(), [value](const auto& pattern) {
    return re2::RE2::FullMatch(piece(value), *pattern);
  });
}

// Whether one of the context words stands within the window before `start`.
bool CompiledRule::in_context(std::string_view text, std::size_t start) const {
  if (source_.context.empty()) return false;
  const std::size_t begin = start - std::min(start, context_window);
  std::array<char, context_window> folded;
  std::transform(text.data() + begin, text.data() + start, folded.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  const std::string_view window(folded.data(), start - begin);
  for (const std::string& word : source_.context)
    for (std::size_t at = window.find(word); at != std::string_view::npos;
         at = window.find(word, at + 1))
      if (stands_alone(text, begin + at, begin + at + word.size())) return true;
  return false;
}

}  // namespace gatehouse::inspect

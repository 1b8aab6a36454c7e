// One rule at work: where its pattern matches, and whether that match counts. On any thread.
#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "inspect/rule_set.h"
#include "inspect/unicode.h"

namespace gatehouse::inspect {
namespace {

std::unique_ptr<re2::RE2> compile(const std::string& regex) {
  return std::make_unique<re2::RE2>(regex, regex_options());
}

// Of so many places each is tried; more are narrowed down first.
constexpr std::size_t widest_tried = 32;

// Fewer places are tried one by one.
constexpr std::size_t least_for_blocks = 24;

// The bytes at this place of the words as they may stand in a text; all, where one has none there.
ByteSet bytes_at(const std::vector<std::string>& words, std::size_t place) {
  ByteSet bytes;
  for (unsigned byte = 0; byte < 256; ++byte)
    bytes.set(byte, std::ranges::any_of(words, [&](const std::string& word) {
                return place >= word.size() ||
                       word[place] == folded_context_byte(static_cast<char>(byte));
              }));
  return bytes;
}

bool is_folded(std::string_view text, std::string_view word) {
  return std::ranges::equal(text, word, {}, folded_context_byte);
}

}  // namespace

CompiledRule::CompiledRule(RuleSource source)
    : source_(std::move(source)),
      factor_(rare_factor(source_.pattern)),
      first_bytes_(first_bytes(source_.pattern)),
      not_before_(source_.not_before),
      context_first_(bytes_at(source_.context, 0)),
      context_second_(bytes_at(source_.context, 1)) {}

Result<void> CompiledRule::check() const {
  const auto regex = compile(to_regex(source_.pattern, true));
  if (!regex->ok()) return fail(ErrorCode::invalid_argument, regex->error(), source_.where);
  return {};
}

const MatchFinder& CompiledRule::finder() const {
  std::call_once(once_, [this] {
    finder_.emplace(source_.pattern);
    if (!has_narrow_factor())
      up_to_factor_ = compile("(?:" + to_regex(factor_.up_to_end, false) + ")\\z");
    if (factor_.before_max - factor_.before_min > widest_tried)
      before_factor_ = compile("(?:" + to_regex(factor_.before, false) + ")\\z");
    for (const Pattern& pattern : source_.allowed_patterns)
      allowed_.push_back(std::make_unique<const Recognizer>(pattern));
  });
  GH_CHECK(finder_.has_value());
  return *finder_;
}

std::optional<CompiledRule::Starts> CompiledRule::starts(std::size_t from, std::size_t end) const {
  if (end < from + factor_.end_min) return std::nullopt;
  const std::size_t widest = std::min({end, factor_.end_max, source_.width_limit});
  return Starts{std::max(from, end - widest), end - factor_.end_min};
}

std::optional<CompiledRule::Starts> CompiledRule::starts(std::string_view text, std::size_t from,
                                                         std::size_t end) const {
  auto found = starts(from, end);
  if (!found || has_narrow_factor()) return found;
  finder();
  re2::StringPiece match;
  if (!up_to_factor_->Match(regex_piece(text.substr(0, end)), found->first, end,
                            re2::RE2::UNANCHORED, &match, 1))
    return std::nullopt;
  found->first = static_cast<std::size_t>(match.data() - text.data());
  return found;
}

std::optional<CompiledRule::Starts> CompiledRule::starts_before(std::size_t from,
                                                                std::size_t begin) const {
  if (begin < from + factor_.before_min) return std::nullopt;
  const std::size_t widest = std::min({begin, factor_.before_max, source_.width_limit});
  return Starts{std::max(from, begin - widest), begin - factor_.before_min};
}

std::optional<CompiledRule::Starts> CompiledRule::starts_before(std::string_view text,
                                                                std::size_t from,
                                                                std::size_t begin) const {
  auto found = starts_before(from, begin);
  if (!found || found->last - found->first <= widest_tried) return found;
  finder();
  re2::StringPiece match;
  if (!before_factor_->Match(regex_piece(text.substr(0, begin)), found->first, begin,
                             re2::RE2::UNANCHORED, &match, 1))
    return std::nullopt;
  found->first = static_cast<std::size_t>(match.data() - text.data());
  return found;
}

// Asked for every byte of long rows: sixty-four at a time, where no escape is near.
std::size_t CompiledRule::next_begin(std::string_view text, std::size_t at,
                                     std::size_t stop) const {
  if (at < stop && (at == 0 || stop - at < least_for_blocks)) {
    const std::size_t to = stop - at < least_for_blocks ? stop : 1;
    const std::size_t found = next_begin_in(text, at, to);
    if (found < to) return found;
    at = to;
  }
  for (; at < stop; at += ByteClass::width) {
    const std::size_t end = std::min(stop, at + ByteClass::width);
    if (at + ByteClass::width <= text.size()) {
      const std::uint64_t first = first_bytes_.members(text.data() + at);
      const std::uint64_t taken = not_before_.members(text.data() + at - 1);
      if ((first & taken) == 0 || !is_near_escape(text, at, end)) {
        if ((first & ~taken) == 0) continue;
        return std::min(stop, at + static_cast<std::size_t>(std::countr_zero(first & ~taken)));
      }
    }
    const std::size_t found = next_begin_in(text, at, end);
    if (found < end) return found;
  }
  return stop;
}

// The same byte by byte.
std::size_t CompiledRule::next_begin_in(std::string_view text, std::size_t at,
                                        std::size_t stop) const {
  bool asked = false;  // once for all bytes from here on
  bool near_escape = false;
  for (; at < stop; ++at) {
    if (!first_bytes_.has(text[at])) continue;
    if (at == 0 || !not_before_.has(text[at - 1])) return at;
    if (!std::exchange(asked, true)) near_escape = is_near_escape(text, at, stop);
    if (near_escape && ends_escape(text.substr(0, at))) return at;
  }
  return stop;
}

std::optional<Match> CompiledRule::confirm(std::string_view text, std::size_t start,
                                           std::size_t base, LastMatch& last) const {
  if (last.hides(base + start, width_inside)) return std::nullopt;
  const bool inside = base + start < last.end;
  std::size_t width = inside ? std::min(source_.width_limit, width_inside) : source_.width_limit;
  const auto longest = [&] {
    return finder().longest(text, start, std::min(text.size(), start + width), base, last.memo);
  };
  auto found = longest();
  const auto is_cut = [&] { return found && found->end - start == width; };
  if (inside && found && is_cut()) {
    if (base + found->end <= last.end) {
      if (last.wide) return std::nullopt;
    } else {
      width = source_.width_limit;
      found = longest();
    }
  }
  if (!found) return std::nullopt;
  // Only now: the words around take longer to look for than most patterns to fail.
  if (source_.context_required && !in_context(text, start)) return std::nullopt;
  std::size_t match_end = found->end;
  const bool was_cut = is_cut();
  if (last.wide && base + match_end == last.end) return std::nullopt;
  if (base + match_end > last.end) {
    last.end = base + match_end;
    last.wide = match_end - start > widest_judged_apart;
  }

  const auto span = finder().group(text, start, *found);
  if (!span || is_continuation(text[span->begin])) return std::nullopt;
  const std::size_t begin = span->begin;
  std::size_t end = span->end;
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
  if (!was_cut && match_end < text.size() &&
      source_.not_after.test(static_cast<unsigned char>(text[match_end])))
    return std::nullopt;
  const std::string_view value = text.substr(begin, end - begin);
  if (source_.min_entropy > 0 && entropy_bits(value) < source_.min_entropy) return std::nullopt;
  if (allowed(value)) return std::nullopt;
  const bool context = source_.context_required || in_context(text, start);
  return Match{0, begin, end, context ? source_.p_value_with_context : source_.rule.p_value, {}};
}

bool CompiledRule::allowed(std::string_view value) const {
  if (!source_.allowed_words.empty() &&
      std::binary_search(source_.allowed_words.begin(), source_.allowed_words.end(),
                         to_lower(value)))
    return true;
  return std::any_of(allowed_.begin(), allowed_.end(), [value](const auto& pattern) {
    return pattern->is_one(value, 0, value.size());
  });
}

// Whether one of the context words stands within the window before `start`. They are tried where
// two bytes may be the first of one.
bool CompiledRule::in_context(std::string_view text, std::size_t start) const {
  static_assert(context_window == ByteClass::width);
  if (source_.context.empty()) return false;
  const std::string_view known = text.substr(0, start);
  const std::size_t begin = start - std::min(start, context_window);
  const Padded<context_window + 1> window(known, begin);
  std::uint64_t places = context_first_.members(window.data());
  places &= context_second_.members(window.data() + 1);
  for (; places != 0; places &= places - 1) {
    const std::size_t at = begin + static_cast<std::size_t>(std::countr_zero(places));
    for (const std::string& word : source_.context)
      if (is_folded(known.substr(at, word.size()), word) &&
          stands_alone(text, at, at + word.size()))
        return true;
  }
  return false;
}

}  // namespace gatehouse::inspect

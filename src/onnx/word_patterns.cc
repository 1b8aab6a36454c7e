// See word_patterns.h.
#include "onnx/word_patterns.h"

#include <array>

#include "onnx/unicode.h"

namespace gatehouse::onnx {
namespace {

using Test = bool (*)(char32_t);

bool is_line_end(char32_t code) {
  return code == '\r' || code == '\n';
}
bool is_mark_or_symbol(char32_t code) {
  return !is_white_space(code) && !is_letter(code) && !is_number(code);
}

char32_t character_at(std::string_view text, std::size_t at) {
  return at < text.size() ? next_character(text, at) : 0;
}

// The end of the run of characters for which `test` holds; `most` of them.
std::size_t run_end(std::string_view text, std::size_t at, Test test,
                    std::size_t most = std::string_view::npos) {
  for (; at < text.size() && most > 0; --most) {
    std::size_t next = at;
    if (!test(next_character(text, next))) break;
    at = next;
  }
  return at;
}

std::size_t contraction_end(std::string_view text, std::size_t at, bool any_case) {
  constexpr std::array<std::string_view, 7> endings{"s", "t", "re", "ve", "m", "ll", "d"};
  if (text[at] != '\'') return at;
  const auto rest = text.substr(at + 1);
  for (const auto ending : endings) {
    bool same = rest.size() >= ending.size();
    for (std::size_t i = 0; same && i < ending.size(); ++i) {
      const bool upper = any_case && rest[i] >= 'A' && rest[i] <= 'Z';
      same = (upper ? static_cast<char>(rest[i] + 32) : rest[i]) == ending[i];
    }
    if (same) return at + 1 + ending.size();
    // U+017F folds to s.
    if (any_case && ending == "s" && rest.starts_with("\xc5\xbf")) return at + 3;
  }
  return at;
}

// \s+(?!\S)|\s+: all of the white space at the end of a text, else all but its last character, or
// the one that there is.
std::size_t space_end(std::string_view text, std::size_t at) {
  std::size_t end = at;
  std::size_t last = at;
  while (end < text.size()) {
    std::size_t next = end;
    if (!is_white_space(next_character(text, next))) break;
    last = end;
    end = next;
  }
  if (end == text.size() || last == at) return end;
  return last;
}

// (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|
// \s*[\r\n]+|\s+(?!\S)|\s+
std::size_t cl100k_word_end(std::string_view text, std::size_t at, std::size_t digits) {
  if (const auto end = contraction_end(text, at, true); end != at) return end;
  std::size_t behind = at;
  const char32_t first = next_character(text, behind);
  const bool may_lead = !is_line_end(first) && !is_letter(first) && !is_number(first);
  const std::size_t letters = may_lead ? behind : at;
  if (const auto end = run_end(text, letters, is_letter); end != letters) return end;
  if (is_number(first)) return run_end(text, at, is_number, digits);
  const std::size_t marks = first == ' ' ? behind : at;
  if (const auto end = run_end(text, marks, is_mark_or_symbol); end != marks)
    return run_end(text, end, is_line_end);
  // White space: up to its last line end, where it has one.
  const std::size_t blank = run_end(text, at, is_white_space);
  const auto line = text.substr(at, blank - at).find_last_of("\r\n");
  return line != std::string_view::npos ? at + line + 1 : space_end(text, at);
}

}  // namespace

std::size_t gpt2_word_end(std::string_view text, std::size_t at) {
  if (const auto end = contraction_end(text, at, false); end != at) return end;
  const std::size_t word = text[at] == ' ' ? at + 1 : at;
  const char32_t first = character_at(text, word);
  if (word < text.size() && !is_white_space(first)) {
    const Test sort = is_letter(first)   ? is_letter
                      : is_number(first) ? is_number
                                         : is_mark_or_symbol;
    return run_end(text, word, sort);
  }
  return space_end(text, at);
}

WordEnd word_end_of(std::string_view regex) {
  constexpr std::string_view gpt2 =
      R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
  constexpr std::string_view gpt2_shorter =
      R"('(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
  constexpr std::string_view three_digits =
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
  constexpr std::string_view one_digit =
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
  if (regex == gpt2 || regex == gpt2_shorter) return gpt2_word_end;
  const auto with_digits = [](std::size_t digits) {
    return [digits](std::string_view text, std::size_t at) {
      return cl100k_word_end(text, at, digits);
    };
  };
  if (regex == three_digits) return with_digits(3);
  if (regex == one_digit) return with_digits(1);
  return {};
}

}  // namespace gatehouse::onnx

#include "simulate/tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace gatehouse::simulate {
namespace {

constexpr std::size_t kWordPart = 6;
constexpr std::size_t kDigitPart = 3;
constexpr int kMaxNesting = 128;

constexpr std::array<std::string_view, 32> kWords = {
    "the",   "gate",   "stands", "open",  "for",   "those",   "who",   "are",
    "known", "and",    "every",  "call",  "is",    "written", "down",  "so",
    "that",  "others", "can",    "check", "what",  "passed",  "when",  "it",
    "did",   "by",     "whom",   "with",  "which", "label",   "under", "policy"};

bool is_letter(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}
bool is_digit(unsigned char c) {
  return c >= '0' && c <= '9';
}
bool continues_utf8(unsigned char c) {
  return (c & 0xC0) == 0x80;
}

// The end of a run that starts at `begin`: at most `limit` bytes, then on to the end of a sequence.
template <class Predicate>
std::size_t run_end(std::string_view text, std::size_t begin, std::size_t limit, Predicate in_run) {
  std::size_t end = begin;
  while (end < text.size() && in_run(static_cast<unsigned char>(text[end])) && end - begin < limit)
    ++end;
  while (end < text.size() && continues_utf8(static_cast<unsigned char>(text[end]))) ++end;
  return end;
}

std::size_t escape_end(std::string_view text, std::size_t backslash) {
  const std::size_t length = text.substr(backslash).starts_with("\\u") ? 6 : 2;
  std::size_t end = std::min(backslash + length, text.size());
  while (end < text.size() && continues_utf8(static_cast<unsigned char>(text[end]))) ++end;
  return end;
}

std::size_t token_end(std::string_view text, std::size_t begin) {
  std::size_t at = begin;
  if (text[at] == ' ' && at + 1 < text.size()) ++at;
  const auto c = static_cast<unsigned char>(text[at]);
  if (is_letter(c)) return run_end(text, at, kWordPart, is_letter);
  if (is_digit(c)) return run_end(text, at, kDigitPart, is_digit);
  if (c == '\\') return escape_end(text, at);
  return at + 1;
}

template <class Sink>
void each_token(std::string_view text, Sink sink) {
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = token_end(text, begin);
    sink(text.substr(begin, end - begin));
    begin = end;
  }
}

}  // namespace

std::vector<std::string> split_tokens(std::string_view text) {
  std::vector<std::string> tokens;
  each_token(text, [&](std::string_view token) { tokens.emplace_back(token); });
  return tokens;
}

std::size_t count_tokens(std::string_view text) {
  std::size_t count = 0;
  each_token(text, [&](std::string_view) { ++count; });
  return count;
}

std::vector<std::string> long_tokens(std::size_t count) {
  std::vector<std::string> tokens;
  tokens.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::string token = i == 0 ? "" : " ";
    token += kWords[i % kWords.size()];
    tokens.push_back(std::move(token));
  }
  return tokens;
}

std::vector<std::string> split_bytes(std::string_view text, std::size_t bytes) {
  std::vector<std::string> pieces;
  for (std::size_t at = 0; at < text.size(); at += bytes)
    pieces.emplace_back(text.substr(at, bytes));
  return pieces;
}

std::string join(const std::vector<std::string>& pieces) {
  std::string text;
  for (const std::string& piece : pieces) text += piece;
  return text;
}

bool nested_too_deeply(std::string_view json) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxNesting) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

std::uint64_t fingerprint(std::string_view text, std::uint64_t seed) {
  for (const char c : text) seed = (seed ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return seed;
}

std::string fingerprint_hex(std::string_view text) {
  const std::uint64_t first = fingerprint(text);
  return fmt::format("{:016x}{:08x}", first, static_cast<std::uint32_t>(fingerprint(text, ~first)));
}

}  // namespace gatehouse::simulate

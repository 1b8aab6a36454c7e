// Parses the pattern language. Hostile input is bounded: length, nesting, repeat counts and the
// number of bytes a pattern expands to.
#include <array>
#include <optional>

#include "inspect/pattern.h"

namespace gatehouse::inspect {
namespace {

using Kind = PatternNode::Kind;

constexpr std::size_t max_pattern_length = 8192;
constexpr unsigned max_nesting = 40;
constexpr unsigned max_repeat = 1000;
constexpr std::size_t max_expanded = 20'000;  // byte positions after unrolling counted repeats

Pattern make(PatternNode node) {
  return std::make_shared<const PatternNode>(std::move(node));
}

Pattern make_bytes(const ByteSet& bytes) {
  return make({Kind::bytes, bytes, {}, 0, 0});
}

bool is_letter(unsigned char c) {
  return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

ByteSet one(unsigned char c, bool fold) {
  ByteSet set;
  set.set(c);
  if (fold && is_letter(c)) set.set(c ^ 0x20);
  return set;
}

ByteSet range(unsigned char low, unsigned char high) {
  ByteSet set;
  for (unsigned c = low; c <= high; ++c) set.set(c);
  return set;
}

ByteSet digits() {
  return range('0', '9');
}
ByteSet word() {
  return range('0', '9') | range('A', 'Z') | range('a', 'z') | one('_', false);
}
ByteSet space() {
  return range('\t', '\r') | one(' ', false);
}

// The class of \d \w \s \D \W \S, or nothing.
std::optional<ByteSet> class_escape(char c) {
  switch (c) {
    case 'd':
      return digits();
    case 'w':
      return word();
    case 's':
      return space();
    case 'D':
      return ~digits();
    case 'W':
      return ~word();
    case 'S':
      return ~space();
    default:
      return std::nullopt;
  }
}

// Every text is at most this many byte positions when counted repeats are unrolled.
std::size_t expanded_size(const Pattern& pattern) {
  std::size_t size = 1;
  for (const Pattern& child : pattern->children) size += expanded_size(child);
  if (pattern->kind != Kind::repeat) return size;
  const std::size_t times =
      pattern->max == PatternNode::unbounded ? pattern->min + 1 : pattern->max;
  return size * std::max<std::size_t>(times, 1);
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Pattern> whole() {
    if (text_.size() > max_pattern_length) return wrong("the pattern is too long");
    if (take("(?i)")) fold_ = true;
    GH_ASSIGN(Pattern pattern, alternation(0));
    if (!at_end()) return wrong("unexpected ')'");
    if (expanded_size(pattern) > max_expanded) return wrong("the pattern expands to too much");
    return pattern;
  }

  Result<ByteSet> single() {
    GH_ASSIGN(Pattern pattern, atom(0));
    if (!at_end() || pattern->kind != Kind::bytes) return wrong("expected one character class");
    return pattern->bytes;
  }

 private:
  bool at_end() const { return at_ == text_.size(); }
  char peek() const { return text_[at_]; }
  bool take(std::string_view token) {
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  std::unexpected<Error> wrong(std::string message) const {
    return fail(ErrorCode::invalid_argument,
                "pattern, character " + std::to_string(at_ + 1) + ": " + std::move(message));
  }

  Result<Pattern> alternation(unsigned depth) {
    if (depth > max_nesting) return wrong("nested too deeply");
    std::vector<Pattern> branches;
    do {
      GH_ASSIGN(Pattern branch, sequence(depth));
      branches.push_back(std::move(branch));
    } while (take("|"));
    if (branches.size() == 1) return branches.front();
    return make({Kind::alternate, {}, std::move(branches), 0, 0});
  }

  Result<Pattern> sequence(unsigned depth) {
    std::vector<Pattern> parts;
    while (!at_end() && peek() != '|' && peek() != ')') {
      const std::size_t start = at_;
      GH_ASSIGN(Pattern part, atom(depth));
      GH_ASSIGN(part, quantified(std::move(part), start));
      parts.push_back(std::move(part));
    }
    if (parts.empty()) return make({});
    if (parts.size() == 1) return parts.front();
    return make({Kind::concat, {}, std::move(parts), 0, 0});
  }

  Result<Pattern> atom(unsigned depth) {
    if (at_end()) return wrong("expected a character");
    const char c = text_[at_++];
    switch (c) {
      case '(':
        return group(depth);
      case '[':
        return bracket();
      case '.':
        return make_bytes(~one('\n', false));
      case '\\':
        return escape();
      case '^':
      case '$':
        return wrong("^ and $ are not part of the language; use before: and after:");
      case '*':
      case '+':
      case '?':
      case '{':
        return wrong("nothing to repeat");
      default:
        return make_bytes(one(static_cast<unsigned char>(c), fold_));
    }
  }

  Result<Pattern> group(unsigned depth) {
    const bool outer_fold = fold_;
    bool capture = false;
    if (take("?i:")) {
      fold_ = true;
    } else if (take("?-i:")) {
      fold_ = false;
    } else if (!take("?:")) {
      if (take("?")) return wrong("only (?: (?i: and (?-i: groups are known");
      if (seen_capture_) return wrong("only one ( ) group, the finding's span, is allowed");
      seen_capture_ = capture = true;
    }
    GH_ASSIGN(Pattern inside, alternation(depth + 1));
    if (!take(")")) return wrong("missing ')'");
    fold_ = outer_fold;
    if (!capture) return inside;
    if (depth != 0) return wrong("the ( ) group must not stand inside another group");
    return make({Kind::capture, {}, {std::move(inside)}, 0, 0});
  }

  Result<Pattern> escape() {
    if (at_end()) return wrong("a lone backslash");
    if (const auto set = class_escape(peek())) {
      ++at_;
      return make_bytes(*set);
    }
    GH_ASSIGN(const unsigned char byte, escaped_byte());
    return make_bytes(one(byte, fold_));
  }

  // After the backslash: one byte.
  Result<unsigned char> escaped_byte() {
    const char c = text_[at_++];
    switch (c) {
      case 't':
        return static_cast<unsigned char>('\t');
      case 'n':
        return static_cast<unsigned char>('\n');
      case 'r':
        return static_cast<unsigned char>('\r');
      case 'f':
        return static_cast<unsigned char>('\f');
      case 'v':
        return static_cast<unsigned char>('\v');
      case 'x':
        return hex_byte();
      default:
        break;
    }
    const auto byte = static_cast<unsigned char>(c);
    if (word().test(byte) || byte >= 0x80)
      return wrong(std::string("unknown escape \\") + c +
                   (c == 'b' ? "; use before: and after:" : ""));
    return byte;
  }

  Result<unsigned char> hex_byte() {
    unsigned value = 0;
    for (int i = 0; i < 2; ++i) {
      if (at_end()) return wrong("\\x needs two hexadecimal digits");
      const char c = static_cast<char>(text_[at_] | 0x20);
      if (c >= '0' && c <= '9')
        value = value * 16 + static_cast<unsigned>(c - '0');
      else if (c >= 'a' && c <= 'f')
        value = value * 16 + static_cast<unsigned>(c - 'a') + 10;
      else
        return wrong("\\x needs two hexadecimal digits");
      ++at_;
    }
    return static_cast<unsigned char>(value);
  }

  Result<Pattern> bracket() {
    const bool negated = take("^");
    ByteSet set;
    bool first = true;
    while (first || at_end() || peek() != ']') {
      if (at_end()) return wrong("missing ']'");
      first = false;
      GH_ASSIGN(const ByteSet item, bracket_item());
      set |= item;
    }
    ++at_;
    if (negated) set.flip();
    if (set.none()) return wrong("the class is empty");
    return make_bytes(set);
  }

  Result<ByteSet> bracket_item() {
    if (take("\\")) {
      if (at_end()) return wrong("a lone backslash");
      if (const auto set = class_escape(peek())) {
        ++at_;
        return *set;
      }
      GH_ASSIGN(const unsigned char byte, escaped_byte());
      return bracket_range(byte);
    }
    const auto byte = static_cast<unsigned char>(text_[at_++]);
    if (byte >= 0x80) return wrong("write bytes above 0x7f in a class as \\xHH");
    if (byte == '[' && !at_end() && peek() == ':') return wrong("[: :] classes are not known");
    return bracket_range(byte);
  }

  Result<ByteSet> bracket_range(unsigned char low) {
    const bool is_range = at_ + 1 < text_.size() && text_[at_] == '-' && text_[at_ + 1] != ']';
    if (!is_range) return one(low, fold_);
    ++at_;
    auto high = static_cast<unsigned char>(text_[at_++]);
    if (high == '\\') {
      if (at_end()) return wrong("a lone backslash");
      GH_ASSIGN(high, escaped_byte());
    }
    if (high < low) return wrong("a range runs backwards");
    ByteSet set;
    for (unsigned c = low; c <= high; ++c) set |= one(static_cast<unsigned char>(c), fold_);
    return set;
  }

  Result<Pattern> quantified(Pattern part, std::size_t start) {
    if (at_end()) return part;
    unsigned min = 0;
    unsigned max = PatternNode::unbounded;
    if (take("*")) {
    } else if (take("+")) {
      min = 1;
    } else if (take("?")) {
      max = 1;
    } else if (take("{")) {
      GH_TRY(counts(min, max));
    } else {
      return part;
    }
    if (!at_end() && (peek() == '?' || peek() == '*' || peek() == '+' || peek() == '{'))
      return wrong("a repeat of a repeat (or a lazy one) is not part of the language");
    if (part->kind == Kind::capture) return wrong("the ( ) group must not be repeated");
    if (static_cast<unsigned char>(text_[start]) >= 0x80)
      return wrong("a repeat after a non-ASCII character applies to its last byte; group it");
    return make({Kind::repeat, {}, {std::move(part)}, min, max});
  }

  Result<void> counts(unsigned& min, unsigned& max) {
    GH_ASSIGN(min, number());
    max = min;
    if (take(",")) {
      max = PatternNode::unbounded;
      if (!at_end() && peek() != '}') {
        GH_ASSIGN(max, number());
      }
    }
    if (!take("}")) return wrong("missing '}'");
    if (max < min || max == 0) return wrong("a repeat count runs backwards");
    return {};
  }

  Result<unsigned> number() {
    unsigned value = 0;
    const std::size_t start = at_;
    while (!at_end() && peek() >= '0' && peek() <= '9' && value <= max_repeat)
      value = value * 10 + static_cast<unsigned>(text_[at_++] - '0');
    if (at_ == start || value > max_repeat)
      return wrong("a repeat count is a number up to " + std::to_string(max_repeat));
    return value;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool fold_ = false;
  bool seen_capture_ = false;
};

}  // namespace

Result<Pattern> parse_pattern(std::string_view text) {
  return Parser(text).whole();
}

Pattern literal(std::string_view text, bool fold) {
  std::vector<Pattern> parts;
  for (const char c : text) parts.push_back(make_bytes(one(static_cast<unsigned char>(c), fold)));
  if (parts.size() == 1) return parts.front();
  return make({parts.empty() ? Kind::empty : Kind::concat, {}, std::move(parts), 0, 0});
}

Result<ByteSet> parse_byte_set(std::string_view text) {
  return Parser(text).single();
}

}  // namespace gatehouse::inspect

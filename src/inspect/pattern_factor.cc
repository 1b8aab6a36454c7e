// Which piece of a pattern to look for: one that ordinary text seldom has, so that no automaton is
// asked. One that begins with known letters where there is one, or that only tokens hold;
// else where digits or signs begin.
#include <algorithm>
#include <cmath>

#include "inspect/gates.h"
#include "inspect/pattern.h"

namespace gatehouse::inspect {
namespace {

using Kind = PatternNode::Kind;

// How much of a pattern is looked for. More makes fewer false hits and larger automata.
constexpr std::size_t factor_bytes = 20;
// How many bytes of a piece are weighed when pieces are compared.
constexpr std::size_t weighed_bytes = 8;
// A later piece must be rarer than the first by this many bits: the first tells where matches
// begin.
constexpr double bits_for_place = 6;
// What begins with a few known letters is found without an automaton: worth this many bits
// each, up to four letters.
constexpr std::size_t fewest_literal_bytes = 2;
constexpr std::size_t most_literal_bytes = 4;
constexpr double bits_for_literal_byte = 6;
// Numbers stand everywhere: what begins with a digit is rarer by fewer bits than it seems.
constexpr double bits_against_digits = 14;
// A piece that is a token (gates.h) is looked for in tokens only.
constexpr double bits_for_token = 20;

// Roughly how often a byte stands in prose, code and JSON.
double frequency(unsigned byte) {
  if (byte >= 'a' && byte <= 'z') return 0.025;
  if (byte >= 'A' && byte <= 'Z') return 0.004;
  if (byte >= '0' && byte <= '9') return 0.006;
  if (byte == ' ') return 0.16;
  if (byte == '\n' || byte == '"') return 0.03;
  return byte >= 0x20 && byte < 0x7f ? 0.006 : 0.001;
}

double bits(const ByteSet& set) {
  double sum = 0;
  for (unsigned byte = 0; byte < 256; ++byte)
    if (set.test(byte)) sum += frequency(byte);
  return -std::log2(std::min(sum, 1.0));
}

struct Weight {
  double bits = 0;
  std::size_t bytes = 0;
};

// The least surprise of the first bytes of a text of the pattern.
Weight weigh(const Pattern& pattern, std::size_t bytes) {
  Weight weight;
  switch (pattern->kind) {
    case Kind::empty:
      break;
    case Kind::bytes:
      return {bits(pattern->bytes), 1};
    case Kind::capture:
      return weigh(pattern->children[0], bytes);
    case Kind::concat:
      for (const Pattern& child : pattern->children) {
        if (weight.bytes >= bytes) break;
        const Weight part = weigh(child, bytes - weight.bytes);
        weight.bits += part.bits;
        weight.bytes += part.bytes;
      }
      break;
    case Kind::alternate: {
      weight.bits = 1e9;
      for (const Pattern& child : pattern->children) {
        const Weight branch = weigh(child, bytes);
        if (branch.bits < weight.bits) weight = branch;
      }
      weight.bits = std::max(0.0, weight.bits - std::log2(double(pattern->children.size())));
      break;
    }
    case Kind::repeat: {
      const Weight once = weigh(pattern->children[0], bytes);
      const auto times = std::min<std::size_t>(
          pattern->min, once.bytes == 0 ? 0 : (bytes + once.bytes - 1) / once.bytes);
      weight = {once.bits * double(times), once.bytes * times};
      if (weight.bytes > bytes)
        weight = {weight.bits * double(bytes) / double(weight.bytes), bytes};
      break;
    }
  }
  return weight;
}

// A letter in either case, or one byte.
bool is_literal(const ByteSet& bytes) {
  if (bytes.count() == 1) return true;
  if (bytes.count() != 2) return false;
  for (unsigned c = 'a'; c <= 'z'; ++c)
    if (bytes.test(c)) return bytes.test(c - 'a' + 'A');
  return false;
}

struct Literal {
  std::size_t bytes = 0;
  bool whole = true;  // the pattern is nothing else
};

// With how many known bytes every text of the pattern begins.
Literal literal_prefix(const Pattern& pattern) {
  switch (pattern->kind) {
    case Kind::empty:
      return {};
    case Kind::bytes:
      return is_literal(pattern->bytes) ? Literal{1, true} : Literal{0, false};
    case Kind::capture:
      return literal_prefix(pattern->children[0]);
    case Kind::concat: {
      Literal all;
      for (const Pattern& child : pattern->children) {
        const Literal part = literal_prefix(child);
        all.bytes += part.bytes;
        if (!part.whole) return {all.bytes, false};
      }
      return all;
    }
    case Kind::alternate: {
      Literal least{SIZE_MAX, true};
      for (const Pattern& child : pattern->children) {
        const Literal part = literal_prefix(child);
        if (part.bytes < least.bytes) least.bytes = part.bytes;
        least.whole = least.whole && part.whole;
      }
      return least;
    }
    case Kind::repeat: {
      const Literal once = literal_prefix(pattern->children[0]);
      if (pattern->min == 0) return {0, false};
      if (!once.whole) return once;
      return {once.bytes * pattern->min, pattern->min == pattern->max};
    }
  }
  return {0, false};
}

// A stretch of many bytes that may be nearly anything.
bool is_gap(const Pattern& pattern) {
  return pattern->kind == Kind::repeat && pattern->max > 8 &&
         pattern->children[0]->kind == Kind::bytes && pattern->children[0]->bytes.count() > 8;
}

Pattern sequence(std::vector<Pattern> parts) {
  return std::make_shared<const PatternNode>(PatternNode{Kind::concat, {}, std::move(parts), 0, 0});
}

// Every text of the pattern begins with one of these: what follows some known bytes and a gap is
// left out, since an automaton for it is large and wakes no less often.
Pattern up_to_gap(const Pattern& pattern) {
  if (pattern->kind == Kind::alternate) {
    auto node = std::make_shared<PatternNode>(*pattern);
    for (Pattern& child : node->children) child = up_to_gap(child);
    return node;
  }
  if (pattern->kind != Kind::concat) return pattern;
  std::vector<Pattern> parts;
  for (const Pattern& child : pattern->children) {
    if (is_gap(child) && literal_prefix(sequence(parts)).bytes >= most_literal_bytes) break;
    parts.push_back(child);
  }
  return sequence(std::move(parts));
}

struct Piece {
  Pattern pattern;
  bool in_token = false;
  double rarity = 0;
};

// How seldom a piece wakes an automaton: its first bytes count, and the very first most.
double rarity(const Piece& piece) {
  const Weight weight = weigh(piece.pattern, weighed_bytes);
  if (weight.bytes < 3) return 0;
  const std::size_t known = literal_prefix(piece.pattern).bytes;
  const ByteSet first = first_bytes(piece.pattern);
  const bool digits = first.test('0') && first.test('9');
  return weight.bits - (digits ? bits_against_digits : 0) + 2 * bits(first) +
         (piece.in_token ? bits_for_token : 0) +
         (known < fewest_literal_bytes
              ? 0
              : bits_for_literal_byte * double(std::min(known, most_literal_bytes)));
}

Piece piece_from(const std::vector<Pattern>& parts, std::size_t first) {
  static const Pattern token = *parse_pattern(token_pattern());
  const Pattern rest = sequence({parts.begin() + static_cast<std::ptrdiff_t>(first), parts.end()});
  const Pattern longer = trim_tail(limit_head(rest, shortest_token + beside_token));
  Piece piece;
  piece.in_token = min_width(longer) >= shortest_token &&
                   max_width(longer) <= shortest_token + beside_token &&
                   always_contains(longer, token);
  // Words look like a short piece of nothing but letters and digits.
  piece.pattern = piece.in_token && literal_prefix(rest).bytes < fewest_literal_bytes
                      ? longer
                      : trim_tail(up_to_gap(limit_head(rest, factor_bytes)));
  piece.rarity = rarity(piece);
  return piece;
}

}  // namespace

// Blanks do not go on for long where it matters, and end where something else begins.
bool is_short_stretch(const Pattern& pattern) {
  return pattern->kind == Kind::repeat && pattern->children[0]->kind == Kind::bytes &&
         pattern->children[0]->bytes.count() <= 8;
}

Pattern up_to_stretch(const Pattern& pattern, std::size_t longest) {
  auto node = std::make_shared<PatternNode>(*pattern);
  if (pattern->kind == Kind::alternate || pattern->kind == Kind::capture) {
    for (Pattern& child : node->children) child = up_to_stretch(child, longest);
  } else if (pattern->kind == Kind::concat) {
    node->children.clear();
    for (const Pattern& child : pattern->children) {
      if (max_width(child) > longest && !is_short_stretch(child)) {
        node->children.push_back(up_to_stretch(child, longest));
        break;
      }
      node->children.push_back(child);
    }
  } else if (pattern->kind == Kind::repeat && max_width(pattern) > longest) {
    // As many times as it is there at least.
    node->max = node->min;
    if (max_width(node) > longest) return sequence({});
  }
  return node;
}

std::vector<Pattern> parts_of(const Pattern& pattern) {
  if (pattern->kind != Kind::concat && pattern->kind != Kind::capture) return {pattern};
  std::vector<Pattern> parts;
  for (const Pattern& child : pattern->children)
    std::ranges::move(parts_of(child), std::back_inserter(parts));
  return parts;
}

Factor rare_factor(const Pattern& pattern) {
  const std::vector<Pattern> parts = parts_of(pattern);
  std::size_t place = 0;
  Piece best = piece_from(parts, 0);
  best.rarity += bits_for_place;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (min_width(parts[i]) == 0) continue;
    Piece piece = piece_from(parts, i);
    if (piece.rarity <= best.rarity) continue;
    place = i;
    best = std::move(piece);
  }
  Factor factor;
  factor.pattern = best.pattern;
  factor.in_token = best.in_token;
  std::vector<Pattern> whole(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(place));
  factor.before = sequence(whole);
  factor.before_min = min_width(factor.before);
  factor.before_max = max_width(factor.before);
  whole.push_back(factor.pattern);
  factor.up_to_end = sequence(std::move(whole));
  factor.end_min = min_width(factor.up_to_end);
  factor.end_max = max_width(factor.up_to_end);
  return factor;
}

}  // namespace gatehouse::inspect

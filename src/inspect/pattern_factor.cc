// Which piece of a pattern to give to Hyperscan: one that ordinary text seldom has, so that its
// automata sleep. A literal where there is one; else where digits or signs begin.
#include <algorithm>
#include <cmath>

#include "inspect/pattern.h"

namespace gatehouse::inspect {
namespace {

using Kind = PatternNode::Kind;

// How much of a pattern is looked for. More makes fewer false hits and larger automata.
constexpr std::size_t factor_bytes = 14;
// How many bytes of a piece are weighed when pieces are compared.
constexpr std::size_t weighed_bytes = 6;
// A later piece must be rarer than the first by this many bits: the first tells where matches
// begin.
constexpr double bits_for_place = 6;

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
      break;
    }
  }
  return weight;
}

void flatten(const Pattern& pattern, std::vector<Pattern>& parts) {
  if (pattern->kind == Kind::concat || pattern->kind == Kind::capture) {
    for (const Pattern& child : pattern->children) flatten(child, parts);
  } else {
    parts.push_back(pattern);
  }
}

Pattern sequence(std::vector<Pattern> parts) {
  return std::make_shared<const PatternNode>(PatternNode{Kind::concat, {}, std::move(parts), 0, 0});
}

Pattern piece_from(const std::vector<Pattern>& parts, std::size_t first) {
  return trim_tail(limit_head(
      sequence({parts.begin() + static_cast<std::ptrdiff_t>(first), parts.end()}), factor_bytes));
}

// How seldom a piece wakes an automaton: its first bytes count, and the very first most.
double rarity(const Pattern& piece) {
  const Weight weight = weigh(piece, weighed_bytes);
  return weight.bytes < 3 ? 0 : weight.bits + 2 * bits(first_bytes(piece));
}

}  // namespace

Factor rare_factor(const Pattern& pattern) {
  std::vector<Pattern> parts;
  flatten(pattern, parts);
  std::size_t best = 0;
  double best_rarity = rarity(piece_from(parts, 0)) + bits_for_place;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (min_width(parts[i]) == 0) continue;
    const double found = rarity(piece_from(parts, i));
    if (found <= best_rarity) continue;
    best = i;
    best_rarity = found;
  }
  Factor factor;
  factor.pattern = piece_from(parts, best);
  std::vector<Pattern> whole(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(best));
  whole.push_back(factor.pattern);
  factor.up_to_end = sequence(std::move(whole));
  factor.end_min = min_width(factor.up_to_end);
  factor.end_max = max_width(factor.up_to_end);
  return factor;
}

}  // namespace gatehouse::inspect

#include "inspect/byte_pairs.h"

#include "inspect/byte_shares.h"

namespace gatehouse::inspect {

using Kind = PatternNode::Kind;

void BytePairs::add(const Pattern& pattern) {
  add_inside(pattern);
}

void BytePairs::add(const BytePairs& others) {
  for (std::size_t byte = 0; byte < seconds_.size(); ++byte)
    seconds_[byte] |= others.seconds_[byte];
}

// Adds the pairs within; says what its texts begin and end with.
BytePairs::Ends BytePairs::add_inside(const Pattern& pattern) {
  switch (pattern->kind) {
    case Kind::empty:
      return {};
    case Kind::bytes:
      return {false, pattern->bytes, pattern->bytes};
    case Kind::capture:
      return add_inside(pattern->children[0]);
    case Kind::concat: {
      Ends whole;
      for (const Pattern& child : pattern->children) {
        const Ends next = add_inside(child);
        add_between(whole.last, next.first);
        if (whole.nullable) whole.first |= next.first;
        if (!next.nullable) whole.last.reset();
        whole.last |= next.last;
        whole.nullable = whole.nullable && next.nullable;
      }
      return whole;
    }
    case Kind::alternate: {
      Ends whole{false, {}, {}};
      for (const Pattern& child : pattern->children) {
        const Ends branch = add_inside(child);
        whole.nullable = whole.nullable || branch.nullable;
        whole.first |= branch.first;
        whole.last |= branch.last;
      }
      return whole;
    }
    case Kind::repeat: {
      Ends whole = add_inside(pattern->children[0]);
      if (pattern->max > 1) add_between(whole.last, whole.first);
      whole.nullable = whole.nullable || pattern->min == 0;
      return whole;
    }
  }
  return {};
}

void BytePairs::add_between(const ByteSet& firsts, const ByteSet& seconds) {
  for (std::size_t byte = 0; byte < firsts.size(); ++byte)
    if (firsts.test(byte)) seconds_[byte] |= seconds;
}

// Most bytes have the seconds of the byte before them.
double BytePairs::share() const {
  double all = 0;
  double ours = 0;
  double after = 0;
  for (std::size_t byte = 0; byte < seconds_.size(); ++byte) {
    if (byte == 0 || seconds_[byte] != seconds_[byte - 1]) after = sum_of_shares(seconds_[byte]);
    all += byte_shares[byte];
    ours += byte_shares[byte] * after;
  }
  return ours / (all * all);
}

std::size_t BytePairs::tail(std::string_view text, std::size_t most) const {
  std::size_t size = 1;
  while (size < most && has(text[text.size() - size - 1], text[text.size() - size])) ++size;
  return size;
}

}  // namespace gatehouse::inspect

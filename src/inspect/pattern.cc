// The forms derived from a pattern's tree: printed, measured, trimmed.
#include "inspect/pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace gatehouse::inspect {
namespace {

using Kind = PatternNode::Kind;
constexpr unsigned unbounded = PatternNode::unbounded;
constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

Pattern make(PatternNode node) {
  return std::make_shared<const PatternNode>(std::move(node));
}

Pattern empty() {
  return make({});
}

Pattern concat(std::vector<Pattern> parts) {
  std::erase_if(parts, [](const Pattern& part) { return part->kind == Kind::empty; });
  if (parts.empty()) return empty();
  if (parts.size() == 1) return parts.front();
  return make({Kind::concat, {}, std::move(parts), 0, 0});
}

Pattern alternate(std::vector<Pattern> branches) {
  if (branches.size() == 1) return branches.front();
  return make({Kind::alternate, {}, std::move(branches), 0, 0});
}

Pattern repeat(Pattern child, unsigned min, unsigned max) {
  if (max == 0 || child->kind == Kind::empty) return empty();
  if (min == 1 && max == 1) return child;
  return make({Kind::repeat, {}, {std::move(child)}, min, max});
}

void print_byte(std::string& out, unsigned byte) {
  const bool plain = (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z');
  if (plain && byte < 0x80) {
    out.push_back(static_cast<char>(byte));
  } else {
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
  }
}

void print_set(std::string& out, const ByteSet& set) {
  if (set.count() == 1) {
    for (unsigned byte = 0; byte < 256; ++byte)
      if (set.test(byte)) print_byte(out, byte);
    return;
  }
  out.push_back('[');
  for (unsigned byte = 0; byte < 256;) {
    if (!set.test(byte)) {
      ++byte;
      continue;
    }
    unsigned last = byte;
    while (last + 1 < 256 && set.test(last + 1)) ++last;
    print_byte(out, byte);
    if (last > byte + 1) out.push_back('-');
    if (last > byte) print_byte(out, last);
    byte = last + 1;
  }
  out.push_back(']');
}

void print_counts(std::string& out, unsigned min, unsigned max) {
  if (min == 0 && max == unbounded) {
    out += '*';
  } else if (min == 1 && max == unbounded) {
    out += '+';
  } else if (min == 0 && max == 1) {
    out += '?';
  } else if (max == unbounded) {
    fmt::format_to(std::back_inserter(out), "{{{},}}", min);
  } else if (min == max) {
    fmt::format_to(std::back_inserter(out), "{{{}}}", min);
  } else {
    fmt::format_to(std::back_inserter(out), "{{{},{}}}", min, max);
  }
}

void print(std::string& out, const Pattern& pattern, bool captures) {
  switch (pattern->kind) {
    case Kind::empty:
      break;
    case Kind::bytes:
      print_set(out, pattern->bytes);
      break;
    case Kind::concat:
      for (const Pattern& child : pattern->children) print(out, child, captures);
      break;
    case Kind::alternate:
      out += "(?:";
      for (std::size_t i = 0; i < pattern->children.size(); ++i) {
        if (i != 0) out += '|';
        print(out, pattern->children[i], captures);
      }
      out += ')';
      break;
    case Kind::repeat: {
      const bool bare = pattern->children[0]->kind == Kind::bytes;
      if (!bare) out += "(?:";
      print(out, pattern->children[0], captures);
      if (!bare) out += ')';
      print_counts(out, pattern->min, pattern->max);
      break;
    }
    case Kind::capture:
      out += captures ? "(" : "(?:";
      print(out, pattern->children[0], captures);
      out += ')';
      break;
  }
}

std::size_t times(std::size_t width, unsigned count) {
  if (width == 0 || count == 0) return 0;
  if (count == unbounded || width == no_limit || width > no_limit / count) return no_limit;
  return width * count;
}

std::size_t plus(std::size_t a, std::size_t b) {
  return a > no_limit - b ? no_limit : a + b;
}

Pattern trim_concat(std::vector<Pattern> parts) {
  while (!parts.empty()) {
    Pattern last = trim_tail(parts.back());
    const bool gone = last->kind == Kind::empty;
    parts.pop_back();
    if (gone) continue;
    parts.push_back(std::move(last));
    break;
  }
  return concat(std::move(parts));
}

Pattern trim_alternate(const Pattern& pattern) {
  std::vector<Pattern> branches;
  for (const Pattern& child : pattern->children) {
    Pattern trimmed = trim_tail(child);
    if (trimmed->kind == Kind::empty) return trimmed;
    branches.push_back(std::move(trimmed));
  }
  return alternate(std::move(branches));
}

// A pattern cut at its head; `cut`: nothing may follow it.
struct Head {
  Pattern pattern;
  bool cut = false;
};

Head limit(const Pattern& pattern, std::size_t bytes);

Head limit_concat(const Pattern& pattern, std::size_t bytes) {
  std::vector<Pattern> parts;
  std::size_t used = 0;
  for (const Pattern& child : pattern->children) {
    if (used >= bytes) return {concat(std::move(parts)), true};
    Head head = limit(child, bytes - used);
    parts.push_back(std::move(head.pattern));
    if (head.cut) return {concat(std::move(parts)), true};
    used += min_width(child);
  }
  return {concat(std::move(parts)), false};
}

Head limit_alternate(const Pattern& pattern, std::size_t bytes) {
  std::vector<Pattern> branches;
  bool cut = false;
  for (const Pattern& child : pattern->children) cut = cut || limit(child, bytes).cut;
  if (!cut) return {pattern, false};
  for (const Pattern& child : pattern->children) branches.push_back(limit(child, bytes).pattern);
  return {alternate(std::move(branches)), true};
}

Head limit(const Pattern& pattern, std::size_t bytes) {
  switch (pattern->kind) {
    case Kind::empty:
    case Kind::bytes:
      return {pattern, false};
    case Kind::concat:
      return limit_concat(pattern, bytes);
    case Kind::alternate:
      return limit_alternate(pattern, bytes);
    case Kind::capture:
      return limit(pattern->children[0], bytes);
    case Kind::repeat: {
      const std::size_t width = std::max<std::size_t>(min_width(pattern->children[0]), 1);
      const auto enough = static_cast<unsigned>((bytes + width - 1) / width);
      if (pattern->min < enough) return {pattern, false};
      return {repeat(pattern->children[0], enough, enough), true};
    }
  }
  return {pattern, false};
}

bool nullable(const Pattern& pattern) {
  return min_width(pattern) == 0;
}

using Ends = std::set<std::size_t>;

// What texts of the pattern that begin at these places have there. Gives where they may end, as far
// as there are places.
Ends add_opening(const Pattern& pattern, const Ends& begins, std::vector<ByteSet>& places) {
  Ends ends;
  switch (pattern->kind) {
    case Kind::empty:
      return begins;
    case Kind::bytes:
      for (const std::size_t begin : begins) {
        places[begin] |= pattern->bytes;
        if (begin + 1 < places.size()) ends.insert(begin + 1);
      }
      return ends;
    case Kind::capture:
      return add_opening(pattern->children[0], begins, places);
    case Kind::concat:
      ends = begins;
      for (const Pattern& child : pattern->children) ends = add_opening(child, ends, places);
      return ends;
    case Kind::alternate:
      for (const Pattern& child : pattern->children) ends.merge(add_opening(child, begins, places));
      return ends;
    case Kind::repeat:
      break;
  }
  Ends last = begins;
  for (unsigned i = 0; i < pattern->max && !last.empty() && i <= places.size(); ++i) {
    if (i >= pattern->min) ends.insert(last.begin(), last.end());
    last = add_opening(pattern->children[0], last, places);
  }
  ends.merge(last);
  return ends;
}

}  // namespace

std::string to_regex(const Pattern& pattern, bool captures) {
  std::string out;
  print(out, pattern, captures);
  return out;
}

std::string to_regex(const ByteSet& bytes) {
  std::string out;
  print_set(out, bytes);
  return out;
}

std::size_t min_width(const Pattern& pattern) {
  switch (pattern->kind) {
    case Kind::empty:
      return 0;
    case Kind::bytes:
      return 1;
    case Kind::concat: {
      std::size_t width = 0;
      for (const Pattern& child : pattern->children) width = plus(width, min_width(child));
      return width;
    }
    case Kind::alternate: {
      std::size_t width = no_limit;
      for (const Pattern& child : pattern->children) width = std::min(width, min_width(child));
      return width;
    }
    case Kind::repeat:
      return times(min_width(pattern->children[0]), pattern->min);
    case Kind::capture:
      return min_width(pattern->children[0]);
  }
  return 0;
}

std::size_t max_width(const Pattern& pattern) {
  switch (pattern->kind) {
    case Kind::empty:
      return 0;
    case Kind::bytes:
      return 1;
    case Kind::concat: {
      std::size_t width = 0;
      for (const Pattern& child : pattern->children) width = plus(width, max_width(child));
      return width;
    }
    case Kind::alternate: {
      std::size_t width = 0;
      for (const Pattern& child : pattern->children) width = std::max(width, max_width(child));
      return width;
    }
    case Kind::repeat:
      return times(max_width(pattern->children[0]), pattern->max);
    case Kind::capture:
      return max_width(pattern->children[0]);
  }
  return 0;
}

bool ends_with_capture(const Pattern& pattern) {
  return !has_capture(pattern) || pattern->kind == Kind::capture ||
         (pattern->kind == Kind::concat && pattern->children.back()->kind == Kind::capture);
}

bool has_capture(const Pattern& pattern) {
  return pattern->kind == Kind::capture ||
         std::any_of(pattern->children.begin(), pattern->children.end(), has_capture);
}

Pattern trim_tail(const Pattern& pattern) {
  switch (pattern->kind) {
    case Kind::empty:
    case Kind::bytes:
      return pattern;
    case Kind::concat:
      return trim_concat(pattern->children);
    case Kind::alternate:
      return trim_alternate(pattern);
    case Kind::capture:
      return trim_tail(pattern->children[0]);
    case Kind::repeat: {
      if (pattern->min == 0) return empty();
      const Pattern& child = pattern->children[0];
      return concat({repeat(child, pattern->min - 1, pattern->min - 1), trim_tail(child)});
    }
  }
  return pattern;
}

Pattern limit_head(const Pattern& pattern, std::size_t bytes) {
  return limit(pattern, bytes).pattern;
}

std::vector<ByteSet> opening(const Pattern& pattern, std::size_t most) {
  std::vector<ByteSet> places(most);
  add_opening(pattern, {0}, places);
  places.resize(std::min(most, min_width(pattern)));
  return places;
}

ByteSet first_bytes(const Pattern& pattern) {
  ByteSet first = pattern->bytes;
  for (const Pattern& child : pattern->children) {
    first |= first_bytes(child);
    if (pattern->kind == Kind::concat && !nullable(child)) break;
  }
  return first;
}

}  // namespace gatehouse::inspect

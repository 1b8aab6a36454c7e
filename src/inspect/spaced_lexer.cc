// Ordinary text seldom has separators three times at equal distances: that rhythm is looked for, 49
// bytes at a time, and all else is done where it is found.
#include <algorithm>
#include <bit>
#include <optional>

#include "inspect/segments.h"
#include "inspect/wide_bytes.h"

namespace gatehouse::inspect {
namespace {

using Shape = SpacedLexer::Shape;

constexpr std::size_t shortest_period = 2;
constexpr std::size_t longest_period = 7;  // 0x41 and three of separator
constexpr std::size_t most_separator = 3;
constexpr std::size_t rhythm = 2 * longest_period + 1;
constexpr std::size_t least_characters = 8;

constexpr auto separators = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view(" -_.,/|*+:;~\t\n"))
    table[static_cast<unsigned char>(c)] = true;
  return table;
}();
bool is_separator(char c) {
  return separators[static_cast<unsigned char>(c)];
}
bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}
int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const int lower = c | 0x20;
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}
bool is_text_byte(int byte) {
  return (byte >= 0x20 && byte < 0x7f) || byte == '\t' || byte == '\n' || byte == '\r';
}

// The byte that a token stands for.
std::optional<char> value_of(std::string_view text, std::size_t at, std::size_t width) {
  if (at + width > text.size()) return std::nullopt;
  if (width == 1) {
    const char c = text[at];
    return c > 0x20 && c < 0x7f ? std::optional(c) : std::nullopt;
  }
  if (width == 4 && (text[at] != '0' || (text[at + 1] | 0x20) != 'x')) return std::nullopt;
  const int high = hex_value(text[at + width - 2]);
  const int low = hex_value(text[at + width - 1]);
  if (high < 0 || low < 0 || !is_text_byte(high * 16 + low)) return std::nullopt;
  return static_cast<char>(high * 16 + low);
}

bool stands_apart(std::string_view text, std::size_t begin) {
  return begin == 0 || !is_alnum(text[begin - 1]);
}

[[gnu::always_inline]] inline Bytes is_hex(Bytes a) {
  return any(between(a, '0', '9'), between(folded(a), 'a', 'f'));
}
// More bytes than are separators, but no letters or digits.
[[gnu::always_inline]] inline Bytes may_separate(Bytes a) {
  return any(below(a, '0'), above(a, 'z'), equal(a, '_'), between(a, ':', ';'));
}

// A bit for each of 64 bytes.
struct Kinds {
  std::uint64_t separator = 0;  // may_separate
  std::uint64_t visible = 0;
  std::uint64_t hex = 0;
  std::uint64_t prefix = 0;             // 0x begins
  std::array<std::uint64_t, 5> same{};  // the same byte stands so far behind
};
[[gnu::always_inline]] inline Kinds kinds_of(const char* at) {
  Kinds kinds;
  for (unsigned i = 0; i < 64; i += wide) {
    const Bytes a = load(at + i);
    const Bytes prefix = all(equal(a, '0'), equal(folded(load(at + i + 1)), 'x'));
    kinds.separator |= std::uint64_t{bits(may_separate(a))} << i;
    kinds.visible |= std::uint64_t{bits(between(a, 0x21, 0x7e))} << i;
    kinds.hex |= std::uint64_t{bits(is_hex(a))} << i;
    kinds.prefix |= std::uint64_t{bits(prefix)} << i;
    for (unsigned far = 1; far < kinds.same.size(); ++far)
      kinds.same[far] |= std::uint64_t{bits(equal(a, load(at + i + far)))} << i;
  }
  return kinds;
}
GH_TARGET_AVX2 Kinds kinds_avx2(const char* at) {
  return kinds_of(at);
}
constexpr std::size_t read_for_kinds = 64 + 4;

// Of the bytes [at, at + rhythm_step) those at which a separator may begin that stands three times
// at equal distances, with tokens between. What it does not see is no run (shape_at); what it sees
// may be none. Reads read_for_kinds bytes.
constexpr std::size_t rhythm_step = 64 - rhythm;
std::uint64_t rhythms(const char* at) {
  const Kinds kinds = has_avx2() ? kinds_avx2(at) : kinds_of(at);
  const std::uint64_t s1 = kinds.separator;
  const std::uint64_t s2 = s1 & s1 >> 1;
  const std::uint64_t s3 = s2 & s1 >> 2;
  const std::uint64_t byte = kinds.hex & kinds.hex >> 1;
  const std::uint64_t prefixed = kinds.prefix & byte >> 2;
  // The separator, the token behind it, both again, and the separator.
  const auto thrice = [&](std::uint64_t separators, std::uint64_t tokens, unsigned separator,
                          unsigned token) {
    const std::uint64_t once = separators & tokens >> separator;
    const unsigned period = separator + token;
    const std::uint64_t same = period < kinds.same.size() ? kinds.same[period] : s1 >> period;
    return once & once >> period & same & same >> period;
  };
  // A token of one byte is another one than its separator's first.
  const std::uint64_t found = (thrice(s1, kinds.visible, 1, 1) & ~kinds.same[1]) |
                              (thrice(s2, kinds.visible, 2, 1) & ~kinds.same[2]) |
                              (thrice(s3, kinds.visible, 3, 1) & ~kinds.same[3]) |
                              thrice(s1, byte, 1, 2) | thrice(s2, byte, 2, 2) |
                              thrice(s3, byte, 3, 2) | thrice(s1, prefixed, 1, 4) |
                              thrice(s2, prefixed, 2, 4) | thrice(s3, prefixed, 3, 4);
  return found & ((std::uint64_t{1} << rhythm_step) - 1);
}

// The shape of a run whose first token ends where the separator at `at` begins, if three separators
// at this period are there.
std::optional<Shape> shape_at(std::string_view text, std::size_t from, std::size_t at,
                              std::size_t period) {
  if (at + 2 * period >= text.size() || !is_separator(text[at]) || text[at + period] != text[at] ||
      text[at + 2 * period] != text[at])
    return std::nullopt;
  std::size_t size = 1;
  while (size + 1 < period && size < most_separator && is_separator(text[at + size])) ++size;
  const std::size_t width = period - size;
  if (width != 1 && width != 2 && width != 4) return std::nullopt;
  const std::string_view separator = text.substr(at, size);
  if (at < from + width || text.substr(at + period, size) != separator) return std::nullopt;
  const Shape shape{width, size, at - width};
  for (const std::size_t token : {at - width, at + size, at + period + size})
    if (!value_of(text, token, width) || text[token] == text[at]) return std::nullopt;
  return stands_apart(text, shape.begin) ? std::optional(shape) : std::nullopt;
}

std::optional<Shape> any_shape_at(std::string_view text, std::size_t from, std::size_t at) {
  if (!is_separator(text[at])) return std::nullopt;
  for (std::size_t period = shortest_period; period <= longest_period; ++period)
    if (auto shape = shape_at(text, from, at, period)) return shape;
  return std::nullopt;
}

// The first such run that begins at or after `from`.
std::optional<Shape> find_shape(std::string_view text, std::size_t from, bool last) {
  // Only where all rhythms are seen whole: which is found first must not depend on cuts.
  const std::size_t stop =
      last ? text.size() : text.size() - std::min(text.size(), 2 * longest_period);
  for (std::size_t at = from; at < stop; at += rhythm_step) {
    const Padded<read_for_kinds> rest(text, at);
    for (std::uint64_t left = rhythms(rest.data()); left != 0; left &= left - 1) {
      const std::size_t place = at + static_cast<std::size_t>(std::countr_zero(left));
      if (place >= stop) return std::nullopt;
      if (auto shape = any_shape_at(text, from, place)) return shape;
    }
  }
  return std::nullopt;
}

// Where at the end of the text a run may begin whose rhythm is not there yet.
std::size_t tail_from(std::string_view text, std::size_t from) {
  constexpr std::size_t most = rhythm + 4;
  std::size_t at = std::max(from, text.size() - std::min(text.size(), most));
  for (; at < text.size(); ++at) {
    if (!stands_apart(text, at) || text[at] <= 0x20) continue;
    // A token that is followed by a separator, or by nothing yet.
    const std::size_t left = text.size() - at;
    if (left == 1 || is_separator(text[at + 1])) return at;
    const bool hex = hex_value(text[at]) >= 0 &&
                     (hex_value(text[at + 1]) >= 0 || text[at + 1] == 'x' || text[at + 1] == 'X');
    if (hex && (left <= 2 || is_separator(text[at + 2]))) return at;
    if (hex && text[at] == '0' && (left <= 4 || is_separator(text[at + 4]))) return at;
  }
  return text.size();
}

}  // namespace

void SpacedLexer::restart() {
  at_ = open_from_ = 0;
  open_ = false;
  builder_.clear();
}

void SpacedLexer::feed(std::string_view text, std::size_t base, bool last, SegmentList& ended) {
  while (true) {
    if (!open_) {
      const auto found = find_shape(text, at_ - base, last);
      if (!found) break;
      shape_ = *found;
      separator_ = text.substr(shape_.begin + shape_.width, shape_.separator_size);
      builder_.restart(shape_.width == 1 ? View::spaced : View::hex, shape_.width == 1);
      open_ = true;
      at_ = base + shape_.begin;
      take_token(text, base, at_, ended);
    }
    Step how = Step::taken;
    while (how == Step::taken) how = step(text, base, last, ended);
    open_from_ = builder_.empty() ? at_ : builder_.begin();
    if (how == Step::unknown) return;
    open_ = false;
    builder_.finish(least_characters, ended);
  }
  open_from_ = base + (last ? text.size() : tail_from(text, at_ - base));
  at_ = std::max(at_, open_from_);
}

// Behind a token: the separator and the next token, or the end.
SpacedLexer::Step SpacedLexer::step(std::string_view text, std::size_t base, bool last,
                                    SegmentList& ended) {
  const std::string_view rest = text.substr(at_ - base);
  const std::size_t most = shape_.width == 1 ? 3 * separator_.size() : separator_.size();
  const bool enough = rest.size() > most + shape_.width || last;
  if (!enough) return Step::unknown;
  std::size_t gap = 0;
  while (gap < most && rest.substr(gap).starts_with(separator_)) gap += separator_.size();
  const bool space =
      shape_.width == 1 && separator_[0] != ' ' && gap < rest.size() && rest[gap] == ' ';
  const bool goes_on = gap > 0 && (space || value_of(rest, gap, shape_.width)) &&
                       !rest.substr(gap).starts_with(separator_);
  if (!goes_on) {
    if (!rest.empty() && is_alnum(rest[0]) && !builder_.empty()) builder_.drop_last();
    return Step::ends;
  }
  if (gap > separator_.size()) builder_.add(' ', at_, at_ + gap, ended);
  take_token(text, base, at_ + gap, ended);
  return Step::taken;
}

void SpacedLexer::take_token(std::string_view text, std::size_t base, std::size_t at,
                             SegmentList& ended) {
  const auto value = value_of(text, at - base, shape_.width);
  builder_.add(value.value_or(' '), at, at + shape_.width, ended);
  at_ = at + shape_.width;
}

}  // namespace gatehouse::inspect

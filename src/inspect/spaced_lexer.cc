// Ordinary text seldom has the same separator three times at equal distances: that rhythm is looked
// for, sixteen bytes at a time, and all else is done where it is found.
#include <algorithm>
#include <bit>
#include <optional>

#include "inspect/segments.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

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

#if defined(__SSE2__)
using Bytes = __m128i;  // sixteen of them

Bytes load(const char* at) {
  return _mm_loadu_si128(reinterpret_cast<const Bytes*>(at));
}
Bytes equal(Bytes a, Bytes b) {
  return _mm_cmpeq_epi8(a, b);
}
Bytes equal(Bytes a, char b) {
  return _mm_cmpeq_epi8(a, _mm_set1_epi8(b));
}
Bytes all(Bytes a, Bytes b) {
  return _mm_and_si128(a, b);
}
template <class... More>
Bytes all(Bytes a, Bytes b, More... more) {
  return all(all(a, b), more...);
}
Bytes any(Bytes a, Bytes b) {
  return _mm_or_si128(a, b);
}
Bytes between(Bytes a, char low, char high) {
  return all(_mm_cmpgt_epi8(a, _mm_set1_epi8(static_cast<char>(low - 1))),
             _mm_cmplt_epi8(a, _mm_set1_epi8(static_cast<char>(high + 1))));
}
Bytes is_hex(Bytes a) {
  return any(between(a, '0', '9'), between(any(a, _mm_set1_epi8(0x20)), 'a', 'f'));
}
// More bytes than are separators, but no letters or digits.
Bytes may_separate(Bytes a) {
  return any(any(_mm_cmplt_epi8(a, _mm_set1_epi8('0')), _mm_cmpgt_epi8(a, _mm_set1_epi8('z'))),
             any(equal(a, '_'), between(a, ':', ';')));
}

// Whether at some byte of [at, at + 16) three separators may stand at equal distances, with tokens
// between. What it does not see is no run (shape_at); what it sees may be none.
bool has_rhythm(const char* at) {
  const Bytes b0 = load(at);
  const Bytes separator = may_separate(b0);
  if (_mm_movemask_epi8(separator) == 0) return false;
  std::array<Bytes, 2 * longest_period + 1> b;
  for (std::size_t i = 1; i < b.size(); ++i) b[i] = load(at + i);
  const auto thrice = [&](std::size_t period) {  // and no separator ends the token
    return _mm_andnot_si128(equal(b0, b[period - 1]),
                            all(equal(b0, b[period]), equal(b0, b[2 * period])));
  };
  const auto prefixed = [&](std::size_t token) {  // 0x
    return all(equal(b[token], '0'), equal(any(b[token + 1], _mm_set1_epi8(0x20)), 'x'));
  };
  const Bytes twice_two = all(may_separate(b[1]), equal(b[1], b[5]));
  const Bytes found =
      any(any(thrice(2), all(thrice(3), any(all(may_separate(b[1]), equal(b[1], b[4])),
                                            all(is_hex(b[1]), is_hex(b[2]))))),
          any(any(all(thrice(4), twice_two),
                  all(thrice(5), any(prefixed(1), all(may_separate(b[1]), equal(b[1], b[6]))))),
              any(all(thrice(6), prefixed(2)), all(thrice(7), prefixed(3)))));
  return _mm_movemask_epi8(all(found, separator)) != 0;
}
#else
bool has_rhythm(const char* /*at*/) {
  return true;
}
#endif

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

// The first such run that begins at or after `from`.
std::optional<Shape> find_shape(std::string_view text, std::size_t from, bool last) {
  // Only where all rhythms are seen whole: which is found first must not depend on cuts.
  const std::size_t stop =
      last ? text.size() : text.size() - std::min(text.size(), 2 * longest_period);
  for (std::size_t block = from; block < stop; block += 16) {
    const bool whole = block + 16 + 2 * longest_period <= text.size();
    if (whole && !has_rhythm(text.data() + block)) continue;
    const std::size_t end = std::min(block + 16, stop);
    for (std::size_t at = block; at < end; ++at)
      if (is_separator(text[at]))
        for (std::size_t period = shortest_period; period <= longest_period; ++period)
          if (auto shape = shape_at(text, from, at, period)) return shape;
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

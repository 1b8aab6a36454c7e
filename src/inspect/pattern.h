// The pattern language of detector rules: a small, pure subset of RE2's syntax over bytes, parsed
// into a tree from which the other forms are derived. A value type; immutable, shared freely.
//
//   literals, \d \w \s \D \W \S \t \n \r \f \v \xHH and escaped punctuation, `.` (not \n),
//   [classes], ( ) once: the finding's span, (?: ), (?i) at the start, (?i: ) (?-i: ), a|b, * + ?
//   {m} {m,} {m,n}
//
// There are no assertions (^ $ \b): a rule says what may stand beside a match with `before` and
// `after`. Therefore whether text[s:e) is in the language depends on those bytes alone, which is
// what makes a stream equal to a whole text. Laziness does not exist: a match is the longest.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace gatehouse::inspect {

using ByteSet = std::bitset<256>;

struct PatternNode;
using Pattern = std::shared_ptr<const PatternNode>;

struct PatternNode {
  enum class Kind : std::uint8_t { empty, bytes, concat, alternate, repeat, capture };
  static constexpr unsigned unbounded = std::numeric_limits<unsigned>::max();

  Kind kind = Kind::empty;
  ByteSet bytes;                  // bytes
  std::vector<Pattern> children;  // concat, alternate; one child: repeat, capture
  unsigned min = 0;               // repeat
  unsigned max = 0;               // repeat; may be unbounded
};

// Errors say what is not understood and at which character.
Result<Pattern> parse_pattern(std::string_view text);
// One class, escape or character: "[A-Za-z0-9_]", "\d".
Result<ByteSet> parse_byte_set(std::string_view text);

// The text itself; with `fold`, ASCII letters in either case.
Pattern literal(std::string_view text, bool fold);

// The pattern in the syntax that RE2 (Latin-1) and Hyperscan read alike. Without `captures` the
// capture becomes a plain group.
std::string to_regex(const Pattern& pattern, bool captures);
std::string to_regex(const ByteSet& bytes);

std::size_t min_width(const Pattern& pattern);
std::size_t max_width(const Pattern& pattern);  // saturates at SIZE_MAX: unbounded
bool has_capture(const Pattern& pattern);
// Whether nothing follows the capture, or there is none.
bool ends_with_capture(const Pattern& pattern);

// The bytes a text of the pattern may begin with. The pattern must not match the empty text.
ByteSet first_bytes(const Pattern& pattern);

// The bytes that may stand at each of the first places of a text of the pattern: of `most` places
// (one at least), or as many as its shortest text has.
std::vector<ByteSet> opening(const Pattern& pattern, std::size_t most);

// Every text of the pattern has a prefix in these, which are at most as long. trim_tail cuts
// optional and repeated tails to their least; limit_head cuts behind the first `bytes` or so.
Pattern trim_tail(const Pattern& pattern);
Pattern limit_head(const Pattern& pattern, std::size_t bytes);

// The patterns that stand one behind the other in it; capturing groups are no more than that.
std::vector<Pattern> parts_of(const Pattern& pattern);

// A short piece that every text of the pattern contains, chosen to be rare in ordinary text and
// cheap to look for; and how many bytes lie between the beginning of the text and the end of the
// piece.
struct Factor {
  Pattern pattern;
  Pattern up_to_end;  // the pattern from its beginning to the end of the piece
  bool in_token =
      false;  // it always stands in a token (gates.h) or up to beside_token bytes out of it
  std::size_t end_min = 0;
  std::size_t end_max = 0;  // saturates
  Pattern before;           // the pattern from its beginning to the beginning of the piece
  std::size_t before_min = 0;
  std::size_t before_max = 0;  // saturates
};
Factor rare_factor(const Pattern& pattern);

// Every text of the pattern begins with one of these: what follows a stretch of more than `longest`
// bytes is left out, and so is the stretch.
Pattern up_to_stretch(const Pattern& pattern, std::size_t longest);

// Whether it is certain that every text of `pattern` contains a text of `factor`.
bool always_contains(const Pattern& pattern, const Pattern& factor);
// Whether it is certain that none does.
bool never_contains(const Pattern& pattern, const Pattern& factor);

}  // namespace gatehouse::inspect

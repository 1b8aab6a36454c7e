// What to look for at the beginning of a pattern: of all that every text of it has there, what
// ordinary text has least of.
#include "inspect/piece_finder.h"

#include <array>
#include <optional>
#include <string>
#include <tuple>

#include "inspect/row_finder.h"

namespace gatehouse::inspect {
namespace {

using Kind = PatternNode::Kind;

constexpr std::size_t most_branches = 64;
// More candidates than this a byte are not worth a filter.
constexpr double most_by_grams = 0.06;
constexpr double most_by_anchor = 0.03;
// A pass over the text for one byte more, in the same measure.
constexpr double cost_of_anchor = 0.004;
// So many sets of bytes have numbers of sixteen bits, with room for those of one pattern.
constexpr std::size_t most_sets = 60'000;
// Hashes that other bytes share with a gram.
constexpr double cost_of_gram = 1.0 / (1 << 15);
// Many patterns begin with digits, which are looked for together.
constexpr double cost_of_digits = 0.006;

// Roughly how often a byte stands in prose, code and JSON; letters of either case together.
constexpr std::array<double, 256> make_frequencies() {
  std::array<double, 256> all{};
  all.fill(0.0005);
  constexpr double letters[] = {.065, .012, .025, .033, .1,   .018, .016, .04,  .058,
                                .002, .007, .035, .02,  .056, .06,  .018, .001, .05,
                                .052, .073, .023, .008, .015, .002, .015, .001};
  for (unsigned i = 0; i < 26; ++i) all['a' + i] = letters[i];
  for (unsigned c = '0'; c <= '9'; ++c) all[c] = 0.006;
  all[' '] = 0.16;
  all['\n'] = 0.02;
  for (const char c : std::string_view(".,\"")) all[static_cast<unsigned char>(c)] = 0.012;
  for (const char c : std::string_view("-_():/=")) all[static_cast<unsigned char>(c)] = 0.008;
  for (const char c : std::string_view("'<>#`*{}[];")) all[static_cast<unsigned char>(c)] = 0.003;
  return all;
}
constexpr auto frequencies = make_frequencies();

unsigned char folded_byte(unsigned byte) {
  return static_cast<unsigned char>(byte | 0x20);
}

// How often a byte stands that becomes this one by folding.
constexpr std::array<double, 256> make_folded_frequencies() {
  std::array<double, 256> all{};
  for (unsigned byte = 0; byte < 256; ++byte) all[byte | 0x20] += frequencies[byte];
  return all;
}
constexpr auto folded_frequencies = make_folded_frequencies();

Pattern sequence(std::vector<Pattern> parts) {
  return std::make_shared<const PatternNode>(PatternNode{Kind::concat, {}, std::move(parts), 0, 0});
}

// The pattern as alternatives, as far as it begins with some; at most most_branches.
std::vector<Pattern> branches_of(const Pattern& pattern) {
  std::vector<Pattern> all;
  switch (pattern->kind) {
    case Kind::alternate:
      for (const Pattern& child : pattern->children) {
        const auto branches = branches_of(child);
        all.insert(all.end(), branches.begin(), branches.end());
      }
      break;
    case Kind::capture:
      all = branches_of(pattern->children[0]);
      break;
    case Kind::repeat:
      if (pattern->min == 0 && pattern->max == 1) {
        all = branches_of(pattern->children[0]);
        all.push_back(sequence({}));
      } else {
        all = {pattern};
      }
      break;
    case Kind::concat: {
      if (pattern->children.empty()) return {pattern};
      const std::vector<Pattern> rest(pattern->children.begin() + 1, pattern->children.end());
      for (const Pattern& head : branches_of(pattern->children[0])) {
        std::vector<Pattern> parts = {head};
        parts.insert(parts.end(), rest.begin(), rest.end());
        // What may be left out leaves the next part to begin.
        if (max_width(head) == 0) {
          const auto others = branches_of(sequence(rest));
          all.insert(all.end(), others.begin(), others.end());
        } else {
          all.push_back(sequence(std::move(parts)));
        }
      }
      break;
    }
    case Kind::empty:
    case Kind::bytes:
      all = {pattern};
      break;
  }
  if (all.size() > most_branches) all = {pattern};
  return all;
}

// The pattern as rows of bytes where it is no more than a few of them, else as the alternatives it
// begins with.
std::vector<Pattern> heads_of(const Pattern& pattern) {
  const auto rows = rows_of(pattern);
  if (!rows) return branches_of(pattern);
  std::vector<Pattern> all;
  for (const ByteRow& row : *rows) {
    std::vector<Pattern> parts;
    for (const ByteSet& bytes : row)
      parts.push_back(
          std::make_shared<const PatternNode>(PatternNode{Kind::bytes, bytes, {}, 0, 0}));
    all.push_back(sequence(std::move(parts)));
  }
  return all;
}

// The bits that are the same in all of these bytes, and what they are.
std::pair<unsigned char, unsigned char> same_bits(const ByteSet& bytes) {
  unsigned ones = 0xff;
  unsigned zeros = 0xff;
  for (unsigned byte = 0; byte < 256; ++byte) {
    if (!bytes.test(byte)) continue;
    ones &= byte;
    zeros &= ~byte;
  }
  return {static_cast<unsigned char>(ones | zeros), static_cast<unsigned char>(ones)};
}

bool is_row(const Pattern& pattern) {
  return pattern->kind == Kind::bytes ||
         (pattern->kind == Kind::concat && std::ranges::all_of(pattern->children, is_row));
}

}  // namespace

// What is known of one branch.
class PieceFinder::HeadFinder {
 public:
  explicit HeadFinder(const Pattern& branch) : least_(min_width(branch)) {
    automaton_.add(branch, 0);
    automaton_.build();
    members_.resize(automaton_.class_count());
    for (unsigned byte = 0; byte < 256; ++byte)
      members_[automaton_.class_of(static_cast<char>(byte))].set(byte);
    for (const ByteSet& members : members_) {
      std::string& folded_members = folded_members_.emplace_back();
      for (unsigned byte = 0; byte < 256; ++byte)
        if (folded_byte(byte) == byte && (members.test(byte) || members.test(byte & ~0x20U)))
          folded_members += static_cast<char>(byte);
    }
  }

  // The bytes that may stand at each place, as far as all texts go.
  std::vector<ByteSet> row() const {
    std::vector<ByteSet> row;
    Places places = automaton_.first();
    for (std::size_t i = 0; i < std::min(least_, most_compared); ++i) {
      row.push_back(bytes_of(places));
      places = after(places);
    }
    return row;
  }

  std::optional<Known> best() {
    std::optional<Known> best;
    Places places = automaton_.first();
    for (unsigned offset = 0; offset <= most_offset && offset < least_; ++offset) {
      // No more is looked for than could be better.
      const auto take = [&](std::optional<Known> known) {
        if (!known || (best && best->cost <= known->cost)) return;
        best = std::move(known);
        best->offset = offset;
      };
      take(anchors_at(places, offset));
      take(grams_at(places, best ? std::min(best->cost, most_by_grams) : most_by_grams));
      places = after(places);
    }
    return best;
  }

 private:
  using Places = PlaceAutomaton::Places;

  Places after(const Places& places) const {
    Places next;
    for (const auto place : places) append_all(next, automaton_.after(place));
    sort_once(next);
    return next;
  }
  Places after(const Places& places, unsigned byte_class) const {
    Places next;
    for (const auto place : places)
      if (automaton_.takes(place, byte_class)) append_all(next, automaton_.after(place));
    sort_once(next);
    return next;
  }
  bool may_end(const Places& places) const {
    return std::ranges::any_of(places, [&](auto place) { return automaton_.is_end(place); });
  }
  ByteSet bytes_of(const Places& places) const {
    ByteSet bytes;
    for (const auto place : places)
      for (unsigned c = 0; c < automaton_.class_count(); ++c)
        if (automaton_.takes(place, c)) bytes |= members_[c];
    return bytes;
  }

  std::optional<Known> grams_at(const Places& places, double most) {
    known_ = {};
    bytes_ = {};
    most_ = most;
    if (!add_grams(places, 0, 1.0)) return std::nullopt;
    return std::move(known_);
  }

  bool add_grams(const Places& places, std::size_t depth, double frequency) {
    if (depth == gram_bytes) {
      std::uint32_t bytes = 0;
      std::memcpy(&bytes, bytes_.data(), sizeof bytes);
      known_.grams.push_back(bytes);
      known_.cost += frequency + cost_of_gram;
      return known_.cost <= most_;
    }
    const bool ended = may_end(places);  // then anything may follow
    for (unsigned c = 0; c < automaton_.class_count(); ++c) {
      const Places next = ended ? places : after(places, c);
      if (next.empty()) continue;
      for (const char byte : folded_members_[c]) {
        bytes_[depth] = byte;
        const double share = folded_frequencies[static_cast<unsigned char>(byte)];
        if (!add_grams(next, depth + 1, frequency * share)) return false;
      }
    }
    return true;
  }

  std::optional<Known> anchors_at(const Places& places, unsigned offset) const {
    if (may_end(places)) return std::nullopt;
    static constexpr std::size_t most_bytes = 3;
    const ByteSet bytes = bytes_of(places);
    Known known;
    known.digits = offset == 0;
    for (unsigned byte = 0; byte < 256; ++byte) {
      if (!bytes.test(byte)) continue;
      const bool letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
      known.digits = known.digits && byte >= '0' && byte <= '9';
      known.cost += cost_of_anchor + (letter ? 1 : frequencies[byte]);
      known.anchors.push_back(static_cast<char>(byte));
    }
    if (known.digits) {
      known.anchors.clear();
      known.cost = cost_of_digits;
    }
    if (known.cost > most_by_anchor || known.anchors.size() > most_bytes) return std::nullopt;
    return known;
  }

  std::size_t least_;
  PieceAutomaton automaton_;
  std::vector<ByteSet> members_;             // by class of bytes
  std::vector<std::string> folded_members_;  // the same bytes, folded
  double most_ = 0;                          // that grams may cost
  Known known_;                              // under way
  std::array<char, gram_bytes> bytes_{};
};

bool PieceFinder::add(const Pattern& piece, std::uint32_t number) {
  struct Branch {
    Known known;
    std::vector<ByteSet> row;
    bool is_all = false;
  };
  std::vector<Branch> branches;
  if (sets_.size() > most_sets) return false;
  for (const Pattern& head : heads_of(piece)) {
    HeadFinder finder(head);
    auto known = finder.best();
    if (!known) return false;
    const bool is_all = is_row(head) && min_width(head) <= most_compared;
    branches.push_back({std::move(*known), finder.row(), is_all});
  }
  bool ask = false;
  for (const Branch& branch : branches) {
    const auto index = static_cast<std::uint32_t>(heads_.size());
    Head& head = heads_.emplace_back(head_for(number, branch.row));
    head.sets = static_cast<std::uint32_t>(sets_of_heads_.size());
    head.is_all = branch.is_all;
    take(branch.known, index);
    for (const ByteSet& bytes : branch.row)
      sets_of_heads_.push_back(static_cast<std::uint16_t>(set_number(bytes)));
    ask = ask || !branch.is_all;
  }
  if (ask) automaton_.add(piece, number);
  return true;
}

std::uint32_t PieceFinder::set_number(const ByteSet& bytes) {
  const auto known = std::ranges::find(sets_, bytes);
  const auto number = static_cast<std::uint32_t>(known - sets_.begin());
  if (known == sets_.end()) sets_.push_back(bytes);
  return number;
}

PieceFinder::Head PieceFinder::head_for(std::uint32_t number, const std::vector<ByteSet>& row) {
  Head head;
  head.number = number;
  head.size = static_cast<std::uint16_t>(row.size());
  std::array<unsigned char, sizeof head.mask> masks{};
  std::array<unsigned char, sizeof head.value> values{};
  for (std::size_t i = 0; i < std::min(row.size(), masks.size()); ++i)
    std::tie(masks[i], values[i]) = same_bits(row[i]);
  std::memcpy(&head.mask, masks.data(), sizeof head.mask);
  std::memcpy(&head.value, values.data(), sizeof head.value);
  return head;
}

void PieceFinder::take(const Known& known, std::uint32_t head) {
  const Place place{head, known.offset, 0};
  for (const std::uint32_t bytes : known.grams) grams_.push_back({bytes, place});
  if (known.digits) digits_.push_back({heads_[head].mask, heads_[head].value, head});
  for (const char byte : known.anchors) {
    const auto anchor = std::ranges::find(anchors_, byte, &Anchor::byte);
    if (anchor == anchors_.end()) {
      anchors_.push_back({byte, {place}});
    } else {
      anchor->places.push_back(place);
    }
  }
}

// Some sixteen bits for each gram, in words that stay in the nearest cache.
void PieceFinder::build() {
  automaton_.build();
  if (grams_.empty()) return;
  std::ranges::sort(grams_, [](const Gram& a, const Gram& b) {
    return std::tuple(a.bytes, a.place.head, a.place.offset) <
           std::tuple(b.bytes, b.place.head, b.place.offset);
  });
  // Letters of either case are one gram.
  const auto same = [](const Gram& a, const Gram& b) {
    return a.bytes == b.bytes && a.place.head == b.place.head && a.place.offset == b.place.offset;
  };
  grams_.erase(std::unique(grams_.begin(), grams_.end(), same), grams_.end());
  constexpr std::size_t fewest_words = 64;
  constexpr std::size_t most_words = 2048;
  const std::size_t words = std::clamp(std::bit_ceil(grams_.size() / 4), fewest_words, most_words);
  word_shift_ = 64 - static_cast<unsigned>(std::countr_zero(words));
  words_.assign(words, 0);
  const std::size_t slots =
      std::bit_ceil(std::max(fewest_words, grams_.size() + grams_.size() / 4));
  last_slot_ = slots - 1;
  slot_shift_ = 64 - static_cast<unsigned>(std::countr_zero(slots));
  slots_.assign(slots, {});
  for (std::size_t i = 0; i < grams_.size();) {
    const std::uint32_t bytes = grams_[i].bytes;
    const std::uint64_t hashed = hash(bytes);
    words_[hashed >> word_shift_] |=
        std::uint64_t{1} << (hashed >> 40) % 64 | std::uint64_t{1} << (hashed >> 34) % 64;
    std::size_t slot = slot_of(bytes);
    while (slots_[slot].first != none) slot = (slot + 1) & last_slot_;
    slots_[slot] = {bytes, static_cast<std::uint32_t>(places_.size())};
    for (; i < grams_.size() && grams_[i].bytes == bytes; ++i) places_.push_back(grams_[i].place);
    places_.back().is_last = 1;
  }
  grams_ = {};
}

}  // namespace gatehouse::inspect

// What to look for at the beginning of a pattern: of all that every text of it has there, what
// ordinary text has least of.
#include "inspect/piece_finder.h"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <tuple>

#include "inspect/byte_shares.h"
#include "inspect/row_finder.h"

namespace gatehouse::inspect {
namespace {

using Kind = PatternNode::Kind;

constexpr std::size_t most_branches = 128;
// What is so wide is rare enough without more of it.
constexpr std::size_t wide_enough = 16;
// More candidates than this a byte are not worth a filter.
constexpr double most_by_grams = 0.06;
constexpr double most_by_window = 0.01;
// Windows share eight buckets, so they are for what has no few grams.
constexpr double cost_of_window = 0.01;
// So many sets of bytes have numbers of sixteen bits, with room for those of one pattern.
constexpr std::size_t most_sets = 60'000;
// Hashes that other bytes share with a gram.
constexpr double cost_of_gram = 1.0 / (1 << 15);
// Digits stand together.
constexpr double digits_behind_digits = 0.5;
// Texts of nothing but digits are slow enough.
constexpr double cost_of_digits = 4;

unsigned char folded_byte(unsigned byte) {
  return static_cast<unsigned char>(byte | 0x20);
}

bool is_letter(char folded) {
  return folded >= 'a' && folded <= 'z';
}

// How often a byte stands that becomes this one by folding.
constexpr std::array<double, 256> make_folded_frequencies() {
  std::array<double, 256> all{};
  for (unsigned byte = 0; byte < 256; ++byte) all[byte | 0x20] += byte_shares[byte];
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
      } else if (pattern->min == 1 && pattern->max == 2) {
        const Pattern& once = pattern->children[0];
        all = {once, sequence({once, once})};
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
struct SameBits {
  unsigned char mask = 0;
  unsigned char value = 0;
  bool is_exact = false;  // no other byte has them so
};
SameBits same_bits(const ByteSet& bytes) {
  unsigned ones = 0xff;
  unsigned zeros = 0xff;
  for (unsigned byte = 0; byte < 256; ++byte) {
    if (!bytes.test(byte)) continue;
    ones &= byte;
    zeros &= ~byte;
  }
  const unsigned mask = (ones | zeros) & 0xff;
  const bool exact = bytes.count() == std::size_t{1} << (8 - std::popcount(mask));
  return {static_cast<unsigned char>(mask), static_cast<unsigned char>(ones), exact};
}

// Of equals the last: the first ones were looked for already.
std::size_t rarest_place(std::span<const ByteSet> row) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < row.size(); ++i)
    if (share_of(row[i]) <= share_of(row[best])) best = i;
  return best;
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

  // What ordinary text has least of.
  std::optional<Known> best() {
    std::optional<Known> best;
    Places places = automaton_.first();
    for (unsigned offset = 0; offset <= most_offset && offset < least_; ++offset) {
      const auto take = [&](std::optional<Known> known) {
        if (!known || (best && best->cost <= known->cost)) return;
        best = std::move(known);
        best->offset = offset;
      };
      take(window_at(places));
      // No more is looked for than could be better.
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
  Places after(const Places& places, unsigned byte_class) {
    return steps_.after(automaton_, places, byte_class);
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
        const double alone = folded_frequencies[static_cast<unsigned char>(byte)];
        const char before = depth == 0 ? '\0' : bytes_[depth - 1];
        const double share =
            is_letter(before) && is_letter(byte) ? share_behind(before, byte) : alone;
        if (!add_grams(next, depth + 1, frequency * share)) return false;
      }
    }
    return true;
  }

  // Behind what may be the end of a text anything stands.
  std::optional<Known> window_at(Places places) const {
    Known known;
    known.cost = 1;
    bool digits = false;
    bool may_be_digits = true;
    for (ByteSet& bytes : known.window) {
      if (may_end(places)) {
        bytes.set();
        continue;
      }
      bytes = bytes_of(places);
      known.cost *=
          digits && (bytes & ~digit_bytes()).none() ? digits_behind_digits : share_of(bytes);
      digits = (bytes & digit_bytes()).any();
      may_be_digits = may_be_digits && digits;
      places = after(places);
    }
    if (known.cost > most_by_window) return std::nullopt;
    if (may_be_digits) known.cost *= cost_of_digits;
    known.cost += cost_of_window;
    return known;
  }

  static const ByteSet& digit_bytes() {
    static const ByteSet bytes = [] {
      ByteSet all;
      for (unsigned c = '0'; c <= '9'; ++c) all.set(c);
      return all;
    }();
    return bytes;
  }
  std::size_t least_;
  PieceAutomaton automaton_;
  PlaceSteps steps_;
  std::vector<ByteSet> members_;             // by class of bytes
  std::vector<std::string> folded_members_;  // the same bytes, folded
  double most_ = 0;                          // that grams may cost
  Known known_;                              // under way
  std::array<char, gram_bytes> bytes_{};
};

bool PieceFinder::add(const Pattern& piece, const Pattern& more, std::uint32_t number,
                      const Anchor& anchor) {
  const bool is_whole =
      more == nullptr || max_width(more) <= max_width(piece) || min_width(piece) >= wide_enough;
  struct Branch {
    Known known;
    std::vector<ByteSet> row;
    bool is_all = false;
  };
  std::vector<Branch> branches;
  std::size_t windows = windows_.size();
  if (sets_.size() > most_sets) return false;
  for (const Pattern& head : heads_of(piece)) {
    HeadFinder finder(head);
    auto known = finder.best();
    if (!known) return false;
    const bool is_all = is_whole && is_row(head) && min_width(head) <= most_compared;
    windows += known->grams.empty();
    branches.push_back({std::move(*known), finder.row(), is_all});
  }
  if (windows > WindowFilter::most_windows) return false;
  bool ask = false;
  for (const Branch& branch : branches) {
    Head head;
    head.number = number;
    head.sets = static_cast<std::uint32_t>(sets_of_heads_.size());
    head.size = static_cast<std::uint16_t>(branch.row.size());
    head.rarest = static_cast<std::uint16_t>(rarest_place(branch.row));
    head.is_all = branch.is_all;
    if (anchor.not_before.any() && anchor.behind < most_before) {
      head.not_before = static_cast<std::uint16_t>(set_number(anchor.not_before));
      head.before = static_cast<std::uint8_t>(anchor.behind + 1);
    }
    for (const ByteSet& bytes : branch.row)
      sets_of_heads_.push_back(static_cast<std::uint16_t>(set_number(bytes)));
    take(branch.known, static_cast<std::uint32_t>(heads_.size()), branch.row);
    heads_.push_back(head);
    ask = ask || !branch.is_all;
  }
  if (ask && is_whole) automaton_.add(piece, number);
  if (ask && !is_whole) automaton_.add_loosely(more, number);
  return true;
}

std::uint32_t PieceFinder::set_number(const ByteSet& bytes) {
  const auto known = std::ranges::find(sets_, bytes);
  const auto number = static_cast<std::uint32_t>(known - sets_.begin());
  if (known == sets_.end()) sets_.push_back(bytes);
  return number;
}

void PieceFinder::take(const Known& known, std::uint32_t head, std::span<const ByteSet> row) {
  Entry entry;
  entry.head = head;
  entry.offset = static_cast<std::uint16_t>(known.offset);
  bool exact = true;
  for (std::size_t i = 0; i < std::min(row.size(), sizeof entry.mask); ++i) {
    const SameBits same = same_bits(row[i]);
    entry.mask |= std::uint64_t{same.mask} << 8 * i;
    entry.value |= std::uint64_t{same.value} << 8 * i;
    exact = exact && same.is_exact;
    entry.masked += exact;
  }
  for (const std::uint32_t bytes : known.grams) grams_.push_back({bytes, entry});
  if (!known.grams.empty()) return;
  windowed_.push_back({head, known.offset});
  windows_.push_back(known.window);
}

void PieceFinder::build() {
  automaton_.build();
  if (!windows_.empty()) window_filter_.build(windows_);
  windows_ = {};
  if (grams_.empty()) return;
  std::vector<std::uint32_t> bytes;
  bytes.reserve(grams_.size());
  for (const Gram& gram : grams_) bytes.push_back(gram.bytes);
  gram_filter_.build(bytes);
  // Grams that differ in the fourth byte share their entries.
  const auto by_key = [](const Gram& gram) {
    return std::tuple(key(gram.bytes), gram.entry.head, gram.entry.offset);
  };
  std::ranges::sort(grams_, {}, by_key);
  grams_.erase(std::ranges::unique(grams_, {}, by_key).begin(), grams_.end());
  build_slots();
  grams_ = {};
}

void PieceFinder::build_slots() {
  constexpr std::size_t fewest_slots = 64;
  std::size_t keys = 0;
  for (std::size_t i = 0; i < grams_.size(); ++i)
    keys += i == 0 || key(grams_[i].bytes) != key(grams_[i - 1].bytes);
  const std::size_t size = std::bit_ceil(std::max(fewest_slots, keys * 2));
  last_slot_ = size - 1;
  slot_shift_ = 32 - static_cast<unsigned>(std::countr_zero(size));
  slots_.assign(size, {});
  for (std::size_t i = 0; i < grams_.size();) {
    const std::uint32_t bytes = key(grams_[i].bytes);
    std::size_t slot = slot_of(bytes);
    while (slots_[slot].first != none) slot = (slot + 1) & last_slot_;
    slots_[slot] = {bytes, static_cast<std::uint32_t>(entries_.size())};
    for (; i < grams_.size() && key(grams_[i].bytes) == bytes; ++i)
      entries_.push_back(grams_[i].entry);
    entries_.back().is_last = true;
  }
}

}  // namespace gatehouse::inspect

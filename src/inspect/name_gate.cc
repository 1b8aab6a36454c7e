#include "inspect/name_gate.h"

#include <algorithm>
#include <array>
#include <bit>

#include "inspect/wide_bytes.h"

namespace gatehouse::inspect {
namespace {

using enum WordFlag;

constexpr std::uint8_t any_name = bit_of(NameList::given) | bit_of(NameList::surname);

// Longer ones are no house numbers and no postcodes, but phones, cards, accounts.
constexpr std::size_t longest_number = 8;

bool is_small(Cue cue) {
  return cue == Cue::stop || cue == Cue::self || cue == Cue::from;
}

bool is_lead(Cue cue) {
  return cue == Cue::name || cue == Cue::title || cue == Cue::greeting || cue == Cue::closing ||
         cue == Cue::kin || cue == Cue::self;
}

// As many WordFlags.
class Flags {
 public:
  void add(WordFlag flag, bool when = true) {
    if (when) bits_ = static_cast<std::uint16_t>(bits_ | static_cast<std::uint16_t>(flag));
  }
  std::uint16_t bits() const { return bits_; }

 private:
  std::uint16_t bits_ = 0;
};

// Up to sixty-four words, a bit for each.
class Window {
 public:
  static constexpr std::size_t width = 64;

  explicit Window(std::span<const NameWord> words) {
    std::uint64_t joined = 0;  // no member: bytes that are written may be anybody's
    for (std::size_t i = 0; i < words.size(); ++i) {
      near_[i] = static_cast<char>(words[i].flags);
      own_[i] = static_cast<char>(words[i].flags >> 8);
      joined |= std::uint64_t{!words[i].wall} << i;
    }
    joined_ = joined;
  }
  std::uint64_t are(WordFlag flag) const {
    const auto bit = static_cast<unsigned>(flag);
    const auto& plane = bit < 256 ? near_ : own_;
    const auto wanted = static_cast<char>(bit < 256 ? bit : bit >> 8);
    std::uint64_t found = 0;
    for (std::size_t half = 0; half < width; half += wide)
      found |= std::uint64_t{bits(includes(load(plane.data() + half), wanted))} << half;
    return found;
  }
  // The words that stand up to `count` words behind one of `those`; not beyond a wall.
  std::uint64_t behind(std::uint64_t those, unsigned count) const {
    std::uint64_t found = 0;
    for (; count != 0; --count) found |= those = those << 1 & joined_;
    return found;
  }
  // That stand before one.
  std::uint64_t before(std::uint64_t those, unsigned count) const {
    std::uint64_t found = 0;
    for (; count != 0; --count) found |= those = (those & joined_) >> 1;
    return found;
  }
  std::uint64_t beside(std::uint64_t those, unsigned count) const {
    return behind(those, count) | before(those, count);
  }

 private:
  std::array<char, width> near_{};
  std::array<char, width> own_{};
  std::uint64_t joined_ = 0;  // no wall before it
};

// Numbers that may be a house's, or a postcode.
std::uint64_t numbers_of(const Window& w) {
  const std::uint64_t named =
      w.are(capital) | w.are(address_like) | w.are(place) | w.are(name_like);
  return w.are(short_number) & (w.beside(named, 2) | w.behind(w.are(address_cue), gate_reach));
}

// Words in small letters that may be a name or a part of an address.
std::uint64_t lows_of(const Window& w) {
  const std::uint64_t capitals = w.are(capital);
  const std::uint64_t names = w.are(name_like);
  const std::uint64_t leads = w.are(lead);
  const std::uint64_t streets = w.are(address_like);
  const std::uint64_t particles = w.are(particle);
  const std::uint64_t unknown = ~w.are(known);
  const std::uint64_t led = (w.are(namesake) & w.behind(leads, 2)) |
                            (unknown & (w.behind(leads, gate_reach) | w.beside(names, 1)));
  const std::uint64_t words = w.are(listed) | w.beside(w.are(number), 2) |
                              (streets & w.behind(capitals, 1)) | (~streets & led);
  return w.are(low) & ((particles & w.beside(capitals | names, 2)) | (~particles & words));
}

// Joined without a blank, by what joins the parts of times, versions, hosts and settings.
bool is_glued(const NameWord& word) {
  const char mark = word.gap.first();
  return !word.wall && word.gap.single() && !word.gap.blank() && !word.gap.new_line() &&
         (mark == '.' || mark == ':' || mark == '_' || mark == '=' || mark == '@');
}

// 16:49:08, 10.0.0.1:5070, len=1910; not No.5, zip:90210.
bool is_part_of_reading(std::span<const NameWord> words, std::size_t at) {
  if (at + 1 < words.size() && words[at + 1].is_number() && is_glued(words[at + 1])) return true;
  if (at == 0 || !is_glued(words[at])) return false;
  return !words[at - 1].has(address_like) && !words[at - 1].has(address_cue);
}

// "Reports move": a dictionary word that has its capital from the sentence it begins.
bool only_begins_sentence(std::span<const NameWord> words, std::size_t at) {
  const NameWord& word = words[at];
  if (!word.is(NameList::word) || word.is(NameList::given) || word.cue() != Cue::none) return false;
  const char mark = word.gap.first();
  if ((mark != '.' && mark != '!' && mark != '?') || at + 1 >= words.size()) return false;
  const NameWord& next = words[at + 1];
  return next.shape() == Shape::lower && next.is(NameList::word) &&
         next.gap.code == Gap::blank_only && next.cue() != Cue::speech;
}

// The candidates among up to sixty-four words.
std::uint64_t candidates_of(std::span<const NameWord> words) {
  const Window window(words);
  std::uint64_t found = lows_of(window) | numbers_of(window) | window.are(upright);
  // What is told by the gaps, of the few that are left.
  for (std::uint64_t asked = found & (window.are(short_number) | window.are(upright)); asked != 0;
       asked &= asked - 1) {
    const auto at = static_cast<std::size_t>(std::countr_zero(asked));
    if (words[at].is_number() ? is_part_of_reading(words, at) : only_begins_sentence(words, at))
      found &= ~(std::uint64_t{1} << at);
  }
  return found;
}

}  // namespace

std::uint16_t flags_of(const WordFacts& word, std::size_t size) {
  Flags flags;
  if (word.is_number()) {
    flags.add(number);
    flags.add(short_number, size <= longest_number);
    return flags.bits();
  }
  const Cue cue = word.cue();
  const bool in_dictionary = word.is(NameList::word);
  const bool is_capital = word.tall() && !is_small(cue) && cue != Cue::month;
  const bool is_name = (word.lists() & any_name) != 0 && !in_dictionary && cue == Cue::none;
  flags.add(capital, is_capital);
  flags.add(name_like, is_name);
  flags.add(address_like, cue == Cue::street || cue == Cue::way || cue == Cue::unit ||
                              cue == Cue::box || (cue == Cue::state && word.tall()) ||
                              word.street_ending());
  flags.add(lead, is_lead(cue));
  flags.add(address_cue, cue == Cue::address);
  flags.add(place, word.is(NameList::place));
  if (word.tall()) {
    flags.add(upright, is_capital || cue == Cue::self || word.is(NameList::given));
  } else if (!is_small(cue) && size <= longest_token) {
    flags.add(low);
    flags.add(listed, is_name || (word.is(NameList::place) && !in_dictionary));
    flags.add(known, in_dictionary);
    flags.add(namesake, in_dictionary && word.is(NameList::given));
    flags.add(particle, cue == Cue::particle);
  }
  return flags.bits();
}

void gate_names(std::span<NameWord> words, std::size_t from) {
  for (std::size_t at = from; at < words.size();) {
    const std::size_t begin = at - std::min(at, gate_reach);
    const std::size_t end = std::min(words.size(), begin + Window::width);
    const std::size_t limit = end < words.size() ? end - gate_behind : end;
    std::uint64_t found = candidates_of(words.subspan(begin, end - begin)) >> (at - begin);
    for (; at < limit; ++at, found >>= 1) words[at].candidate = (found & 1) != 0;
  }
}

}  // namespace gatehouse::inspect

// A word as the name detector knows it: what it is by itself, remembered for those seen lately, and
// what it is taken for where it stands.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "inspect/name_model.h"
#include "inspect/name_text.h"

namespace gatehouse::inspect {

// What the gate asks (name_gate.h). A bit in the low byte for what is asked of neighbours, in the
// high one of the word itself.
enum class WordFlag : std::uint16_t {
  capital = 1 << 0,       // more than the beginning of a sentence
  name_like = 1 << 1,     // in a list of names and in no dictionary
  address_like = 1 << 2,  // street, apt, PO, a state, Hauptstraße
  lead = 1 << 3,          // to a person: my name is, dear
  number = 1 << 4,
  address_cue = 1 << 5,  // lives, zip
  place = 1 << 6,
  short_number = 1 << 8,  // may be a house number, a postcode
  upright = 1 << 9,       // has a capital that may be a name's
  low = 1 << 10,          // in small letters, and what may be a name
  listed = 1 << 11,       // names and places that are no ordinary words
  known = 1 << 12,        // an ordinary word
  namesake = 1 << 13,     // an ordinary word that is a name too: will, rose
  particle = 1 << 14,     // van, de la
};

// What is known of a word by itself.
struct WordFacts : NameShape {  // the tail is 0 for numbers and dictionary words in lower case
  std::uint8_t lists = 0;       // bit: NameList
  Cue cue = Cue::none;
  bool street_ending = false;
  std::uint16_t traits = 0;  // shape, cue, lists: what features are made of
  std::uint16_t flags = 0;   // WordFlag

  bool has(WordFlag flag) const { return (flags & static_cast<unsigned>(flag)) != 0; }
  bool is(NameList list) const { return (lists >> static_cast<unsigned>(list) & 1U) != 0; }
};

// What it is taken for where it stands; filled when asked for.
struct NameJudgement {
  bool judged_first = false;
  bool brief = false;  // a few features said enough: first_scores are not there
  bool judged = false;
  NameKind first = NameKind::none;
  std::uint8_t first_sure = 0;  // how sure, 0 to 3
  NameKind kind = NameKind::none;
  std::int32_t margin = 0;  // how far ahead of none
  NameScores first_scores{};
};

// A token and what is known of it.
struct NameWord : NameToken, WordFacts, NameJudgement {
  bool candidate = false;
};

// The facts of words seen lately, of one model: most words of a text are among them. Belongs to one
// thread. Changes nothing but the time it takes.
class WordMemory {
 public:
  WordMemory() : places_(std::size_t{1} << places_log2) {}

  // Of the word text[begin, end); `make()` says what is not remembered.
  template <class Make>
  const WordFacts& find(std::string_view text, std::size_t begin, std::size_t end,
                        const Make& make) {
    if (end - begin > sizeof(Key)) return unkept_ = make();
    const Key key = key_of(text, begin, end - begin);
    auto& [first, second] = places_[place(key)];
    if (first.key == key) return first.facts;
    if (second.key == key) {
      std::swap(first, second);
    } else {
      second = first;
      first = {key, make()};
    }
    return first.facts;
  }

 private:
  static constexpr unsigned places_log2 = 11;
  struct Key {  // the bytes of a word; of none: zeros
    std::uint64_t first = 0;
    std::uint64_t second = 0;
    bool operator==(const Key&) const = default;
  };
  struct Entry {
    Key key;
    WordFacts facts;
  };
  using Place = std::array<Entry, 2>;  // the one seen last before the other

  static Key key_of(std::string_view text, std::size_t begin, std::size_t length) {
    Key key;
    if (begin + sizeof key > text.size()) {
      text.copy(reinterpret_cast<char*>(&key), length, begin);
      return key;
    }
    const auto load = [&](std::size_t at, std::size_t count) {
      std::uint64_t bytes = 0;
      std::memcpy(&bytes, text.data() + begin + at, sizeof bytes);
      return bytes & ~std::uint64_t{0} >> 8 * (8 - count);
    };
    key.first = load(0, std::min<std::size_t>(length, 8));
    if (length > 8) key.second = load(8, length - 8);
    return key;
  }
  static std::size_t place(const Key& key) {
    const std::uint64_t hash = (key.first ^ key.second * 0x9FB21C651E98DF25U) * 0x9E3779B97F4A7C15U;
    return static_cast<std::size_t>(hash >> (64 - places_log2));
  }

  std::vector<Place> places_;
  WordFacts unkept_;
};

}  // namespace gatehouse::inspect

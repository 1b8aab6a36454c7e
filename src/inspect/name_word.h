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

// What is known of a word by itself, in sixteen bytes: the memory has room for more.
class WordFacts {
 public:
  std::uint64_t hash = 0;   // of the folded word
  std::uint32_t tail = 0;   // its last three folded letters; of a number or an ordinary word, 0
  std::uint16_t flags = 0;  // WordFlag

  WordFacts() = default;
  // `lists`: a bit for each NameList.
  WordFacts(const NameShape& shape, unsigned lists, Cue cue, bool street_ending)
      : hash(shape.hash),
        bits_(static_cast<std::uint16_t>(static_cast<unsigned>(shape.shape) | lists << 4 |
                                         static_cast<unsigned>(cue) << 8 |
                                         static_cast<unsigned>(street_ending) << 13 | 1U << 14 |
                                         static_cast<unsigned>(shape.tall) << 15)) {}

  Shape shape() const { return static_cast<Shape>(bits_ & 15); }
  unsigned lists() const { return bits_ >> 4 & 15; }
  Cue cue() const { return static_cast<Cue>(bits_ >> 8 & 31); }
  bool street_ending() const { return (bits_ >> 13 & 1) != 0; }
  bool tall() const { return (bits_ >> 15) != 0; }
  bool is_number() const { return inspect::is_number(shape()); }
  bool is(NameList list) const { return (lists() >> static_cast<unsigned>(list) & 1U) != 0; }
  bool has(WordFlag flag) const { return (flags & static_cast<unsigned>(flag)) != 0; }
  // Shape, lists, cue and street_ending, what features are made of; 0 where there is no word.
  unsigned traits() const { return bits_ & 0x7FFF; }

 private:
  std::uint16_t bits_ = 0;
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
  static constexpr unsigned places_log2 = 12;
  struct Key {  // the bytes of a word; of none: zeros
    std::uint64_t first = 0;
    std::uint64_t second = 0;
    bool operator==(const Key& other) const {  // both halves at once: no branch between them
      return ((first ^ other.first) | (second ^ other.second)) == 0;
    }
  };
  // Ones for the bytes of a word of so many.
  static constexpr std::array<std::array<std::uint64_t, 2>, sizeof(Key) + 1> masks = [] {
    std::array<std::array<std::uint64_t, 2>, sizeof(Key) + 1> masks{};
    for (std::size_t size = 0; size < masks.size(); ++size)
      for (std::size_t byte = 0; byte < size; ++byte)
        masks[size][byte / 8] |= std::uint64_t{0xFF} << 8 * (byte % 8);
    return masks;
  }();
  struct Entry {
    Key key;
    WordFacts facts;
  };
  struct alignas(64) Place {  // of one cache line; the one seen last is the first
    Entry first;
    Entry second;
  };
  static_assert(sizeof(Place) == 64);

  // What stands behind the word is masked away.
  static Key key_of(std::string_view text, std::size_t begin, std::size_t length) {
    Key key;
    if (begin + sizeof key > text.size()) {
      text.copy(reinterpret_cast<char*>(&key), length, begin);
      return key;
    }
    std::memcpy(&key, text.data() + begin, sizeof key);
    return {key.first & masks[length][0], key.second & masks[length][1]};
  }
  static std::size_t place(const Key& key) {
    const std::uint64_t hash = (key.first ^ key.second * 0x9FB21C651E98DF25U) * 0x9E3779B97F4A7C15U;
    return static_cast<std::size_t>(hash >> (64 - places_log2));
  }

  std::vector<Place> places_;
  WordFacts unkept_;
};

}  // namespace gatehouse::inspect

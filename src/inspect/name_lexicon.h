// Words that say what stands beside them: titles, greetings, cues, street types. What is here is
// exact; long lists of names and places are filters in the model (name_model.h).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace gatehouse::inspect {

enum class Cue : std::uint8_t {
  none,
  title,     // Mr, Dr, Frau
  name,      // name, called, attn, author, patient
  greeting,  // dear, hi
  closing,   // regards, sincerely
  speech,    // said, wrote, told
  kin,       // mother, husband, boss
  address,   // address, lives, zip
  street,    // Street, Ave: behind the name
  way,       // Rue, Via, Calle: before the name
  unit,      // apt, suite, floor
  box,       // PO Box
  state,     // CA, NSW: only where written in capitals
  side,      // North, SW
  month,     // and days of the week
  particle,  // van, de la
  suffix,    // Jr, PhD
  business,  // Inc, GmbH, University
  self,      // i, am, is, this, me
  stop,      // the, of, and
  from,      // in, at, to, from, by, with, for
};

// Table of the lexicon: the cue of a word by its hash.
class Lexicon {
 public:
  Lexicon();
  Cue find(std::uint64_t hash) const {
    const std::uint32_t wanted = tag(hash);
    for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
      if ((slots_[at] & ~cue_bits) == wanted) return static_cast<Cue>(slots_[at] & cue_bits);
      if (slots_[at] == 0) return Cue::none;
    }
  }

 private:
  static constexpr std::size_t mask = 4095;
  static constexpr std::uint32_t cue_bits = 31;

  // Part of the hash in the upper bits, never zero; the cue stands in the lower ones.
  static std::uint32_t tag(std::uint64_t hash) {
    return (static_cast<std::uint32_t>(hash >> 32) | 1U << 31) & ~cue_bits;
  }

  std::vector<std::uint32_t> slots_;
};

// Whether a word ends as streets do that are written in one word: Hauptstraße, Kerkweg.
bool ends_as_street(std::uint64_t tail, std::size_t size);

}  // namespace gatehouse::inspect

// Which words may be part of a name or an address at all: a cheap test by what they and their
// neighbours are, of sixty-four words at a time. Most words of ordinary text are not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "inspect/name_word.h"

namespace gatehouse::inspect {

inline constexpr std::size_t gate_reach = 4;   // words before that the gate looks at
inline constexpr std::size_t gate_behind = 2;  // and behind

// What it asks of a word of `size` bytes, as WordFacts::flags.
std::uint16_t flags_of(const WordFacts& word, std::size_t size);

// Decides which of the words from `from` on are candidates. That is right for those that have
// gate_reach more before them and gate_behind more behind them, or all there are.
void gate_names(std::span<NameWord> words, std::size_t from);

}  // namespace gatehouse::inspect

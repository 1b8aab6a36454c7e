// The ways in which a model may read a text. An attack need not be written plainly: a model reads
// through zero-width characters, full-width letters, base64. So a text has up to three readings:
//
//   as it is
//   folded   (inspect/fold.h), where that is another text
//   hidden   what is encoded or hidden in it (inspect::hidden_texts) and at least half letters, all
//            of it a line apart, and that folded once more; so that pieces hidden each by itself
//            are put together
//
// Who scores a text scores them all, and the worst counts. Calibrations are made the same way, so
// that p-values need no correction for the number of readings.
//
// Of a text over `most_decoded_bytes`, which is more than models take, only the first and the last
// half of that have the other readings. Hidden texts are looked for in pieces of
// `hidden_piece_bytes`, which bounds the memory to some ten megabytes. Time is linear. Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

namespace gatehouse::classify {

inline constexpr std::size_t most_decoded_bytes = std::size_t{4} << 20;
inline constexpr std::size_t hidden_piece_bytes = std::size_t{256} << 10;
// What is hidden in fewer bytes asks for nothing.
inline constexpr std::size_t least_hidden_bytes = 16;

void for_each_reading(std::string_view text,
                      const std::function<void(std::string_view reading)>& take);

}  // namespace gatehouse::classify

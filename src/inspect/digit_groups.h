// Numbers grouped otherwise than any rule expects: "41 11 11 11 11 11 11 11". Pure functions of at
// most longest_digit_row bytes around.
#pragma once

#include <span>
#include <string_view>

#include "inspect/gates.h"
#include "inspect/segments.h"

namespace gatehouse::inspect {

inline constexpr std::size_t longest_digit_row = 96;

// Appends the rows of equal groups that begin in text[from, to) in one of `rows`. The text begins
// at position `base`.
void find_digit_groups(std::string_view text, std::size_t base, std::size_t from, std::size_t to,
                       std::span<const DigitRow> rows, SegmentList& found);
// Where at the end of the text such a row may be under way.
std::size_t digit_groups_open_from(std::string_view text, std::size_t from);

}  // namespace gatehouse::inspect

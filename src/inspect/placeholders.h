// The shape of a placeholder, for those who look for one in a text. Pure.
#pragma once

#include <cstddef>
#include <string_view>

namespace gatehouse::inspect {

// "[KIND_12]": KIND begins with a capital and has capitals, digits and underscores; the number has
// no leading zero and at most nine digits. The length of the placeholder at the beginning of
// `text`; 0 when there is none.
std::size_t placeholder_length(std::string_view text);

}  // namespace gatehouse::inspect

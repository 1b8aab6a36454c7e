// What stands between two pieces of text that are one for whoever reads them: the signs between two
// string literals that a program adds up, colours of a terminal, breaks and comments of HTML that a
// page does not show. They are read as they are written, not in other shapes or as escapes. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace gatehouse::inspect {

constexpr bool begins_joint(char c) {
  return c == '"' || c == '\'' || c == '<' || c == '\x1b';
}
// No joint is longer.
inline constexpr std::size_t longest_joint = 64;

// The size of the joint with which `text` begins, behind the byte `before` (0: none); 0 if that is
// none; nothing while only what follows can tell, which with `last` is nothing more. `text` begins
// with a byte of those above.
std::optional<std::size_t> joint_size(std::string_view text, char before, bool last);

}  // namespace gatehouse::inspect

// The shape of a placeholder, for those who look for one in a text. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gatehouse::inspect {

// "[KIND_12]": KIND begins with a capital and has capitals, digits and underscores; the number has
// no leading zero and at most nine digits. The length of the placeholder at the beginning of
// `text`; 0 when there is none.
std::size_t placeholder_length(std::string_view text);

// A placeholder as it may come back from a model, which takes it for words: "[email_1]",
// "[Email 1]", "[EMAIL-1]", "[EMAIL\_1]" and "\[EMAIL\_1\]", as Markdown has it, with one or two
// backslashes. A bracket is escaped only where both are: in "C:\[USER_1]" the backslash is the
// path's.
struct WrittenPlaceholder {
  std::size_t length = 0;   // of what is written; 0: none begins here
  std::string name;         // as it was handed out: "[EMAIL_1]"
  bool unfinished = false;  // the text ends before it is decided; `name` is as much as there is
};
WrittenPlaceholder read_placeholder(std::string_view text);

// How many bytes one may be written with for each byte of its name.
inline constexpr std::size_t most_written_for_each = 3;

}  // namespace gatehouse::inspect

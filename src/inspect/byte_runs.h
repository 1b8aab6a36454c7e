// Where letters and digits stand that go on for long. Ordinary words are shorter, so most of a text
// is passed over here, some fifty bytes at a time.
//
// Pure functions, linear time.
#pragma once

#include <cstddef>
#include <string_view>

namespace gatehouse::inspect {

// Letters and digits (ASCII) and dashes.
bool is_token_byte(char c);
// Of the alphabets of base64: letters, digits, + / - _
bool is_base64_byte(char c);

// The first place at or after `from` where fourteen token bytes, sixteen bytes of base64, begin;
// where the text ends if there is none.
std::size_t next_token_run(std::string_view text, std::size_t from);
std::size_t next_base64_run(std::string_view text, std::size_t from);

}  // namespace gatehouse::inspect

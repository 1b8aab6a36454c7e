// What tokenizers ask about characters, over utf8proc (Unicode 15). Pure. Texts are well-formed
// UTF-8: the caller has seen to it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gatehouse::onnx {

// The character at `at`, which is moved behind it.
char32_t next_character(std::string_view text, std::size_t& at);
std::size_t character_bytes(std::string_view text, std::size_t at);
std::size_t count_characters(std::string_view text);
void append_character(std::string& out, char32_t code);

bool is_letter(char32_t code);           // category L
bool is_number(char32_t code);           // category N
bool is_punctuation(char32_t code);      // category P, and all of ASCII's marks and symbols
bool is_white_space(char32_t code);      // the property White_Space
bool is_invisible(char32_t code);        // categories Cc, Cf, Co: what BERT takes for control
bool is_nonspacing_mark(char32_t code);  // category Mn
bool is_mark(char32_t code);             // category M
bool is_ideograph(char32_t code);        // BERT's blocks of Chinese characters

// The full lower-case mapping of one character, without regard to its neighbours.
void append_lower(std::string& out, char32_t code);

// UAX #15. Time n log n: runs of combining marks are sorted, not bubbled.
enum class Form { nfc, nfd, nfkc, nfkd };
std::string normalize(std::string_view text, Form form);

// Bytes of the extended grapheme cluster (UAX #29) that begins at `at`.
std::size_t grapheme_bytes(std::string_view text, std::size_t at);

}  // namespace gatehouse::onnx

// Text in pieces as tokenizers cut it, and the fixed text of the simulator. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::simulate {

// Words with their leading space, long words in parts, digits by three, punctuation alone. The
// pieces joined are the text; no UTF-8 sequence and no `\` escape is cut.
std::vector<std::string> split_tokens(std::string_view text);
std::size_t count_tokens(std::string_view text);

// `count` tokens of fixed words, the same every time, one string each.
std::vector<std::string> long_tokens(std::size_t count);

std::vector<std::string> split_bytes(std::string_view text, std::size_t bytes);
std::string join(const std::vector<std::string>& pieces);

// More than 128 levels of JSON: refused before parsing, because what writes JSON is recursive.
bool nested_too_deeply(std::string_view json);

// 64-bit FNV-1a; the simulator's ids and vectors are made from it, so that equal requests get equal
// answers. Not for anything that an attacker may choose.
std::uint64_t fingerprint(std::string_view text, std::uint64_t seed = 0xcbf29ce484222325ULL);
std::string fingerprint_hex(std::string_view text);

}  // namespace gatehouse::simulate

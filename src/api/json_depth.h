// How deep objects and arrays are nested in a text that may be JSON, before a parser makes of it
// what is copied and compared level by level on the stack. Pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace gatehouse::api {

inline constexpr std::size_t deepest_json = 64;

inline bool is_nested_too_deep(std::string_view json) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t at = 0; at < json.size(); ++at) {
    const char c = json[at];
    if (c == '"') in_string = !in_string;
    if (in_string && c == '\\') ++at;
    if (in_string) continue;
    if ((c == '{' || c == '[') && ++depth > deepest_json) return true;
    if (c == '}' || c == ']') depth -= std::min<std::size_t>(depth, 1);
  }
  return false;
}

}  // namespace gatehouse::api

// One text for one JSON value: white space gone, members sorted by name, strings with the fewest
// escapes. Numbers stay as they were written, and so do strings with surrogates that stand alone:
// two texts are the same only where every reader finds the same in them. Pure, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "mcp/json_view.h"

namespace gatehouse::mcp {

// `behind_each`: a comma behind the last item too. Digests of definitions are made so.
enum class Commas : std::uint8_t { between, behind_each };
void append_canonical(std::string& out, const JsonView& value, Commas commas = Commas::between);

inline constexpr std::size_t most_canonical = 256u << 10;  // bytes; more is compared as it stands

// The same arguments however their JSON is written. What JsonView refuses (no JSON, a member twice,
// nested too deep) and what is larger than most_canonical stands for itself alone, byte for byte.
std::string canonical_json(std::string_view text);

}  // namespace gatehouse::mcp

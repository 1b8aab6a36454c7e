// What a name, a principal or a key may look like. Pure; inside of identity/.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/random.h"
#include "base/result.h"
#include "identity/identity.h"

namespace gatehouse::identity {

inline constexpr std::size_t key_length = 44;
inline constexpr std::size_t prefix_length = 11;

// "gh_" + 8 base62 + "_" + 32 base62.
bool has_key_shape(std::string_view text);
std::string generate_key(Random& random);

// 1 to `limit` bytes of well-formed UTF-8 without control or bidirectional formatting characters
// and without a space at either end. `what` opens the message: "a model name".
Result<void> check_printable(std::string_view text, std::size_t limit, std::string_view what);

// "user:ada" -> (user, "ada").
Result<std::pair<PrincipalKind, std::string>> parse_principal(std::string_view text);

using Attributes = std::vector<std::pair<std::string, std::string>>;
// Sorted by name; names are [A-Za-z_][A-Za-z0-9_]{0,63} and differ.
Result<Attributes> check_attributes(Attributes attributes);

}  // namespace gatehouse::identity

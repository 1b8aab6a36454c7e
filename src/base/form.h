// One name or value of application/x-www-form-urlencoded (WHATWG URL, section 5.1), as bodies of
// forms and queries of URLs have them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gatehouse {

// "a+b%20c" -> "a b c". None: a % without two hexadecimal digits, or what comes out is not UTF-8.
std::optional<std::string> decode_form_text(std::string_view text);

}  // namespace gatehouse

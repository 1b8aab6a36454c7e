// See form.h.
#include "base/form.h"

#include "base/text.h"

namespace gatehouse {

std::optional<std::string> decode_form_text(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '+') {
      out += ' ';
    } else if (text[at] == '%') {
      const auto byte = from_hex(text.substr(at + 1, 2));
      if (!byte || byte->size() != 1) return std::nullopt;
      out += *byte;
      at += 2;
    } else {
      out += text[at];
    }
  }
  if (!is_utf8(out)) return std::nullopt;
  return out;
}

}  // namespace gatehouse

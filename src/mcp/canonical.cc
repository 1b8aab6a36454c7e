// See canonical.h.
#include "mcp/canonical.h"

#include <algorithm>

#include "base/text.h"

namespace gatehouse::mcp {
namespace {

// Decoding makes U+FFFD of a surrogate that stands alone, so that two strings would become one. A
// pair and U+FFFD itself are written back otherwise than as an escape of a surrogate.
bool decodes_exactly(std::string_view token) {
  const auto is_surrogate = [&](std::size_t at, std::string_view third) {
    return at + 5 < token.size() && token[at] == '\\' && token[at + 1] == 'u' &&
           (token[at + 2] == 'd' || token[at + 2] == 'D') && third.contains(token[at + 3]);
  };
  for (std::size_t at = 0; (at = token.find('\\', at)) != std::string_view::npos; at += 2) {
    if (is_surrogate(at, "cdefCDEF")) return false;
    if (!is_surrogate(at, "89abAB")) continue;
    if (!is_surrogate(at + 6, "cdefCDEF")) return false;
    at += 6;
  }
  return true;
}

void append_string(std::string& out, std::string_view token, std::string_view decoded) {
  if (decodes_exactly(token)) {
    append_json_string(out, decoded);
  } else {
    out += token;
  }
}

template <class Items, class Append>
void append_list(std::string& out, const Items& items, Commas commas, const Append& append) {
  bool first = true;
  for (const auto& item : items) {
    if (commas == Commas::between && !first) out += ',';
    first = false;
    append(item);
    if (commas == Commas::behind_each) out += ',';
  }
}

}  // namespace

void append_canonical(std::string& out, const JsonView& value, Commas commas) {
  if (value.is_array()) {
    out += '[';
    append_list(out, value.items(), commas,
                [&](const JsonView& item) { append_canonical(out, item, commas); });
    out += ']';
  } else if (value.is_object()) {
    auto members = value.members();
    std::ranges::sort(members, {}, &JsonView::Member::key);
    out += '{';
    append_list(out, members, commas, [&](const JsonView::Member& member) {
      append_string(out, member.key_token, member.key);
      out += ':';
      append_canonical(out, member.value, commas);
    });
    out += '}';
  } else if (value.is_string()) {
    append_string(out, value.raw(), value.text());
  } else {
    out += value.raw();
  }
}

std::string canonical_json(std::string_view text) {
  if (text.size() > most_canonical) return std::string(text);
  const auto view = JsonView::parse(text);
  if (!view) return std::string(text);
  std::string canonical;
  append_canonical(canonical, *view);
  return canonical;
}

}  // namespace gatehouse::mcp

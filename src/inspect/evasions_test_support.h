// Ways to write a value so that people still read it, or models do, and bytes differ. For tests.
#pragma once

#include <cctype>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "inspect/unicode.h"

namespace gatehouse::inspect::testing {

struct Evasion {
  std::string_view name;
  std::function<std::string(std::string_view)> apply;
};

inline std::string each(std::string_view text,
                        const std::function<std::string(char, std::size_t)>& make) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) out += make(text[i], i);
  return out;
}

inline std::string shifted(std::string_view text, char32_t lower, char32_t upper, char32_t digit) {
  return each(text, [&](char c, std::size_t) {
    std::string out;
    if (c >= 'a' && c <= 'z' && lower != 0) {
      append_utf8(out, lower + static_cast<char32_t>(c - 'a'));
    } else if (c >= 'A' && c <= 'Z' && upper != 0) {
      append_utf8(out, upper + static_cast<char32_t>(c - 'A'));
    } else if (c >= '0' && c <= '9' && digit != 0) {
      append_utf8(out, digit + static_cast<char32_t>(c - '0'));
    } else {
      out = c;
    }
    return out;
  });
}

inline std::string full_width(std::string_view text) {
  return each(text, [](char c, std::size_t) {
    std::string out;
    append_utf8(out, c > 0x20 ? static_cast<char32_t>(c) + 0xfee0 : U' ');
    return out;
  });
}

inline std::string look_alikes(std::string_view text) {
  constexpr std::pair<char, char32_t> pairs[] = {
      {'a', 0x430}, {'c', 0x441}, {'e', 0x435}, {'o', 0x43e}, {'p', 0x440}, {'x', 0x445},
      {'y', 0x443}, {'i', 0x456}, {'s', 0x455}, {'j', 0x458}, {'A', 0x410}, {'B', 0x412},
      {'E', 0x415}, {'K', 0x41a}, {'M', 0x41c}, {'H', 0x41d}, {'O', 0x41e}, {'P', 0x420},
      {'C', 0x421}, {'T', 0x422}, {'X', 0x425}, {'I', 0x399}, {'N', 0x39d}, {'Z', 0x396}};
  return each(text, [&](char c, std::size_t) {
    std::string out(1, c);
    for (const auto& [plain, code] : pairs)
      if (plain == c) append_utf8(out = {}, code);
    return out;
  });
}

inline std::function<std::string(std::string_view)> with(std::string_view hidden,
                                                         std::size_t step) {
  return [=](std::string_view text) {
    return each(text, [&](char c, std::size_t i) {
      return std::string(1, c) + (i % step == 0 && i + 1 < text.size() ? std::string(hidden) : "");
    });
  };
}

inline std::string escaped(std::string_view text, const char* format) {
  return each(text, [&](char c, std::size_t) {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, format,
                  static_cast<unsigned>(static_cast<unsigned char>(c)));
    return std::string(buffer);
  });
}

inline std::string signs_escaped(std::string_view text, const char* format) {
  return each(text, [&](char c, std::size_t i) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 && i % 3 != 0
               ? std::string(1, c)
               : escaped({&c, 1}, format);
  });
}

inline std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  return each(text, [&](char c, std::size_t) {
    return from.find(c) != std::string_view::npos ? std::string(to) : std::string(1, c);
  });
}

inline std::string spaced(std::string_view text, std::string_view separator) {
  return each(text,
              [&](char c, std::size_t i) { return (i == 0 ? "" : std::string(separator)) + c; });
}

inline std::string hex(std::string_view text, std::string_view separator, std::string_view prefix) {
  return each(text, [&](char c, std::size_t i) {
    char buffer[8];
    std::snprintf(buffer, sizeof buffer, "%02x",
                  static_cast<unsigned>(static_cast<unsigned char>(c)));
    return (i == 0 ? "" : std::string(separator)) + std::string(prefix) + buffer;
  });
}

inline std::string tags(std::string_view text) {
  return each(text, [](char c, std::size_t) {
    std::string out;
    append_utf8(out, 0xe0000 + static_cast<char32_t>(c));
    return out;
  });
}

inline std::string selectors(std::string_view text) {
  return each(text, [](char c, std::size_t) {
    std::string out;
    append_utf8(
        out, c < 16 ? 0xfe00 + static_cast<char32_t>(c) : 0xe0100 + static_cast<char32_t>(c) - 16);
    return out;
  });
}

// The text in two, and what stands between.
inline std::function<std::string(std::string_view)> cut_by(std::string_view joint) {
  return [=](std::string_view text) {
    std::size_t half = text.size() / 2;
    const auto is_of_token = [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0;
    };
    while (half > 1 && (!is_of_token(text[half]) || !is_of_token(text[half - 1]))) --half;
    return std::string(text.substr(0, half)) + std::string(joint) + std::string(text.substr(half));
  };
}

inline std::string base64(std::string_view text) {
  return to_base64(bytes_of(text));
}

inline const std::vector<Evasion>& evasions() {
  static const std::vector<Evasion> all = {
      {"full width", full_width},
      {"mathematical bold", [](auto t) { return shifted(t, 0x1d41a, 0x1d400, 0x1d7ce); }},
      {"monospace digits", [](auto t) { return shifted(t, 0x1d68a, 0x1d670, 0x1d7f6); }},
      {"circled letters", [](auto t) { return shifted(t, 0x24d0, 0x24b6, 0); }},
      {"arabic digits", [](auto t) { return shifted(t, 0, 0, 0x660); }},
      {"devanagari digits", [](auto t) { return shifted(t, 0, 0, 0x966); }},
      {"look-alikes", look_alikes},
      {"zero-width space", with("\u200b", 1)},
      {"zero-width joiner", with("\u200d", 3)},
      {"word joiner", with("\u2060", 2)},
      {"soft hyphen", with("\u00ad", 2)},
      {"byte order mark", with("\ufeff", 4)},
      {"variation selector", with("\ufe0f", 2)},
      {"combining mark", with("\u0301", 3)},
      {"tag in between", with("\U000e0041", 3)},
      {"direction", with("\u202a\u202c", 4)},
      {"control characters", with("\x08", 3)},
      {"no-break space", [](auto t) { return replaced(t, " ", "\u00a0"); }},
      {"unicode dash", [](auto t) { return replaced(t, "-", "\u2011"); }},
      {"percent", [](auto t) { return escaped(t, "%%%02X"); }},
      {"percent signs", [](auto t) { return signs_escaped(t, "%%%02x"); }},
      {"percent twice", [](auto t) { return signs_escaped(t, "%%25%02X"); }},
      {"entities", [](auto t) { return escaped(t, "&#%u;"); }},
      {"hex entities", [](auto t) { return signs_escaped(t, "&#x%X;"); }},
      {"entities twice", [](auto t) { return signs_escaped(t, "&amp;#%u;"); }},
      {"\\u", [](auto t) { return escaped(t, "\\u%04x"); }},
      {"\\x", [](auto t) { return escaped(t, "\\x%02x"); }},
      {"colours", with("\x1b[1;31m\x1b[K", 5)},
      {"break of HTML", with("<wbr>", 7)},
      {"empty comment", with("<!-- -->", 7)},
      {"literals added", cut_by("\" + \"")},
      {"literals over lines", cut_by("\"\n    + \"")},
      {"literals of PHP", cut_by("'.'")},
      {"line continued", cut_by("\\\n")},
      {"Markdown escapes", [](auto t) { return replaced(replaced(t, "_", "\\_"), "-", "\\-"); }},
      {"base64", base64},
      {"base64 twice", [](auto t) { return base64(base64(t)); }},
      {"base64 url", [](auto t) { return to_base64url(bytes_of(t)); }},
      {"base64 inside a word", [](auto t) { return "xY1" + base64(t); }},
      {"base64 of a sentence",
       [](auto t) { return base64("the value is " + std::string(t) + " ok"); }},
      {"hex", [](auto t) { return hex(t, "", ""); }},
      {"hex pairs", [](auto t) { return hex(t, " ", ""); }},
      {"hex colons", [](auto t) { return hex(t, ":", ""); }},
      {"hex 0x", [](auto t) { return hex(t, ", ", "0x"); }},
      {"spaced", [](auto t) { return spaced(t, " "); }},
      {"spaced dashes", [](auto t) { return t.contains('-') ? std::string(t) : spaced(t, "-"); }},
      {"spaced dots", [](auto t) { return spaced(t, ", "); }},
      {"tags", tags},
      {"variation selectors", selectors},
  };
  return all;
}

}  // namespace gatehouse::inspect::testing

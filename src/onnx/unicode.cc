// See unicode.h.
#include "onnx/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/result.h"

namespace gatehouse::onnx {
namespace {

utf8proc_category_t category_of(char32_t code) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(code));
}

bool is_between(utf8proc_category_t category, utf8proc_category_t first, utf8proc_category_t last) {
  return category >= first && category <= last;
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

int combining_class(utf8proc_int32_t code) {
  return utf8proc_get_property(code)->combining_class;
}

// Decomposed, not yet in canonical order.
std::vector<utf8proc_int32_t> decompose(std::string_view text, bool compatible) {
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | UTF8PROC_STABLE |
                                                      (compatible ? UTF8PROC_COMPAT : 0));
  constexpr std::size_t longest_decomposition = 18;  // U+FDFA
  std::vector<utf8proc_int32_t> codes;
  codes.reserve(text.size());
  std::array<utf8proc_int32_t, 2 * longest_decomposition> parts{};
  for (std::size_t at = 0; at < text.size();) {
    const auto code = static_cast<utf8proc_int32_t>(next_character(text, at));
    const auto count = utf8proc_decompose_char(code, parts.data(), parts.size(), options, nullptr);
    GH_CHECK(count >= 0 && static_cast<std::size_t>(count) <= parts.size());
    codes.insert(codes.end(), parts.begin(), parts.begin() + count);
  }
  return codes;
}

// Each run of marks by combining class, equal ones as they stood.
void put_in_canonical_order(std::vector<utf8proc_int32_t>& codes) {
  struct Mark {
    int combining_class;
    std::size_t place;
    utf8proc_int32_t code;
    auto operator<=>(const Mark&) const = default;
  };
  std::vector<Mark> run;
  for (std::size_t at = 0; at <= codes.size(); ++at) {
    const int own = at < codes.size() ? combining_class(codes[at]) : 0;
    if (own != 0) {
      run.push_back({own, at, codes[at]});
      continue;
    }
    std::ranges::sort(run);
    for (std::size_t i = 0; i < run.size(); ++i) codes[at - run.size() + i] = run[i].code;
    run.clear();
  }
}

}  // namespace

char32_t next_character(std::string_view text, std::size_t& at) {
  utf8proc_int32_t code = 0;
  const auto size = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data() + at),
                                     static_cast<utf8proc_ssize_t>(text.size() - at), &code);
  GH_CHECK(size > 0);
  at += static_cast<std::size_t>(size);
  return static_cast<char32_t>(code);
}

std::size_t character_bytes(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const std::size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return std::min(size, text.size() - at);
}

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

void append_character(std::string& out, char32_t code) {
  std::array<utf8proc_uint8_t, 4> bytes{};
  const auto size = utf8proc_encode_char(static_cast<utf8proc_int32_t>(code), bytes.data());
  out.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(size));
}

bool is_letter(char32_t code) {
  return is_between(category_of(code), UTF8PROC_CATEGORY_LU, UTF8PROC_CATEGORY_LO);
}

bool is_number(char32_t code) {
  return is_between(category_of(code), UTF8PROC_CATEGORY_ND, UTF8PROC_CATEGORY_NO);
}

bool is_punctuation(char32_t code) {
  if (code < 0x80)
    return (code >= 0x21 && code <= 0x2f) || (code >= 0x3a && code <= 0x40) ||
           (code >= 0x5b && code <= 0x60) || (code >= 0x7b && code <= 0x7e);
  return is_between(category_of(code), UTF8PROC_CATEGORY_PC, UTF8PROC_CATEGORY_PO);
}

bool is_white_space(char32_t code) {
  return (code >= 0x09 && code <= 0x0d) || code == 0x20 || code == 0x85 || code == 0xa0 ||
         code == 0x1680 || (code >= 0x2000 && code <= 0x200a) || code == 0x2028 || code == 0x2029 ||
         code == 0x202f || code == 0x205f || code == 0x3000;
}

bool is_invisible(char32_t code) {
  const auto category = category_of(code);
  return category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CF ||
         category == UTF8PROC_CATEGORY_CO;
}

bool is_nonspacing_mark(char32_t code) {
  return category_of(code) == UTF8PROC_CATEGORY_MN;
}

bool is_mark(char32_t code) {
  return is_between(category_of(code), UTF8PROC_CATEGORY_MN, UTF8PROC_CATEGORY_ME);
}

bool is_ideograph(char32_t code) {
  constexpr std::array<std::pair<char32_t, char32_t>, 8> blocks{{{0x4e00, 0x9fff},
                                                                 {0x3400, 0x4dbf},
                                                                 {0x20000, 0x2a6df},
                                                                 {0x2a700, 0x2b73f},
                                                                 {0x2b740, 0x2b81f},
                                                                 {0x2b920, 0x2ceaf},
                                                                 {0xf900, 0xfaff},
                                                                 {0x2f800, 0x2fa1f}}};
  return std::ranges::any_of(
      blocks, [&](const auto& block) { return code >= block.first && code <= block.second; });
}

void append_lower(std::string& out, char32_t code) {
  constexpr char32_t capital_i_with_dot = 0x130;  // the one whose mapping is two characters
  constexpr char32_t dot_above = 0x307;
  if (code == capital_i_with_dot) {
    out += 'i';
    append_character(out, dot_above);
    return;
  }
  append_character(out,
                   static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code))));
}

std::string normalize(std::string_view text, Form form) {
  if (is_ascii(text)) return std::string(text);
  auto codes = decompose(text, form == Form::nfkc || form == Form::nfkd);
  put_in_canonical_order(codes);
  if (form == Form::nfc || form == Form::nfkc) {
    const auto count = utf8proc_normalize_utf32(
        codes.data(), static_cast<utf8proc_ssize_t>(codes.size()),
        static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE));
    GH_CHECK(count >= 0);
    codes.resize(static_cast<std::size_t>(count));
  }
  std::string out;
  out.reserve(text.size());
  for (const auto code : codes) append_character(out, static_cast<char32_t>(code));
  return out;
}

std::size_t grapheme_bytes(std::string_view text, std::size_t at) {
  const std::size_t begin = at;
  auto before = static_cast<utf8proc_int32_t>(next_character(text, at));
  utf8proc_int32_t state = 0;
  while (at < text.size()) {
    std::size_t after = at;
    const auto next = static_cast<utf8proc_int32_t>(next_character(text, after));
    if (utf8proc_grapheme_break_stateful(before, next, &state)) break;
    before = next;
    at = after;
  }
  return at - begin;
}

}  // namespace gatehouse::onnx

// Bytes and text. Pure functions, no state.
#include "base/text.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace gatehouse {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view base64_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view base64url_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::uint8_t no_digit = 0xff;

consteval std::array<std::uint8_t, 256> digits_of(std::string_view alphabet) {
  std::array<std::uint8_t, 256> values;
  values.fill(no_digit);
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  return values;
}

consteval std::array<std::uint8_t, 256> hex_values_of_both_cases() {
  std::array<std::uint8_t, 256> values = digits_of(hex_digits);
  for (std::size_t i = 0; i < 6; ++i) values['A' + i] = static_cast<std::uint8_t>(10 + i);
  return values;
}

constexpr std::array<std::uint8_t, 256> hex_values = hex_values_of_both_cases();
constexpr std::array<std::uint8_t, 256> base64_values = digits_of(base64_alphabet);
constexpr std::array<std::uint8_t, 256> base64url_values = digits_of(base64url_alphabet);

std::uint8_t value_in(const std::array<std::uint8_t, 256>& values, char c) {
  return values[static_cast<unsigned char>(c)];
}

std::string encode_base64(Bytes bytes, std::string_view alphabet, bool padded) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t word = 0;
    for (std::size_t i = 0; i < 3; ++i)
      word = word << 8 | (i < count ? std::to_integer<std::uint32_t>(bytes[at + i]) : 0);
    for (std::size_t i = 0; i <= count; ++i) out += alphabet[word >> (18 - 6 * i) & 0x3f];
    if (padded) out.append(3 - count, '=');
  }
  return out;
}

std::unexpected<Error> refuse(const char* why) {
  return fail(ErrorCode::invalid_argument, why);
}

// `text` has no padding, and could have had: it is not one digit longer than whole groups.
Result<std::string> decode_base64(std::string_view text,
                                  const std::array<std::uint8_t, 256>& values) {
  std::string out;
  out.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  unsigned waiting = 0;  // how many of the bits are of no byte yet
  for (const char c : text) {
    const std::uint8_t value = value_in(values, c);
    if (value == no_digit) return refuse("base64 text has a character outside the alphabet");
    bits = (bits << 6 | value) & 0xffff;
    waiting += 6;
    if (waiting < 8) continue;
    waiting -= 8;
    out += static_cast<char>(bits >> waiting & 0xff);
  }
  if ((bits & ((1U << waiting) - 1)) != 0)
    return refuse("base64 text is not canonical: unused bits are set");
  return out;
}

// How many bytes the sequence at text[at] has; `whole` false: that many bytes are ill-formed (a
// maximal subpart, as the Unicode standard names it, section 3.9) and become one U+FFFD.
struct Utf8Step {
  std::size_t length;
  bool whole;
};

struct Utf8Lead {
  std::size_t length;  // of the whole sequence; 0: no lead byte
  unsigned char low;   // range of the second byte
  unsigned char high;
};

Utf8Lead classify_lead(unsigned char lead) {
  if (lead < 0x80) return {1, 0, 0};
  if (lead < 0xc2) return {0, 0, 0};
  if (lead < 0xe0) return {2, 0x80, 0xbf};
  if (lead == 0xe0) return {3, 0xa0, 0xbf};
  if (lead == 0xed) return {3, 0x80, 0x9f};
  if (lead < 0xf0) return {3, 0x80, 0xbf};
  if (lead == 0xf0) return {4, 0x90, 0xbf};
  if (lead < 0xf4) return {4, 0x80, 0xbf};
  if (lead == 0xf4) return {4, 0x80, 0x8f};
  return {0, 0, 0};
}

Utf8Step utf8_step(std::string_view text, std::size_t at) {
  const Utf8Lead lead = classify_lead(static_cast<unsigned char>(text[at]));
  if (lead.length == 0) return {1, false};
  unsigned char low = lead.low;
  unsigned char high = lead.high;
  for (std::size_t i = 1; i < lead.length; ++i) {
    if (at + i >= text.size()) return {i, false};
    const auto next = static_cast<unsigned char>(text[at + i]);
    if (next < low || next > high) return {i, false};
    low = 0x80;
    high = 0xbf;
  }
  return {lead.length, true};
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

}  // namespace

std::string to_hex(Bytes bytes) {
  std::string out(bytes.size() * 2, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto value = std::to_integer<unsigned>(bytes[i]);
    out[2 * i] = hex_digits[value >> 4];
    out[2 * i + 1] = hex_digits[value & 0xf];
  }
  return out;
}

Result<std::string> from_hex(std::string_view hex) {
  if (hex.size() % 2 != 0)
    return fail(ErrorCode::invalid_argument, "hexadecimal text has an odd number of digits");
  std::string out(hex.size() / 2, '\0');
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::uint8_t high = value_in(hex_values, hex[2 * i]);
    const std::uint8_t low = value_in(hex_values, hex[2 * i + 1]);
    if (high == no_digit || low == no_digit)
      return fail(ErrorCode::invalid_argument, "hexadecimal text has a character that is no digit");
    out[i] = static_cast<char>(high << 4 | low);
  }
  return out;
}

std::string to_base64(Bytes bytes) {
  return encode_base64(bytes, base64_alphabet, true);
}

std::string to_base64url(Bytes bytes) {
  return encode_base64(bytes, base64url_alphabet, false);
}

Result<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return refuse("base64 text is not padded to a multiple of 4");
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  return decode_base64(text, base64_values);
}

Result<std::string> from_base64url(std::string_view text) {
  if (text.size() % 4 == 1) return refuse("base64url text is cut: one digit is over");
  return decode_base64(text, base64url_values);
}

bool is_utf8(std::string_view text) {
  return simdjson::validate_utf8(text);
}

std::string to_utf8(std::string_view bytes) {
  if (is_utf8(bytes)) return std::string(bytes);
  std::string out;
  out.reserve(bytes.size() + 16);
  for (std::size_t at = 0; at < bytes.size();) {
    const Utf8Step step = utf8_step(bytes, at);
    out += step.whole ? bytes.substr(at, step.length) : std::string_view("\xef\xbf\xbd");
    at += step.length;
  }
  return out;
}

std::string printable(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (std::size_t at = 0; at < bytes.size();) {
    const Utf8Step step = utf8_step(bytes, at);
    const std::string_view piece = bytes.substr(at, step.length);
    const auto lead = static_cast<unsigned char>(piece.front());
    // The second block of control characters, U+0080 to U+009F, is obeyed by terminals, too.
    const bool second_block = lead == 0xc2 && static_cast<unsigned char>(piece.back()) < 0xa0;
    if (step.whole && lead >= 0x20 && lead != 0x7f && !second_block) {
      out += piece;
    } else {
      for (const char byte : piece) out += "\\x" + to_hex(bytes_of(std::string_view(&byte, 1)));
    }
    at += step.length;
  }
  return out;
}

std::string_view utf8_prefix(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  const std::size_t furthest_lead = limit >= 3 ? limit - 3 : 0;
  for (std::size_t at = limit; at-- > furthest_lead;) {
    const std::size_t length = classify_lead(static_cast<unsigned char>(text[at])).length;
    if (length == 0) continue;
    const Utf8Step step = utf8_step(text, at);
    return text.substr(0, at + step.length > limit ? at : limit);
  }
  return text.substr(0, limit);
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::string to_lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::optional<std::uint64_t> parse_uint(std::string_view text) {
  std::uint64_t value = 0;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const auto [stop, error] = std::from_chars(begin, end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

}  // namespace gatehouse

// JSON on the hot path. Pure functions; the writer belongs to one thread.
//
// Almost all text on the hot path needs no escape: both directions look for the first byte that
// needs work eight bytes at a time and copy whole runs.
#include "base/json.h"

#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <optional>
#include <tuple>

#include "base/text.h"
#include "base/word.h"

namespace gatehouse {
namespace {

constexpr bool is_special(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

constexpr std::uint64_t special_bytes(std::uint64_t word) {
  const std::uint64_t controls = (word - each_byte * 0x20) & ~word & high_bits;
  return controls | bytes_equal(word, '"') | bytes_equal(word, '\\');
}

// The first quote, backslash or control.
std::size_t find_special(std::string_view text, std::size_t at) {
  return find_byte(text, at, special_bytes, is_special);
}

// Whether every byte is printable ASCII that stands for itself in a JSON string.
bool is_plain_ascii(std::string_view text) {
  const auto hits = [](std::uint64_t word) { return special_bytes(word) | (word & high_bits); };
  const auto is_hit = [](char c) { return is_special(c) || static_cast<unsigned char>(c) >= 0x80; };
  return find_byte(text, 0, hits, is_hit) == text.size();
}

void append_escape(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out += "01"[c >> 4 & 1];
      out += "0123456789abcdef"[c & 0xf];
  }
}

void append_well_formed(std::string& out, std::string_view text) {
  std::size_t at = 0;
  while (true) {
    const std::size_t special = find_special(text, at);
    out.append(text, at, special - at);
    if (special == text.size()) return;
    append_escape(out, text[special]);
    at = special + 1;
  }
}

void append_code_point(std::string& out, std::uint32_t point) {
  const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xc0 | point >> 6);
    put(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    put(0xe0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  } else {
    put(0xf0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3f));
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  }
}

constexpr std::uint32_t replacement = 0xfffd;
constexpr bool is_high_surrogate(std::uint32_t unit) {
  return unit >= 0xd800 && unit < 0xdc00;
}
constexpr bool is_low_surrogate(std::uint32_t unit) {
  return unit >= 0xdc00 && unit < 0xe000;
}

// The code unit of the escape \uXXXX at text[at], or nothing when there is none.
std::optional<std::uint32_t> unit_at(std::string_view text, std::size_t at) {
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return std::nullopt;
  std::uint32_t unit = 0;
  const char* const end = text.data() + at + 6;
  const auto [stop, error] = std::from_chars(end - 4, end, unit, 16);
  if (error != std::errc() || stop != end) return std::nullopt;
  return unit;
}

// Decodes the \u escape at text[at] and, of a pair, its second half. Returns the bytes taken; 0
// when it is malformed.
std::size_t decode_unicode_escape(std::string& out, std::string_view text, std::size_t at) {
  const std::optional<std::uint32_t> unit = unit_at(text, at);
  if (!unit) return 0;
  if (is_high_surrogate(*unit)) {
    const std::optional<std::uint32_t> second = unit_at(text, at + 6);
    if (second && is_low_surrogate(*second)) {
      append_code_point(out, 0x10000 + ((*unit - 0xd800) << 10) + (*second - 0xdc00));
      return 12;
    }
  }
  const bool lone = is_high_surrogate(*unit) || is_low_surrogate(*unit);
  append_code_point(out, lone ? replacement : *unit);
  return 6;
}

// Decodes the escape at text[at] (a backslash). Returns the bytes taken; 0 when it is malformed.
std::size_t decode_escape(std::string& out, std::string_view text, std::size_t at) {
  if (at + 1 >= text.size()) return 0;
  constexpr std::string_view names = "\"\\/bfnrt";
  constexpr std::string_view values = "\"\\/\b\f\n\r\t";
  if (const std::size_t i = names.find(text[at + 1]); i != std::string_view::npos) {
    out += values[i];
    return 2;
  }
  return text[at + 1] == 'u' ? decode_unicode_escape(out, text, at) : 0;
}

}  // namespace

void append_json_escaped(std::string& out, std::string_view text) {
  if (is_plain_ascii(text)) [[likely]] {
    out += text;
    return;
  }
  if (simdjson::validate_utf8(text)) return append_well_formed(out, text);
  append_well_formed(out, to_utf8(text));
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  append_json_escaped(out, text);
  out += '"';
}

std::string json_string(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  append_json_string(out, text);
  return out;
}

Result<std::string> decode_json_string(std::string_view inside) {
  const auto refuse = [](std::string what, std::size_t at) {
    return fail(ErrorCode::invalid_argument,
                std::move(what) + " at byte " + std::to_string(at) + " of a JSON string");
  };
  if (!simdjson::validate_utf8(inside))
    return fail(ErrorCode::invalid_argument, "a JSON string is not well-formed UTF-8");
  std::string out;
  out.reserve(inside.size());
  std::size_t at = 0;
  while (true) {
    const std::size_t special = find_special(inside, at);
    out.append(inside, at, special - at);
    if (special == inside.size()) return out;
    if (inside[special] != '\\')
      return refuse(inside[special] == '"' ? "bare quote" : "control character", special);
    const std::size_t taken = decode_escape(out, inside, special);
    if (taken == 0) return refuse("malformed escape", special);
    at = special + taken;
  }
}

JsonWriter& JsonWriter::begin_object() {
  before_value();
  open_ += '{';
  out_ += '{';
  return *this;
}

JsonWriter& JsonWriter::end_object() {
  close('{', '}');
  return *this;
}

JsonWriter& JsonWriter::begin_array() {
  before_value();
  open_ += '[';
  out_ += '[';
  return *this;
}

JsonWriter& JsonWriter::end_array() {
  close('[', ']');
  return *this;
}

void JsonWriter::close(char kind, char bracket) {
  GH_CHECK(!after_key_);
  GH_CHECK(!open_.empty() && (open_.back() == kind || open_.back() == bracket));
  open_.pop_back();
  out_ += bracket;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  GH_CHECK(!after_key_);
  GH_CHECK(!open_.empty() && (open_.back() == '{' || open_.back() == '}'));
  if (open_.back() == '}') out_ += ',';
  open_.back() = '}';
  append_json_string(out_, name);
  out_ += ':';
  after_key_ = true;
  return *this;
}

void JsonWriter::before_value() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (open_.empty()) return;
  GH_CHECK(open_.back() == '[' || open_.back() == ']');
  if (open_.back() == ']') out_ += ',';
  open_.back() = ']';
}

JsonWriter& JsonWriter::string(std::string_view value) {
  before_value();
  append_json_string(out_, value);
  return *this;
}

JsonWriter& JsonWriter::number(double value) {
  GH_CHECK(std::isfinite(value));
  char text[32];
  const auto [end, error] = std::to_chars(std::begin(text), std::end(text), value);
  GH_CHECK(error == std::errc());
  return raw({text, static_cast<std::size_t>(end - text)});
}

JsonWriter& JsonWriter::boolean(bool value) {
  return raw(value ? "true" : "false");
}

JsonWriter& JsonWriter::null() {
  return raw("null");
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  before_value();
  out_ += json;
  return *this;
}

// By value, because callers give their edits away and have no more use for them.
// NOLINTNEXTLINE(performance-unnecessary-value-param)
std::string apply_splices(std::string_view document, std::vector<Splice> splices) {
  std::vector<const Splice*> ordered;
  std::size_t size = document.size();
  for (const Splice& splice : splices) {
    ordered.push_back(&splice);
    size += splice.text.size();
  }
  // Insertions at one place keep the order they were given in: their addresses rise with it.
  std::ranges::sort(ordered, {}, [](const Splice* splice) {
    return std::tuple(splice->begin, splice->end, splice);
  });

  std::string out;
  out.reserve(size);
  std::size_t at = 0;
  for (const Splice* splice : ordered) {
    GH_CHECK(splice->begin >= at && splice->begin <= splice->end && splice->end <= document.size());
    out.append(document, at, splice->begin - at);
    out += splice->text;
    at = splice->end;
  }
  out.append(document, at);
  return out;
}

}  // namespace gatehouse

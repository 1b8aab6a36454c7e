// JSON on the hot path: append pieces to a string, decode one string token, splice replacements
// into a document without touching any other byte. Documents are read with simdjson (hot) or
// nlohmann::json (elsewhere) in the .cc files that need them. RFC 8259.
#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace gatehouse {

// Appends `text` as the inside of a JSON string (no quotes). Ill-formed UTF-8 becomes U+FFFD.
// Escapes only what RFC 8259 demands: quote, backslash, controls.
void append_json_escaped(std::string& out, std::string_view text);
// The same with the quotes.
void append_json_string(std::string& out, std::string_view text);
std::string json_string(std::string_view text);

// Decodes the inside of a JSON string token (no quotes). Lone surrogates become U+FFFD. Refused: a
// bare quote or control character, an unknown or cut-off escape, ill-formed UTF-8.
Result<std::string> decode_json_string(std::string_view inside);

// Writes objects and arrays in the order they are given, no white space. Misuse is a GH_CHECK.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}
  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);
  JsonWriter& string(std::string_view value);
  JsonWriter& number(double value);  // shortest form that reads back the same; NaN is a GH_CHECK
  template <std::integral T>
  JsonWriter& number(T value) {
    return raw(std::to_string(value));
  }
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  JsonWriter& raw(std::string_view json);  // trusted, already JSON

 private:
  void before_value();
  void close(char kind, char bracket);
  std::string& out_;
  std::string open_;  // one character a level: '{' or '[' while empty, '}' or ']' with items
  bool after_key_ = false;
};

// One replacement of the bytes [begin, end) of a document.
struct Splice {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string text;
};

// Applies splices, given in any order, to `document`. Overlaps or ranges outside are a GH_CHECK.
std::string apply_splices(std::string_view document, std::vector<Splice> splices);

// Where the members of one JSON object (or items of one array) lie in their document: used by
// those who splice. `text` is the raw bytes of the value, white space trimmed.
struct JsonSpan {
  std::size_t begin = 0;
  std::size_t end = 0;
};

}  // namespace gatehouse

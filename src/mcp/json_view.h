// One JSON text (RFC 8259), checked whole once, then looked into where it stands: nothing is
// copied, so what nobody changes can leave byte for byte. Made for messages whose reader and whose
// later reader must agree: a member twice in one object is refused wherever it stands, because two
// parsers would choose differently.
//
// A view is two pointers; it must not outlive the text. Pure, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace gatehouse::mcp {

class JsonView {
 public:
  enum class Type : std::uint8_t { object, array, string, number, boolean, null };
  static constexpr std::size_t max_depth = 64;

  // Error (invalid_argument, naming the position): not one JSON value, ill-formed UTF-8, deeper
  // than max_depth, a member twice.
  static Result<JsonView> parse(std::string_view text);

  Type type() const;
  bool is_object() const { return type() == Type::object; }
  bool is_array() const { return type() == Type::array; }
  bool is_string() const { return type() == Type::string; }

  // The value as it stands.
  std::string_view raw() const { return document_.substr(span_.begin, span_.end - span_.begin); }
  JsonSpan span() const { return span_; }  // in the text given to parse()

  struct Member;
  std::vector<Member> members() const;                       // of an object, in order; else none
  std::vector<JsonView> items() const;                       // of an array; else none
  std::optional<JsonView> find(std::string_view key) const;  // of an object
  std::string text() const;                                  // of a string, decoded; else ""
  // A member that is a string, decoded.
  std::optional<std::string> find_text(std::string_view key) const;

 private:
  JsonView(std::string_view document, JsonSpan span) : document_(document), span_(span) {}
  std::string_view document_;
  JsonSpan span_;
};

struct JsonView::Member {
  std::string key;             // decoded
  std::string_view key_token;  // as it stands, with its quotes
  JsonView value;
};

}  // namespace gatehouse::mcp

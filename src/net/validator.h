// Strict rules for HTTP/1.1 message heads, behind Beast's parser. Beast is lenient where a proxy
// must not be (docs/decisions/2026-11-23-http.md lists the shapes); what it hands over is only
// believed after this. Pure functions over views into the input; the results own their strings.
//
// Invariants
//   1. A message that is accepted has exactly one framing, derived here and nowhere else.
//   2. The fields of an accepted head carry no framing and no hop-by-hop fields.
//   3. A refusal's reason is a constant: nothing of the message is repeated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string_view>

#include "net/http.h"

namespace gatehouse::net {

struct FieldView {
  std::string_view name;
  std::string_view value;
};

struct RequestView {
  std::string_view method;
  std::string_view target;
  int minor_version = 1;
  std::span<const FieldView> fields;
};

struct ResponseView {
  int status = 0;
  int minor_version = 1;
  std::span<const FieldView> fields;
};

struct Framing {
  enum class Kind { none, length, chunked, until_close };
  Kind kind = Kind::none;
  std::uint64_t length = 0;
  friend bool operator==(const Framing&, const Framing&) = default;
};

struct ValidRequest {
  RequestHead head;
  Framing framing;
  int minor_version = 1;
  bool keep_alive = true;
  bool expects_continue = false;
};

struct ValidResponse {
  ResponseHead head;
  Framing framing;
  bool keep_alive = true;
};

struct Refused {
  int status = 400;
  std::string_view reason;
};

template <class T>
using Checked = std::expected<T, Refused>;

// Bytes that may not be in a head at all, and lines that start with white space (obs-fold). `head`
// runs from the first byte to the empty line.
Checked<void> check_head_bytes(std::string_view head);

Checked<ValidRequest> validate_request(const RequestView& request);
// `to_head`: the answer to a HEAD request, which has no body whatever it says.
Checked<ValidResponse> validate_response(const ResponseView& response, bool to_head);

bool is_token(std::string_view text);
bool is_field_value(std::string_view text);  // no controls but HTAB
// Framing and hop-by-hop fields: never taken from one side to the other.
bool is_connection_field(std::string_view name);
bool equals_lower(std::string_view text, std::string_view lower);  // ignoring ASCII case of `text`

}  // namespace gatehouse::net

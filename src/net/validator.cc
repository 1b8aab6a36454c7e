#include "net/validator.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

namespace gatehouse::net {
namespace {

using ByteSet = std::array<bool, 256>;

constexpr ByteSet set_of(std::string_view extra) {
  ByteSet set{};
  for (char c = '0'; c <= '9'; ++c) set[static_cast<unsigned char>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) set[static_cast<unsigned char>(c)] = true;
  for (char c = 'a'; c <= 'z'; ++c) set[static_cast<unsigned char>(c)] = true;
  for (char c : extra) set[static_cast<unsigned char>(c)] = true;
  return set;
}

constexpr ByteSet kTokenBytes = set_of("!#$%&'*+-.^_`|~");
// RFC 3986: what path and query consist of. Fragments never travel.
constexpr ByteSet kTargetBytes = set_of("-._~:/?@!$&'()*+,;=%");
constexpr ByteSet kHostBytes = set_of("-._~!$&'()*+,;=%");
constexpr ByteSet kHexBytes = [] {
  ByteSet set{};
  for (char c : std::string_view("0123456789abcdefABCDEF"))
    set[static_cast<unsigned char>(c)] = true;
  return set;
}();

bool all_in(std::string_view text, const ByteSet& set) {
  return std::ranges::all_of(text, [&](char c) { return set[static_cast<unsigned char>(c)]; });
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::unexpected<Refused> refuse(int status, std::string_view reason) {
  return std::unexpected(Refused{status, reason});
}

bool percent_encoding_is_whole(std::string_view target) {
  for (std::size_t at = target.find('%'); at != std::string_view::npos;
       at = target.find('%', at + 1)) {
    if (at + 2 >= target.size() || !all_in(target.substr(at + 1, 2), kHexBytes)) return false;
  }
  return true;
}

Checked<void> check_method(std::string_view method) {
  static constexpr std::string_view kKnown[] = {"GET",   "HEAD",   "POST",   "PUT",
                                                "PATCH", "DELETE", "OPTIONS"};
  if (std::ranges::find(kKnown, method) != std::end(kKnown)) return {};
  if (!is_token(method)) return refuse(400, "the method is not a token");
  return refuse(501, "unknown method");
}

Checked<void> check_target(std::string_view method, std::string_view target) {
  if (method == "OPTIONS" && target == "*") return {};
  if (target.empty() || target.front() != '/')
    return refuse(400, "the request target must be a path");
  if (!all_in(target, kTargetBytes))
    return refuse(400, "the request target has bytes that are not allowed in a URL");
  if (!percent_encoding_is_whole(target))
    return refuse(400, "the request target has a broken percent-encoding");
  return {};
}

bool is_host(std::string_view value) {
  const std::size_t bracket = value.rfind(']');
  const std::size_t colon = value.rfind(':');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  const std::string_view host = has_port ? value.substr(0, colon) : value;
  const std::string_view port = has_port ? value.substr(colon + 1) : std::string_view{};
  if (port.size() > 5 || !std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; }))
    return false;
  if (host.empty() || host.size() > 255) return false;
  if (host.front() != '[') return all_in(host, kHostBytes);
  if (host.back() != ']' || host.size() < 4) return false;
  return std::ranges::all_of(host.substr(1, host.size() - 2), [](char c) {
    return kHexBytes[static_cast<unsigned char>(c)] || c == ':' || c == '.';
  });
}

std::optional<std::uint64_t> parse_length(std::string_view text) {
  if (text.empty() || text.size() > 18) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  std::uint64_t value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

// Fields that a message must not name in Connection: without them it would mean something else.
bool must_stay(std::string_view name) {
  static constexpr std::string_view kEndToEnd[] = {
      "host",          "content-length", "transfer-encoding", "content-type",
      "authorization", "x-api-key",      "content-encoding",  "expect",
      "cookie",        "date",           "cache-control",     "connection"};
  return std::ranges::any_of(kEndToEnd,
                             [&](auto lower_name) { return equals_lower(name, lower_name); });
}

// What the fields of either kind of message say about framing and the connection.
struct FieldFacts {
  std::optional<std::uint64_t> length;
  bool chunked = false;
  bool says_close = false;
  bool says_keep_alive = false;
  bool expects_continue = false;
  int hosts = 0;
  bool has_content_type = false;
  bool has_authorization = false;
  std::array<std::string_view, 16> nominated;
  std::size_t nominated_count = 0;
};

Checked<void> read_connection_options(std::string_view value, FieldFacts& facts) {
  while (!value.empty()) {
    const std::size_t comma = std::min(value.find(','), value.size());
    const std::string_view option = trim_blanks(value.substr(0, comma));
    value.remove_prefix(std::min(comma + 1, value.size()));
    if (option.empty()) continue;
    if (!is_token(option)) return refuse(400, "Connection has an option that is not a token");
    if (equals_lower(option, "close")) {
      facts.says_close = true;
    } else if (equals_lower(option, "keep-alive")) {
      facts.says_keep_alive = true;
    } else if (must_stay(option)) {
      return refuse(400, "Connection names a field that must not be removed");
    } else if (!is_connection_field(option)) {
      if (facts.nominated_count == facts.nominated.size())
        return refuse(400, "Connection names too many fields");
      facts.nominated[facts.nominated_count++] = option;
    }
  }
  return {};
}

Checked<void> read_transfer_encoding(std::string_view value, FieldFacts& facts) {
  if (facts.chunked) return refuse(400, "more than one Transfer-Encoding");
  if (!equals_lower(value, "chunked"))
    return refuse(501, "Transfer-Encoding other than chunked is not supported");
  facts.chunked = true;
  return {};
}

Checked<void> read_content_length(std::string_view value, FieldFacts& facts) {
  if (facts.length) return refuse(400, "more than one Content-Length");
  facts.length = parse_length(value);
  if (!facts.length) return refuse(400, "Content-Length is not a plain number");
  return {};
}

// What only a request may not say: a response is free to offer upgrades and to announce trailers,
// which are dropped with the other connection fields.
Checked<void> read_request_field(const FieldView& field, FieldFacts& facts) {
  switch (field.name.size()) {
    case 4:
      if (equals_lower(field.name, "host")) {
        if (++facts.hosts > 1) return refuse(400, "more than one Host");
        if (!is_host(field.value)) return refuse(400, "Host is not a host");
      }
      return {};
    case 6:
      if (equals_lower(field.name, "expect")) {
        if (!equals_lower(field.value, "100-continue"))
          return refuse(417, "Expect other than 100-continue is not supported");
        facts.expects_continue = true;
      }
      return {};
    case 7:
      if (equals_lower(field.name, "trailer")) return refuse(400, "trailers are not supported");
      // h2c is only ever an offer, which Java's client makes with every first request: ignored.
      if (equals_lower(field.name, "upgrade") && !equals_lower(field.value, "h2c"))
        return refuse(501, "Upgrade is not supported");
      return {};
    // Two of these, and it depends on the reader which one counts.
    case 12:
      if (equals_lower(field.name, "content-type") && std::exchange(facts.has_content_type, true))
        return refuse(400, "more than one Content-Type");
      return {};
    case 13:
      if (equals_lower(field.name, "authorization") && std::exchange(facts.has_authorization, true))
        return refuse(400, "more than one Authorization");
      return {};
    default:
      return {};
  }
}

Checked<void> read_field(const FieldView& field, FieldFacts& facts) {
  switch (field.name.size()) {
    case 10:
      if (equals_lower(field.name, "connection"))
        return read_connection_options(field.value, facts);
      return {};
    case 14:
      if (equals_lower(field.name, "content-length"))
        return read_content_length(field.value, facts);
      return {};
    case 17:
      if (equals_lower(field.name, "transfer-encoding"))
        return read_transfer_encoding(field.value, facts);
      return {};
    default:
      return {};
  }
}

Checked<FieldFacts> read_fields(std::span<const FieldView> fields, bool of_request) {
  FieldFacts facts;
  for (const FieldView& field : fields) {
    if (!is_token(field.name)) return refuse(400, "a field name is not a token");
    if (!is_field_value(field.value)) return refuse(400, "a field value has control characters");
    if (auto read = read_field(field, facts); !read) return std::unexpected(read.error());
    if (!of_request) continue;
    if (auto read = read_request_field(field, facts); !read) return std::unexpected(read.error());
  }
  if (facts.chunked && facts.length)
    return refuse(400, "both Transfer-Encoding and Content-Length");
  return facts;
}

Fields end_to_end(std::span<const FieldView> fields, const FieldFacts& facts) {
  Fields kept;
  kept.reserve(fields.size());
  const std::span nominated(facts.nominated.data(), facts.nominated_count);
  for (const FieldView& field : fields) {
    if (is_connection_field(field.name)) continue;
    const bool removed = std::ranges::any_of(nominated, [&](std::string_view name) {
      return name.size() == field.name.size() &&
             std::ranges::equal(name, field.name, {}, lower, lower);
    });
    if (!removed) kept.add(std::string(field.name), std::string(field.value));
  }
  return kept;
}

bool stays_open(int minor_version, const FieldFacts& facts) {
  if (facts.says_close) return false;
  return minor_version >= 1 || facts.says_keep_alive;
}

Framing framing_of(const FieldFacts& facts, Framing otherwise) {
  if (facts.chunked) return {Framing::Kind::chunked, 0};
  if (!facts.length) return otherwise;
  if (*facts.length == 0) return {Framing::Kind::none, 0};
  return {Framing::Kind::length, *facts.length};
}

}  // namespace

bool equals_lower(std::string_view text, std::string_view lower_text) {
  if (text.size() != lower_text.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (lower(text[i]) != lower_text[i]) return false;
  return true;
}

bool is_token(std::string_view text) {
  return !text.empty() && all_in(text, kTokenBytes);
}

bool is_field_value(std::string_view text) {
  return std::ranges::none_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && byte != '\t') || byte == 0x7f;
  });
}

bool is_connection_field(std::string_view name) {
  switch (name.size()) {
    case 2:
      return equals_lower(name, "te");
    case 6:
      return equals_lower(name, "expect");
    case 7:
      return equals_lower(name, "trailer") || equals_lower(name, "upgrade");
    case 10:
      return equals_lower(name, "connection") || equals_lower(name, "keep-alive");
    case 14:
      return equals_lower(name, "content-length") || equals_lower(name, "http2-settings");
    case 16:
      return equals_lower(name, "proxy-connection");
    case 17:
      return equals_lower(name, "transfer-encoding");
    case 18:
      return equals_lower(name, "proxy-authenticate");
    case 19:
      return equals_lower(name, "proxy-authorization");
    default:
      return false;
  }
}

Checked<void> check_head_bytes(std::string_view head) {
  for (std::size_t at = head.find('\n'); at != std::string_view::npos;
       at = head.find('\n', at + 1)) {
    if (at == 0 || head[at - 1] != '\r') return refuse(400, "a line ends without CR");
    if (at + 1 < head.size() && (head[at + 1] == ' ' || head[at + 1] == '\t'))
      return refuse(400, "a field is folded over lines");
  }
  for (std::size_t at = head.find('\r'); at != std::string_view::npos; at = head.find('\r', at + 1))
    if (at + 1 < head.size() && head[at + 1] != '\n') return refuse(400, "a CR without LF");
  if (head.find('\0') != std::string_view::npos) return refuse(400, "a NUL byte in the head");
  return {};
}

Checked<ValidRequest> validate_request(const RequestView& request) {
  if (auto method = check_method(request.method); !method) return std::unexpected(method.error());
  if (auto target = check_target(request.method, request.target); !target)
    return std::unexpected(target.error());
  auto read = read_fields(request.fields, true);
  if (!read) return std::unexpected(read.error());
  const FieldFacts& facts = *read;

  if (request.minor_version >= 1 && facts.hosts == 0) return refuse(400, "no Host");
  if (request.minor_version == 0 && facts.chunked)
    return refuse(400, "Transfer-Encoding in an HTTP/1.0 request");

  ValidRequest valid;
  valid.framing = framing_of(facts, {});
  const bool has_body = valid.framing.kind != Framing::Kind::none;
  if (has_body && (request.method == "GET" || request.method == "HEAD"))
    return refuse(400, "a body where the method has none");
  valid.head.method = request.method;
  valid.head.target = request.target;
  valid.head.fields = end_to_end(request.fields, facts);
  valid.minor_version = request.minor_version;
  valid.keep_alive = stays_open(request.minor_version, facts);
  valid.expects_continue = facts.expects_continue && has_body && request.minor_version >= 1;
  return valid;
}

Checked<ValidResponse> validate_response(const ResponseView& response, bool to_head) {
  if (response.status < 100 || response.status > 599) return refuse(502, "status out of range");
  if (response.status == 101) return refuse(502, "switched protocols without being asked");
  auto read = read_fields(response.fields, false);
  if (!read) return std::unexpected(Refused{502, read.error().reason});
  const FieldFacts& facts = *read;
  if (response.minor_version == 0 && facts.chunked)
    return refuse(502, "Transfer-Encoding in an HTTP/1.0 response");

  ValidResponse valid;
  valid.head.status = response.status;
  valid.head.fields = end_to_end(response.fields, facts);
  valid.keep_alive = stays_open(response.minor_version, facts);
  const bool interim = response.status < 200;
  const bool bodiless = interim || response.status == 204 || response.status == 304 || to_head;
  if (!bodiless) {
    valid.framing = framing_of(facts, {Framing::Kind::until_close, 0});
  } else if ((interim || response.status == 204) &&
             (facts.chunked || facts.length.value_or(0) > 0)) {
    // Announces a body where there can be none: whatever follows is not trusted.
    if (interim) return refuse(502, "an interim response with a body");
    valid.keep_alive = false;
  }
  if (valid.framing.kind == Framing::Kind::until_close) valid.keep_alive = false;
  return valid;
}

}  // namespace gatehouse::net

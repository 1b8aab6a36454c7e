#include "net/wire.h"

#include <time.h>

#include <charconv>

namespace gatehouse::net {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

void append_number(std::string& out, std::uint64_t value, int base) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value, base).ptr;
  out.append(digits, end);
}

// Heads come from validated messages or from our own code; this is the last look.
bool fits_in_line(const Field& field) {
  const std::string_view value = field.value;
  return is_token(field.name) && value.find('\n') == std::string_view::npos &&
         value.find('\r') == std::string_view::npos && value.find('\0') == std::string_view::npos;
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append(kLineEnd);
}

void append_fields(std::string& out, const Fields& fields, bool skip_host) {
  for (const Field& field : fields.all()) {
    if (is_connection_field(field.name) || !fits_in_line(field)) continue;
    if (skip_host && equals_lower(field.name, "host")) continue;
    append_field(out, field.name, field.value);
  }
}

void append_length(std::string& out, std::uint64_t length) {
  out.append("Content-Length: ");
  append_number(out, length, 10);
  out.append(kLineEnd);
}

bool expects_body(std::string_view method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

}  // namespace

void write_request_head(std::string& out, const RequestHead& head, std::string_view base_path,
                        std::string_view authority, const Framing& framing) {
  out.append(head.method).append(" ").append(base_path).append(head.target);
  out.append(" HTTP/1.1\r\nHost: ").append(authority).append(kLineEnd);
  append_fields(out, head.fields, true);
  if (framing.kind == Framing::Kind::length || expects_body(head.method))
    append_length(out, framing.length);
  out.append(kLineEnd);
}

void write_response_head(std::string& out, const ResponseHead& head, const Framing& framing,
                         Persistence persistence, std::string_view date) {
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<std::uint64_t>(head.status), 10);
  out.append(" ").append(reason_phrase(head.status)).append(kLineEnd);
  append_fields(out, head.fields, false);
  if (!head.fields.contains("Date")) append_field(out, "Date", date);
  if (framing.kind == Framing::Kind::length) append_length(out, framing.length);
  if (framing.kind == Framing::Kind::chunked) out.append("Transfer-Encoding: chunked\r\n");
  if (persistence == Persistence::close) out.append("Connection: close\r\n");
  if (persistence == Persistence::keep_alive) out.append("Connection: keep-alive\r\n");
  out.append(kLineEnd);
}

void write_chunk_size(std::string& out, std::size_t size) {
  append_number(out, size, 16);
  out.append(kLineEnd);
}

std::string_view DateLine::now() {
  timespec time{};
  (void)clock_gettime(CLOCK_REALTIME_COARSE, &time);
  if (time.tv_sec == second_) return text_;
  second_ = time.tv_sec;
  tm parts{};
  (void)gmtime_r(&time.tv_sec, &parts);
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  char text[64];
  const int size = snprintf(text, sizeof(text), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                            kDays[parts.tm_wday], parts.tm_mday, kMonths[parts.tm_mon],
                            parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
  text_.assign(text, static_cast<std::size_t>(size));
  return text_;
}

std::string refusal_body(std::string_view reason) {
  std::string body = R"({"error":{"message":")";
  body.append(reason);
  body.append(R"(","type":"invalid_request_error","param":null,"code":"bad_request"}})");
  return body;
}

}  // namespace gatehouse::net

// See syslog.h.
#include "export/syslog.h"

#include "base/text.h"

namespace gatehouse::exporter {
namespace {

constexpr int facility_log_audit = 13;

int severity_of(Grade grade) {
  constexpr int severities[] = {6, 5, 4, 3, 2};  // informational, notice, warning, error, critical
  return severities[static_cast<int>(grade)];
}

// Header fields are printable ASCII without spaces.
std::string field(std::string_view text, std::size_t limit) {
  std::string kept;
  for (const char c : text.substr(0, limit)) kept += c > 0x20 && c < 0x7f ? c : '_';
  return kept.empty() ? "-" : kept;
}

}  // namespace

std::string syslog_message(const SyslogHeader& header, std::string_view message) {
  const int priority = facility_log_audit * 8 + severity_of(header.grade);
  std::string out = "<" + std::to_string(priority) + ">1 " + format_time(header.time) + ' ';
  out += field(header.host, 255) + " gatehouse - " + field(header.message_id, 32) + " - ";
  out += message;
  return out;
}

void append_octet_frame(std::string& out, std::string_view message) {
  out += std::to_string(message.size());
  out += ' ';
  out += message;
}

std::optional<std::string_view> take_octet_frame(std::string_view& bytes) {
  constexpr std::size_t most_digits = 10;
  const auto space = bytes.substr(0, most_digits + 1).find(' ');
  if (space == std::string_view::npos || space == 0 || bytes[0] == '0') return std::nullopt;
  const auto size = parse_uint(bytes.substr(0, space));
  if (!size || bytes.size() - space - 1 < *size) return std::nullopt;
  const std::string_view message = bytes.substr(space + 1, *size);
  bytes.remove_prefix(space + 1 + *size);
  return message;
}

}  // namespace gatehouse::exporter

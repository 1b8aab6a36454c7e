// Syslog messages (RFC 5424) and their framing on a byte stream by octet counting (RFC 6587 section
// 3.4.1, the only framing of RFC 5425). Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "export/facts.h"

namespace gatehouse::exporter {

struct SyslogHeader {
  Grade grade = Grade::info;
  WallTime time{};
  std::string host;        // made printable, "-" when empty
  std::string message_id;  // the same, at most 32 bytes
};

// "<110>1 2026-11-23T17:43:50.123456Z gw-1 gatehouse - request.decided - MESSAGE", facility 13 (log
// audit), no structured data, no byte order mark.
std::string syslog_message(const SyslogHeader& header, std::string_view message);

// "LENGTH SP MESSAGE".
void append_octet_frame(std::string& out, std::string_view message);

// The inverse, for tests: takes the first frame off `bytes`. Nothing when it is not whole.
std::optional<std::string_view> take_octet_frame(std::string_view& bytes);

}  // namespace gatehouse::exporter

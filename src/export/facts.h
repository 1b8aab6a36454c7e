// What every format says about an event, found once: how grave it is, whether it went well, one
// sentence about it, where the caller was. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "export/record.h"

namespace gatehouse::exporter {

enum class Grade : std::uint8_t { info, low, medium, high, critical };

struct Peer {
  std::string ip;  // empty: not a network address
  std::uint16_t port = 0;
};

// "203.0.113.7:51234", "[2001:db8::1]:51234"; anything else has no address.
Peer parse_peer(std::string_view text);

Grade grade_of(const Record& record);
bool is_failure(const Record& record);
bool is_call(const Record& record);       // request.decided, .completed, .refused
bool has_findings(const Record& record);  // inspection found something
bool is_incident(const Record& record);   // something that a person should look at
std::string summary_of(const Record& record);

// The names of rules, categories or policies in an event, once each, ", " between them; cut off
// with an ellipsis after `limit` bytes.
std::string finding_names(const Record& record, std::string_view member, std::size_t limit);
std::string joined_texts(const Json& list, std::size_t limit);

}  // namespace gatehouse::exporter

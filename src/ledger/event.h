// One ledger entry: a JSON object of at most 65,535 bytes with a fixed field order, no content of
// requests. docs/ledger-format.md is the description for a second implementation.
//
//   {"id":"0193…","time":"2026-…Z","type":"request.decided","node":"gw-1","actor":{…},
//    "subject":{…},"label":{…},"snapshot":"sha256:…","data":{…}}
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace gatehouse::ledger {

inline constexpr std::size_t max_entry_bytes = 65'535;

// actor, subject, label and data are JSON objects already written (JsonWriter); empty: left out.
struct Event {
  std::string id;  // UUIDv7
  WallTime time;
  std::string type;  // "request.decided", "request.completed", "key.created", …
  std::string node;
  std::string actor;
  std::string subject;
  std::string label;
  std::string snapshot;
  std::string data;
};

// Error: resource_exhausted when the entry would exceed max_entry_bytes.
Result<std::string> serialize(const Event& event);

}  // namespace gatehouse::ledger

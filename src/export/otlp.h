// Events as OpenTelemetry log records and spans, in the JSON encoding of OTLP 1.x: 64-bit numbers
// as decimal strings, trace and span ids in hexadecimal, enumerations as numbers
// (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding). Attribute names are those of
// the semantic conventions for generative AI (gen_ai.*), client.*, user.*, http.* and error.*; what
// has no name there is below gatehouse.*. Pure functions.
#pragma once

#include <string>

#include "export/ocsf.h"
#include "export/record.h"

namespace gatehouse::exporter {

// What the spans of a call need of its decision: bounded, whatever the event holds.
struct CallStart {
  std::string id;  // of the decision
  std::uint64_t index = 0;
  WallTime time{};
  std::string operation;  // gen_ai.operation.name; empty: not a call to a model
  std::string provider;   // gen_ai.provider.name
  std::string model;
};

// Whether the record begins a call that will have an outcome of its own.
bool begins_call(const Record& record);
CallStart call_start(const Record& record);

// One LogRecord.
std::string otlp_log_record(const Record& record);
// One Span, from the event that ended the call. `start` is the event itself where the call ended
// with its decision.
std::string otlp_span(const CallStart& start, const Record& end);

// What stands around the records of one request: prefix + records joined by commas + suffix.
struct Envelope {
  std::string prefix;
  std::string suffix;
};
Envelope otlp_logs_envelope(const Source& source, std::string_view node);
Envelope otlp_traces_envelope(const Source& source, std::string_view node);

}  // namespace gatehouse::exporter

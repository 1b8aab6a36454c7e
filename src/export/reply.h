// What an HTTP receiver's answer means for the events that were sent. The answer comes from
// outside: everything in it is bounded. Pure functions.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace gatehouse::exporter {

enum class Verdict : std::uint8_t {
  accepted,  // the receiver has them
  sent,      // on their way, not confirmed yet
  retry,     // not now: the same again later
  refused,   // it will not take these as they are
};

struct Delivery {
  Verdict verdict = Verdict::retry;
  std::string error;                              // what was wrong, for people
  std::optional<std::chrono::milliseconds> wait;  // the receiver asks to be left alone so long
  std::uint64_t rejected = 0;  // of what was accepted, how many it has thrown away (OTLP)
};

// By the status: 2xx accepted; 400, 413 and 422 are about what was sent, so smaller pieces are
// tried; all others are about the receiver or the way to it, and are tried again for ever.
Delivery judge_status(int status);

// Retry-After (RFC 9110 section 10.2.3): seconds or a date; at most an hour is believed.
std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view value, WallTime now);

// The partial success of an OTLP answer: what was thrown away, and why. Anything else is none.
struct PartialSuccess {
  std::uint64_t rejected = 0;
  std::string message;
};
PartialSuccess parse_partial_success(std::string_view body);

// The beginning of an answer's body, fit for a log line.
std::string quote_answer(std::string_view body);

}  // namespace gatehouse::exporter

// Server-sent events (WHATWG HTML, section 9.2.6), as a pure incremental framer: bytes in, whole
// events out, the same for every way to cut the bytes. A byte order mark at the very beginning is
// dropped. Bounded: an event larger than the limit is an error.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gatehouse::gateway {

struct SseEvent {
  std::string name;  // value of the last `event:` field; empty when there was none
  std::string data;  // `data:` fields joined by \n
  std::string raw;   // the event as it came, its blank line included
  bool has_data = false;
  bool has_unknown = false;  // a field that the specification does not have
};

class SseFramer {
 public:
  explicit SseFramer(std::size_t max_event_bytes) : max_event_bytes_(max_event_bytes) {}

  // Takes bytes; then call next() until it gives nullopt.
  void feed(std::string_view bytes);
  // The next whole event (comments alone are an event without data), or nullopt. Error
  // (resource_exhausted): the event is larger than the limit, wherever its bytes were cut.
  Result<std::optional<SseEvent>> next();
  // After the end of the stream: what stands there without its blank line, or nullopt. The
  // specification says to drop it; a gateway passes it on as an event of its own.
  std::optional<SseEvent> rest();

 private:
  bool skip_byte_order_mark();
  SseEvent take(std::size_t end);
  std::unexpected<Error> too_large() const;
  std::string buffer_;
  std::size_t consumed_ = 0;  // events before it have been given
  std::size_t line_ = 0;      // where the first line begins that has not ended
  std::size_t searched_ = 0;  // no line ends before it
  std::size_t max_event_bytes_;
  bool began_ = false;
};

// Writes one event: "event: name\n" where there is a name, a data line per line, a blank line.
void append_event(std::string& out, std::string_view name, std::string_view data);

}  // namespace gatehouse::gateway

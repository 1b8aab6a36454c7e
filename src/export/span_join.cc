// See span_join.h.
#include "export/span_join.h"

namespace gatehouse::exporter {

std::optional<std::string> SpanJoin::add(const Record& record) {
  if (begins_call(record)) {
    remember(record);
    return std::nullopt;
  }
  CallStart start = call_start(record);
  if (record.type == "request.completed") {
    if (auto remembered = take(start.id)) start = std::move(*remembered);
  } else if (record.type != "request.decided" && record.type != "request.refused") {
    return std::nullopt;
  }
  if (start.operation.empty()) return std::nullopt;  // not a call to a model
  return otlp_span(start, record);
}

void SpanJoin::replay(const Record& record) {
  if (begins_call(record)) {
    remember(record);
  } else if (record.type == "request.completed") {
    (void)take(text_of(record.data, "decision"));  // its span was sent
  }
}

std::uint64_t SpanJoin::replay_from(std::uint64_t next) const {
  return by_index_.empty() ? next : std::min(next, by_index_.begin()->first);
}

void SpanJoin::remember(const Record& record) {
  while (!by_index_.empty()) {
    const auto oldest = by_id_.find(by_index_.begin()->second);
    const bool full = by_index_.size() >= most_open;
    if (!full && oldest->second.time + longest_call >= record.time) break;
    forget_oldest();
  }
  CallStart start = call_start(record);
  (void)take(start.id);  // an id that comes twice is the later one's
  by_index_[start.index] = start.id;
  const std::string id = start.id;
  by_id_[id] = std::move(start);
}

std::optional<CallStart> SpanJoin::take(const std::string& decision) {
  const auto found = by_id_.find(decision);
  if (found == by_id_.end()) return std::nullopt;
  CallStart start = std::move(found->second);
  by_index_.erase(start.index);
  by_id_.erase(found);
  return start;
}

void SpanJoin::forget_oldest() {
  by_id_.erase(by_index_.begin()->second);
  by_index_.erase(by_index_.begin());
}

}  // namespace gatehouse::exporter

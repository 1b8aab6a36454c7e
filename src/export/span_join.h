// Joins the decision of a call with its outcome: a span begins at one entry and ends at another.
//
// Invariants
//   1. At most `most_open` calls are remembered; beyond it the oldest is given up.
//   2. A call that has no outcome within `longest_call` of log time is given up. Its outcome,
//   should
//      it come after all, becomes a span that begins where it ends.
//   3. Whoever reads the log again from replay_from() with replay() has the same memory as before.
//
// For one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

#include "export/otlp.h"

namespace gatehouse::exporter {

class SpanJoin {
 public:
  static constexpr std::size_t most_open = 65'536;
  static constexpr std::chrono::hours longest_call{1};

  // The span that the record ends, or nothing.
  std::optional<std::string> add(const Record& record);
  // The same without making the span.
  void replay(const Record& record);
  // The first entry that is still needed, at most `next`.
  std::uint64_t replay_from(std::uint64_t next) const;
  std::size_t open() const { return by_id_.size(); }

 private:
  void remember(const Record& record);
  std::optional<CallStart> take(const std::string& decision);
  void forget_oldest();

  std::unordered_map<std::string, CallStart> by_id_;
  std::map<std::uint64_t, std::string> by_index_;
};

}  // namespace gatehouse::exporter

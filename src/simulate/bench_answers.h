// Fixed answers of the simulator-bench-* models, made once at start: the upstream of the benchmark
// must not be what is measured. Found by a look at the raw body, without parsing it. Immutable.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "simulate/ask.h"

namespace gatehouse::simulate {

struct BenchAnswer {
  std::string body;                 // exactly the size in the model's name
  std::vector<std::string> events;  // the same text in pieces of 16 bytes
  std::vector<std::string> events_with_usage;
  std::vector<std::string> writes;  // events, joined: the first with text, then 16 KiB at a time
  std::vector<std::string> writes_with_usage;
};

class BenchAnswers {
 public:
  BenchAnswers();
  // The answer for a body that names a bench model; nullptr otherwise.
  const BenchAnswer* find(Dialect dialect, std::string_view body) const;

 private:
  std::array<std::array<BenchAnswer, 3>, 2> answers_;  // by dialect, by size
};

bool asks_to_stream(std::string_view body);
bool asks_for_usage(std::string_view body);

}  // namespace gatehouse::simulate

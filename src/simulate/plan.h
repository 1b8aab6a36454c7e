// What the simulator answers: made from an Ask by the model that was named, rendered by a dialect.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "simulate/ask.h"

namespace gatehouse::simulate {

struct PlannedCall {
  std::string name;
  bool custom = false;
  std::vector<std::string> pieces;  // of the arguments, as streamed
};

enum class Finish { stop, length, tool_calls, refusal, content_filter };

// Invariants: 1. equal asks give equal plans; 2. joined pieces are the whole text.
struct Plan {
  std::vector<std::string> pieces;    // of the text
  std::vector<std::string> thinking;  // pieces; empty: none
  std::vector<std::string> refusal;   // pieces; empty: none
  std::vector<PlannedCall> calls;
  bool interleave_calls = false;  // stream the calls' pieces in turn
  Finish finish = Finish::stop;

  std::optional<Fault> fault;  // answered instead of everything above
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<std::size_t> cut_after;    // events, then the connection drops
  std::optional<std::size_t> error_after;  // events, then an error event
  Fault stream_error;
  std::vector<std::string> raw;  // sent as they are, instead of everything rendered
  std::string raw_type;          // their content type
  std::size_t rewrite = 0;       // stream bytes a write; 0: one event a write
  std::optional<std::chrono::milliseconds> pace;  // between writes
  std::chrono::milliseconds hang{0};              // before anything
  std::size_t fail_times = 0;                     // fault only the first n times this script comes

  std::size_t tokens() const;  // pieces of everything
};

// `reflection` is the JSON that simulator-reflect answers with.
struct Reflection {
  std::string method;
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string_view body;
};
std::string reflection_json(const Reflection& reflection);

// The models of the simulator, in the order of the models list.
struct ModelCard {  // the parametrised simulator-long-N is not listed
  std::string_view id;
  std::string_view display_name;
};
const std::vector<ModelCard>& model_cards();
bool is_known_model(std::string_view model);

Plan make_plan(const Ask& ask, const Reflection& reflection);

// simulator-script: `script` is the last user text. The members are listed in README.md.
Plan plan_from_script(const std::string& script);

}  // namespace gatehouse::simulate

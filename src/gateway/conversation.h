// A conversation as what was said by whom, whatever the dialect: the words of people and operators,
// the calls of tools a model made, and what the tools returned. Read from a request's body as it
// came, only where tools play a part. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gateway/exchange.h"

namespace gatehouse::gateway {

struct Utterance {
  enum class What : std::uint8_t { words, call, result };

  std::size_t message = 0;  // its index among the messages
  What what = What::words;
  Source source = Source::none;
  std::string tool;     // of a call; of a result, from the call it answers; empty: not known
  std::string call_id;  // of a call or a result
  std::string text;     // of a call: its arguments
};

// Whether the body may have anything of tools in it, or turns that the provider keeps: only then it
// is worth to be read.
bool may_use_tools(std::string_view body);

// In the order of the body. What is of no known shape is data: somebody else's words. A member that
// stands twice is read twice. Error: the body is no JSON.
Result<std::vector<Utterance>> read_conversation(std::string_view body);

}  // namespace gatehouse::gateway

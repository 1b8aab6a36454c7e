// The answer that stands in the place of calls that may not leave, in the dialect of the caller.
// Internal to gateway/.
#pragma once

#include <string>
#include <vector>

#include "gateway/tool_calls.h"

namespace gatehouse::gateway {

// A whole answer without its calls and with the notice. Error: it is no answer of this dialect.
Result<std::string> answer_without_calls(const Exchange& exchange, const TurnVerdict& verdict,
                                         std::string_view body);
// The rest of a streamed one: `held` is what came since the first piece of a call.
void stream_without_calls(const Exchange& exchange, const TurnVerdict& verdict,
                          const std::vector<SseEvent>& held, std::string& out);

}  // namespace gatehouse::gateway

// Puts the canary's sentence into the system prompt of a request. Internal to gateway/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/exchange.h"
#include "gateway/json_walk.h"

namespace gatehouse::gateway {

// Where `sentence` goes: behind the first system prompt, or as one where there is none. No other
// byte of the body changes.
Result<Splice> canary_splice(JsonWalker& walker, Route route, std::string& body,
                             std::string_view sentence);

}  // namespace gatehouse::gateway

// What is recorded when a delegation token is made here. What holders add to it offline is seen
// when it is used: the chain is in the event of each call.
#pragma once

#include <string>

#include "gateway/config.h"
#include "identity/delegation.h"
#include "ledger/event.h"

namespace gatehouse::gateway {

// `actor`: JSON, who asked for it. Error: more than an event can hold.
Result<std::string> delegation_issued(const Config& config, const identity::Grant& grant,
                                      std::string actor, WallTime time, Random& random);

// "model:NAME tool:SERVER/TOOL clearance:N budget:MICROS" (RFC 6749 section 3.3). Error: which part
// is none of these.
Result<identity::Scope> parse_scope(std::string_view text);

}  // namespace gatehouse::gateway

// What a list of tools says that the ledger does not know yet becomes an event: a definition that
// is not the reviewed one, and where tools are trusted on first use, a first one.
#pragma once

#include <string_view>

#include "base/result.h"
#include "gateway/control.h"
#include "mcp/catalogue.h"

namespace gatehouse::gateway {

// What nobody has reviewed stays unrecorded, unless first use is a review.
bool is_for_ledger(const mcp::Catalogue::News& news, bool trust_on_first_use);

// Blocks on the disk. What cannot be recorded stays news. `facts`: members of JSON, what was found
// in the definition.
Result<void> record_tool_news(ControlPlane& control, std::string_view server,
                              const mcp::Catalogue::News& news, std::string_view facts);

}  // namespace gatehouse::gateway

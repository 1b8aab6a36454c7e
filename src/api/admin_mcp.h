// Administration of tools of MCP servers: what is in service, what a server says it has now, and
// the review that pins a definition. Paths below /admin/mcp/. Blocks while it asks a server.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "gateway/config.h"
#include "gateway/control.h"

namespace gatehouse::api {

inline constexpr std::string_view mcp_prefix = "/admin/mcp/";

// "list": {} -> {"servers":[{"name":…,"tools":[{"tool":…,"standing":…,"reviewed_digest":…}]}]}
// "review": {"server":…} -> {"tools":[{"tool":…,"digest":…,"standing":…,"definition":{…},
//   "findings":[{"rule":…,"count":…}],"injection_p":…}],"unusable":n}, from the server itself
// "approve": {"server":…,"tool":…,"digest":…} -> {"record":{…}}; the definition with this digest
//   must be what the server says now
// "withdraw": {"server":…,"tool":…} -> {"record":{…}}
Result<std::string> administer_mcp(gateway::ControlPlane& control, const gateway::Config& config,
                                   std::string_view call, std::string_view body,
                                   std::string_view actor);

}  // namespace gatehouse::api

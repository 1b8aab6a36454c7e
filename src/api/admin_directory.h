// SCIM 2.0 (RFC 7644): the calls below /scim/v2 that policy permitted. Every change is an event
// first (account.provisioned, …), then in force. Blocking; one change at a time.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/administration_desk.h"
#include "gateway/control.h"

namespace gatehouse::api {

// `target`: path and query. `roles`: those the policies were asked about; a change of who has
// another one is refused, however it came to be. `mutex` orders the changes. `changed`: state
// changed and has to come into force.
gateway::AdministrationReply administer_directory(gateway::ControlPlane& control,
                                                  const gateway::Config& config,
                                                  std::string_view method, std::string_view target,
                                                  std::string_view body, std::string_view actor,
                                                  const std::vector<std::string>& roles,
                                                  std::mutex& mutex, bool& changed);

}  // namespace gatehouse::api

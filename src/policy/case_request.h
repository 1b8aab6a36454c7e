// The request a case of a policy test describes. Whatever a case leaves out has a default, so that
// it says only what it is about; docs/policies.md lists them. What is wrong is noted in the reader.
#pragma once

#include "base/config.h"
#include "policy/policy.h"

namespace gatehouse::policy {

// Takes the keys principal, action, resource and context.
Request read_case_request(ConfigReader& reader);

}  // namespace gatehouse::policy

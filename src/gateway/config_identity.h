// Settings of who may ask by what: issuers of tokens, audiences, how claims become principals.
#pragma once

#include "identity/credentials.h"

namespace gatehouse {
class ConfigReader;
}

namespace gatehouse::gateway {

void read_identity(ConfigReader& root, identity::IdentityConfig& settings);

}  // namespace gatehouse::gateway

// How who asked stands in an event, and how it is read back for replay. Bounded: what a token
// brings must not fill an entry.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/result.h"
#include "identity/principal.h"

namespace gatehouse::gateway {

struct WrittenActor {
  std::string json;   // {"kind":"agent","id":"helper","key":"gh_…",…,"peer":"192.0.2.1:4711"}
  bool whole = true;  // policies were told nothing that is not in it
};

// Attributes of an API key are in its key.created event; those of other credentials stand here.
WrittenActor write_actor(const identity::Principal& principal, std::string_view peer);

// All but the attributes of an API key. Errors: data_loss.
Result<identity::Principal> read_actor(const nlohmann::json& actor);

}  // namespace gatehouse::gateway

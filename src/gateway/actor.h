// Who asked, as events have it, and read back from there. docs/events.md describes the members.
// Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/json.h"
#include "base/result.h"
#include "identity/principal.h"

namespace gatehouse::gateway {

// Whether an event has room for what the credential brings: its claims come from outside.
bool fits_event(const identity::Principal& principal);

// Writes members into an object that is open. What says nothing is left out, and of what does not
// fit all but kind, id, key and credential.
void write_actor(JsonWriter& writer, const identity::Principal& principal);

// From the `actor` of an event. `described` is true where the event names the attributes. Error
// (data_loss): not what write_actor writes.
Result<identity::Principal> principal_from(const nlohmann::json& actor);

}  // namespace gatehouse::gateway

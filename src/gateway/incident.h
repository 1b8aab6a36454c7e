// Something that a person has to look at, as an event of the ledger: incident.raised. Blocking; any
// thread but a loop's.
#pragma once

#include <string_view>

#include "base/result.h"
#include "gateway/control.h"

namespace gatehouse::gateway {

// `kind`: what happened, "state.differs". `details`: a JSON object written by the caller, bounded
// and without content or secrets. Returns when the event is durable.
Result<void> raise_incident(ControlPlane& control, std::string_view node, std::string_view kind,
                            std::string_view details);

}  // namespace gatehouse::gateway

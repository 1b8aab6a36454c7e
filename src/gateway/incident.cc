// See incident.h.
#include "gateway/incident.h"

#include "base/id.h"
#include "base/json.h"
#include "ledger/event.h"

namespace gatehouse::gateway {

Result<void> raise_incident(ControlPlane& control, std::string_view node, std::string_view kind,
                            std::string_view details) {
  ledger::Event event;
  event.time = control.clock().wall();
  event.id = make_uuid7(event.time, control.random());
  event.type = "incident.raised";
  event.node = node;
  JsonWriter writer(event.data);
  writer.begin_object().key("kind").string(kind).key("details").raw(details).end_object();
  GH_ASSIGN(auto entry, ledger::serialize(event));
  GH_TRY(control.ledger().append_and_wait(std::move(entry)));
  return {};
}

}  // namespace gatehouse::gateway

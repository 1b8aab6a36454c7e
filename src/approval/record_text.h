// An approval as text: how its events have it, and with them the state, and how it is shown. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "approval/approval.h"

namespace gatehouse::approval {

// The data of an event; without content. `request`: that used it, where it is not the one that
// asked.
std::string event_data(const Record& record, std::string_view request);
// From there. Error (data_loss): not what event_data() writes.
Result<Record> record_from(std::string_view event_data);

// For people and programs; with the arguments of the call only where they are to be seen.
nlohmann::json shown(const Record& record, bool with_arguments);

}  // namespace gatehouse::approval

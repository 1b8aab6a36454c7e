// Events as CEF, version 0: "CEF:0|vendor|product|version|event class|name|severity|extension".
// Escaping and the names and lengths of the extension keys are those of ArcSight's "Common Event
// Format" guide, revision 25. Pure functions.
//
//   header      \ and | are escaped; line ends and other controls become spaces
//   extension   \ and = are escaped; line ends become \n; other controls become spaces
#pragma once

#include <string>
#include <string_view>

#include "export/ocsf.h"
#include "export/record.h"

namespace gatehouse::exporter {

void append_cef_header(std::string& out, std::string_view text);
void append_cef_value(std::string& out, std::string_view text);

// One message, without a line end.
std::string cef_message(const Record& record, const Source& source);

}  // namespace gatehouse::exporter

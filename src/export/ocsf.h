// Events as OCSF 1.8.0 (https://schema.ocsf.io/1.8.0). docs/export.md has the table of what becomes
// what. One entry becomes one event, and a Detection Finding more where something was found or a
// call was forbidden. Pure functions.
#pragma once

#include <string>

#include "export/record.h"

namespace gatehouse::exporter {

// Where the events come from; the same for all of them.
struct Source {
  std::string version;  // of this program
  std::string origin;   // name of the ledger
};

// Appends one JSON object a line.
void append_ocsf(const Record& record, const Source& source, std::string& out);

}  // namespace gatehouse::exporter

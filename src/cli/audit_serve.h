// gatehouse audit serve: a log directory over HTTP.
#pragma once

#include "cli/verbs.h"

namespace gatehouse::cli {

void add_audit_serve(CLI::App& audit, Exit& exit);

}  // namespace gatehouse::cli

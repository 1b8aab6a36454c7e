// gatehouse audit check|salt: a receipt, and the content it is about.
#pragma once

#include "cli/verbs.h"

namespace gatehouse::cli {

void add_audit_check(CLI::App& audit, Exit& exit);

}  // namespace gatehouse::cli

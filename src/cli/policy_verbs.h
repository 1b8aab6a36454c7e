// Verbs under `gatehouse policy` that have a file of their own.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/verbs.h"

namespace gatehouse::cli {

void add_policy_prove(CLI::App& policy, Exit& exit);
void add_policy_diff(CLI::App& policy, Exit& exit);

}  // namespace gatehouse::cli

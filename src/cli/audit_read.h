// The audit verbs that read entries: show, tail, find. Internal to audit.cc.
#pragma once

#include <string>
#include <vector>

#include "cli/verbs.h"

namespace gatehouse::cli {

// The directory given on the command line, or ./var/ledger.
std::string directory_of(const std::vector<std::string>& where);

void add_audit_read(CLI::App& audit, Exit& exit);
void add_audit_resume(CLI::App& audit, Exit& exit);  // audit_resume.cc
void add_audit_state(CLI::App& audit, Exit& exit);   // audit_state.cc
void add_audit_replay(CLI::App& audit, Exit& exit);  // audit_replay.cc

}  // namespace gatehouse::cli

// The verbs of the command line, one file each. A verb registers its subcommands and callbacks; a
// callback sets `exit` to its exit code: 0 done, 1 the thing asked about is wrong (a log does not
// verify, a policy has an error), 2 the call was wrong or could not be carried out.
#pragma once

#include <CLI/CLI.hpp>

namespace gatehouse::cli {

using Exit = int;

void add_serve(CLI::App& app, Exit& exit);                   // serve, config check
void add_key(CLI::App& app, Exit& exit);                     // key create|list|revoke
void add_token(CLI::App& app, Exit& exit);                   // token mint|…, principal suspend|…
void add_model(CLI::App& app, Exit& exit);                   // model add|list|remove
void add_mcp(CLI::App& app, Exit& exit);                     // mcp list|review|approve|…
void add_policy(CLI::App& app, Exit& exit);                  // policy check|test
void add_audit(CLI::App& app, Exit& exit);                   // audit verify|copy|show|tail|find|…
void add_export(CLI::App& app, Exit& exit);                  // export status
void add_witness(CLI::App& app, Exit& exit);                 // witness, witness init|key
void add_inspect(CLI::App& app, Exit& exit);                 // inspect rules|scan
void add_inspect_calibrate(CLI::App& inspect, Exit& exit);   // inspect calibrate
void add_inspect_dictionary(CLI::App& inspect, Exit& exit);  // inspect dictionary
void add_inspect_eval(CLI::App& inspect, Exit& exit);        // inspect eval
void add_inspect_grounding(CLI::App& inspect, Exit& exit);   // inspect grounding
void add_inspect_train(CLI::App& inspect, Exit& exit);       // inspect train
void add_vault(CLI::App& app, Exit& exit);                   // vault get|list|find|erase|hold|…
void add_limit(CLI::App& app, Exit& exit);                   // limit list|show|reset
void add_provenance(CLI::App& app, Exit& exit);              // provenance find|status|check
void add_simulate(CLI::App& app, Exit& exit);                // simulate

}  // namespace gatehouse::cli

// gatehouse: one program, one verb per job. `gatehouse --help` is the table of contents.
#include <exception>
#include <iostream>

#include "cli/verbs.h"

int main(int argc, char** argv) {
  using namespace gatehouse::cli;
  CLI::App app("Gatehouse: the control plane between people, agents and AI models");
  app.require_subcommand(1);
  Exit exit = 0;
  add_serve(app, exit);
  add_key(app, exit);
  add_token(app, exit);
  add_model(app, exit);
  add_mcp(app, exit);
  add_policy(app, exit);
  add_audit(app, exit);
  add_export(app, exit);
  add_witness(app, exit);
  add_vault(app, exit);
  add_limit(app, exit);
  add_inspect(app, exit);
  add_provenance(app, exit);
  add_simulate(app, exit);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    std::cerr << "gatehouse: " << error.what() << '\n';
    return 2;
  }
  return exit;
}

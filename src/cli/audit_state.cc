// gatehouse audit reconcile|rebuild|carry-over: the database against the ledger, and again from it.
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "cli/admin_call.h"
#include "cli/audit_read.h"
#include "gateway/config.h"
#include "gateway/restore.h"
#include "identity/reconcile.h"
#include "ledger/note.h"

namespace gatehouse::cli {
namespace {

using nlohmann::ordered_json;

struct StateOptions {
  std::vector<std::string> where;  // [DIR]
  std::string database;
  std::string key;
  std::string key_file;
  std::string config = "gatehouse.yaml";
  std::string old_ledger;
  bool keep_sessions = false;
  bool leave_unsigned = false;
  bool as_json = false;
};

int report(const Error& error, bool as_json) {
  const int code = error.code == ErrorCode::data_loss ? 1 : 2;
  if (as_json && code == 1) {
    std::cout << ordered_json{{"ok", false}, {"problem", printable(error.describe())}}.dump()
              << '\n';
  } else {
    std::cerr << "gatehouse: " << printable(error.describe()) << '\n';
  }
  return code;
}

Result<std::optional<ledger::VerifierKey>> key_from(const StateOptions& options) {
  std::string text = options.key;
  if (!options.key_file.empty()) {
    GH_ASSIGN(text, read_file(options.key_file, 4096));
  }
  if (text.empty()) return std::nullopt;
  GH_ASSIGN(auto key, ledger::parse_verifier_key(trim(text)));
  return key;
}

ordered_json to_json(const store::Difference& difference) {
  ordered_json out = {{"kind", to_string(difference.kind)}, {"table", printable(difference.table)}};
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) out[name] = printable(value);
  };
  add("row", difference.row);
  add("field", difference.field);
  if (difference.kind == store::Difference::Kind::only_in_database ||
      difference.kind == store::Difference::Kind::only_in_ledger)
    return out;
  out["database"] = printable(difference.database);
  out["ledger"] = printable(difference.ledger);
  return out;
}

ordered_json to_json(const std::vector<store::Difference>& differences) {
  ordered_json list = ordered_json::array();
  for (const auto& difference : differences) list.push_back(to_json(difference));
  return list;
}

// ---- reconcile ------------------------------------------------------------------------------

void print_json(const identity::ReconcileReport& found) {
  std::cout << ordered_json{{"ok", found.differences.empty()},
                            {"differences", to_json(found.differences)},
                            {"applied", found.applied},
                            {"ledger_size", found.ledger_size},
                            {"state_events", found.events},
                            {"state_events_after", found.events_after},
                            {"proven", found.proven},
                            {"unsigned", found.unsigned_},
                            {"checkpoint_size", found.checkpoint_size},
                            {"keys", found.keys},
                            {"models", found.models},
                            {"sessions", found.sessions}}
                   .dump()
            << '\n';
}

void print_people(const identity::ReconcileReport& found) {
  if (found.differences.empty()) {
    std::cout << "ok: the database says what the ledger says\n";
  } else {
    std::cout << "WRONG: " << found.differences.size()
              << (found.differences.size() == 1 ? " difference\n" : " differences\n");
  }
  for (const auto& difference : found.differences)
    std::cout << "  " << printable(describe(difference)) << '\n';
  std::cout << "  compared    " << found.keys << " keys and " << found.models
            << " models, as of entry " << found.applied << '\n'
            << "  ledger      " << found.events << " changes of state in " << found.applied
            << " entries; " << found.proven << " proven under the signed checkpoint of "
            << found.checkpoint_size << " entries\n";
  if (found.unsigned_ > 0)
    std::cout << "  note        " << found.unsigned_ << " changes no checkpoint covers yet\n";
  if (found.ledger_size > found.applied)
    std::cout << "  note        " << found.ledger_size - found.applied
              << " entries came since, with " << found.events_after
              << " changes of state; the database has not seen them and they were not compared\n";
  std::cout << "  sessions    " << found.sessions
            << " sealed conversations; they are no events and cannot be derived\n"
            << "  note        that no entry of the ledger was taken away or changed, `gatehouse "
               "audit verify` shows\n";
}

int reconcile(const StateOptions& options) {
  const auto key = key_from(options);
  if (!key) return report(key.error(), false);
  const std::filesystem::path directory = directory_of(options.where);
  const std::filesystem::path database = options.database.empty()
                                             ? directory / ".." / "state.db"
                                             : std::filesystem::path(options.database);
  const auto found = identity::reconcile(directory, database.lexically_normal(), *key);
  if (!found) return report(found.error(), options.as_json);
  options.as_json ? print_json(*found) : print_people(*found);
  return found->differences.empty() ? 0 : 1;
}

// ---- rebuild and carry over -----------------------------------------------------------------

Result<gateway::Config> config_from(const StateOptions& options) {
  set_log_level(LogLevel::warning);
  return gateway::load_config(options.config);
}

ordered_json to_json(const gateway::Rebuilt& rebuilt) {
  ordered_json out = {{"entries", rebuilt.entries},
                      {"keys", rebuilt.keys},
                      {"models", rebuilt.models},
                      {"differences_before", to_json(rebuilt.before)}};
  if (!rebuilt.backup.empty()) out["backup"] = rebuilt.backup;
  if (rebuilt.sessions) out["sessions"] = *rebuilt.sessions;
  if (!rebuilt.before_problem.empty()) out["problem_before"] = printable(rebuilt.before_problem);
  return out;
}

void print_people(const gateway::Rebuilt& rebuilt) {
  std::cout << "the database is made of " << rebuilt.entries << " entries: " << rebuilt.keys
            << " keys, " << rebuilt.models << " models\n";
  if (rebuilt.sessions) std::cout << "  sessions    " << *rebuilt.sessions << " taken along\n";
  if (!rebuilt.backup.empty()) std::cout << "  the old one " << printable(rebuilt.backup) << '\n';
  if (!rebuilt.before_problem.empty())
    std::cout << "  before      it could not be read: " << printable(rebuilt.before_problem)
              << '\n';
  for (const auto& difference : rebuilt.before)
    std::cout << "  before      " << printable(describe(difference)) << '\n';
}

int rebuild(const StateOptions& options) {
  const auto config = config_from(options);
  if (!config) return report(config.error(), false);
  const SystemClock clock;
  SystemRandom random;
  const auto rebuilt = gateway::rebuild_database(*config, clock, random, options.keep_sessions);
  if (!rebuilt) return report(rebuilt.error(), options.as_json);
  if (options.as_json) {
    std::cout << to_json(*rebuilt).dump() << '\n';
  } else {
    print_people(*rebuilt);
  }
  return 0;
}

int carry_over(const StateOptions& options) {
  const auto key = key_from(options);
  if (!key) return report(key.error(), false);
  const auto config = config_from(options);
  if (!config) return report(config.error(), false);
  const SystemClock clock;
  SystemRandom random;
  const gateway::CarryOver what{.old_ledger = directory_of({options.old_ledger}),
                                .key = *key,
                                .leave_unsigned = options.leave_unsigned,
                                .keep_sessions = options.keep_sessions,
                                .actor = operating_system_actor()};
  const auto carried = gateway::carry_over(*config, clock, random, what);
  if (!carried) return report(carried.error(), options.as_json);
  if (options.as_json) {
    ordered_json out = {{"log", carried->log},
                        {"size", carried->checkpoint.size},
                        {"root", to_base64(carried->checkpoint.root)},
                        {"events", carried->events},
                        {"already", carried->already},
                        {"left_behind", carried->left_behind}};
    out["database"] = to_json(carried->database);
    std::cout << out.dump() << '\n';
    return 0;
  }
  std::cout << "carried over " << carried->events << " changes of state from "
            << printable(carried->log) << " at " << carried->checkpoint.size << " entries, root "
            << to_base64(carried->checkpoint.root) << '\n';
  if (carried->already > 0)
    std::cout << "  note        " << carried->already << " were there from an earlier run\n";
  if (carried->left_behind > 0)
    std::cout << "  note        " << carried->left_behind
              << " changes behind its last checkpoint were left behind\n";
  print_people(carried->database);
  return 0;
}

void add_key_options(CLI::App& verb, StateOptions& options) {
  auto* key = verb.add_option("--key", options.key, "The log's public key (C2SP vkey)");
  verb.add_option("--key-file", options.key_file, "File that holds the public key")->excludes(key);
}

void add_config_option(CLI::App& verb, StateOptions& options) {
  verb.add_option("--config", options.config, "Configuration file")->capture_default_str();
}

}  // namespace

void add_audit_state(CLI::App& audit, Exit& exit) {
  auto options = std::make_shared<StateOptions>();

  auto* reconcile_verb = audit.add_subcommand(
      "reconcile", "Compare the database with the ledger; exit 1 names every difference");
  reconcile_verb->add_option("DIR", options->where, "Ledger directory (./var/ledger)")
      ->expected(0, 1);
  reconcile_verb->add_option("--database", options->database, "Database (state.db beside DIR)");
  add_key_options(*reconcile_verb, *options);
  reconcile_verb->callback([options, &exit] { exit = reconcile(*options); });

  auto* rebuild_verb =
      audit.add_subcommand("rebuild", "Make the database again from the ledger; keeps the old one");
  add_config_option(*rebuild_verb, *options);
  rebuild_verb->callback([options, &exit] { exit = rebuild(*options); });

  auto* carry_verb = audit.add_subcommand(
      "carry-over", "Begin a new log with the state of an old one, which stays as it is");
  carry_verb->add_option("OLD", options->old_ledger, "Ledger directory of the old log")->required();
  carry_verb->add_flag("--leave-unsigned", options->leave_unsigned,
                       "Go on although changes behind its last checkpoint are left behind");
  add_key_options(*carry_verb, *options);
  add_config_option(*carry_verb, *options);
  carry_verb->callback([options, &exit] { exit = carry_over(*options); });

  for (auto* verb : {rebuild_verb, carry_verb})
    verb->add_flag("--keep-sessions", options->keep_sessions,
                   "Take the sealed conversations of the old database along");
  for (auto* verb : {reconcile_verb, rebuild_verb, carry_verb})
    verb->add_flag("--json", options->as_json, "Print JSON");
}

}  // namespace gatehouse::cli

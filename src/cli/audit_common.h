// What the verbs of `gatehouse audit` share: the log's public key, and how they end.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "base/result.h"
#include "ledger/note.h"

namespace gatehouse::cli {

// Says on standard error what could not be done and gives the exit code.
// Calls that could not be carried out end with 2; a ledger that is not what it should be, with 1.
int report(const Error& error);
// Says on standard output what is wrong with the thing asked about: 1.
int wrong(const Error& error, bool as_json);

struct KeyOptions {
  std::string key;
  std::string key_file;
};
void add_key_options(CLI::App& verb, KeyOptions& options);
// Absent when neither is given.
Result<std::optional<ledger::VerifierKey>> key_from(const KeyOptions& options);

// receipt.tlog-proof -> receipt.entry.json
std::string entry_file_beside(const std::string& proof_file);

}  // namespace gatehouse::cli

#include "cli/audit_common.h"

#include <iostream>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/text.h"

namespace gatehouse::cli {

using nlohmann::ordered_json;

int report(const Error& error) {
  std::cerr << "gatehouse: " << printable(error.describe()) << '\n';
  return error.code == ErrorCode::data_loss ? 1 : 2;
}

int wrong(const Error& error, bool as_json) {
  if (as_json) {
    // A file's name may be any bytes; JSON is UTF-8.
    std::cout << ordered_json{{"ok", false},
                              {"file", printable(error.context)},
                              {"problem", printable(error.message)}}
                     .dump()
              << '\n';
  } else {
    std::cout << "WRONG: " << printable(error.describe()) << '\n';
  }
  return 1;
}

void add_key_options(CLI::App& verb, KeyOptions& options) {
  auto* key = verb.add_option("--key", options.key, "The log's public key (C2SP vkey)");
  verb.add_option("--key-file", options.key_file, "File that holds the public key")->excludes(key);
}

Result<std::optional<ledger::VerifierKey>> key_from(const KeyOptions& options) {
  std::string text = options.key;
  if (!options.key_file.empty()) {
    GH_ASSIGN(text, read_file(options.key_file, 4096));
  }
  if (text.empty()) return std::nullopt;
  auto key = ledger::parse_verifier_key(trim(text));
  if (!key) {
    return std::unexpected(
        std::move(key).error().within(options.key_file.empty() ? "--key" : options.key_file));
  }
  return std::move(*key);
}

std::string entry_file_beside(const std::string& proof_file) {
  constexpr std::string_view suffix = ".tlog-proof";
  const std::string stem = proof_file.ends_with(suffix)
                               ? proof_file.substr(0, proof_file.size() - suffix.size())
                               : proof_file;
  return stem + ".entry.json";
}

}  // namespace gatehouse::cli
